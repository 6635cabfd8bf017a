"""Promote, roll back, finish or undo: the whole way, under the lock, told in the promotion log."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from lvm.errors import CheckpointError, InputError, LvmError, RunError
from lvm.events import Event, PromotionFinished, PromotionStarted, PromotionStep
from lvm.promotion import ledger
from lvm.promotion.applying import WAIT_SECONDS, Applied, Applier
from lvm.promotion.change import Action, Change
from lvm.promotion.examining import Examiner, Try, facts_of
from lvm.promotion.lock import is_held, promotion_lock
from lvm.promotion.outcome import Confirm, Outcome, Tell, Telling
from lvm.promotion.places import Places, journal_path, lock_path, log_path
from lvm.promotion.planning import Plan, plan
from lvm.promotion.policy import Judgement, Override
from lvm.promotion.preparing import earlier, prepare
from lvm.promotion.services import Services
from lvm.promotion.state import left_by
from lvm.promotion.testing import FullTest, Progress
from lvm.promotion.trial import Trial, contexts, try_as_service
from lvm.promotion.verify import Contexts
from lvm.runs.eventlog import EventWriter
from lvm.runs.project import Project
from lvm.runs.who import whoami
from lvm.settings import DataSettings


def _nobody(event: Event) -> None:
    """Is told nothing."""


def _no_bar(what: str, done: int, total: int) -> None:
    """Shows nothing."""


def agreed(made: Plan, judgement: Judgement | None) -> bool:
    """Asks nobody."""
    return bool(made) or judgement is not None


@dataclass
class Promoter:
    """Has what promotions need of the world; its methods are whole commands.

    All raise LeaseError while another promotion is under way, RunError while an interrupted one is
    neither finished nor undone, and what opening files and testing raise.
    """

    project: Project
    services: Services
    by: str = field(default_factory=whoami)
    tell: Tell = _nobody
    """Each event, beside the log."""
    progress: Progress = _no_bar
    seconds: float = WAIT_SECONDS
    """How long a restarted service may take until it answers with the new file."""
    device: str = "auto"
    trial: Try = try_as_service
    contexts: Contexts = contexts

    def promote(
        self,
        file: Path,
        name: str,
        *,
        data: DataSettings | None = None,
        override: str | None = None,
        restart: bool = True,
        dry_run: bool = False,
        confirm: Confirm = agreed,
    ) -> Outcome:
        """Test, judge, plan, swap, restart, verify. A refusal is an outcome, and in the ledger.

        data: what to test on; None = the run's own. override: the reason to promote what falls
        short. dry_run: ends with the plan; only the test is kept.
        Raises CheckpointError for a file that cannot serve; that is in the ledger as well.
        """
        said = None if override is None else Override(override, self.by)
        with self._doing("promote", name, file) as (change, tell):
            self._plan(name, file, restart)  # what can be refused before a test of minutes
            examiner = self._examiner(change, tell)
            with self._refusing(change, name, file):
                checkpoint, trial = examiner.load(file, name)
            test = examiner.test(checkpoint, data)
            judgement = examiner.judge(checkpoint, test, said)
            if not judgement.allowed:
                entry = self._refuse(change, name, file, judgement.missing, test, trial)
                words = f"{file} is not ready for production"
                missing = tuple(judgement.missing)
                refused = Outcome("refused", name, words, missing, entry, None, judgement, test)
                return self._tell_end(tell, change, refused)
            made = self._plan(name, file, restart)
            if test.short_of_full:
                made = replace(made, notes=(*made.notes, test.short_of_full))
            ready = Outcome("planned", name, "", plan=made, judgement=judgement, test=test)
            facts = facts_of(self.project, checkpoint, trial, test, judgement)
            return self._go("promote", change, ready, made, trial, facts, dry_run, confirm, tell)

    def rollback(
        self,
        name: str,
        *,
        to: int | None = None,
        restart: bool = True,
        dry_run: bool = False,
        confirm: Confirm = agreed,
    ) -> Outcome:
        """Back to what stood before the last change, or to the file of entry `to` of the ledger:
        the same way as a promotion, without test and policy.

        Raises InputError when there is nothing to go back to, CheckpointError when the file is
        gone, was changed since, or cannot serve.
        """
        Places(self.project.models, name)
        if not is_held(lock_path(self.project)):
            self._refuse_if_left()  # before the ledger, which knows nothing of it yet
        file, expected, facts = earlier(self.project, name, to)
        with self._doing("rollback", name, file) as (change, tell):
            made = self._plan(name, file, restart)
            with self._refusing(change, name, file):
                trial = self._examiner(change, tell).retry(file, expected)
            facts = {**facts, "model_type": trial.model_type, "dim": trial.dim}
            ready = Outcome("planned", name, "", plan=made)
            return self._go("rollback", change, ready, made, trial, facts, dry_run, confirm, tell)

    def recover(self, how: Literal["finish", "undo"]) -> Outcome:
        """End what was interrupted. Raises InputError if nothing was."""
        with promotion_lock(lock_path(self.project), self.by, self.project.clock):
            change = Change.read(journal_path(self.project))
            if change is None:
                raise InputError("nothing was interrupted", fix="lvm promote CKPT --as NAME")
            with self._log() as tell:
                tell(PromotionStarted(change.change, how, change.name, change.target, self.by))
                change = change.changed(facts={**change.facts, "recovered_by": self.by})
                applier = self._applier(tell)
                if how == "finish":
                    applied = applier.go_on(change)
                else:
                    applied = applier.take_back(change, f"interrupted, undone by {self.by}")
                return self._ended(applied, Outcome("", change.name, ""), tell)

    def _go(
        self,
        action: Action,
        change: str,
        ready: Outcome,
        made: Plan,
        trial: Trial,
        facts: dict[str, Any],
        dry_run: bool,
        confirm: Confirm,
        tell: Telling,
    ) -> Outcome:
        """From the plan to the end."""
        tell(PromotionStep(change, "plan", "done", made.service))
        if dry_run:
            return self._tell_end(tell, change, replace(ready, words="nothing was changed"))
        if not confirm(made, ready.judgement):
            words = "not confirmed: nothing was changed"
            return self._tell_end(tell, change, replace(ready, outcome="declined", words=words))
        running = made.restart and self.services.running(made.name)
        prepared = prepare(
            self.project, action, change, self.by, made, trial, facts, was_running=running
        )
        return self._ended(self._applier(tell).begin(prepared), ready, tell)

    @contextmanager
    def _doing(self, action: Action, name: str, file: Path) -> Iterator[tuple[str, Telling]]:
        """The lock, the log, and its last event if an error ends it."""
        Places(self.project.models, name)  # a name that is none is refused before anything
        if not self.project.models.is_dir():
            raise InputError(
                "there is no such folder",
                where=str(self.project.models),
                fix="run this in the project folder, or give it by --root",
            )
        with promotion_lock(lock_path(self.project), self.by, self.project.clock):
            self._refuse_if_left()  # somebody may have been killed while this waited
            change = uuid.uuid4().hex
            with self._log() as tell:
                tell(PromotionStarted(change, action, name, str(file), self.by))
                try:
                    yield change, tell
                except (LvmError, KeyboardInterrupt) as error:
                    words = error.what if isinstance(error, LvmError) else "interrupted"
                    outcome = "refused" if isinstance(error, InputError) else "failed"
                    tell(PromotionFinished(change, name, outcome, words))
                    raise

    def _refuse_if_left(self) -> None:
        left = Change.read(journal_path(self.project))
        if left is not None:
            it = left_by(self.project, left)
            raise RunError(it.words, where=str(journal_path(self.project)), fix=it.advice)

    @contextmanager
    def _log(self) -> Iterator[Telling]:
        with EventWriter(log_path(self.project), self.project.clock) as writer:
            yield Telling(writer, self.tell)

    @contextmanager
    def _refusing(self, change: str, name: str, file: Path) -> Iterator[None]:
        """A file that cannot serve is in the ledger, like one that is not ready."""
        try:
            yield
        except CheckpointError as error:
            self._refuse(change, name, file, [error.what], None, None)
            raise

    def _refuse(
        self,
        change: str,
        name: str,
        file: Path,
        missing: list[str],
        test: FullTest | None,
        trial: Trial | None,
    ) -> int:
        document = {
            "change": change,
            "file": str(file),
            "sha256": trial.sha256 if trial else None,
            "by": self.by,
            "missing": missing,
            "test": {"entry": test.entry, "data": test.data} if test else None,
        }
        return self.project.store().add_to_ledger("refused", name, document)

    def _examiner(self, change: str, tell: Tell) -> Examiner:
        return Examiner(self.project, change, tell, self.progress, self.device, self.trial)

    def _applier(self, tell: Tell) -> Applier:
        clock = self.project.clock
        return Applier(self.project, self.services, tell, self.contexts, clock, self.seconds)

    def _plan(self, name: str, file: Path, restart: bool) -> Plan:
        found = ledger.entries(self.project, name)
        made = plan(self.project.models, name, file, self.services, found, restart=restart)
        states = {run.path.resolve(): run.state for run in self.project.runs()}
        if states.get(file.resolve().parent) in ("running", "paused"):
            note = "the run of this file goes on and may replace it: then promote again"
            made = replace(made, notes=(*made.notes, note))
        return made

    def _ended(self, applied: Applied, ready: Outcome, tell: Telling) -> Outcome:
        outcome = replace(
            ready,
            outcome=applied.outcome,
            words=applied.words,
            entry=applied.entry,
            steps=applied.change.steps,
            alarm=applied.alarm,
        )
        return self._tell_end(tell, applied.change.change, outcome)

    def _tell_end(self, tell: Telling, change: str, ended: Outcome) -> Outcome:
        missing = list(ended.missing)
        tell(
            PromotionFinished(
                change, ended.name, ended.outcome, ended.words, missing, ended.entry, ended.alarm
            )
        )
        if tell.trouble:
            ended = replace(ended, words=f"{ended.words}; the log is not whole: {tell.trouble}")
        return ended
