"""What the four models share: how contexts come in and how a prediction goes out."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lvm.models.config import POSITION_SCALE, ModelConfig


class LatentModel(nn.Module):
    """(B, 5, dim) unit vectors, oldest first → (B, dim) float32 unit vectors: the next one.

    Subclasses define the layers, whose names are the checkpoint format, and `forward`.
    """

    dropout_batch_axis = 0
    """The axis of the batch in the tensors that dropout works on (training/sharing.py)."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config

    def plain(self, contexts: Tensor) -> Tensor:
        """`forward` as torch's own modules compute it.

        Fast paths are held to it, and it runs on accelerators, where torch's kernels are fast.
        """
        return self.forward(contexts)  # type: ignore[no-any-return]

    def with_position(self, contexts: Tensor) -> Tensor:
        """(B, T, dim) → (B, T, input_dim): old checkpoints read a position scalar as well."""
        if not self.config.reads_position:
            return contexts
        batch, length, _ = contexts.shape
        position = POSITION_SCALE * torch.linspace(
            0.0, 1.0, length, device=contexts.device, dtype=contexts.dtype
        )
        return torch.cat([contexts, position.expand(batch, length).unsqueeze(-1)], dim=-1)


def is_cpu(x: Tensor) -> bool:
    """Whether the paths made for CPUs are taken."""
    return x.device.type == "cpu"


def unit(raw: Tensor) -> Tensor:
    """(…, dim) → the same directions in float32, of length 1.

    Dividing by the largest element first keeps the squares from overflowing or vanishing; as the
    direction does not depend on that scale, it needs no gradient. A zero vector stays zero, with a
    finite gradient; NaN stays NaN.
    """
    raw = raw.float()
    scale = raw.detach().abs().amax(dim=-1, keepdim=True).clamp_min(1e-30)
    return nn.functional.normalize(raw / scale, dim=-1, eps=1e-6)
