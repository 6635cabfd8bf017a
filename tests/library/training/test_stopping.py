"""A run can be paused, stopped anywhere, gone on with and trained on."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch

from lvm import events
from lvm.control import Action
from lvm.data.sources import Corpus
from lvm.errors import DataError, SettingsError
from lvm.settings import MODEL_TYPES
from tests.library.training.running import (
    assert_same_run,
    of_kind,
    run,
    settings,
    weights,
)


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


def test_resuming_with_other_settings_or_other_data_is_refused(
    corpus: Corpus, tmp_path: Path
) -> None:
    list(run(corpus, tmp_path / "run", settings(epochs=1)))
    with pytest.raises(SettingsError, match="d_model was 16, now 32"):
        list(run(corpus, tmp_path / "run", settings(d_model=32), resume=True))
    other = dataclasses.replace(corpus, fingerprints={"train": "another"})
    with pytest.raises(DataError, match="the data has changed"):
        list(run(other, tmp_path / "run", settings(), resume=True))
