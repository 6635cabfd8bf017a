"""What every encoder is: texts in, unit vectors out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

Float32Array = npt.NDArray[np.float32]


class Encoder(Protocol):
    """Maps texts to unit vectors. Equal texts get equal vectors, whatever stands around them."""

    @property
    def name(self) -> str:
        """What `open_encoder` takes to open it again: "lsa:PATH", "st:NAME", "http://…"."""
        ...

    @property
    def dim(self) -> int:
        """Width of its vectors."""
        ...

    def encode(self, texts: Sequence[str]) -> Float32Array:
        """(n, dim) float32, rows of length 1. Raises RunError when it fails while running."""
        ...
