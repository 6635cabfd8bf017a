"""GRU: four residual blocks, the last step decides. 1,975,296 parameters at 768."""

from __future__ import annotations

from torch import Tensor, nn

from lvm.models.base import LatentModel, is_cpu, unit
from lvm.models.config import ModelConfig
from lvm.models.recurrent import gru_layer

BLOCKS = 4


class Block(nn.Module):
    """(B, 5, d_model) → the same shape: norm(x + gru(x))."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gru = nn.GRU(width, width, batch_first=True)
        self.norm = nn.LayerNorm(width)

    def fast(self, x: Tensor) -> Tensor:
        """The same of (5, B, d_model), on the CPU."""
        normed: Tensor = self.norm(x + gru_layer(x, self.gru))
        return normed

    def fast_last(self, x: Tensor) -> Tensor:
        """(5, B, d_model) → (B, d_model), the last step only."""
        normed: Tensor = self.norm(x[-1] + gru_layer(x, self.gru, only_last=True))
        return normed

    def forward(self, x: Tensor) -> Tensor:
        steps, _ = self.gru(x)
        normed: Tensor = self.norm(x + steps)
        return normed


class Gru(LatentModel):
    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.input_proj = nn.Linear(config.input_dim, config.d_model)
        self.blocks = nn.ModuleList(Block(config.d_model) for _ in range(BLOCKS))
        self.output_proj = nn.Linear(config.d_model, config.dim)

    def forward(self, contexts: Tensor) -> Tensor:
        if not is_cpu(contexts):
            return self.plain(contexts)
        x = self.input_proj(self.with_position(contexts).transpose(0, 1))  # (5, B, d_model)
        *blocks, last = [block for block in self.blocks if isinstance(block, Block)]
        for block in blocks:
            x = block.fast(x)
        return unit(self.output_proj(last.fast_last(x)))

    def plain(self, contexts: Tensor) -> Tensor:
        x = self.input_proj(self.with_position(contexts))  # (B, 5, d_model)
        for block in self.blocks:
            x = block(x)
        return unit(self.output_proj(x[:, -1]))
