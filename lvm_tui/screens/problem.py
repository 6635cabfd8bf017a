"""An error, for a person: what, where, what to do."""

from __future__ import annotations

from lvm_tui.messages import Problem
from lvm_tui.screens.dialogs import Answer, Ask


def problem(error: Problem) -> Ask:
    parts = [error.what]
    if error.where:
        parts.append(f"where: {error.where}")
    if error.fix:
        parts.append(f"→ {error.fix}")
    return Ask(error.title, "\n\n".join(parts), (Answer("c", "close", "close", "error"),))
