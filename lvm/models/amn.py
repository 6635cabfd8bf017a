"""Attention mixture network: the contexts' mean, corrected. 1,510,912 parameters at 768.

It knows nothing of the order of its contexts, by design.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from lvm.models.base import LatentModel, is_cpu, unit
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
        """`plain`, with a fifth of the products for the likeness.

        query·(W x + b) = (query·W) x + query·b: one vector goes through W instead of five.
        """
        if not is_cpu(contexts):
            return self.plain(contexts)
        x = self.with_position(contexts)
        mean = x.mean(dim=1)
        query, encoder = self.query_encoder(mean), self.context_encoder
        likeness = torch.einsum("btd,bd->bt", x, query @ encoder.weight)
        return self._mixed(x, mean, likeness + (query @ encoder.bias).unsqueeze(1))

    def plain(self, contexts: Tensor) -> Tensor:
        x = self.with_position(contexts)  # (B, 5, input_dim)
        mean = x.mean(dim=1)
        likeness = torch.einsum("btd,bd->bt", self.context_encoder(x), self.query_encoder(mean))
        return self._mixed(x, mean, likeness)

    def _mixed(self, x: Tensor, mean: Tensor, likeness: Tensor) -> Tensor:
        weights = torch.softmax(likeness / math.sqrt(self.config.d_model), dim=-1)
        mixture = torch.einsum("bt,btd->bd", weights, x)
        residual = self.residual_net(torch.cat([mean, mixture], dim=-1))
        return unit(mean[:, : self.config.dim] + residual)  # without the position scalar, if any
