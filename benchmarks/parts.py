"""What can be measured, by name. Importing this imports none of it."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator

from benchmarks.figures import Figure, Note

Measure = Callable[[], Iterator[Figure | Note]]

MEASURED = {
    "startup": "`lvm --help`, first paint, and what each import costs",
    "loading": "memory of an import, second start against inflating the file",
    "fivecat": "5CAT against one sample at a time, and against its forward passes alone",
    "training": "training against a plain loop: speed, profile, matmul peak, equal cosines",
    "growth": "cost of an epoch with 10k, 100k and 440k sequences; of a redraw with run length",
    "cuda": "epochs of the 584k shape, full 5CAT and a whole retrain, where there is a GPU",
}
"""In the table of docs/performance.md, in this order; all of it in under 15 minutes on 2 cores."""

ALONE = {
    "serving": "requests a second of each service, 64 clients, malformed requests",
    "restarts": "restarts of a service under load",
    "dashboard": "first paint, keys, throughput, redraw, opening, traffic, memory: 15 minutes",
    "import_big": "an import of the 584k set's shape, and kill -9: minutes and gigabytes",
}
"""Only by name: minutes each, with tables of their own in docs/performance.md."""

WITH_ARGUMENTS = {
    "objectives": "train models with objectives on a bank: the tables of docs/direction.md",
    "spread": "means and spread over the seeds of those runs",
    "honesty": "what was forecast for a bank beside what the models reached",
    "neighbours": "training beside another busy process",
}
"""Run as `python -m benchmarks.NAME …`; listed, so that they are found."""


def measure_of(name: str) -> Measure:
    """The generator of a measured part."""
    module = name if name not in ("training", "fivecat") else f"{name}.suite"
    measure: Measure = importlib.import_module(f"benchmarks.{module}").measure
    return measure


def listing() -> str:
    """Every part with what it measures, for `--list`."""
    groups = {
        "measured by `make bench`": MEASURED,
        "only by name": ALONE,
        "with arguments, as python -m benchmarks.NAME": WITH_ARGUMENTS,
    }
    lines = []
    for title, group in groups.items():
        lines += [title, *(f"  {name:12} {summary}" for name, summary in group.items())]
    return "\n".join(lines)
