"""The mean of the weights: what it is, that it is what counts, and that nothing loses it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from lvm.clock import SystemClock
from lvm.control import Action, Control
from lvm.data.sources import Corpus
from lvm.errors import SettingsError
from lvm.events import Event
from lvm.models import build
from lvm.models.checkpoint import load_checkpoint
from lvm.settings import Thresholds, TrainSettings
from lvm.training.averaging import Averaging
from lvm.training.batches import BatchSource
from lvm.training.device import choose_device
from lvm.training.distributed import ALONE
from lvm.training.objectives import make_objective
from lvm.training.trainer import train
from lvm.training.validation import validate


def settings(**changes: Any) -> TrainSettings:
    tiny = TrainSettings(
        model="gru", epochs=2, batch_size=32, d_model=16, hidden_dim=16, weight_average=0.3,
        learning_rate=3e-3, fivecat_every=2, checkpoint_every=2, fivecat_samples=40,
        fivecat_horizon=2, device="cpu",
    )  # fmt: skip
    return tiny.changed(**changes)


def nobody() -> Action | None:
    return None


def run(
    corpus: Corpus, folder: Path, what: TrainSettings, control: Control = nobody
) -> Iterator[Event]:
    folder.mkdir(exist_ok=True)
    return train(
        what,
        corpus,
        folder,
        thresholds=Thresholds(severe=-2.0),
        control=control,
        clock=SystemClock(),
        resume=(folder / "last.pt").exists(),
    )


def last(folder: Path) -> dict[str, Any]:
    return dict(torch.load(folder / "last.pt", weights_only=True))


def same(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> bool:
    assert ours.keys() == theirs.keys()
    return all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_the_mean_spans_the_last_share_of_the_steps() -> None:
    model = build("amn", 4, d_model=8, hidden_dim=8)
    averaging = Averaging(model, 0.5)
    expected = torch.zeros(())
    for step in range(1, 30):
        value = float(step * step % 7)
        for parameter in model.parameters():
            torch.nn.init.constant_(parameter, value)
        averaging.update(step)
        expected = expected + (value - expected) / (1 + 0.5 * (step - 1))
        for mean in averaging.judged.parameters():
            assert torch.allclose(mean, expected.expand_as(mean), atol=1e-6)


def test_without_a_share_the_model_itself_is_judged_and_nothing_is_kept() -> None:
    model = build("gru", 4, d_model=8)
    averaging = Averaging(model, 0.0)
    averaging.update(1)
    assert averaging.judged is model
    assert averaging.state() is None


def test_averaging_changes_nothing_of_what_is_trained(corpus: Corpus, tmp_path: Path) -> None:
    for name, share in {"with": 0.3, "without": 0.0}.items():
        list(run(corpus, tmp_path / name, settings(weight_average=share)))
    ours, theirs = last(tmp_path / "with"), last(tmp_path / "without")
    assert same(ours["model_state_dict"], theirs["model_state_dict"])


def test_what_is_judged_is_what_is_saved(corpus: Corpus, tmp_path: Path) -> None:
    list(run(corpus, tmp_path / "run", settings()))
    history = json.loads((tmp_path / "run" / "training_history.json").read_text())
    device, _ = choose_device("cpu")
    for name in ("best_model.pt", "best_5cat_model.pt", "checkpoint_epoch2.pt"):
        loaded = load_checkpoint(tmp_path / "run" / name)
        found = validate(
            loaded.model,
            BatchSource(corpus.val, device),
            make_objective(settings()),
            batch_size=32,
            device=device,
            dim=corpus.dim,
            world=ALONE,
        )
        entry = history[loaded.meta["epoch"] - 1]
        assert found.cosine == pytest.approx(entry["val_cosine"], abs=1e-9)
    raw = last(tmp_path / "run")["model_state_dict"]
    assert not same(raw, loaded.model.state_dict())


def test_a_run_stopped_within_an_epoch_goes_on_to_the_same_mean(
    corpus: Corpus, tmp_path: Path
) -> None:
    list(run(corpus, tmp_path / "whole", settings()))
    polls = iter(range(1_000_000))
    list(
        run(
            corpus,
            tmp_path / "cut",
            settings(),
            control=lambda: "stop" if next(polls) == 5 else None,
        )
    )
    list(run(corpus, tmp_path / "cut", settings()))
    whole, cut = last(tmp_path / "whole"), last(tmp_path / "cut")
    assert same(whole["average_state_dict"], cut["average_state_dict"])
    name = "training_history.json"
    assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "cut" / name).read_bytes()


@pytest.mark.parametrize(("before", "after"), [(0.0, 0.3), (0.3, 0.0), (0.3, 0.2)])
def test_a_run_cannot_be_resumed_with_another_share(
    before: float, after: float, corpus: Corpus, tmp_path: Path
) -> None:
    list(run(corpus, tmp_path / "run", settings(weight_average=before, epochs=1)))
    with pytest.raises(SettingsError, match="weight_average was"):
        list(run(corpus, tmp_path / "run", settings(weight_average=after)))


@pytest.mark.parametrize("share", [-0.1, 1.5, float("nan"), True])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(SettingsError, match="weight_average"):
        settings(weight_average=share)
