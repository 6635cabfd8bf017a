"""Training beside another busy process, by how its threads wait for one another.

    python -m benchmarks.neighbours [MODEL]

Threads that wait for each other spin, which is fastest on a machine of one's own; where a
neighbour takes a core, the spinning keeps it from the thread that is waited for.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from benchmarks.dashboard.workshop import batches_per_second, make_project, train_headless
from benchmarks.figures import Figure

SECONDS = 12.0
ROUNDS = 3
WAYS = {
    "spinning": {},
    "OMP_WAIT_POLICY=PASSIVE": {"OMP_WAIT_POLICY": "PASSIVE"},
    "OMP_NUM_THREADS=1": {"OMP_NUM_THREADS": "1"},
}
BUSY = "while True: pass"


def measure(model: str) -> Iterator[Figure]:
    for neighbours in (0, 1):
        rates: dict[str, list[float]] = {way: [] for way in WAYS}
        with _busy(neighbours):
            for _ in range(ROUNDS):
                for way, env in WAYS.items():
                    rates[way].append(_rate(model, env))
        plain = statistics.median(rates["spinning"])
        where = "alone" if not neighbours else "beside a busy process"
        for way, found in rates.items():
            rate = statistics.median(found)
            beside = f"{rate / plain:.2f} × spinning; {min(found):.1f}–{max(found):.1f}"
            yield Figure(f"{model}, {where}, {way}", rate, "batch/s", beside=beside)


@contextmanager
def _busy(processes: int) -> Iterator[None]:
    started = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(processes)]
    try:
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


def _rate(model: str, env: dict[str, str]) -> float:
    with tempfile.TemporaryDirectory() as name:
        make_project(Path(name), model=model, batch_size=256)
        train_headless(Path(name), SECONDS, env)
        return batches_per_second(Path(name))


def main() -> int:
    model = sys.argv[1] if len(sys.argv) > 1 else "gru"
    print(f"{psutil.cpu_count()} cores")
    for figure in measure(model):
        print(figure.line(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
