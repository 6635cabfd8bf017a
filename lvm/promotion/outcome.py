"""How a promotion ended, and who is told on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lvm.errors import LvmError
from lvm.events import Event
from lvm.promotion.planning import Plan
from lvm.promotion.policy import Judgement
from lvm.promotion.testing import FullTest
from lvm.runs.eventlog import EventWriter

Tell = Callable[[Event], object]

Confirm = Callable[[Plan, Judgement | None], bool]
"""Shown what will change, and how the file was judged (None: a rollback); True = go on."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended; nothing of it is an error of the program."""

    outcome: str
    """promoted | rolled_back | refused | declined | planned | failed | undone"""
    name: str
    words: str
    missing: tuple[str, ...] = ()
    entry: int = 0
    """Of the ledger; 0 if it has none."""
    plan: Plan | None = None
    judgement: Judgement | None = None
    test: FullTest | None = None
    steps: tuple[dict[str, Any], ...] = ()
    alarm: bool = False
    """A person must look now."""

    def to_json(self) -> dict[str, Any]:
        judged = self.judgement
        return {
            "outcome": self.outcome,
            "name": self.name,
            "words": self.words,
            "missing": list(self.missing),
            "entry": self.entry or None,
            "plan": self.plan.to_json() if self.plan else None,
            "criteria": [each.to_json() for each in judged.criteria] if judged else None,
            "5cat": judged.document if judged else None,
            "reused": self.test.reused if self.test else None,
            "steps": list(self.steps),
            "alarm": self.alarm,
        }


class Telling:
    """The log of one change. It serves who watches; the record is the ledger, so a log that cannot
    be written holds no change up: `trouble` is said at the end."""

    def __init__(self, writer: EventWriter, also: Tell) -> None:
        self._writer, self._also = writer, also
        self.trouble = ""

    def __call__(self, event: Event) -> None:
        self._also(event)
        if not self.trouble:
            try:
                self._writer.append(event)
            except LvmError as error:
                self.trouble = str(error)
