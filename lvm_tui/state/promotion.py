"""What the promote screen shows, as immutable values; the log of promotions folded into them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from lvm.events import FivecatProgress, PromotionFinished, PromotionStarted, PromotionStep
from lvm.promotion.state import Candidate, Pending, Production
from lvm.records import Record
from lvm.runs.commands import LedgerEntry


@dataclass(frozen=True, slots=True)
class StepView:
    step: str
    state: str
    """started | done | skipped | failed"""
    words: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class ChangeView:
    """One promotion or rollback, as far as the log tells of it."""

    change: str
    action: str
    """promote | rollback | finish | undo"""
    name: str
    file: str
    by: str
    began: float
    steps: tuple[StepView, ...] = ()
    done: int = 0
    """Rows of the full 5CAT that went through the model."""
    total: int = 0
    finished: PromotionFinished | None = None

    @property
    def good(self) -> bool | None:
        """None while it goes on."""
        if self.finished is None:
            return None
        wanted = {"undo": "undone"}.get(self.action)
        return self.finished.outcome in ("promoted", "rolled_back", wanted)


def fold(view: ChangeView | None, record: Record) -> ChangeView | None:
    """The change after one more event; the latest change is the one that is shown."""
    event = record.event
    if isinstance(event, PromotionStarted):
        return ChangeView(event.change, event.action, event.name, event.file, event.by, record.time)
    if view is None:
        return None
    match event:
        case FivecatProgress():
            return replace(view, done=event.done, total=event.total)
        case PromotionStep(change=view.change):
            step = StepView(event.step, event.state, event.words, event.seconds)
            return replace(view, steps=_with(view.steps, step))
        case PromotionFinished(change=view.change):
            return replace(view, finished=event)
    return view


def fold_all(view: ChangeView | None, records: Iterable[Record]) -> ChangeView | None:
    for record in records:
        view = fold(view, record)
    return view


def _with(steps: tuple[StepView, ...], step: StepView) -> tuple[StepView, ...]:
    """A step that goes on takes the place of its beginning."""
    if steps and steps[-1].step == step.step:
        return (*steps[:-1], step)
    return (*steps, step)


@dataclass(frozen=True, slots=True)
class Numbers:
    """5CAT of a checkpoint, whole; {} if it is not known."""

    result: dict[str, Any] = field(default_factory=dict)
    full: bool = False
    """From a full test; else from the short one in training."""


@dataclass(frozen=True, slots=True)
class CandidateView:
    candidate: Candidate
    numbers: Numbers

    @property
    def key(self) -> str:
        return str(self.candidate.path)

    @property
    def label(self) -> str:
        return f"{self.candidate.run.name}/{self.candidate.path.name}"


@dataclass(frozen=True, slots=True)
class Stock:
    """What the disk says at one look."""

    production: tuple[Production, ...] = ()
    candidates: tuple[CandidateView, ...] = ()
    pending: Pending | None = None
    ledger: tuple[LedgerEntry, ...] = ()

    def candidate(self, key: str) -> CandidateView | None:
        return next((each for each in self.candidates if each.key == key), None)

    def of(self, name: str) -> Production | None:
        return next((each for each in self.production if each.name == name), None)
