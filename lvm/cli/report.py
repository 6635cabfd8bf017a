"""Results in words and columns; pure, so that what a person reads can be tested."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lvm.naming import plain

_TITLES = {
    "offset": "A offset",
    "retrieval": "B retrieval",
    "ablations": "C ablations",
    "rollout": "D rollout",
    "bins": "E bins",
}


def number(value: float | None, signed: bool = False) -> str:
    """Three decimals, a true minus sign; "not measured" is said, never shown as zero."""
    if value is None:
        return "not measured"
    return f"{value:{'+' if signed else ''}.3f}".replace("-", "−")


def fivecat_lines(document: dict[str, Any]) -> Iterator[str]:
    """The whole battery for a person: offsets, every check with its need, the verdict."""
    origin = document["origin"]
    used = ", ".join(f"{name} {found['used']}" for name, found in document["samples"].items())
    yield f"samples {used} · horizon {document['horizon']} · offsets counted from the {origin}"
    if document["note"]:
        yield document["note"]
    for split in ("VAL", "OOD"):
        row = "  ".join(
            f"{int(k):+d} {number(value)}".replace("-", "−") if int(k) else f"0 {number(value)}"
            for k, value in document[split]["cos"].items()
        )
        yield f"{split} cosine at k:  {row}"
    yield ""
    gate = ""
    for check in document["checks"]:
        if check["gate"] != gate:
            gate = check["gate"]
            yield f"{'✓' if document['gates'][gate] else '✗'} {_TITLES[gate]}"
        relation = "≥" if check["op"] == ">=" else "≤"
        signed = check["name"] not in ("cos", "r1", "r5", "mrr", "rollout")
        mark = "✓" if check["passed"] else "✗"
        short = f"  short by {number(check['short_by'])}" if check["short_by"] else ""
        value = number(check["value"], signed)
        yield (
            f"    {mark} {check['split']:<4} {plain(check['name']):<16} {value:>12}"
            f"   need {relation} {number(check['need'], signed)}{short}"
        )
    if document["order_blind"]:
        yield "    order-blind model: it cannot see the order of its contexts, so C cannot pass"
    yield ""
    for split in ("VAL", "OOD"):
        found = document[split]
        yield f"{split}  {found['words']}: {found['message']}"
    verdict = "ready for production" if document["ready"] else "not ready for production"
    yield f"{document['passed']}/5 gates · score {number(document['score'], True)} · {verdict}"
    for missing in document["missing"]:
        yield f"  missing: {missing}"
