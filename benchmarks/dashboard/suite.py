"""The parts one after the other, and a summary; exits with 1 if a limit is not kept."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence

from benchmarks.dashboard import (
    keys,
    memory,
    opening,
    paint,
    redraw,
    slow,
    throughput,
    traffic,
)
from benchmarks.figures import Figure

Part = Callable[..., Iterator[Figure]]

PARTS: dict[str, Part] = {
    module.__name__.rpartition(".")[2]: module.measure
    for module in (paint, keys, throughput, redraw, opening, traffic, slow, memory)
}


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dashboard")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all")
    parser.add_argument("--quick", action="store_true", help="smaller and shorter: a first look")
    arguments = parser.parse_args(argv)
    unknown = set(arguments.parts) - set(PARTS)
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}; known: {', '.join(PARTS)}")
    figures: list[Figure] = []
    for name in arguments.parts or PARTS:
        for figure in PARTS[name](quick=arguments.quick):
            print(figure.line(), flush=True)
            figures.append(figure)
    missed = [figure for figure in figures if not figure.kept]
    judged = sum(figure.limit is not None for figure in figures)
    print(f"\n{judged - len(missed)} of {judged} limits kept")
    return 1 if missed else 0
