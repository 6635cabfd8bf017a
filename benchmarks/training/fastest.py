"""The settings that train fastest, for every model: what the benchmarks call "fast"."""

from __future__ import annotations

from typing import Any

FASTEST: dict[str, Any] = {"precision": "bf16"}
