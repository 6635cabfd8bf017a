"""The four models by name. Importing this costs nothing: torch comes with the first `build`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lvm.errors import SettingsError
from lvm.models.config import ModelConfig
from lvm.settings import MODEL_TYPES, ModelType

if TYPE_CHECKING:
    from lvm.models.base import LatentModel

__all__ = ["MODEL_TYPES", "ModelConfig", "ModelType", "build", "build_from"]


def build(
    model_type: str,
    input_dim: int,
    d_model: int = 256,
    hidden_dim: int = 512,
    output_dim: int | None = None,
) -> LatentModel:
    """A new model, its weights drawn from torch's global generator.

    Raises SettingsError for an unknown `model_type` or sizes that cannot be.
    """
    return build_from(model_type, ModelConfig(input_dim, d_model, hidden_dim, output_dim))


def build_from(model_type: str, config: ModelConfig) -> LatentModel:
    """`build`, from sizes read off a checkpoint."""
    match model_type:
        case "lstm":
            from lvm.models.lstm import Lstm

            return Lstm(config)
        case "gru":
            from lvm.models.gru import Gru

            return Gru(config)
        case "transformer":
            from lvm.models.transformer import HEADS, Transformer

            if config.d_model % HEADS:
                raise SettingsError(
                    f"d_model = {config.d_model}",
                    fix=f"d_model must be a multiple of {HEADS} ({HEADS} heads)",
                )
            return Transformer(config)
        case "amn":
            from lvm.models.amn import Amn

            return Amn(config)
    raise SettingsError(f"unknown model {model_type!r}", fix="known are: " + ", ".join(MODEL_TYPES))
