"""The sizes of a model, as plain numbers."""

from __future__ import annotations

from dataclasses import dataclass

from lvm.errors import SettingsError

POSITION_SCALE = 0.03
"""Old checkpoints with one input more read POSITION_SCALE · linspace(0, 1, 5) there."""


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """What `model_config` of a checkpoint holds, and the width of the prediction."""

    input_dim: int
    """Width of what the first layer reads: the vectors' own, or one more (position scalar)."""
    d_model: int = 256
    """Inner width of gru, transformer and amn; the lstm has none."""
    hidden_dim: int = 512
    """Inner width of lstm and amn; gru and transformer have none."""
    output_dim: int | None = None
    """Width of the prediction; None: the same as input_dim."""

    def __post_init__(self) -> None:
        for name in ("input_dim", "d_model", "hidden_dim"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise SettingsError(f"{name} = {value!r}", fix=f"{name} must be a number from 1 up")
        if self.input_dim - self.dim not in (0, 1):
            raise SettingsError(
                f"input_dim = {self.input_dim} with output_dim = {self.output_dim}",
                fix="they must be equal, or input_dim one more (a position scalar)",
            )

    @property
    def dim(self) -> int:
        """Width of the context vectors that go in and of the prediction that comes out."""
        return self.input_dim if self.output_dim is None else self.output_dim

    @property
    def reads_position(self) -> bool:
        """Whether a position scalar is appended to each context vector."""
        return self.input_dim == self.dim + 1

    def to_json(self) -> dict[str, int]:
        """`model_config` as the checkpoint format has it."""
        return {
            "input_dim": self.input_dim,
            "d_model": self.d_model,
            "hidden_dim": self.hidden_dim,
        }
