"""A measured number, what it is held against, and whether it keeps its limit."""

from __future__ import annotations

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

    @property
    def kept(self) -> bool:
        if self.limit is None:
            return True
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def line(self) -> str:
        need = ""
        if self.limit is not None:
            need = f"{'≥' if self.at_least else '≤'} {self.limit:g} {'✓' if self.kept else '✗'}"
        return f"{self.name:52} {self.value:10.4g} {self.unit:8} {need:12} {self.beside}".rstrip()


def percentile(values: list[float], share: float) -> float:
    """The smallest value that `share` of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]
