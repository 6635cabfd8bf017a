"""What a forecast says of each gate, from plain numbers: within reach, out of reach, or unknown.

A linear predictor that passes a gate proves that it is within reach. That none passes proves
nothing by itself, so a gate is out of reach only where the best linear predictor misses it by
more than a band; between the two the answer is "unknown". The bands come from trials in which
networks of several kinds were trained for the same trade on the same data: none was above the
linear frontier (docs/experiments.md), so a twentieth leaves room for better ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from lvm.naming import plain

Answer = Literal["within reach", "out of reach", "unknown"]

BAND = 0.05
"""A network may beat the linear frontier by so much in cosine or margin, to be safe."""
GATE_BANDS: Mapping[str, float] = {
    "offset": BAND,
    "retrieval": 2 * BAND,  # ranks move faster than cosines
    "rollout": BAND,
    "bins": BAND,
}
"""Gates that can be out of reach. Not the ablations: how much a network minds a wrong order is
its own affair, and a linear map says little about it."""

_LINEAR = "some linear predictor"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the forecast says of one gate."""

    answer: Answer
    best: float | None
    """The best value seen of the number that decides, or None if nothing was measured."""
    need: float | None
    short_by: float | None
    """How far `best` is from `need`; None when it is reached."""
    words: str

    def to_json(self) -> dict[str, Any]:
        return {
            "verdict": self.answer,
            "best": self.best,
            "need": self.need,
            "short_by": self.short_by,
            "words": self.words,
        }


@dataclass(frozen=True, slots=True)
class Reach:
    """What the frontier offers on one split."""

    split: str
    need_cos: float
    need_margin: float
    best_cos: float
    best_margin: float | None
    """The largest margin at a cosine of `need_cos` or more; None if no point has that cosine."""


def judge_offset(reaches: Sequence[Reach], *, passed: bool) -> Verdict:
    """Gate A, which needs a cosine and a margin at once on every split.

    `passed`: some one point has all that every split needs.
    """
    worst = max(reaches, key=_distance)
    if passed:
        return Verdict(
            "within reach",
            worst.best_margin,
            worst.need_margin,
            None,
            f"{_LINEAR} has margin {worst.best_margin:+.3f} with cos ≥ {worst.need_cos:.2f} "
            f"on {worst.split}",
        )
    short = _distance(worst)
    answer: Answer = "out of reach" if short > BAND else "unknown"
    if worst.best_margin is None:
        words = (
            f"best cos {worst.best_cos:.3f} on {worst.split}, needs ≥ {worst.need_cos:.2f}: "
            f"short by {short:.3f}"
        )
        return Verdict(answer, worst.best_cos, worst.need_cos, short, words)
    words = (
        f"best margin {worst.best_margin:+.3f} with cos ≥ {worst.need_cos:.2f} on {worst.split}, "
        f"needs ≥ {worst.need_margin:+.2f}"
    )
    if short > 0:
        return Verdict(
            answer, worst.best_margin, worst.need_margin, short, f"{words}: short by {short:.3f}"
        )
    return Verdict(answer, worst.best_margin, worst.need_margin, None, f"{words}, never both")


def _distance(reach: Reach) -> float:
    if reach.best_margin is None:
        return reach.need_cos - reach.best_cos
    return reach.need_margin - reach.best_margin


_UNSIGNED = ("cos", "r1", "r5", "mrr", "rollout", "bins_difference")
"""Numbers that nobody expects below 0; margins and changes of a cosine have their sign."""


def judge_measured(gate: str, documents: Sequence[Mapping[str, Any]]) -> Verdict:
    """Any gate from the 5CAT documents of several predictors (their "gates" and "checks")."""
    bests = _best_of_each(gate, documents)
    if not bests or any(best is None for best in bests.values()):
        missing = ", ".join(
            f"{split} {plain(name)}" for (split, name), b in bests.items() if b is None
        )
        return Verdict(
            "unknown", None, None, None, f"not measured{': ' if missing else ''}{missing}"
        )
    checks = {key: check for key, check in bests.items() if check is not None}
    (split, name), worst = max(checks.items(), key=lambda item: _missing(item[1]))
    best, need, short = worst["value"], worst["need"], _missing(worst)
    sign = "" if name in _UNSIGNED else "+"
    number = f"{split} {plain(name)} {best:{sign}.3f}, needs {_sign(worst['op'])} {need:{sign}.2f}"
    if any(document["gates"].get(gate) for document in documents):
        return Verdict("within reach", best, need, None, f"{_LINEAR} passes; tightest: {number}")
    if short <= 0:
        words = f"each number is reached by {_LINEAR}, all of them by none"
        return Verdict("unknown", best, need, None, words)
    out = gate in GATE_BANDS and short > GATE_BANDS[gate]
    return Verdict(
        "out of reach" if out else "unknown",
        best,
        need,
        short,
        f"best {number}: short by {short:.3f}",
    )


def not_measured() -> Verdict:
    """For a gate that nobody looked at."""
    return Verdict("unknown", None, None, None, "not measured")


def _best_of_each(
    gate: str, documents: Sequence[Mapping[str, Any]]
) -> dict[tuple[str, str], Mapping[str, Any] | None]:
    """For each number of the gate the check that comes nearest; None where never measured."""
    bests: dict[tuple[str, str], Mapping[str, Any] | None] = {}
    for document in documents:
        for check in document["checks"]:
            if check["gate"] != gate:
                continue
            key = (check["split"], check["name"])
            before = bests.get(key)
            if check["value"] is None:
                bests.setdefault(key, None)
            elif before is None or _missing(check) < _missing(before):
                bests[key] = check
    return bests


def _missing(check: Mapping[str, Any]) -> float:
    """How far a value is from its need; negative when it is beyond."""
    distance: float = check["need"] - check["value"]
    return distance if check["op"] == ">=" else -distance


def _sign(operator: str) -> str:
    return {">=": "≥", "<=": "≤"}[operator]
