"""LSTM: two recurrent layers, the last step decides. 5,120,768 parameters at 768."""

from __future__ import annotations

from torch import Tensor, nn

from lvm.models.base import LatentModel, is_cpu, unit
from lvm.models.config import ModelConfig
from lvm.models.dropout import dropped
from lvm.models.recurrent import lstm_layer

LAYERS = 2
DROPOUT = 0.2


class Lstm(LatentModel):
    dropout_batch_axis = 1  # between the layers of nn.LSTM time comes first

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.lstm = nn.LSTM(
            config.input_dim,
            config.hidden_dim,
            num_layers=LAYERS,
            dropout=DROPOUT,
            batch_first=True,
        )
        self.output_proj = nn.Linear(config.hidden_dim, config.dim)

    def forward(self, contexts: Tensor) -> Tensor:
        if not is_cpu(contexts):
            return self.plain(contexts)
        x = self.with_position(contexts).transpose(0, 1)  # (5, B, input_dim)
        x = lstm_layer(x, self.lstm, 0)
        if self.training:
            x = dropped(x, DROPOUT, batch_axis=1)
        return unit(self.output_proj(lstm_layer(x, self.lstm, 1, only_last=True)))

    def plain(self, contexts: Tensor) -> Tensor:
        steps, _ = self.lstm(self.with_position(contexts))  # (B, 5, hidden_dim)
        return unit(self.output_proj(steps[:, -1]))
