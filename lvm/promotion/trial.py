"""A checkpoint is loaded as a service loads it, and predicts once, before it may go live."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Trial:
    sha256: str
    """Of the bytes that were loaded."""
    model_type: str
    dim: int
    prediction: list[float]
    """(dim,) of length 1, for `trial_contexts(dim)`."""
    device: str


def try_as_service(file: Path, device: str = "auto") -> Trial:
    """Raises CheckpointError: missing, truncated, hostile, of an unknown shape, with NaN weights,
    or with a prediction that is no finite unit vector."""
    from lvm.service.model import load_model, trial_contexts

    served = load_model(file, device)
    prediction = served.forward(trial_contexts(served.dim)[None])[0]
    return Trial(served.sha256, served.model_type, served.dim, prediction.tolist(), served.device)


def contexts(dim: int) -> list[list[float]]:
    """What a trial predicts from: (5, dim)."""
    from lvm.service.model import trial_contexts

    rows: list[list[float]] = trial_contexts(dim).tolist()
    return rows
