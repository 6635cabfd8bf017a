"""Documents of the engine, made by formula: data quality, a 5CAT battery, a forecast."""

from __future__ import annotations

from typing import Any

from lvm.settings import Thresholds

NEEDS = Thresholds()


def quality(*, good: bool = True) -> dict[str, Any]:
    coherence, signal = (0.457, 0.117) if good else (0.353, 0.015)
    steps = [0.011, 0.019, 0.031, 0.056] if good else [0.004, -0.002, 0.006, 0.007]
    at = 0.34 if good else 0.31
    centre = 44 if good else 33
    positions = [at]
    for step in steps:
        positions.append(positions[-1] + step)
    return {
        "samples": 20000,
        "coherence": coherence,
        "position_to_target": positions,
        "signal": signal,
        "monotonic": min(steps) > 0,
        "background": 0.11,
        "distribution": [
            n for at in range(20) for n in [max(0, 3000 - 28 * (at * 5 - centre) ** 2)]
        ],
        "kind": "forward" if good else "flat",
        "checks": [
            {"name": "coherence", "value": coherence, "need": 0.40, "passed": coherence >= 0.40},
            {"name": "signal", "value": signal, "need": 0.08, "passed": signal >= 0.08},
            {"name": "order", "value": min(steps), "need": 0.0, "passed": min(steps) > 0},
        ],
        "passed": good,
        "words": "the data runs forward" if good else "the data has no direction",
        "fix": "" if good else "make the sequences again from articles in order",
    }


def split(margin: float, *, weaker: float = 0.0) -> dict[str, Any]:
    """One split of a 5CAT document whose every number goes with the margin."""
    at_target = 0.56 - weaker
    best_other = at_target - margin
    cos = {
        "-3": best_other - 0.18,
        "-2": best_other - 0.12,
        "-1": best_other - 0.05,
        "0": best_other,
        "1": at_target,
        "2": at_target - 0.06 - max(margin, 0.0),
        "3": at_target - 0.12 - max(margin, 0.0),
    }
    best = max(cos, key=lambda k: cos[k])
    level = (
        "severe" if margin < NEEDS.severe
        else "alarm" if margin < NEEDS.alarm
        else "caution" if margin < NEEDS.caution
        else "weak" if margin < NEEDS.good
        else "good"
    )  # fmt: skip
    words = {
        "severe": "severe backward bias",
        "alarm": "BACKWARD BIAS DETECTED",
        "caution": "slight backward tendency",
        "weak": "weak forward signal",
        "good": "good forward prediction",
    }[level]
    sign = f"{margin:+.3f}".replace("-", "−")
    where = "closest to k=0, the chunk it just read" if best == "0" else words
    return {
        "cos": cos,
        "margin": margin,
        "best_offset": int(best),
        "level": level,
        "words": words,
        "message": f"margin {sign}: {where}",
        "collapsed": False,
        "r1": 0.52 + margin - weaker,
        "r5": 0.93 + margin / 4 - weaker,
        "mrr": 0.70 + margin - weaker,
        "shuffled": -0.05 - margin,
        "reversed": -0.03 - margin,
        "leave_one_out": -0.02 - margin / 1.5,
        "repeat_last": -0.02 - margin / 3,
        "cross_article": -0.01,
        "rollout": 0.41 + margin - weaker,
        "rollout_steps": [0.56, 0.48, 0.41 + margin],
        "low_mean": 0.51 - weaker,
        "low_n": 412,
        "normal_mean": 0.57 - weaker,
        "normal_n": 371,
        "high_mean": 0.63 - weaker,
        "high_n": 217,
    }


_CHECKS = (
    ("offset", "cos", ">="),
    ("offset", "margin", ">="),
    ("retrieval", "r1", ">="),
    ("retrieval", "r5", ">="),
    ("retrieval", "mrr", ">="),
    ("ablations", "shuffled", "<="),
    ("ablations", "reversed", "<="),
    ("ablations", "leave_one_out", "<="),
    ("ablations", "repeat_last", "<="),
    ("ablations", "cross_article", "<="),
    ("rollout", "rollout", ">="),
)


def battery(margin: float, *, weaker: float = 0.012) -> dict[str, Any]:
    """A 5CAT document, the one of `lvm 5cat --json`."""
    result: dict[str, Any] = {
        "origin": "context",
        "seed": 0,
        "horizon": 3,
        "samples": {name: {"asked": 1000, "used": 1000, "skipped": {}} for name in ("VAL", "OOD")},
        "VAL": split(margin),
        "OOD": split(margin - weaker / 2, weaker=weaker),
        "seconds": 4.2,
        "order_blind": False,
        "thresholds": NEEDS.to_json(),
    }
    needs = NEEDS.to_json()
    checks: list[dict[str, Any]] = []
    for gate, name, op in _CHECKS:
        for which in ("VAL", "OOD"):
            part = result[which]
            value = part["cos"]["1"] if name == "cos" else part[name]
            need = needs.get(name, needs.get(f"{name}_{which.lower()}"))
            checks.append(_check(gate, name, which, value, need, op))
    bins = abs(result["VAL"]["normal_mean"] - result["OOD"]["normal_mean"])
    checks.append(_check("bins", "bins_difference", "VAL", bins, NEEDS.bins_difference, "<="))
    gates = {
        gate: all(check["passed"] for check in checks if check["gate"] == gate)
        for gate in ("offset", "retrieval", "ablations", "rollout", "bins")
    }
    passed = sum(gates.values())
    missing = []
    for which, need in (("VAL", NEEDS.ready_margin_val), ("OOD", NEEDS.ready_margin_ood)):
        value = result[which]["margin"]
        if value < need:
            short = f"{which} margin {value:+.3f}, needs ≥ {need:+.2f}: short by {need - value:.3f}"
            missing.append(short.replace("-", "−"))
    rollout = result["VAL"]["rollout"]
    if rollout < NEEDS.ready_rollout_val:
        short = NEEDS.ready_rollout_val - rollout
        missing.append(f"VAL rollout {rollout:.3f}, needs ≥ 0.50: short by {short:.3f}")
    if passed < NEEDS.ready_gates:
        missing.append(f"{passed} of 5 gates, needs 3")
    return {
        **result,
        "checks": checks,
        "gates": gates,
        "passed": passed,
        "missing": missing,
        "ready": not missing,
        "score": 0.8 * margin + 0.2 * rollout,
    }


def _check(gate: str, name: str, which: str, value: float, need: float, op: str) -> dict[str, Any]:
    short = need - value if op == ">=" else value - need
    return {
        "gate": gate,
        "name": name,
        "split": which,
        "value": value,
        "need": need,
        "op": op,
        "passed": short <= 0,
        "short_by": max(short, 0.0) or None,
    }


def forecast_document(*, within: bool = False) -> dict[str, Any]:
    """What `lvm diagnose` says of real text (spec/data.md), or of data that runs forward."""
    lift = 0.33 if within else 0.0
    frontier = [
        {
            "cos": 0.61 - 0.03 * at**1.5,
            "margin": -0.19 + 0.05 * at + lift,
            "ood_cos": 0.60 - 0.03 * at**1.5,
            "ood_margin": -0.20 + 0.05 * at + lift,
            "lambda": 0.2 * at,
        }
        for at in range(6)
    ]
    short = None if within else 0.182
    return {
        "baselines": {
            name: {
                "VAL": {"cos": cos, "margin": margin, "rollout": 0.4},
                "OOD": {"cos": cos - 0.01, "margin": margin - 0.01, "rollout": 0.39},
                "passed": passed,
            }
            for name, cos, margin, passed in (
                ("copy_last", 0.55, -0.45, 0),
                ("mean", 0.57, -0.25, 1),
                ("ridge", 0.605, -0.19 + lift, 3 if within else 2),
            )
        },
        "frontier": frontier,
        "gates": {
            "offset": {
                "verdict": "within reach" if within else "out of reach",
                "best": 0.14 if within else -0.062,
                "need": 0.12,
                "short_by": short,
                "words": "best margin -0.062 with cos ≥ 0.50 on VAL, needs ≥ +0.12: short by 0.182"
                if not within
                else "some linear predictor has margin +0.140 with cos ≥ 0.50 on VAL",
            },
            "retrieval": {"verdict": "within reach", "words": "some linear predictor passes"},
            "ablations": {
                "verdict": "unknown",
                "short_by": 0.021,
                "words": "best VAL leave_one_out -0.059, needs ≤ -0.08: short by 0.021",
            },
            "rollout": {"verdict": "within reach", "words": "some linear predictor passes"},
            "bins": {"verdict": "unknown", "words": "not measured"},
        },
        "samples": {"fit": 18_000, "tune": 1_500, "VAL": 1_500, "OOD": 1_500},
        "seconds": 12.4,
        "arrow": {
            "accuracy": 0.67,
            "chance": 0.5,
            "noise": 0.02,
            "found": True,
            "words": "a weak arrow of time: 67% of windows told from their reverse",
        },
    }
