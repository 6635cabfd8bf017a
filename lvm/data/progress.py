"""How long work in this package tells where it is."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called with (what, done, total). May raise, which cancels the work and leaves nothing behind."""


def quiet(what: str, done: int, total: int) -> None:
    """The Progress that tells nobody."""
