"""Checkpoints in the format of the user's stack: theirs load here, ours load there.

A checkpoint is data, not code: reading one executes nothing (unpickling.py). Sizes are read off
the weights, so a missing or wrong `model_config` does no harm.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lvm.errors import CheckpointError, SettingsError
from lvm.files import write_whole
from lvm.models import MODEL_TYPES, build_from
from lvm.models.base import LatentModel
from lvm.models.config import ModelConfig
from lvm.models.unpickling import MALFORMED, load_data, what_is_wrong

_TELLING_KEYS = {
    "lstm.weight_ih_l0": "lstm",
    "blocks.0.gru.weight_ih_l0": "gru",
    "transformer_decoder.layers.0.linear1.weight": "transformer",
    "context_encoder.weight": "amn",
}
"""A weight that only this model has."""

_WRAPPERS = ("module.", "_orig_mod.")
"""What DistributedDataParallel and torch.compile put before the names of the weights."""

_HEAVY = ("model_state_dict", "optimizer_state_dict")

_NOT_OURS = "give a .pt file that holds 'model_state_dict', as `lvm train` writes it"
_BROKEN = (
    "the file is incomplete or was damaged: copy it again from where it came from, "
    "or use another checkpoint of this run"
)


@dataclass(frozen=True)
class Checkpoint:
    """A model in evaluation mode, and what its file says about it."""

    path: Path
    model: LatentModel
    model_type: str
    config: ModelConfig
    sha256: str
    """Of the whole file, hexadecimal."""
    meta: dict[str, Any] = field(default_factory=dict)
    """All of the file but weights and optimiser, as plain Python values."""

    @property
    def epoch(self) -> int | None:
        """The epoch that the file states, or None."""
        epoch = self.meta.get("epoch")
        return epoch if isinstance(epoch, int) else None


def save_checkpoint(
    path: Path,
    *,
    model_type: str,
    config: ModelConfig,
    state_dict: Mapping[str, Tensor],
    epoch: int,
    train_loss: float,
    train_cosine: float,
    val_loss: float,
    val_cosine: float,
    optimizer_state_dict: Mapping[str, Any] | None = None,
    fivecat: Mapping[str, Any] | None = None,
    **extra: Any,
) -> int:
    """Write a checkpoint, whole or not at all, and return its size in bytes.

    fivecat: the 5CAT document (BatteryResult.to_json()) that belongs to these weights.
    Tensors are written as CPU tensors. Raises DiskError when the disk is full.
    """
    document: dict[str, Any] = {
        "model_state_dict": {
            _unwrapped(name): value.detach().cpu() for name, value in state_dict.items()
        },
        "model_type": model_type,
        "model_config": config.to_json(),
        "epoch": epoch,
        "train_loss": train_loss,
        "train_cosine": train_cosine,
        "val_loss": val_loss,
        "val_cosine": val_cosine,
        **extra,
    }
    if optimizer_state_dict is not None:
        document["optimizer_state_dict"] = _on_cpu(optimizer_state_dict)
    if fivecat is not None:
        document |= _fivecat_keys(fivecat)
    for name in document:
        if name not in _HEAVY:
            document[name] = _plain(document[name])
    buffer = io.BytesIO()  # so that a full disk is met by a plain write, not inside torch
    torch.save(document, buffer)
    write_whole(path, lambda file: file.write(buffer.getbuffer()))
    return buffer.getbuffer().nbytes


def load_checkpoint(
    path: Path | str, device: torch.device | str = "cpu", *, finite: bool = True
) -> Checkpoint:
    """Read a checkpoint of ours or of the user's stack.

    finite: refuse weights that hold NaN or infinity. Torch's random state is left alone.
    Raises CheckpointError when the file is missing, is not a checkpoint, holds anything but data,
    or when its weights are not those of one of the four models; it names file and key.
    """
    path = Path(path)
    document, sha256 = _read(path, device)
    weights = _weights(document, path)
    model_type = _model_type(weights, document.get("model_type"), path)
    config = _config(model_type, weights, document.get("model_config"), path)
    with torch.random.fork_rng(devices=[]):
        model = build_from(model_type, config)
    _check_weights(weights, model.state_dict(), model_type, path, finite)
    model.load_state_dict(weights)
    return Checkpoint(
        path=path,
        model=model.to(device).eval(),
        model_type=model_type,
        config=config,
        sha256=sha256,
        meta={key: _plain(value) for key, value in document.items() if key not in _HEAVY},
    )


def _read(path: Path, device: torch.device | str) -> tuple[dict[str, Any], str]:
    try:
        content = path.read_bytes()  # once: what is hashed is what is loaded
    except OSError as error:
        raise CheckpointError(
            f"cannot be read: {error.strerror or error}", where=str(path), fix="check the path"
        ) from error
    try:
        document = load_data(io.BytesIO(content), device)
    except MALFORMED as error:
        raise _refused(error, content, path) from error
    if not isinstance(document, dict):
        raise CheckpointError(
            f"holds a {type(document).__name__}, not a checkpoint", where=str(path), fix=_NOT_OURS
        )
    return document, hashlib.sha256(content).hexdigest()


def _refused(error: BaseException, content: bytes, path: Path) -> CheckpointError:
    forbidden = re.search(r"GLOBAL (\S+)|call reduce for unrecognized function (.+)", str(error))
    if forbidden is None:
        return _unfit(what_is_wrong(content), path)
    return CheckpointError(
        f"refused: it holds {forbidden[1] or forbidden[2]}, neither tensor, number nor text",
        where=str(path),
        fix="nothing of it was run; do not trust the file unless you know who made it",
    )


def _weights(document: dict[str, Any], path: Path) -> dict[str, Tensor]:
    found = document.get("model_state_dict")
    if not isinstance(found, Mapping) or not found:
        keys = ", ".join(map(repr, list(document)[:8])) or "none"
        what = "empty or not a mapping:" if "model_state_dict" in document else "no key"
        raise CheckpointError(
            f"{what} 'model_state_dict'; it has {keys}", where=str(path), fix=_NOT_OURS
        )
    weights = {}
    for name, value in found.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise CheckpointError(
                f"model_state_dict[{name!r}] is a {type(value).__name__}, not a tensor",
                where=str(path),
                fix=_NOT_OURS,
            )
        if not _is_plain_tensor(value):
            raise CheckpointError(f"{name!r} is no plain tensor", where=str(path), fix=_BROKEN)
        weights[_unwrapped(name)] = value
    return weights


def _is_plain_tensor(value: Tensor) -> bool:
    """Floating-point numbers that are all in the file: not sparse, quantised, or expanded."""
    return (
        value.layout is torch.strided
        and value.is_floating_point()
        and not value.is_meta
        and value.untyped_storage().nbytes() >= value.nbytes
    )


def _unwrapped(name: str) -> str:
    while name.startswith(_WRAPPERS):
        name = name.split(".", 1)[1]
    return name


def _model_type(weights: dict[str, Tensor], stated: object, path: Path) -> str:
    """The model whose weights these are; a stated type may be missing but not contradict."""
    by_keys = next((kind for key, kind in _TELLING_KEYS.items() if key in weights), None)
    if by_keys is None:
        raise CheckpointError(
            f"unknown architecture (model_type {stated!r}, first weight {next(iter(weights))!r})",
            where=str(path),
            fix="known are: " + ", ".join(MODEL_TYPES),
        )
    if isinstance(stated, str) and stated.lower() in MODEL_TYPES and stated.lower() != by_keys:
        raise CheckpointError(
            f"model_type says {stated!r}, but the weights are those of {by_keys!r}",
            where=str(path),
            fix="correct 'model_type' in the file, or give the file that was meant",
        )
    return by_keys


def _config(model_type: str, weights: dict[str, Tensor], stated: object, path: Path) -> ModelConfig:
    """Sizes off the weights; from `model_config` only those that the weights do not show."""

    def size(key: str, axis: int) -> int:
        if key not in weights or weights[key].ndim != 2:
            raise _missing(key, path) if key not in weights else _shape(key, weights[key], path)
        return int(weights[key].shape[axis])

    says = stated if isinstance(stated, Mapping) else {}
    default = ModelConfig(1)
    d_model = _size_or(says.get("d_model"), default.d_model)
    hidden = _size_or(says.get("hidden_dim"), default.hidden_dim)
    match model_type:
        case "lstm":
            first, last = "lstm.weight_ih_l0", "output_proj.weight"
            hidden = size(last, 1)
        case "gru":
            first, last = "input_proj.weight", "output_proj.weight"
            d_model = size(first, 0)
        case "transformer":
            first, last = "input_proj.weight", "head.3.weight"
            d_model = size(first, 0)
        case _:
            first, last = "context_encoder.weight", "residual_net.6.weight"
            d_model, hidden = size(first, 0), size("residual_net.0.weight", 0)
    width, dim = size(first, 1), size(last, 0)
    inner = hidden if model_type in ("lstm", "amn") else d_model
    claimed = inner * max(inner, width, dim) // 2  # never more than all four models really have
    if claimed > sum(value.numel() for value in weights.values()):
        raise _unfit(f"{first!r} and {last!r} do not fit the other weights", path)
    if model_type == "transformer" and d_model % 8:
        raise _unfit(f"{first!r} has {d_model} rows, not a multiple of 8", path)
    try:
        return ModelConfig(width, d_model, hidden, dim)
    except SettingsError as error:
        raise _unfit(f"{first!r} and {last!r} do not fit together: {error.what}", path) from error


def _size_or(stated: object, default: int) -> int:
    return stated if type(stated) is int and stated > 0 else default


def _check_weights(
    weights: dict[str, Tensor],
    expected: dict[str, Tensor],
    model_type: str,
    path: Path,
    finite: bool,
) -> None:
    for key, own in expected.items():
        if key not in weights:
            raise _missing(key, path)
        if weights[key].shape != own.shape:
            raise _shape(key, weights[key], path, tuple(own.shape))
        if finite and not bool(torch.isfinite(weights[key]).all()):
            raise CheckpointError(
                f"{key!r} holds NaN or infinite values",
                where=str(path),
                fix="the run had diverged: use an earlier checkpoint",
            )
    surplus = sorted(set(weights) - set(expected))
    if surplus:
        raise CheckpointError(
            f"{surplus[0]!r} is no weight of {model_type!r}", where=str(path), fix=_NOT_OURS
        )


def _unfit(what: str, path: Path) -> CheckpointError:
    return CheckpointError(what, where=str(path), fix=_BROKEN)


def _missing(key: str, path: Path) -> CheckpointError:
    return _unfit(f"no weight {key!r}", path)


def _shape(
    key: str, found: Tensor, path: Path, need: tuple[int, ...] | None = None
) -> CheckpointError:
    text = f"{key!r} has shape {tuple(found.shape)}"
    if need is not None:
        text += f", needs {need}"
    return _unfit(text, path)


def _fivecat_keys(result: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "5cat_val_margin": result["VAL"]["margin"],
        "5cat_ood_margin": result["OOD"]["margin"],
        "5cat_val_rollout": result["VAL"]["rollout"],
        "5cat_ood_rollout": result["OOD"]["rollout"],
        "5cat_score": result["score"],
        "5cat": dict(result),
    }


def _plain(value: Any) -> Any:
    """NumPy and torch scalars as Python numbers, at any depth."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_plain(item) for item in value)
    if hasattr(value, "item") and getattr(value, "ndim", 1) == 0:
        return value.item()
    return value


def _on_cpu(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.detach().cpu()
    if isinstance(value, Mapping):
        return {key: _on_cpu(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_on_cpu(item) for item in value)
    return value
