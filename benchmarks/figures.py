"""A measured number, what it is held against, and whether it keeps its limit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    name: str
    value: float
    unit: str
    limit: float | None = None
    """None: told, not judged."""
    at_least: bool = False
    """Whether the limit is the lowest allowed value instead of the highest."""
    beside: str = ""
    """What was measured beside it, in the same run."""
    n: str = ""
    """How many of what it was measured over."""

    @property
    def kept(self) -> bool:
        if self.limit is None:
            return True
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    @property
    def target(self) -> str:
        """What was wanted, "≥ 10"; "" where the value is only told."""
        if self.limit is None:
            return ""
        return f"{'≥' if self.at_least else '≤'} {self.limit:g}"

    @property
    def met(self) -> str:
        return "" if self.limit is None else "✓" if self.kept else "✗"

    def line(self) -> str:
        need = f"{self.target} {self.met}"
        return f"{self.name:52} {self.value:10.4g} {self.unit:8} {need:12} {self.beside}".rstrip()


@dataclass(frozen=True)
class Note:
    """Markdown that goes below the table: a profile, or why a part was not run."""

    title: str
    lines: tuple[str, ...]


def spread(values: Sequence[float]) -> str:
    """The least and the greatest, for `beside`."""
    return f"{number(min(values))}–{number(max(values))}"


def number(value: float) -> str:
    """Three digits that count, without an exponent where it can be read without."""
    if value == 0 or 0.001 <= abs(value) < 999.5:
        return f"{value:#.3g}".rstrip(".")
    return f"{value:,.0f}" if abs(value) >= 999.5 else f"{value:.1e}"


def percentile(values: list[float], share: float) -> float:
    """The smallest value that `share` of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def report(found: Iterable[Figure | Note]) -> int:
    """Print what is found as it is found; the exit code: 1 if a limit is missed."""
    figures = []
    for one in found:
        if isinstance(one, Note):
            print(f"\n{one.title}", *one.lines, "", sep="\n", flush=True)
        else:
            print(one.line(), flush=True)
            figures.append(one)
    judged = [figure for figure in figures if figure.limit is not None]
    print(f"\n{sum(figure.kept for figure in judged)} of {len(judged)} limits kept")
    return 0 if all(figure.kept for figure in judged) else 1
