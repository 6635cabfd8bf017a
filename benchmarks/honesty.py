"""Is the forecast honest? What was forecast for a bank, beside what the trained models reached.

    python -m benchmarks.objectives BANK      # trains: minutes to hours
    python -m benchmarks.honesty              # forecasts: seconds a bank

Reads the runs in the log of benchmarks.objectives, or in logs that are named. For each bank, every
epoch that 5CAT judged is held against the forecast that `lvm diagnose` would have made before:

- a gate called out of reach must not have been passed;
- the frontier's margin at the cosine that a model reached must be within 0.05 of the best that
  was trained there, on either side: what a frontier promises must come true somewhere as well.

Exits with 1 where a forecast was broken: a gate passed that was called out of reach, or a trained
model more than 0.05 above the frontier. A frontier that no model came near is told, not counted:
the search may have been too short.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

from benchmarks.objectives import LOG, open_bank_as_it_says
from lvm.data.progress import quiet
from lvm.runs.outlook import outlook_document
from lvm.settings import Thresholds

BAND = 0.05


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("logs", nargs="*", type=Path, default=[LOG])
    options = parser.parse_args(argv)
    present = [log for log in options.logs if log.exists()]
    if not present:
        print(f"  no {' nor '.join(map(str, options.logs))}: run benchmarks.objectives first")
        return 0
    runs = [json.loads(line) for log in present for line in log.read_text().splitlines()]
    runs.sort(key=lambda run: str(run["key"]["bank"]))
    broken = 0
    for bank, of_bank in groupby(runs, key=lambda run: str(run["key"]["bank"])):
        corpus = open_bank_as_it_says(bank)
        forecast = outlook_document(corpus, Thresholds(), progress=quiet)
        print(f"\n{bank}: forecast in {forecast['seconds']:.0f} s, arrow of time "
              f"{forecast['arrow']['accuracy']:.3f}")  # fmt: skip
        for breach, words in _held_against(forecast, list(of_bank)):
            broken += breach
            print(f"  {'✗' if breach else ' '} {words}")
    return 1 if broken else 0


def _held_against(
    forecast: dict[str, Any], runs: list[dict[str, Any]]
) -> Iterator[tuple[bool, str]]:
    epochs = [epoch for run in runs for epoch in run["epochs"]]
    for gate, verdict in forecast["gates"].items():
        passed = sum(gate in epoch["gates"] for epoch in epochs)
        breach = verdict["verdict"] == "out of reach" and passed > 0
        count = f"passed at {passed} of {len(epochs)} epochs"
        yield breach, f"{gate:<10} {verdict['verdict']:<13} {count}"
    gaps = []
    for run in runs:
        settings = run["key"]["settings"]
        best = max(run["epochs"], key=lambda epoch: epoch["score"])
        promised = margin_at(forecast["frontier"], best["cos"])
        objective = run["key"].get("objective", settings["objective"])
        name = f"{settings['model']:<11} {objective:<7} seed {settings['seed']}"
        reached = f"cos {best['cos']:.3f} margin {best['margin']:+.3f}"
        if promised is None:
            yield False, f"{name} {reached}   beyond the frontier's largest cosine"
            continue
        gaps.append(best["margin"] - promised)
        yield gaps[-1] > BAND, f"{name} {reached}   frontier there {promised:+.3f}"
    if gaps:
        near = "within" if abs(max(gaps)) <= BAND else "NOT within"
        yield False, f"best trained − frontier at equal cosine: {max(gaps):+.3f}, {near} {BAND}"


def margin_at(frontier: list[dict[str, float]], cos: float) -> float | None:
    """The frontier's margin at this VAL cosine, between two points by interpolation; its last
    margin below its smallest cosine, None above its largest."""
    if not frontier or cos > frontier[0]["cos"]:
        return None
    for upper, lower in pairwise(frontier):
        if upper["cos"] >= cos > lower["cos"]:
            share = (upper["cos"] - cos) / (upper["cos"] - lower["cos"])
            return upper["margin"] + share * (lower["margin"] - upper["margin"])
    return frontier[-1]["margin"]


if __name__ == "__main__":
    sys.exit(main())
