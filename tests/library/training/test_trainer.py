"""The loop: what it yields, what it writes, and that it can be stopped anywhere."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from lvm import events
from lvm.clock import SystemClock
from lvm.control import Action, Control
from lvm.data.sources import Corpus
from lvm.errors import DataError, DivergedError, RunError, SettingsError
from lvm.models.checkpoint import load_checkpoint
from lvm.settings import MODEL_TYPES, Thresholds, TrainSettings
from lvm.training.device import available
from lvm.training.objectives import Objective, ObjectiveFunction, mean_squared_error
from lvm.training.trainer import train

LENIENT = Thresholds(severe=-2.0)
"""No margin can be severe, so that no run is stopped by its own test results."""


def settings(**changes: Any) -> TrainSettings:
    tiny = TrainSettings(
        model="gru",
        epochs=4,
        batch_size=32,
        d_model=16,
        hidden_dim=16,
        fivecat_every=2,
        checkpoint_every=2,
        fivecat_samples=40,
        fivecat_horizon=2,
        device="cpu",
    )
    return tiny.changed(**changes)


def nobody() -> Action | None:
    return None


def run(
    corpus: Corpus,
    folder: Path,
    what: TrainSettings,
    *,
    control: Control = nobody,
    resume: bool = False,
    thresholds: Thresholds = LENIENT,
    objective: ObjectiveFunction | None = None,
) -> Iterator[events.Event]:
    folder.mkdir(exist_ok=True)
    return train(
        what,
        corpus,
        folder,
        thresholds=thresholds,
        control=control,
        clock=SystemClock(),
        resume=resume,
        objective=Objective(objective) if objective else None,
    )


def weights(folder: Path) -> dict[str, Tensor]:
    document = torch.load(folder / "last.pt", weights_only=True)
    return dict(document["model_state_dict"])


def assert_same_run(one: Path, other: Path) -> None:
    ours, theirs = weights(one), weights(other)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    name = "training_history.json"
    assert (one / name).read_bytes() == (other / name).read_bytes()


def of_kind(told: list[events.Event], kind: type[events.Event]) -> list[Any]:
    return [event for event in told if isinstance(event, kind)]


def test_a_run_tells_its_story_in_order(corpus: Corpus, tmp_path: Path) -> None:
    told = list(run(corpus, tmp_path / "run", settings()))
    story = [e.kind() for e in told if not isinstance(e, events.Batch | events.FivecatProgress)]
    story = [kind for kind in story if kind not in ("alert_raised", "checkpoint_saved")]
    epoch = "epoch_finished"
    fivecat = ["fivecat_started", "fivecat_finished"]
    assert story == [
        "run_started", epoch, epoch, *fivecat, epoch, epoch, *fivecat, "run_finished",
    ]  # fmt: skip
    assert told[-1].outcome == "completed"  # type: ignore[attr-defined]


def test_a_run_leaves_the_files_of_the_guide(corpus: Corpus, tmp_path: Path) -> None:
    list(run(corpus, tmp_path / "run", settings()))
    assert {path.name for path in (tmp_path / "run").iterdir()} == {
        "best_model.pt",
        "best_5cat_model.pt",
        "checkpoint_epoch2.pt",
        "checkpoint_epoch4.pt",
        "training_history.json",
        "last.pt",
    }


def test_the_history_has_one_entry_an_epoch_and_5cat_where_it_ran(
    corpus: Corpus, tmp_path: Path
) -> None:
    told = list(run(corpus, tmp_path / "run", settings()))
    history = json.loads((tmp_path / "run" / "training_history.json").read_text())
    always = {"epoch", "train_loss", "train_cosine", "val_loss", "val_cosine"}
    tested = {"val_margin", "ood_margin", "val_rollout", "ood_rollout", "cat_score", "5cat"}
    assert [entry["epoch"] for entry in history] == [1, 2, 3, 4]
    assert [set(entry) - always for entry in history] == [set(), tested, set(), tested]
    for entry, event in zip(history, of_kind(told, events.EpochFinished), strict=True):
        assert entry["val_loss"] == event.val_loss
        assert entry["val_loss"] == pytest.approx((2 - 2 * entry["val_cosine"]) / 16, rel=1e-5)


def test_the_checkpoints_hold_the_best_epoch_and_the_best_score(
    corpus: Corpus, tmp_path: Path
) -> None:
    told = list(run(corpus, tmp_path / "run", settings()))
    history = json.loads((tmp_path / "run" / "training_history.json").read_text())
    best = load_checkpoint(tmp_path / "run" / "best_model.pt")
    lowest = min(history, key=lambda entry: entry["val_loss"])
    assert (best.meta["epoch"], best.meta["val_loss"]) == (lowest["epoch"], lowest["val_loss"])
    tested = [entry for entry in history if "cat_score" in entry]
    highest = max(tested, key=lambda entry: entry["cat_score"])
    best_5cat = load_checkpoint(tmp_path / "run" / "best_5cat_model.pt")
    assert best_5cat.meta["epoch"] == highest["epoch"] == told[-1].best_5cat_epoch  # type: ignore[attr-defined]
    assert best_5cat.meta["5cat_val_margin"] == highest["val_margin"]
    assert best_5cat.meta["run"] == "run"
    alarms = [each for each in told if isinstance(each, events.AlertRaised)]
    told_in_time = [each for each in alarms if each.epoch <= best_5cat.meta["epoch"]]
    against = [e for e in told_in_time if e.cause == "backward_bias" and e.level != "caution"]
    assert best_5cat.meta["backward_bias_alerts"] == len(against)
    score = 0.8 * highest["val_margin"] + 0.2 * highest["val_rollout"]
    assert best_5cat.meta["5cat_score"] == pytest.approx(score, abs=2e-6)


def test_numbered_checkpoints_keep_the_optimiser_and_best_ones_do_not(
    corpus: Corpus, tmp_path: Path
) -> None:
    list(run(corpus, tmp_path / "run", settings()))
    numbered = torch.load(tmp_path / "run" / "checkpoint_epoch2.pt", weights_only=True)
    best = torch.load(tmp_path / "run" / "best_model.pt", weights_only=True)
    assert "optimizer_state_dict" in numbered
    assert "optimizer_state_dict" not in best


def test_training_lowers_the_loss(corpus: Corpus, tmp_path: Path) -> None:
    told = list(run(corpus, tmp_path / "run", settings(epochs=8, learning_rate=3e-3)))
    losses = [event.val_loss for event in of_kind(told, events.EpochFinished)]
    assert losses[-1] < 0.6 * losses[0]


@pytest.mark.parametrize("model", MODEL_TYPES)
def test_the_same_seed_gives_the_same_bits(model: Any, corpus: Corpus, tmp_path: Path) -> None:
    for name in ("one", "two"):
        list(run(corpus, tmp_path / name, settings(model=model, epochs=2)))
    assert_same_run(tmp_path / "one", tmp_path / "two")


def test_noise_on_the_contexts_is_drawn_anew_each_step_and_survives_a_stop(
    corpus: Corpus, tmp_path: Path
) -> None:
    what = settings(context_noise=0.5, epochs=2)
    list(run(corpus, tmp_path / "whole", what))
    polls = iter(range(1_000_000))
    list(
        run(
            corpus,
            tmp_path / "stopped",
            what,
            control=lambda: "stop" if next(polls) == 5 else None,
        )
    )
    list(run(corpus, tmp_path / "stopped", what, resume=True))
    assert_same_run(tmp_path / "whole", tmp_path / "stopped")
    list(run(corpus, tmp_path / "clean", settings(epochs=2)))
    ours, clean = weights(tmp_path / "whole"), weights(tmp_path / "clean")
    assert not any(torch.equal(ours[name], clean[name]) for name in ours)


@pytest.mark.parametrize("model", MODEL_TYPES)
def test_a_run_stopped_within_an_epoch_goes_on_to_the_same_bits(
    model: Any, corpus: Corpus, tmp_path: Path
) -> None:
    what = settings(model=model)
    list(run(corpus, tmp_path / "whole", what))

    polls = iter(range(1_000_000))

    def stop_at_batch_17() -> Action | None:
        return "stop" if next(polls) == 17 else None

    told = list(run(corpus, tmp_path / "stopped", what, control=stop_at_batch_17))
    assert told[-1].outcome == "stopped"  # type: ignore[attr-defined]
    again = list(run(corpus, tmp_path / "stopped", what, resume=True))
    started = of_kind(again, events.RunStarted)[0]
    assert (started.resumed, started.step) == (True, 17)
    assert again[-1].outcome == "completed"  # type: ignore[attr-defined]
    assert_same_run(tmp_path / "whole", tmp_path / "stopped")


def test_a_run_cancelled_during_5cat_loses_no_epoch(corpus: Corpus, tmp_path: Path) -> None:
    list(run(corpus, tmp_path / "whole", settings()))
    in_fivecat = False

    def cancel() -> Action | None:
        return "cancel" if in_fivecat else None

    told = []
    for event in run(corpus, tmp_path / "cut", settings(), control=cancel):
        told.append(event)
        in_fivecat = isinstance(event, events.FivecatStarted)
    assert told[-1].outcome == "cancelled"  # type: ignore[attr-defined]
    assert not of_kind(told, events.FivecatFinished)
    list(run(corpus, tmp_path / "cut", settings(), resume=True))
    assert_same_run(tmp_path / "whole", tmp_path / "cut")


def test_a_pause_holds_the_run_until_it_is_resumed(corpus: Corpus, tmp_path: Path) -> None:
    said: list[Action | None] = ["pause", None, None, "resume"]
    told = list(
        run(corpus, tmp_path / "run", settings(), control=lambda: said.pop(0) if said else None)
    )
    paused, resumed = of_kind(told, events.Paused), of_kind(told, events.Resumed)
    assert len(paused) == len(resumed) == 1
    assert paused[0].step == resumed[0].step
    assert resumed[0].seconds >= 0.2
    assert told[-1].outcome == "completed"  # type: ignore[attr-defined]


def test_a_paused_run_can_be_stopped(corpus: Corpus, tmp_path: Path) -> None:
    said: list[Action | None] = ["pause", None, "stop"]
    told = list(run(corpus, tmp_path / "run", settings(), control=lambda: said.pop(0)))
    assert told[-1].outcome == "stopped"  # type: ignore[attr-defined]


def test_a_finished_run_can_be_trained_on_for_more_epochs(corpus: Corpus, tmp_path: Path) -> None:
    list(run(corpus, tmp_path / "run", settings(epochs=2)))
    told = list(run(corpus, tmp_path / "run", settings(epochs=3), resume=True))
    assert [event.epoch for event in of_kind(told, events.EpochFinished)] == [3]


def test_early_stopping_ends_a_run_that_gets_no_better(corpus: Corpus, tmp_path: Path) -> None:
    what = settings(epochs=20, early_stop=2, learning_rate=1e-12, warmup_steps=0)
    told = list(run(corpus, tmp_path / "run", what))
    end = told[-1]
    assert isinstance(end, events.RunFinished)
    assert end.outcome == "early_stopped"
    assert end.epochs == end.best_epoch + 2 < 20


def test_a_loss_that_is_not_finite_stops_the_run_and_spares_the_last_checkpoint(
    corpus: Corpus, tmp_path: Path
) -> None:
    calls = iter(range(1_000_000))

    def explodes(predictions: Tensor, targets: Tensor, contexts: Tensor) -> Tensor:
        loss = mean_squared_error(predictions, targets, contexts)
        return loss * math.nan if next(calls) > 40 else loss

    told: list[events.Event] = []
    with pytest.raises(DivergedError, match="no longer a finite number"):
        told.extend(run(corpus, tmp_path / "run", settings(), objective=explodes))
    assert of_kind(told, events.EpochFinished)
    assert all(bool(torch.isfinite(tensor).all()) for tensor in weights(tmp_path / "run").values())
    assert all(math.isfinite(event.loss) for event in of_kind(told, events.Batch))


def runs_out_of_memory_above(rows: int) -> ObjectiveFunction:
    def objective(predictions: Tensor, targets: Tensor, contexts: Tensor) -> Tensor:
        if predictions.requires_grad and len(predictions) > rows:
            raise torch.OutOfMemoryError("out of memory")
        return mean_squared_error(predictions, targets, contexts)

    return objective


def test_out_of_memory_halves_the_micro_batch_and_keeps_the_effective_batch(
    corpus: Corpus, tmp_path: Path
) -> None:
    list(run(corpus, tmp_path / "whole", settings(epochs=2)))
    small = runs_out_of_memory_above(8)
    told = list(run(corpus, tmp_path / "halved", settings(epochs=2), objective=small))
    halved = of_kind(told, events.BatchHalved)
    assert [(h.step, h.micro_batch, h.accumulate) for h in halved] == [(1, 16, 2), (1, 8, 4)]
    causes = [alert.cause for alert in of_kind(told, events.AlertRaised)]
    assert causes.count("out_of_memory") == 2
    ours, theirs = weights(tmp_path / "halved"), weights(tmp_path / "whole")
    for name in ours:
        torch.testing.assert_close(ours[name], theirs[name], rtol=1e-4, atol=1e-5)


def test_out_of_memory_below_eight_rows_is_given_up(corpus: Corpus, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="out of memory even with 8 rows"):
        list(run(corpus, tmp_path / "run", settings(), objective=runs_out_of_memory_above(0)))


def test_an_error_that_is_not_about_memory_is_not_retried(corpus: Corpus, tmp_path: Path) -> None:
    def broken(predictions: Tensor, targets: Tensor, contexts: Tensor) -> Tensor:
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes do not match"):
        list(run(corpus, tmp_path / "run", settings(), objective=broken))


def test_severe_backward_bias_stops_the_run_and_says_why(corpus: Corpus, tmp_path: Path) -> None:
    strict = Thresholds(severe=2.0, alarm=2.0, caution=2.0, good=2.0)
    told = list(run(corpus, tmp_path / "run", settings(), thresholds=strict))
    end = told[-1]
    assert isinstance(end, events.RunFinished)
    assert (end.outcome, end.epochs) == ("stopped", 2)
    assert end.reason.startswith("severe backward bias at epoch 2: VAL")
    assert (tmp_path / "run" / "checkpoint_epoch2.pt").exists()


def test_severe_backward_bias_only_alerts_where_the_user_wants_that(
    corpus: Corpus, tmp_path: Path
) -> None:
    strict = Thresholds(severe=2.0, alarm=2.0, caution=2.0, good=2.0)
    what = settings(on_severe="alert")
    told = list(run(corpus, tmp_path / "run", what, thresholds=strict))
    assert told[-1].outcome == "completed"  # type: ignore[attr-defined]
    levels = {alert.level for alert in of_kind(told, events.AlertRaised)}
    assert levels == {"severe"}


def test_a_run_with_a_backward_alert_is_never_ready(corpus: Corpus, tmp_path: Path) -> None:
    strict = Thresholds(severe=2.0, alarm=2.0, caution=2.0, good=2.0)
    what = settings(on_severe="alert")
    told = list(run(corpus, tmp_path / "run", what, thresholds=strict))
    for event in of_kind(told, events.FivecatFinished):
        assert event.result["ready"] is False
        assert any("alert" in missing for missing in event.result["missing"])


def test_a_device_that_is_not_there_is_replaced_and_told(corpus: Corpus, tmp_path: Path) -> None:
    missing = next(name for name in ("mps", "cuda:99") if not available(name))
    told = list(run(corpus, tmp_path / "run", settings(device=missing, epochs=1)))
    assert of_kind(told, events.RunStarted)[0].device == "cpu"
    alert = of_kind(told, events.AlertRaised)[0]
    assert (alert.cause, alert.level) == ("device_fallback", "caution")
    assert f"{missing!r} is not there" in alert.message


def test_a_5cat_that_cannot_run_is_an_alarm_and_training_goes_on(
    corpus: Corpus, tmp_path: Path
) -> None:
    none = dataclasses.replace(
        corpus.val_samples,
        contexts=corpus.val_samples.contexts[:0],
        target_rows=corpus.val_samples.target_rows[:0],
        article_starts=corpus.val_samples.article_starts[:0],
        article_ends=corpus.val_samples.article_ends[:0],
    )
    broken = dataclasses.replace(corpus, val_samples=none)
    told = list(run(broken, tmp_path / "run", settings()))
    alarms = [a for a in of_kind(told, events.AlertRaised) if a.cause == "fivecat_failed"]
    assert [(alarm.level, alarm.epoch) for alarm in alarms] == [("alarm", 2), ("alarm", 4)]
    assert told[-1].outcome == "completed"  # type: ignore[attr-defined]


def test_warm_up_raises_the_rate_in_a_line_to_its_full_value(
    corpus: Corpus, tmp_path: Path
) -> None:
    what = settings(epochs=1, batch_size=8, warmup_steps=1000)
    told = list(run(corpus, tmp_path / "run", what))
    batches = of_kind(told, events.RunStarted)[0].batches_per_epoch
    warm = int(0.1 * batches)
    for event in of_kind(told, events.Batch):
        assert event.learning_rate == pytest.approx(5e-4 * min(1.0, event.step / warm))


def test_resuming_with_other_settings_or_other_data_is_refused(
    corpus: Corpus, tmp_path: Path
) -> None:
    list(run(corpus, tmp_path / "run", settings(epochs=1)))
    with pytest.raises(SettingsError, match="d_model was 16, now 32"):
        list(run(corpus, tmp_path / "run", settings(d_model=32), resume=True))
    other = dataclasses.replace(corpus, fingerprints={"train": "another"})
    with pytest.raises(DataError, match="the data has changed"):
        list(run(other, tmp_path / "run", settings(), resume=True))


@pytest.mark.parametrize("model", MODEL_TYPES)
def test_bf16_trains_float32_weights_to_nearly_the_same_cosine(
    model: Any, corpus: Corpus, tmp_path: Path
) -> None:
    cosines = {}
    for precision in ("fp32", "bf16"):
        what = settings(model=model, epochs=6, learning_rate=3e-3, precision=precision)
        told = list(run(corpus, tmp_path / precision, what))
        cosines[precision] = of_kind(told, events.EpochFinished)[-1].val_cosine
        assert {tensor.dtype for tensor in weights(tmp_path / precision).values()} == {
            torch.float32
        }
    assert cosines["bf16"] != cosines["fp32"]
    assert cosines["bf16"] == pytest.approx(cosines["fp32"], abs=0.02)
