"""Scenarios: event logs as the engine writes them, made by formula, with no torch and no clock.

    python -m tests.tui.scripted FOLDER [SECONDS]

writes a live scenario into FOLDER over so many seconds, for trials in a terminal.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lvm import events as e
from lvm.events import Event
from lvm.records import Record, encode
from lvm.settings import Thresholds

START = 1_761_861_600.0
"""2025-10-30 22:00:00 UTC."""

NEEDS = Thresholds()


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


def quality(*, good: bool = True) -> dict[str, Any]:
    coherence, signal = (0.457, 0.117) if good else (0.353, 0.015)
    steps = [0.011, 0.019, 0.031, 0.056] if good else [0.004, -0.002, 0.006, 0.007]
    at = 0.34 if good else 0.31
    centre = 44 if good else 33
    positions = [at]
    for step in steps:
        positions.append(positions[-1] + step)
    return {
        "samples": 20000,
        "coherence": coherence,
        "position_to_target": positions,
        "signal": signal,
        "monotonic": min(steps) > 0,
        "background": 0.11,
        "distribution": [
            n for at in range(20) for n in [max(0, 3000 - 28 * (at * 5 - centre) ** 2)]
        ],
        "kind": "forward" if good else "flat",
        "checks": [
            {"name": "coherence", "value": coherence, "need": 0.40, "passed": coherence >= 0.40},
            {"name": "signal", "value": signal, "need": 0.08, "passed": signal >= 0.08},
            {"name": "order", "value": min(steps), "need": 0.0, "passed": min(steps) > 0},
        ],
        "passed": good,
        "words": "the data runs forward" if good else "the data has no direction",
        "fix": "" if good else "make the sequences again from articles in order",
    }


def split(margin: float, *, weaker: float = 0.0) -> dict[str, Any]:
    """One split of a 5CAT document whose every number goes with the margin."""
    at_target = 0.56 - weaker
    best_other = at_target - margin
    cos = {
        "-3": best_other - 0.18,
        "-2": best_other - 0.12,
        "-1": best_other - 0.05,
        "0": best_other,
        "1": at_target,
        "2": at_target - 0.06 - max(margin, 0.0),
        "3": at_target - 0.12 - max(margin, 0.0),
    }
    best = max(cos, key=lambda k: cos[k])
    level = (
        "severe" if margin < NEEDS.severe
        else "alarm" if margin < NEEDS.alarm
        else "caution" if margin < NEEDS.caution
        else "weak" if margin < NEEDS.good
        else "good"
    )  # fmt: skip
    words = {
        "severe": "severe backward bias",
        "alarm": "BACKWARD BIAS DETECTED",
        "caution": "slight backward tendency",
        "weak": "weak forward signal",
        "good": "good forward prediction",
    }[level]
    sign = f"{margin:+.3f}".replace("-", "−")
    where = "closest to k=0, the chunk it just read" if best == "0" else words
    return {
        "cos": cos,
        "margin": margin,
        "best_offset": int(best),
        "level": level,
        "words": words,
        "message": f"margin {sign}: {where}",
        "collapsed": False,
        "r1": 0.52 + margin - weaker,
        "r5": 0.93 + margin / 4 - weaker,
        "mrr": 0.70 + margin - weaker,
        "shuffled": -0.05 - margin,
        "reversed": -0.03 - margin,
        "leave_one_out": -0.02 - margin / 1.5,
        "repeat_last": -0.02 - margin / 3,
        "cross_article": -0.01,
        "rollout": 0.41 + margin - weaker,
        "rollout_steps": [0.56, 0.48, 0.41 + margin],
        "low_mean": 0.51 - weaker,
        "low_n": 412,
        "normal_mean": 0.57 - weaker,
        "normal_n": 371,
        "high_mean": 0.63 - weaker,
        "high_n": 217,
    }


_CHECKS = (
    ("offset", "cos", ">="),
    ("offset", "margin", ">="),
    ("retrieval", "r1", ">="),
    ("retrieval", "r5", ">="),
    ("retrieval", "mrr", ">="),
    ("ablations", "shuffled", "<="),
    ("ablations", "reversed", "<="),
    ("ablations", "leave_one_out", "<="),
    ("ablations", "repeat_last", "<="),
    ("ablations", "cross_article", "<="),
    ("rollout", "rollout", ">="),
)


def battery(margin: float, *, weaker: float = 0.012) -> dict[str, Any]:
    """A 5CAT document, the one of `lvm 5cat --json`."""
    result: dict[str, Any] = {
        "origin": "context",
        "seed": 0,
        "horizon": 3,
        "samples": {name: {"asked": 1000, "used": 1000, "skipped": {}} for name in ("VAL", "OOD")},
        "VAL": split(margin),
        "OOD": split(margin - weaker / 2, weaker=weaker),
        "seconds": 4.2,
        "order_blind": False,
        "thresholds": NEEDS.to_json(),
    }
    needs = NEEDS.to_json()
    checks: list[dict[str, Any]] = []
    for gate, name, op in _CHECKS:
        for which in ("VAL", "OOD"):
            part = result[which]
            value = part["cos"]["1"] if name == "cos" else part[name]
            need = needs.get(name, needs.get(f"{name}_{which.lower()}"))
            checks.append(_check(gate, name, which, value, need, op))
    bins = abs(result["VAL"]["normal_mean"] - result["OOD"]["normal_mean"])
    checks.append(_check("bins", "bins_difference", "VAL", bins, NEEDS.bins_difference, "<="))
    gates = {
        gate: all(check["passed"] for check in checks if check["gate"] == gate)
        for gate in ("offset", "retrieval", "ablations", "rollout", "bins")
    }
    passed = sum(gates.values())
    missing = []
    for which, need in (("VAL", NEEDS.ready_margin_val), ("OOD", NEEDS.ready_margin_ood)):
        value = result[which]["margin"]
        if value < need:
            short = f"{which} margin {value:+.3f}, needs ≥ {need:+.2f}: short by {need - value:.3f}"
            missing.append(short.replace("-", "−"))
    rollout = result["VAL"]["rollout"]
    if rollout < NEEDS.ready_rollout_val:
        short = NEEDS.ready_rollout_val - rollout
        missing.append(f"VAL rollout {rollout:.3f}, needs ≥ 0.50: short by {short:.3f}")
    if passed < NEEDS.ready_gates:
        missing.append(f"{passed} of 5 gates, needs 3")
    return {
        **result,
        "checks": checks,
        "gates": gates,
        "passed": passed,
        "missing": missing,
        "ready": not missing,
        "score": 0.8 * margin + 0.2 * rollout,
    }


def _check(gate: str, name: str, which: str, value: float, need: float, op: str) -> dict[str, Any]:
    short = need - value if op == ">=" else value - need
    return {
        "gate": gate,
        "name": name,
        "split": which,
        "value": value,
        "need": need,
        "op": op,
        "passed": short <= 0,
        "short_by": max(short, 0.0) or None,
    }


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


def forecast_document(*, within: bool = False) -> dict[str, Any]:
    """What `lvm diagnose` says of real text (spec/data.md), or of data that runs forward."""
    lift = 0.33 if within else 0.0
    frontier = [
        {
            "cos": 0.61 - 0.03 * at**1.5,
            "margin": -0.19 + 0.05 * at + lift,
            "ood_cos": 0.60 - 0.03 * at**1.5,
            "ood_margin": -0.20 + 0.05 * at + lift,
            "lambda": 0.2 * at,
        }
        for at in range(6)
    ]
    short = None if within else 0.182
    return {
        "baselines": {
            name: {
                "VAL": {"cos": cos, "margin": margin, "rollout": 0.4},
                "OOD": {"cos": cos - 0.01, "margin": margin - 0.01, "rollout": 0.39},
                "passed": passed,
            }
            for name, cos, margin, passed in (
                ("copy_last", 0.55, -0.45, 0),
                ("mean", 0.57, -0.25, 1),
                ("ridge", 0.605, -0.19 + lift, 3 if within else 2),
            )
        },
        "frontier": frontier,
        "gates": {
            "offset": {
                "verdict": "within reach" if within else "out of reach",
                "best": 0.14 if within else -0.062,
                "need": 0.12,
                "short_by": short,
                "words": "best margin -0.062 with cos ≥ 0.50 on VAL, needs ≥ +0.12: short by 0.182"
                if not within
                else "some linear predictor has margin +0.140 with cos ≥ 0.50 on VAL",
            },
            "retrieval": {"verdict": "within reach", "words": "some linear predictor passes"},
            "ablations": {
                "verdict": "unknown",
                "short_by": 0.021,
                "words": "best VAL leave_one_out -0.059, needs ≤ -0.08: short by 0.021",
            },
            "rollout": {"verdict": "within reach", "words": "some linear predictor passes"},
            "bins": {"verdict": "unknown", "words": "not measured"},
        },
        "samples": {"fit": 18_000, "tune": 1_500, "VAL": 1_500, "OOD": 1_500},
        "seconds": 12.4,
        "arrow": {
            "accuracy": 0.67,
            "chance": 0.5,
            "noise": 0.02,
            "found": True,
            "words": "a weak arrow of time: 67% of windows told from their reverse",
        },
    }


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
