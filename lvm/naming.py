"""What the numbers of 5CAT are called before people; documents keep their keys."""

from __future__ import annotations

_CALLED = {
    "cos": "cosine",
    "r1": "R@1",
    "r5": "R@5",
    "mrr": "MRR",
    "leave_one_out": "one left out",
    "repeat_last": "last repeated",
    "cross_article": "other article",
    "bins_difference": "VAL − OOD",
}


def plain(name: str) -> str:
    """A key of a document in words."""
    return _CALLED.get(name, name.replace("_", " "))
