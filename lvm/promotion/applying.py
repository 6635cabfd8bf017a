"""Doing a change step by step, each in the journal before it begins; taking it back if one fails.

Needs no torch: what the file predicted when it was tried is in the journal.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lvm.clock import Clock
from lvm.errors import DiskError, LvmError
from lvm.events import Event, PromotionStep
from lvm.files import TEMPORARY_SUFFIX, disk_errors
from lvm.promotion import ledger
from lvm.promotion.change import STEPS, Change, Step, remove_journal
from lvm.promotion.links import sha256_of
from lvm.promotion.places import Places, journal_path
from lvm.promotion.planning import read_exactly
from lvm.promotion.services import Services
from lvm.promotion.swap import keep_old, put_back, put_link, write_metadata
from lvm.promotion.verify import Contexts, check_prediction, wait_for_file
from lvm.runs.project import Project

WAIT_SECONDS = 10.0
"""How long a restarted service may take until it answers with the new file."""


@dataclass(frozen=True, slots=True)
class Applied:
    outcome: str
    """promoted | rolled_back | failed | undone"""
    words: str
    entry: int
    change: Change
    alarm: bool = False
    """failed: what stood before could not be verified either."""


@dataclass(frozen=True)
class Applier:
    """Has what a change needs of the world."""

    project: Project
    services: Services
    tell: Callable[[Event], object]
    contexts: Contexts
    clock: Clock
    seconds: float = WAIT_SECONDS

    @property
    def journal(self) -> Path:
        return journal_path(self.project)

    def begin(self, change: Change) -> Applied:
        """Do a change from its beginning. Nothing is touched before the journal is on disk.

        A step that fails is followed by taking all back; that outcome is returned, not raised.
        Raises DiskError if the journal or the ledger cannot be written, or what was changed cannot
        be taken back: then the journal stays, and the next start offers to finish or undo.
        """
        remove_temporaries(self.project, change.name)
        change.write(self.journal)
        return self.go_on(change)

    def go_on(self, change: Change) -> Applied:
        """All steps, those that are done already included: they see it."""
        change = change.changed(undoing="")
        places = Places(self.project.models, change.name)
        actions: dict[Step, Callable[[], str]] = {
            "backup": lambda: keep_old(places, change),
            "link": lambda: put_link(places, change),
            "metadata": lambda: write_metadata(places, change),
            "service": lambda: self._serve_new(change),
        }
        for step in STEPS[:-1]:
            touched = change.service_touched or (step == "service" and change.restart)
            change = change.changed(step=step, service_touched=touched)
            try:
                change.write(self.journal)
                if step == "service" and not change.restart:
                    change = self._note(change, step, "skipped", "no service was restarted", 0.0)
                    continue
                change = self._do(change, step, actions[step])
            except LvmError as error:
                where = f"{error.where}: " if error.where else ""
                return self.take_back(change, f"{where}{error.what}", by_itself=True)
            except KeyboardInterrupt:
                return self.take_back(change, "interrupted by the user")
        change = change.changed(step="ledger")
        change.write(self.journal)
        outcome = "promoted" if change.action == "promote" else "rolled_back"
        verb = {"promoted": "promoted to", "rolled_back": "rolled back to"}[outcome]
        return self._end(change, outcome, f"{change.name} {verb} {change.target}")

    def take_back(self, change: Change, reason: str, *, by_itself: bool = False) -> Applied:
        """Put back what stood there, and have the service answer with it again.

        by_itself: because a step failed, not because a person wants it. Raises DiskError when it
        cannot be put back.
        """
        change = change.changed(undoing=reason)
        with contextlib.suppress(DiskError):  # full: steps back are judged by what stands there,
            change.write(self.journal)  # and the ledger will say so; the journal stays as it was
        places = Places(self.project.models, change.name)
        change = self._do(change, "put_back", lambda: put_back(places, change))
        alarm = ""
        if change.service_touched:
            try:
                change = self._do(change, "service_back", lambda: self._serve_old(change))
            except LvmError as error:
                alarm = f"; the service could not be brought back: {error.what}"
        words = f"{change.name}: {reason}; what stood before is back{alarm}"
        return self._end(change, "failed" if by_itself else "undone", words, alarm=bool(alarm))

    def _do(self, change: Change, step: str, action: Callable[[], str]) -> Change:
        self.tell(PromotionStep(change.change, step, "started"))
        begun = self.clock.monotonic()
        try:
            words = action()
        except LvmError as error:
            took = self.clock.monotonic() - begun
            self.tell(PromotionStep(change.change, step, "failed", error.what, took))
            raise
        return self._note(change, step, "done", words, self.clock.monotonic() - begun)

    def _note(self, change: Change, step: str, state: str, words: str, seconds: float) -> Change:
        self.tell(PromotionStep(change.change, step, state, words, seconds))
        note = {"step": step, "state": state, "words": words, "seconds": round(seconds, 3)}
        return change.changed(steps=(*change.steps, note))

    # -------------------------------------------------------------- the service

    def _serve_new(self, change: Change) -> str:
        self.services.restart(change.name)
        came = wait_for_file(self.services, change.name, change.sha256, self.clock, self.seconds)
        same = check_prediction(
            self.services, change.name, change.prediction, self.contexts, self.clock, self.seconds
        )
        return f"{came}, {same}"

    def _serve_old(self, change: Change) -> str:
        if not change.was_running or change.before_sha256 is None:
            self.services.stop(change.name)
            why = "there is nothing to load" if change.was_running else "it did not run before"
            return f"stopped: {why}"
        self.services.restart(change.name)
        return wait_for_file(
            self.services, change.name, change.before_sha256, self.clock, self.seconds
        )

    # -------------------------------------------------------------- the end

    def _end(self, change: Change, outcome: str, words: str, *, alarm: bool = False) -> Applied:
        """One entry in the ledger, even when this is done twice; then the journal goes."""
        written = ledger.of_change(ledger.entries(self.project, change.name), change.change)
        if written is None or written.kind != outcome:  # other: it was ended the other way since
            entry = self._write_ledger(change, outcome, words)
        else:
            entry = written.id
        remove_temporaries(self.project, change.name)
        remove_journal(self.journal)
        return Applied(outcome, words, entry, change, alarm)

    def _write_ledger(self, change: Change, outcome: str, words: str) -> int:
        return self.project.store().add_to_ledger(
            outcome, change.name, ledger_document(self.project, change, words)
        )


def ledger_document(project: Project, change: Change, words: str) -> dict[str, Any]:
    backup = None
    if change.backup.file:
        backup = {
            "file": change.backup.file,
            "target": change.before.target,
            "metadata_sha256": _kept_metadata(project, change),
        }
    return {
        "change": change.change,
        "action": change.action,
        "file": change.target,
        "sha256": change.sha256,
        "by": change.by,
        "started": change.started,
        "words": words,
        "reason": change.undoing,
        "before": {**change.before.to_json(), "sha256": change.before_sha256},
        "backup": backup,
        "metadata": change.metadata,
        "metadata_before": change.metadata_before,
        "service": "restarted" if change.restart else "not restarted",
        "steps": list(change.steps),
        **change.facts,
    }


def _kept_metadata(project: Project, change: Change) -> str | None:
    beside = project.models / change.backup.metadata
    return None if read_exactly(beside) is None else sha256_of(beside)


def remove_temporaries(project: Project, name: str) -> None:
    """What a killed change left half-written; nobody ever reads it."""
    for folder, beginning in ((project.models, f".{name}_v0"), (project.folder, ".promotion.json")):
        for path in folder.glob(f"{beginning}*{TEMPORARY_SUFFIX}"):
            with disk_errors(path):
                path.unlink(missing_ok=True)
