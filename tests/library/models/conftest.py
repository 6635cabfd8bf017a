"""Small models with weights from a formula, so that their outputs are known for good."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from lvm.models import build
from lvm.models.base import LatentModel

torch.set_num_threads(1)  # matrices this small only wait for other threads

Build = Callable[..., LatentModel]


@pytest.fixture
def formula_model() -> Build:
    """build(model_type, dim) with every weight set from its place in the state dict."""

    def make(model_type: str, dim: int = 16, *, position: bool = False) -> LatentModel:
        model = build(model_type, dim + position, d_model=16, hidden_dim=24, output_dim=dim).eval()
        state = model.state_dict()
        for number, (name, value) in enumerate(state.items()):
            if name != "pos_encoder.pe":
                places = torch.arange(value.numel(), dtype=torch.float64)
                state[name] = (0.3 * torch.sin(places * 1.7 + number)).float().view(value.shape)
        model.load_state_dict(state)
        return model

    return make


@pytest.fixture
def contexts() -> npt.NDArray[np.float32]:
    """(7, 5, 16) unit vectors."""
    rows = np.random.default_rng(3).normal(size=(7, 5, 16))
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


ABSENT = object()
"""Instead of a value: the document has no such key."""
NUMBERS: dict[str, float] = {
    "epoch": 5,
    "train_loss": 0.0012,
    "train_cosine": 0.55,
    "val_loss": 0.0013,
    "val_cosine": 0.54,
}


@pytest.fixture
def saved(tmp_path: Path, formula_model: Build) -> Callable[..., Path]:
    """saved(kind, **changes to the document) → the path of such a checkpoint."""

    def make(kind: str = "gru", *, position: bool = False, **changes: object) -> Path:
        model = formula_model(kind, position=position)
        document = {
            "model_state_dict": model.state_dict(),
            "model_type": kind,
            "model_config": model.config.to_json(),
            **NUMBERS,
            **changes,
        }
        path = tmp_path / "old.pt"
        torch.save({key: value for key, value in document.items() if value is not ABSENT}, path)
        return path

    return make
