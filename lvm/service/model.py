"""The model of a service: loaded as data, tried once, and only then served."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lvm.errors import CheckpointError, LvmError
from lvm.models.checkpoint import load_checkpoint
from lvm.models.predict import Predictor
from lvm.settings import CONTEXT_LENGTH
from lvm.training.device import choose_device

FloatArray = npt.NDArray[np.float32]

UNIT_TOLERANCE = 1e-3
"""How far from 1 the length of a prediction may be."""
_TRIAL_SEED = 0


@dataclass(frozen=True, eq=False)
class ServedModel:
    """A model that has predicted once, and what /health says about its file."""

    predictor: Predictor
    model_type: str
    dim: int
    path: Path
    """As it was given: usually the link `NAME_v0.pt`."""
    file: Path
    """What the link pointed at when it was read."""
    sha256: str
    """Of the bytes that were loaded, hexadecimal."""
    device: str
    warning: str = ""
    """What the person who starts it should know, or ""."""

    def forward(self, contexts: FloatArray) -> FloatArray:
        """(n, 5, dim) → (n, dim) unit rows. Raises RunError when the model predicts NaN."""
        predictions: FloatArray = self.predictor(contexts).cpu().numpy()
        return predictions


def load_model(path: Path, device: str = "auto", batch: int = 64) -> ServedModel:
    """Load a checkpoint and try it: a bad one never answers a request.

    Raises CheckpointError: missing, truncated, hostile, of an unknown shape, with NaN weights, or
    with predictions that are not finite unit vectors.
    """
    chosen, warning = choose_device(device)
    file = path.resolve()
    checkpoint = load_checkpoint(file, chosen)
    served = ServedModel(
        predictor=Predictor(checkpoint.model, chosen, batch),
        model_type=checkpoint.model_type,
        dim=checkpoint.config.dim,
        path=path,
        file=file,
        sha256=checkpoint.sha256,
        device=str(chosen),
        warning=warning,
    )
    _try(served)
    return served


def trial_contexts(dim: int) -> FloatArray:
    """(5, dim) unit rows, always the same: what a checkpoint is tried with before it serves."""
    rows = np.random.default_rng(_TRIAL_SEED).normal(size=(CONTEXT_LENGTH, dim))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def _try(served: ServedModel) -> None:
    try:
        prediction = served.forward(trial_contexts(served.dim)[None])
    except LvmError as error:
        raise _unfit(error.what, served) from error
    if prediction.shape != (1, served.dim):
        raise _unfit(f"predicts shape {prediction.shape}, not (1, {served.dim})", served)
    length = float(np.linalg.norm(prediction))
    if abs(length - 1) > UNIT_TOLERANCE:
        raise _unfit(f"predicts a vector of length {length:.4g}, not 1", served)


def _unfit(what: str, served: ServedModel) -> CheckpointError:
    return CheckpointError(
        f"fails its trial prediction: {what}",
        where=str(served.path),
        fix="it serves nothing; use an earlier checkpoint",
    )
