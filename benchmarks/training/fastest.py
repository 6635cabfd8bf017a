"""The settings that train fastest, for every model: what the benchmarks call "fast"."""

from __future__ import annotations

from typing import Any

FASTEST: dict[str, dict[str, Any]] = {
    "cpu": {"precision": "bf16"},
    "cuda": {"precision": "bf16", "compile": True},
}
"""By device. On the CPU compiling needs a C++ compiler and a minute, and gains little over the
paths that are made for it (measured: AMN 3.1 instead of 2.5 ×, GRU and LSTM nothing)."""
