"""Scenarios: event logs as the engine writes them, made by formula, with no torch and no clock."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lvm import events as e
from lvm.events import Event
from lvm.records import Record, encode

from .documents import battery, forecast_document, quality

START = 1_761_861_600.0
"""2025-10-30 22:00:00 UTC."""


@dataclass
class Script:
    """A log in the making: every event takes its time."""

    now: float = START
    records: list[Record] = field(default_factory=list)

    def add(self, event: Event, seconds: float = 0.0) -> None:
        self.now += seconds
        self.records.append(Record(len(self.records), round(self.now, 3), event))

    def write(self, path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(encode(record) + "\n" for record in self.records), "utf-8")
        return path


def wobble(step: int) -> float:
    """Noise without randomness, −1 to 1."""
    return math.sin(step * 12.9898) * 0.6 + math.sin(step * 4.1414 + 1.0) * 0.4


def loss_at(progress: float, step: int) -> float:
    """Something like a mean squared error over `progress` 0 to 1 of a run."""
    return 0.00105 + 0.0016 * math.exp(-6.0 * progress) + 0.00005 * wobble(step)


def cosine_at(progress: float, step: int) -> float:
    return 0.61 - 0.55 * math.exp(-5.0 * progress) + 0.012 * wobble(step)


def preparation(script: Script) -> None:
    """Tasks of the workspace log, as `lvm-tui demo` has them."""
    script.add(e.TaskStarted("text", "reading the documentation inside Python"))
    script.add(e.TaskFinished("text", 1.4, note="2,310 articles, 402,118 words"), 1.4)
    script.add(e.TaskStarted("encode", "encoding it to 768-D vectors (LSA)"))
    for done in range(0, 8001, 800):
        script.add(e.TaskProgress("encode", done, 8000, "fitting"), 0.4)
    script.add(e.TaskFinished("encode", 4.4, note="wrote python_docs.npz"), 0.1)


@dataclass(frozen=True)
class Plan:
    """One run of a scenario."""

    run: str = "transformer_5cat_20251030_220000"
    model: str = "transformer"
    epochs: int = 20
    batches: int = 80
    batch_seconds: float = 0.1
    margins: tuple[float, ...] = (-0.084, 0.062, 0.128, 0.171)
    """VAL margin of each 5CAT, every five epochs."""
    every: int = 5
    device: str = "cpu"
    good_data: bool = True


def begin(script: Script, plan: Plan, *, resumed_at: int = 0) -> None:
    script.add(
        e.RunStarted(
            run=plan.run,
            model=plan.model,
            settings={"fivecat_every": plan.every, "batch_size": 256, "learning_rate": 5e-4},
            parameters=4_674_304,
            epochs=plan.epochs,
            batches_per_epoch=plan.batches,
            samples={"train": plan.batches * 256, "val": 2_560, "ood": 2_560},
            dim=768,
            device=plan.device,
            host="ada",
            pid=4711,
            resumed=resumed_at > 0,
            step=resumed_at,
            epoch=resumed_at // plan.batches,
        )
    )


def loaded(script: Script, plan: Plan) -> None:
    script.add(
        e.DataLoaded(
            source="python_docs.npz",
            samples={"train": plan.batches * 256, "val": 2_560, "ood": 2_560},
            dim=768,
            articles=2_310,
            quality=quality(good=plan.good_data),
            passed=plan.good_data,
            overridden=not plan.good_data,
            seconds=0.8,
        ),
        0.8,
    )


def forecast(script: Script, *, within: bool = False) -> None:
    script.add(e.ForecastMade(forecast_document(within=within), 12.4), 12.4)


def epoch(script: Script, plan: Plan, number: int, *, until: int | None = None) -> None:
    """The batches of one epoch and its end; only `until` batches and no end, if given."""
    total = plan.epochs * plan.batches
    for batch in range(1, (until or plan.batches) + 1):
        step = (number - 1) * plan.batches + batch
        script.add(
            e.Batch(
                epoch=number,
                step=step,
                batch=batch,
                batches=plan.batches,
                loss=loss_at(step / total, step),
                cosine=cosine_at(step / total, step),
                learning_rate=5e-4,
                samples_per_second=256 / plan.batch_seconds,
                memory_mb=812.0,
            ),
            plan.batch_seconds,
        )
    if until is not None:
        return
    at = number / plan.epochs
    script.add(
        e.EpochFinished(
            epoch=number,
            epochs=plan.epochs,
            step=number * plan.batches,
            train_loss=loss_at(at, 0) + 0.00001,
            train_cosine=cosine_at(at, 0),
            val_loss=loss_at(at, 3) + 0.00006,
            val_cosine=cosine_at(at, 3) - 0.02,
            learning_rate=5e-4,
            seconds=plan.batches * plan.batch_seconds + 0.5,
            samples_per_second=256 / plan.batch_seconds,
            best=True,
        ),
        0.5,
    )


def fivecat(script: Script, plan: Plan, number: int, margin: float, *, until: int = 100) -> None:
    """A battery after an epoch, its alerts included; only `until` percent of it, if given."""
    script.add(e.FivecatStarted(number, 1000, 3))
    tests = ("offset", "retrieval", "ablations", "rollout", "bins")
    for done in range(0, min(until, 100) + 1, 5):
        which = "VAL" if done < 50 else "OOD"
        test = tests[min(done % 50 // 10, 4)]
        script.add(e.FivecatProgress(number, which, test, done * 240, 24_000), 0.2)
    if until < 100:
        return
    result = battery(margin)
    script.add(
        e.FivecatFinished(number, number * plan.batches, result, result["score"], 4.2, best=True)
    )
    for which in ("VAL", "OOD"):
        part = result[which]
        if part["level"] in ("severe", "alarm", "caution"):
            title = {
                "severe": "SEVERE BACKWARD BIAS",
                "alarm": "BACKWARD BIAS",
                "caution": "slight backward tendency",
            }[part["level"]]
            script.add(
                e.AlertRaised(
                    alert=f"backward_bias-{number}-{which}",
                    cause="backward_bias",
                    level=part["level"],
                    message=f"{title}  {which} {part['message']}",
                    fix="check the data (lvm diagnose: coherence ≥ 0.40, signal ≥ +0.08, "
                    "rising order); if it is good, look for swapped contexts and targets",
                    epoch=number,
                    split=which,
                    value=part["margin"],
                )
            )


def end(script: Script, plan: Plan, outcome: str = "completed", reason: str = "") -> None:
    epochs = plan.epochs if outcome == "completed" else 0
    best = battery(plan.margins[-1]) if plan.margins else {}
    script.add(
        e.RunFinished(
            outcome=outcome,
            epochs=epochs,
            seconds=epochs * (plan.batches * plan.batch_seconds + 0.5),
            reason=reason,
            best_epoch=epochs,
            best_val_loss=0.001112 if epochs else None,
            best_val_cosine=0.588 if epochs else None,
            best_5cat_epoch=epochs if best else 0,
            summary=best,
        )
    )


def whole_run(script: Script, plan: Plan, *, until_epoch: int | None = None) -> None:
    """A run from its first event to its last, or to the end of an epoch."""
    begin(script, plan)
    loaded(script, plan)
    margins = iter(plan.margins)
    for number in range(1, (until_epoch or plan.epochs) + 1):
        epoch(script, plan, number)
        if number % plan.every == 0 or number == plan.epochs:
            fivecat(script, plan, number, next(margins))
            script.add(
                e.CheckpointSaved(
                    number, number * plan.batches, f"checkpoint_epoch{number}.pt", 56_100_000
                )
            )
    if until_epoch is None:
        end(script, plan)


def training(plan: Plan | None = None) -> Script:
    """The picture of the design: epoch 7 of 20, one alert open."""
    plan = plan or Plan()
    script = Script()
    whole_run(script, plan, until_epoch=6)
    epoch(script, plan, 7, until=plan.batches * 2 // 5)
    return script


def batches(script: Script) -> Iterator[Record]:
    return (record for record in script.records if isinstance(record.event, e.Batch))
