"""A key press to the changed picture, in a real pty, while a real training runs at full speed."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.dashboard.program import Program
from benchmarks.dashboard.workshop import make_project
from benchmarks.figures import Figure, percentile

P95, WORST = 50.0, 150.0
"""Milliseconds."""
ROUNDS, QUICK_ROUNDS = 12, 3
WINDOW = 0.4
"""Seconds in which everything that comes is kept before it is looked at: drawing a picture here
would hold up the program, whose pty has little room."""

Seen = Callable[[str], bool]

KEYS: tuple[tuple[str, Seen], ...] = (
    ("l", lambda text: "loss (log)" in text),
    ("l", lambda text: "loss (log)" not in text),
    ("]", lambda text: "smooth 0.97" in text),
    ("[", lambda text: "smooth 0.97" not in text),
    ("+", lambda text: "2×" in text),
    ("-", lambda text: "2×" not in text),
    ("2", lambda text: "5CAT gates" not in text and "queue" in text.lower()),
    ("1", lambda text: "5CAT gates" in text),
)
"""Each key, and how the picture looks when it has worked."""


def measure(*, quick: bool) -> Iterator[Figure]:
    rounds = QUICK_ROUNDS if quick else ROUNDS
    dice = random.Random(0)
    with tempfile.TemporaryDirectory() as name:
        make_project(Path(name))
        with Program("lvm_tui", folder=Path(name)) as program:
            program.wait_for("▶ training")
            program.wait_for("smooth 0.9")
            _pass(program, 5.0)
            busy = _latencies(program, rounds, dice)
            program.press(" ")
            program.wait_for("PAUSED")
            _pass(program, 2.0)
            idle = _latencies(program, max(rounds // 3, 1), dice)
    every = [each for found in busy.values() for each in found]
    calm = [each for found in idle.values() for each in found]
    beside = f"{percentile(calm, 0.95):.0f} ms while paused; {len(every)} presses"
    yield Figure(
        "key press to changed picture, p95", percentile(every, 0.95), "ms", P95, False, beside
    )
    beside = f"{max(calm):.0f} ms while paused"
    yield Figure("key press to changed picture, worst", max(every), "ms", WORST, False, beside)
    medians = (f"{key} {percentile(found, 0.5):.0f}" for key, found in busy.items())
    middle = percentile(every, 0.5)
    yield Figure("key press to changed picture, median", middle, "ms", beside=" · ".join(medians))


def _latencies(program: Program, rounds: int, dice: random.Random) -> dict[str, list[float]]:
    """Milliseconds by key."""
    found: dict[str, list[float]] = {}
    for _ in range(rounds):
        for key, seen in KEYS:
            _pass(program, dice.uniform(0.1, 0.5))
            pressed = program.press(key)
            found.setdefault(key, []).append((_seen_at(program, seen, key) - pressed) * 1e3)
    return found


def _seen_at(program: Program, seen: Seen, key: str) -> float:
    at = program.first(program.take(WINDOW), seen)
    return program.when(seen, f"effect of {key!r}") if at is None else at


def _pass(program: Program, seconds: float) -> None:
    for _, piece in program.take(seconds):
        program.draw(piece)
