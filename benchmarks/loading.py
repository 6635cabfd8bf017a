"""Opening a sequence file, against inflating it: memory of the first time, time of the second.

    python -m benchmarks.loading

The plain way is np.load of the whole file, contexts and targets as arrays in memory, at every
start. Smaller than the 584k set (the ratio and the memory beyond the bank do not hang on the
size); `python -m benchmarks.import_big` takes the full shape, minutes and 6 GB.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.figures import Figure, report, spread
from benchmarks.import_big import ALLOWANCE, finish_import, generate, peak_bytes, start_import
from lvm.settings import CONTEXT_LENGTH

FASTER = 50.0
SAMPLES, DIM, LEVEL = 24_000, 768, 1
ROUNDS = 3
_MB = 1e6


@dataclass(frozen=True)
class Inflated:
    seconds: float
    peak_bytes: int


def measure() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "sequences.npz")
        bank = generate(path, SAMPLES, DIM, LEVEL) * DIM * 4
        first = finish_import(start_import(path))
        plain, again = [], []
        for _ in range(ROUNDS):
            plain.append(_inflate_elsewhere(path))
            again.append(finish_import(start_import(path)))
    inflated = SAMPLES * (CONTEXT_LENGTH + 1) * DIM * 4
    plain_peak = max(one.peak_bytes for one in plain)
    n = f"{SAMPLES:,} × {CONTEXT_LENGTH + 1} × {DIM} float32"
    yield Figure(
        "import, peak memory beyond the bank",
        (first.peak_bytes - bank) / _MB,
        "MB",
        ALLOWANCE / _MB,
        beside=f"bank {bank / _MB:.0f} MB, import {first.seconds:.1f} s; np.load of all takes "
        f"{plain_peak / _MB:.0f} MB for {inflated / _MB:.0f} MB of arrays",
        n=n,
    )
    ratios = [slow.seconds / fast.seconds for slow, fast in zip(plain, again, strict=True)]
    yield Figure(
        "second start, × faster than inflating the file",
        statistics.median(ratios),
        "×",
        FASTER,
        at_least=True,
        beside=f"np.load {statistics.median(one.seconds for one in plain):.2f} s, ours "
        f"{statistics.median(one.seconds for one in again) * 1e3:.1f} ms; pairs {spread(ratios)}",
        n=f"{ROUNDS} × {n}",
    )


def _inflate_elsewhere(path: Path) -> Inflated:
    """In a process of its own, whose peak memory is its alone."""
    command = [sys.executable, "-m", "benchmarks.loading", "--inflate", str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return Inflated(**json.loads(done.stdout))


def _inflate_here(path: Path) -> Inflated:
    begun = time.perf_counter()
    with np.load(path) as file:
        arrays = {key: file[key] for key in file.files}
    seconds = time.perf_counter() - begun
    assert all(len(array) == SAMPLES for array in arrays.values())
    return Inflated(seconds, peak_bytes())


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.loading")
    parser.add_argument("--inflate", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.inflate:
        print(json.dumps(asdict(_inflate_here(options.inflate))))
        return 0
    return report(measure())


if __name__ == "__main__":
    raise SystemExit(main())
