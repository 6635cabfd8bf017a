"""What the numbers of 5CAT mean: five gates, a reading of the margin, ready for production or not.

Pure functions of plain numbers, without torch or NumPy. A number that could not be measured is
None: it does not pass. Thresholds live in lvm.settings; a result stores those that judged it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from lvm.settings import OffsetOrigin, Thresholds

GATES = ("offset", "retrieval", "ablations", "rollout", "bins")
LETTERS = dict(zip(GATES, "ABCDE", strict=True))

OFFSETS = tuple(range(-3, 4))
"""The values of k of the offset test."""

MARGIN_SHARE, ROLLOUT_SHARE = 0.8, 0.2
"""score = 0.8 · VAL margin + 0.2 · VAL rollout."""

ALIKE = 0.99
"""Mean pairwise cosine of the outputs above which a model says the same whatever it reads …"""

ALIKE_ABOVE_TARGETS = 0.2
"""… provided that the targets themselves are less alike by more than this."""

BLIND = 1e-6
"""A change of cosine of at most this is float rounding."""

Level = Literal["severe", "alarm", "caution", "weak", "good"]

_BACKWARD: dict[Level, str] = {
    "severe": "severe backward bias",
    "alarm": "BACKWARD BIAS DETECTED",
    "caution": "slight backward tendency",
    "weak": "weak forward signal",
    "good": "good forward prediction",
}
_AHEAD: dict[Level, str] = {
    "severe": "severely skips ahead",
    "alarm": "SKIPS AHEAD",
    "caution": "slight tendency to skip ahead",
}

_TARGET_NOTE = (
    "offsets counted from the target, as the old tool does: k=0 is the chunk to predict, k=+1 the "
    "one after it, so a model that predicts forward has a NEGATIVE margin here; not comparable "
    "with results counted from the last context"
)


@dataclass(frozen=True, slots=True)
class Reading:
    """The offset table of one split, in words."""

    level: Level
    words: str
    message: str
    """Begins with the margin and names the offset that won."""
    best_offset: int | None
    """The k of the largest mean cosine, in the result's own count."""
    margin: float | None
    """Mean cosine at k = +1 minus the largest at any other k, in the result's own count."""


@dataclass(frozen=True, slots=True)
class Check:
    """One number of one split against its threshold."""

    gate: str
    name: str
    split: str
    value: float | None
    """None: not measured, which does not pass."""
    need: float
    op: Literal[">=", "<="]
    passed: bool
    short_by: float | None
    """How much is missing; None when it passed or was not measured."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """All checks, and a gate passes only if every check in it does."""

    gates: dict[str, bool]
    checks: tuple[Check, ...]

    @property
    def passed(self) -> int:
        return sum(self.gates.values())

    def to_json(self) -> dict[str, Any]:
        return {
            "gates": dict(self.gates),
            "checks": [asdict(check) for check in self.checks],
            "passed": self.passed,
        }


# ------------------------------------------------------------------ the margin


def read_margin(
    cos: Mapping[int, float | None],
    collapsed: bool,
    thresholds: Thresholds,
    origin: OffsetOrigin = "context",
) -> Reading:
    """Read an offset table: k → mean cosine of the predictions with the chunk at k.

    With origin "target" the margin stays that of the old count, but level and words follow where
    the peak truly lies: a table that peaks at the target (k = 0 there) is forward.
    """
    known = {k: value for k, value in cos.items() if value is not None and math.isfinite(value)}
    margin = _lead(known, 1)
    if margin is None:
        return Reading("alarm", "not measured", "margin not measured", None, None)
    shift = 1 if origin == "target" else 0
    lead = _lead(known, 1 - shift)
    best = max(known, key=lambda k: (known[k], k == 1 - shift))
    level = _level(margin if lead is None else lead, thresholds)
    place = best + shift  # counted from the last context
    said = f"margin {signed(margin)}"
    if collapsed:
        level = level if level == "severe" else "alarm"
        said = f"{said}: collapsed, all outputs are alike, whatever the model reads"
        return Reading(level, "collapsed: all outputs are alike", said, best, margin)
    words = _AHEAD.get(level, _BACKWARD[level]) if place > 1 else _BACKWARD[level]
    counted = ", k counted from the target" if shift else ""
    return Reading(
        level, words, f"{said}: closest to k={offset(best)}, {_place(place)}{counted}", best, margin
    )


def _lead(cos: Mapping[int, float], k: int) -> float | None:
    others = [value for other, value in cos.items() if other != k]
    return rounded(cos[k] - max(others)) if k in cos and others else None


def _level(margin: float, thresholds: Thresholds) -> Level:
    if margin < thresholds.severe:
        return "severe"
    if margin < thresholds.alarm:
        return "alarm"
    if margin < thresholds.caution:
        return "caution"
    return "weak" if margin < thresholds.good else "good"


def _place(k: int) -> str:
    """What lies at k, counted from the last context."""
    if k == 1:
        return "the chunk to predict"
    if k > 1:
        return f"{_chunks(k - 1)} after the one to predict: it skips ahead"
    if k == 0:
        return "the chunk it just read"
    return f"{_chunks(-k)} before the last one it read"


def _chunks(count: int) -> str:
    return "1 chunk" if count == 1 else f"{count} chunks"


def is_collapsed(outputs_alike: float, targets_alike: float) -> bool:
    """From the mean pairwise cosines of outputs and of targets."""
    return outputs_alike > ALIKE and outputs_alike - targets_alike > ALIKE_ABOVE_TARGETS


def is_order_blind(val: Mapping[str, Any], ood: Mapping[str, Any]) -> bool:
    """Whether shuffling and reversing the contexts change nothing, on both splits.

    A collapsed model is blind to everything: that is said instead.
    """
    changes = [split[name] for split in (val, ood) for name in ("shuffled", "reversed")]
    if val.get("collapsed") or ood.get("collapsed"):
        return False
    return all(change is not None and abs(change) <= BLIND for change in changes)


def origin_note(origin: OffsetOrigin) -> str:
    """What a reader of a result must know about its offsets, or ""."""
    return _TARGET_NOTE if origin == "target" else ""


# ------------------------------------------------------------------ the gates

_RETRIEVAL = ("r1", "r5", "mrr")
_ABLATIONS = ("shuffled", "reversed", "leave_one_out", "repeat_last", "cross_article")


def judge(val: Mapping[str, Any], ood: Mapping[str, Any], thresholds: Thresholds) -> Verdict:
    """Hold the numbers of both splits (as in the result's "VAL" and "OOD") against the gates."""
    checks: list[Check] = []

    def at_least(gate: str, name: str, of: str | None = None) -> None:
        for label, split, suffix in (("VAL", val, "val"), ("OOD", ood, "ood")):
            need = getattr(thresholds, f"{name}_{suffix}")
            value = split["cos"].get("1") if of == "cos" else split[name]
            checks.append(_check(gate, name, label, value, need, ">="))

    at_least("offset", "cos", of="cos")
    at_least("offset", "margin")
    for name in _RETRIEVAL:
        at_least("retrieval", name)
    for name in _ABLATIONS:
        need = getattr(thresholds, name)
        for label, split in (("VAL", val), ("OOD", ood)):
            checks.append(_check("ablations", name, label, split[name], need, "<="))
    at_least("rollout", "rollout")
    normal = val["normal_mean"], ood["normal_mean"]
    difference = None if None in normal else rounded(abs(normal[0] - normal[1]))
    need = thresholds.bins_difference
    checks.append(_check("bins", "bins_difference", "VAL", difference, need, "<="))
    gates = {gate: all(check.passed for check in checks if check.gate == gate) for gate in GATES}
    return Verdict(gates, tuple(checks))


def _check(
    gate: str, name: str, split: str, value: float | None, need: float, op: Literal[">=", "<="]
) -> Check:
    if value is None or not math.isfinite(value):
        return Check(gate, name, split, None, need, op, passed=False, short_by=None)
    passed = value >= need if op == ">=" else value <= need
    short_by = None if passed else rounded(abs(value - need))
    return Check(gate, name, split, value, need, op, passed, short_by)


def score(margin_val: float, rollout_val: float) -> float:
    """What `best_5cat_model.pt` is chosen by."""
    return MARGIN_SHARE * margin_val + ROLLOUT_SHARE * rollout_val


# ------------------------------------------------------------------ ready for production


def readiness(result: Mapping[str, Any], alerts_in_history: int | None) -> tuple[bool, list[str]]:
    """Whether a model is ready for production, and if not, what is missing and by how much.

    result: the document of `lvm 5cat --json`; it is judged by the thresholds stored in it.
    alerts_in_history: backward-bias alerts (alarm or severe) in the history of its run; None if
    that history is not known, which does not pass.
    """
    needs = result["thresholds"]
    missing = []
    if result.get("origin", "context") != "context":
        missing.append(
            "offsets are counted from the target; production needs them from the last context"
        )
    for split, name in (("VAL", "margin"), ("OOD", "margin"), ("VAL", "rollout")):
        value = result[split][name]
        need = needs[f"ready_{name}_{split.lower()}"]
        if value is None:
            missing.append(f"{split} {name} not measured, needs ≥ {_need(need, name)}")
        elif value < need:
            missing.append(
                f"{split} {name} {_value(value, need, name)}, needs ≥ {_need(need, name)}: "
                f"short by {need - value:.{_digits(value, need)}f}"
            )
    if result["passed"] < needs["ready_gates"]:
        missing.append(
            f"{result['passed']} of 5 gates, needs {needs['ready_gates']}: {_failed(result)}"
        )
    if alerts_in_history is None:
        missing.append(
            "the alerts of the run's history are not known, needs 0 backward-bias alerts"
        )
    elif alerts_in_history:
        plural = "alert" if alerts_in_history == 1 else "alerts"
        missing.append(f"{alerts_in_history} backward-bias {plural} in the run's history, needs 0")
    return not missing, missing


def _failed(result: Mapping[str, Any]) -> str:
    names = [f"{LETTERS[gate]} {gate}" for gate in GATES if not result["gates"][gate]]
    text = ", ".join(names) + " failed"
    return f"{text} (order-blind model: C cannot pass)" if result.get("order_blind") else text


def _value(value: float, need: float, name: str) -> str:
    digits = _digits(value, need)
    return signed(value, digits) if name == "margin" else _unsigned(value, digits)


def _need(value: float, name: str) -> str:
    digits = 2 if round(value, 2) == value else 3
    return signed(value, digits) if name == "margin" else _unsigned(value, digits)


def _digits(value: float, need: float) -> int:
    """As many as show that the two differ."""
    return 3 if abs(value - need) >= 0.0005 else 6


def _unsigned(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".replace("-", "−")


def rounded(value: float) -> float:
    """To the six decimals that float32 can answer for; never −0.0."""
    return round(value, 6) + 0.0


def signed(value: float, digits: int = 3) -> str:
    """+0.145, −0.084, and +0.000 for what rounds to nothing."""
    return f"{round(value, digits) + 0.0:+.{digits}f}".replace("-", "−")


def offset(k: int) -> str:
    """0, +1, −2."""
    return f"{k:+d}".replace("-", "−") if k else "0"
