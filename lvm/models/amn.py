"""Attention mixture network: the contexts' mean, corrected. 1,510,912 parameters at 768.

It knows nothing of the order of its contexts, by design.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from lvm.models.base import LatentModel, unit
from lvm.models.config import ModelConfig


class Amn(LatentModel):
    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.context_encoder = nn.Linear(config.input_dim, config.d_model)
        self.query_encoder = nn.Linear(config.input_dim, config.d_model)
        half = config.hidden_dim // 2
        self.residual_net = nn.Sequential(
            nn.Linear(2 * config.input_dim, config.hidden_dim),
            nn.GELU(),
            nn.LayerNorm(config.hidden_dim),
            nn.Linear(config.hidden_dim, half),
            nn.GELU(),
            nn.LayerNorm(half),
            nn.Linear(half, config.dim),
        )

    def forward(self, contexts: Tensor) -> Tensor:
        x = self.with_position(contexts)  # (B, 5, input_dim)
        mean = x.mean(dim=1)
        likeness = torch.einsum("btd,bd->bt", self.context_encoder(x), self.query_encoder(mean))
        weights = torch.softmax(likeness / math.sqrt(self.config.d_model), dim=-1)
        mixture = torch.einsum("bt,btd->bd", weights, x)
        residual = self.residual_net(torch.cat([mean, mixture], dim=-1))
        return unit(mean[:, : self.config.dim] + residual)  # without the position scalar, if any
