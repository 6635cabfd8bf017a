"""What goes wrong in a run: told, survived, or ended with the last good files."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

from lvm import events
from lvm.data.sources import Corpus
from lvm.errors import DivergedError, RunError
from lvm.settings import Thresholds
from lvm.training.device import available
from lvm.training.objectives import ObjectiveFunction, mean_squared_error
from tests.library.training.running import (
    of_kind,
    run,
    settings,
    weights,
)


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
