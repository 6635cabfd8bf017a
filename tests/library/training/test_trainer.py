"""The loop: what it yields and what it writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from lvm import events
from lvm.data.sources import Corpus
from lvm.models.checkpoint import load_checkpoint
from lvm.settings import MODEL_TYPES
from tests.library.training.running import (
    assert_same_run,
    of_kind,
    run,
    settings,
    weights,
)


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


def test_warm_up_raises_the_rate_in_a_line_to_its_full_value(
    corpus: Corpus, tmp_path: Path
) -> None:
    what = settings(epochs=1, batch_size=8, warmup_steps=1000)
    told = list(run(corpus, tmp_path / "run", what))
    batches = of_kind(told, events.RunStarted)[0].batches_per_epoch
    warm = int(0.1 * batches)
    for event in of_kind(told, events.Batch):
        assert event.learning_rate == pytest.approx(5e-4 * min(1.0, event.step / warm))


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
