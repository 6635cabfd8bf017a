"""Transformer: four causal decoder layers over their own input. 4,674,304 parameters at 768."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from lvm.models.attention import decode_last
from lvm.models.base import LatentModel, is_cpu, unit
from lvm.models.config import ModelConfig

LAYERS = 4
HEADS = 8
DROPOUT = 0.1
POSITIONS = 100
"""Length of the table of positions; five are used, the checkpoint format has a hundred."""
CONTENT_STD = math.sqrt(0.5)
"""Initial standard deviation of a projected unit vector's elements: the root mean square of a
position's. With torch's own initialisation it is 0.03, positions drown the content, all outputs are
alike, and training stalls there for hundreds of steps."""


class SinusoidalPositions(nn.Module):
    """(B, T, width) → x + pe[:, :T]; T is at most POSITIONS."""

    pe: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        position = torch.arange(POSITIONS, dtype=torch.float32).unsqueeze(1)
        rate = torch.exp(torch.arange(0, width, 2, dtype=torch.float32) * -math.log(1e4) / width)
        pe = torch.zeros(1, POSITIONS, width)
        pe[0, :, 0::2] = torch.sin(position * rate)
        pe[0, :, 1::2] = torch.cos(position * rate)
        self.register_buffer("pe", pe)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.pe[:, : x.shape[1]]


class Transformer(LatentModel):
    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        width = config.d_model
        self.input_proj = nn.Linear(config.input_dim, width)
        nn.init.normal_(self.input_proj.weight, std=CONTENT_STD)
        self.pos_encoder = SinusoidalPositions(width)
        layer = nn.TransformerDecoderLayer(
            width, HEADS, dim_feedforward=4 * width, dropout=DROPOUT, batch_first=True
        )
        self.transformer_decoder = nn.TransformerDecoder(layer, num_layers=LAYERS)
        self.head = nn.Sequential(
            nn.Linear(width, width), nn.GELU(), nn.LayerNorm(width), nn.Linear(width, config.dim)
        )

    def forward(self, contexts: Tensor) -> Tensor:
        x = self.pos_encoder(self.input_proj(self.with_position(contexts)))  # (B, 5, d_model)
        last = decode_last(x, self.transformer_decoder) if is_cpu(x) else self._plain_last(x)
        return unit(self.head(last))

    def plain(self, contexts: Tensor) -> Tensor:
        x = self.pos_encoder(self.input_proj(self.with_position(contexts)))
        return unit(self.head(self._plain_last(x)))

    def _plain_last(self, x: Tensor) -> Tensor:
        causal = nn.Transformer.generate_square_subsequent_mask(
            x.shape[1], device=x.device, dtype=x.dtype
        )
        steps = self.transformer_decoder(
            x, x, tgt_mask=causal, memory_mask=causal, tgt_is_causal=True, memory_is_causal=True
        )
        last: Tensor = steps[:, -1]
        return last
