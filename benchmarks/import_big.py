"""Importing 438,568 sequences of 5 × 768 float32 (spec/data.md): memory, time, and kill -9.

    python -m benchmarks.import_big                      full size: 6 GB of disk, some minutes
    python -m benchmarks.import_big --samples 40000

Makes a deflated .npz of overlapping windows over random unit vectors (which barely compress),
without ever holding it; imports it in a process of its own; kills another import at a random
moment and imports again. Exits with 1 if the peak is above bank + 500 MB, if anything of a killed
import is taken for whole, or if the second opening takes a second.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lvm.data.cache import MANIFEST, SUFFIX
from lvm.data.importing import open_sequences
from lvm.settings import CONTEXT_LENGTH

ALLOWANCE = 500_000_000
"""Bytes that the import may take beyond the bank."""
SECOND_OPENING = 1.0
"""Seconds that an imported file may take to open."""
ARTICLES = 300
_BLOCK = 4096


@dataclass(frozen=True)
class Imported:
    seconds: float
    peak_bytes: int
    vectors: int
    samples: int


def generate(path: Path, samples: int, dim: int, level: int, seed: int = 0) -> int:
    """Write a sequence file of windows over articles of random vectors; returns how many."""
    lengths = np.full(ARTICLES, samples // ARTICLES)
    lengths[: samples % ARTICLES] += 1
    starts = np.concatenate([[0], np.cumsum(lengths + CONTEXT_LENGTH)])
    first = np.repeat(starts[:-1] - (np.cumsum(lengths) - lengths), lengths) + np.arange(samples)
    generator = np.random.default_rng(seed)
    with tempfile.TemporaryFile(dir=path.parent) as scratch:
        for _ in range(0, int(starts[-1]), _BLOCK):
            block = generator.standard_normal((_BLOCK, dim), np.float32)
            block /= np.linalg.norm(block, axis=1, keepdims=True)
            scratch.write(block.data)
        scratch.flush()
        vectors = np.memmap(scratch, np.float32, "r").reshape(-1, dim)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
            offsets = np.arange(CONTEXT_LENGTH)
            _write(archive, "contexts", vectors, first[:, None] + offsets)
            _write(archive, "targets", vectors, first + CONTEXT_LENGTH)
    return int(starts[-1])


def _write(
    archive: zipfile.ZipFile,
    key: str,
    vectors: npt.NDArray[np.float32],
    rows: npt.NDArray[np.int64],
) -> None:
    header = {
        "descr": vectors.dtype.str,
        "fortran_order": False,
        "shape": (*rows.shape, vectors.shape[1]),
    }
    with archive.open(f"{key}.npy", "w", force_zip64=True) as member:
        np.lib.format.write_array_header_1_0(member, header)
        for start in range(0, len(rows), _BLOCK):
            member.write(np.ascontiguousarray(vectors[rows[start : start + _BLOCK]]).data)


def start_import(path: Path) -> subprocess.Popen[str]:
    """An import in a process of its own, which prints an Imported as JSON."""
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks.import_big", "--import-only", str(path)],
        stdout=subprocess.PIPE,
        text=True,
    )


def finish_import(process: subprocess.Popen[str]) -> Imported:
    out, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"the import failed with {process.returncode}")
    return Imported(**json.loads(out))


def import_here(path: Path) -> Imported:
    started = time.perf_counter()
    sequences = open_sequences(path, "train")
    seconds = time.perf_counter() - started
    return Imported(seconds, peak_bytes(), len(sequences.vectors), len(sequences))


def peak_bytes() -> int:
    """Peak resident memory of this process, all of Python and numpy included."""
    status = Path("/proc/self/status")
    if status.exists():  # ru_maxrss would count the parent's memory, from before the exec
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def measure(folder: Path, samples: int, dim: int, level: int, seed: int) -> bool:
    """Run all of it and print the table; returns whether every claim held."""
    path = folder / "sequences.npz"
    cache = path.with_name(path.name + SUFFIX)
    started = time.perf_counter()
    vectors = generate(path, samples, dim, level)
    made = time.perf_counter() - started
    inflated, bank = samples * (CONTEXT_LENGTH + 1) * dim * 4, vectors * dim * 4

    whole = finish_import(start_import(path))
    again = finish_import(start_import(path))
    shutil.rmtree(cache)

    killed_at = random.Random(seed).uniform(0.1, 0.9) * whole.seconds
    victim = start_import(path)
    try:
        victim.wait(killed_at)
    except subprocess.TimeoutExpired:
        victim.kill()
    victim.communicate()
    left = cache.is_dir() and not (cache / MANIFEST).exists()
    after = finish_import(start_import(path))

    claims = {
        "peak at most bank + 500 MB": whole.peak_bytes <= bank + ALLOWANCE,
        "every vector found once": whole.vectors == after.vectors == vectors,
        "second opening below a second": again.seconds < SECOND_OPENING,
        "killed import left no manifest": victim.returncode == -9 and left,
        "import after the kill did all the work": after.seconds > again.seconds * 10,
    }
    rows = [
        ("samples × contexts × dim", f"{samples:,} × {CONTEXT_LENGTH} × {dim} float32"),
        ("distinct vectors", f"{vectors:,}"),
        ("inflated", f"{inflated / 1e6:,.0f} MB"),
        ("file (made in)", f"{path.stat().st_size / 1e6:,.0f} MB ({made:.0f} s)"),
        ("bank", f"{bank / 1e6:,.0f} MB"),
        ("peak memory of the import", f"{whole.peak_bytes / 1e6:,.0f} MB"),
        ("peak ÷ inflated", f"{whole.peak_bytes / inflated:.3f}"),
        ("import", f"{whole.seconds:.1f} s ({inflated / 1e6 / whole.seconds:,.0f} MB/s inflated)"),
        ("second opening", f"{again.seconds * 1e3:.1f} ms"),
        ("killed (-9) after", f"{killed_at:.1f} s"),
        ("import after the kill", f"{after.seconds:.1f} s, peak {after.peak_bytes / 1e6:,.0f} MB"),
        *((claim, "✓" if held else "✗") for claim, held in claims.items()),
    ]
    for name, value in rows:
        print(f"{name:<40} {value}")
    return all(claims.values())


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.import_big", description=__doc__)
    parser.add_argument("--samples", type=int, default=438_568)
    parser.add_argument("--dim", type=int, default=768)
    parser.add_argument("--level", type=int, default=1, help="zlib level of the file")
    parser.add_argument("--seed", type=int, default=0, help="of the moment of the kill")
    parser.add_argument("--folder", type=Path, help="where to put the files (default: a new one)")
    parser.add_argument("--import-only", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.import_only:
        print(json.dumps(vars(import_here(options.import_only))))
        return 0
    with tempfile.TemporaryDirectory(dir=options.folder, prefix="import-") as folder:
        held = measure(Path(folder), options.samples, options.dim, options.level, options.seed)
    return 0 if held else 1


if __name__ == "__main__":
    raise SystemExit(main())
