"""However a batch is cut up, each sample meets the dropout mask that it meets in the whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from lvm.clock import SystemClock
from lvm.data.sources import Corpus
from lvm.models import build
from lvm.settings import MODEL_TYPES, Thresholds, TrainSettings
from lvm.training.sharing import masks_of, noise_of
from lvm.training.trainer import train

TOTAL = 10


def outputs(model: Any, contexts: torch.Tensor, rows: list[int]) -> torch.Tensor:
    masks = masks_of(torch.tensor(rows), TOTAL, batch_axis=model.dropout_batch_axis, seed=5)
    with torch.no_grad(), masks:
        found: torch.Tensor = model(contexts[rows])
    return found


@pytest.mark.parametrize("model_type", MODEL_TYPES)
@pytest.mark.parametrize("rows", [[0, 2, 4, 6, 8], [1, 3, 5, 7, 9], [3], [7, 8, 9]])
def test_some_rows_are_predicted_as_among_all(model_type: Any, rows: list[int]) -> None:
    torch.manual_seed(1)
    model = build(model_type, 16, d_model=16, hidden_dim=16).train()
    contexts = torch.nn.functional.normalize(torch.randn(TOTAL, 5, 16), dim=-1)
    whole = outputs(model, contexts, list(range(TOTAL)))
    torch.testing.assert_close(outputs(model, contexts, rows), whole[rows])


@pytest.mark.parametrize("model_type", ["transformer", "lstm"])
def test_without_it_they_are_not(model_type: Any) -> None:
    """Else the test above would pass for a model without dropout."""
    torch.manual_seed(1)
    model = build(model_type, 16, d_model=16, hidden_dim=16).train()
    contexts = torch.nn.functional.normalize(torch.randn(TOTAL, 5, 16), dim=-1)
    with torch.no_grad():
        torch.manual_seed(5)
        whole = model(contexts)
        torch.manual_seed(5)
        assert not torch.allclose(model(contexts[5:]), whole[5:])


def test_a_whole_batch_draws_what_torch_draws() -> None:
    dropout = torch.nn.Dropout(0.5)
    torch.manual_seed(5)
    plain = dropout(torch.ones(TOTAL, 4))
    with masks_of(torch.arange(TOTAL), TOTAL, batch_axis=0, seed=5):
        assert torch.equal(dropout(torch.ones(TOTAL, 4)), plain)


def test_heads_that_are_folded_into_the_batch_stay_with_their_row() -> None:
    heads = 3
    with masks_of(torch.arange(TOTAL), TOTAL, batch_axis=0, seed=5):
        whole = torch.dropout(torch.ones(TOTAL * heads, 4), 0.5, train=True)
    rows = torch.tensor([2, 7])
    with masks_of(rows, TOTAL, batch_axis=0, seed=5):
        part = torch.dropout(torch.ones(len(rows) * heads, 4), 0.5, train=True)
    assert torch.equal(part, whole.unflatten(0, (TOTAL, heads))[rows].flatten(0, 1))


def test_noise_is_that_of_the_row() -> None:
    like = torch.zeros(TOTAL, 5, 4)
    torch.manual_seed(5)
    whole = noise_of(torch.arange(TOTAL), TOTAL, like)
    torch.manual_seed(5)
    rows = torch.tensor([2, 7])
    assert torch.equal(noise_of(rows, TOTAL, like[rows]), whole[rows])


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_accumulated_gradients_give_the_history_of_whole_batches(
    model_type: Any, corpus: Corpus, tmp_path: Path
) -> None:
    histories = []
    for micro_batch in (0, 12):
        folder = tmp_path / str(micro_batch)
        folder.mkdir()
        settings = TrainSettings(
            model=model_type, epochs=3, batch_size=32, micro_batch=micro_batch, d_model=16,
            hidden_dim=16, context_noise=0.1, fivecat_samples=40, fivecat_horizon=2, device="cpu",
        )  # fmt: skip
        for _ in train(
            settings,
            corpus,
            folder,
            thresholds=Thresholds(severe=-2.0),
            control=lambda: None,
            clock=SystemClock(),
        ):
            pass
        entries = json.loads((folder / "training_history.json").read_text())
        histories.append([entry["train_loss"] for entry in entries])
        histories[-1] += [entry["val_cosine"] for entry in entries]
    assert histories[1] == pytest.approx(histories[0], rel=1e-3, abs=1e-5)
