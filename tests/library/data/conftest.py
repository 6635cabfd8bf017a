"""Small banks and sequence files with known content."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from lvm.data.bank import VectorBank, open_bank, write_bank_npz

Floats = npt.NDArray[np.floating]


def unit_rows(count: int, dim: int = 16, seed: int = 0) -> npt.NDArray[np.float32]:
    rows = np.random.default_rng(seed).standard_normal((count, dim))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def overlapping(vectors: Floats) -> tuple[Floats, Floats]:
    """The (N, 5, D) contexts and (N, D) targets of all windows over the vectors."""
    count = len(vectors) - 5
    rows = np.arange(count)[:, None] + np.arange(5)
    return vectors[rows], vectors[np.arange(count) + 5]


@pytest.fixture
def units() -> Callable[..., npt.NDArray[np.float32]]:
    return unit_rows


@pytest.fixture
def sequence_file(tmp_path: Path) -> Callable[..., Path]:
    """Writes the windows over 20 unit vectors; keywords replace, add or (None) drop arrays."""

    def write(name: str = "train.npz", *, compressed: bool = True, **arrays: object) -> Path:
        contexts, targets = overlapping(unit_rows(20))
        content = {"contexts": contexts, "targets": targets, **arrays}
        save = np.savez_compressed if compressed else np.savez
        save(tmp_path / name, **{key: a for key, a in content.items() if a is not None})
        return tmp_path / name

    return write


@pytest.fixture
def bank_file(tmp_path: Path) -> Callable[..., Path]:
    """Writes a bank of articles of the given lengths, with ids 10, 11, …"""

    def write(lengths: tuple[int, ...] = (8, 5, 9), name: str = "bank.npz", dim: int = 16) -> Path:
        write_bank_npz(
            tmp_path / name,
            unit_rows(sum(lengths), dim),
            np.repeat(np.arange(10, 10 + len(lengths)), lengths),
            np.concatenate([np.arange(length) for length in lengths]),
        )
        return tmp_path / name

    return write


@pytest.fixture
def make_bank(bank_file: Callable[..., Path]) -> Callable[..., VectorBank]:
    return lambda *args, **keywords: open_bank(bank_file(*args, **keywords))


@pytest.fixture
def start_python() -> Callable[..., subprocess.Popen[str]]:
    """Starts a script in its own process, talking through pipes."""

    def start(script: str, *arguments: object) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", script, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
        )

    return start
