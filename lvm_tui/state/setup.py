"""Whether a project folder can train something."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Setup:
    """Whether a project folder can train something."""

    configured: bool
    """It has an lvm.toml."""
    problem: str = ""
    """Why nothing can be trained; "": all is there."""
    fix: str = ""
    source: str = ""
    """The data, as lvm.toml names it; "": it names none."""
