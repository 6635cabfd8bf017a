"""Means and spread over the seeds of the runs in a log of benchmarks.objectives, as a table.

    python -m benchmarks.objectives BANK --seeds 0 1 2 --log runs.jsonl      # trains
    python -m benchmarks.spread runs.jsonl                                   # seconds

Runs that differ in nothing but their seed make one row. `mse` is taken at the epoch with the
highest VAL cosine of those that 5CAT judged, `forward` at its last; --at says otherwise. A number
is mean ± standard deviation (n − 1) over the seeds, or the number alone where there is one seed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from lvm.settings import TrainSettings

NUMBERS = {"cos": ".3f", "margin": "+.3f", "ood_cos": ".3f", "ood_margin": "+.3f", "rollout": ".3f"}
DEFAULT_AT = {"mse": "cosine", "forward": "last"}


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("logs", nargs="+")
    parser.add_argument("--at", choices=("cosine", "score", "last"))
    options = parser.parse_args(argv)
    runs = [json.loads(line) for log in options.logs for line in Path(log).read_text().splitlines()]
    runs = list({json.dumps(run["key"], sort_keys=True): run for run in runs}.values())
    print("\n".join(_table(runs, options.at)))
    return 0


def _table(runs: list[dict[str, Any]], at: str | None) -> Iterator[str]:
    runs.sort(key=_kind)
    heads = ("bank", "model", "objective", "precision", "changed", "seeds", "epoch", *NUMBERS)
    yield f"| {' | '.join((*heads, 'lowest margin', 'gates', 'ready'))} |"
    yield "|---" * (len(heads) + 3) + "|"
    for kind, group in groupby(runs, key=_kind):
        same = sorted(group, key=lambda run: run["key"]["settings"]["seed"])
        chosen = [judged(run, at or DEFAULT_AT.get(kind[2], "score")) for run in same]
        cells = [*kind, " ".join(str(run["key"]["settings"]["seed"]) for run in same)]
        cells.append(" ".join(str(epoch["epoch"]) for epoch in chosen))
        cells += [over([epoch[name] for epoch in chosen], form) for name, form in NUMBERS.items()]
        cells.append(f"{min(epoch['margin'] for epoch in chosen):+.3f}")
        cells.append(" ".join(str(len(epoch["gates"])) for epoch in chosen))
        cells.append(f"{sum(bool(run['ready']) for run in same)} of {len(same)}")
        yield f"| {' | '.join(cells)} |"


def judged(run: dict[str, Any], at: str) -> dict[str, Any]:
    """The epoch of a run that stands for it."""
    epochs: list[dict[str, Any]] = run["epochs"]
    if at == "last":
        return epochs[-1]
    return max(epochs, key=lambda one: one["val_cosine" if at == "cosine" else "score"])


def over(values: list[float], form: str) -> str:
    """Mean ± standard deviation."""
    mean = f"{statistics.fmean(values):{form}}"
    return mean if len(values) == 1 else f"{mean} ± {statistics.stdev(values):.3f}"


def _kind(run: dict[str, Any]) -> tuple[str, str, str, str, str]:
    """What runs have in common that differ in their seed only."""
    settings = run["key"]["settings"]
    usual = TrainSettings(model=settings["model"]).to_json()
    apart = ("model", "objective", "seed", "precision", "device", "on_severe", "fivecat_every")
    changed = {
        name: value
        for name, value in settings.items()
        if name not in apart and usual.get(name) != value
    }
    return (
        Path(run["key"]["bank"]).stem,
        settings["model"],
        run["key"].get("objective", settings["objective"]),
        settings["precision"],
        " ".join(f"{name}={value}" for name, value in changed.items()),
    )


if __name__ == "__main__":
    sys.exit(main())
