"""Mode 2: the queue, and everything that can be done to it while another job trains."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, TypeVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import ContentSwitcher, Static

from lvm.errors import LvmError
from lvm.settings import Job
from lvm_tui.desk import ProjectDesk
from lvm_tui.screens.base import FrameScreen
from lvm_tui.screens.dialogs import Answer, Ask
from lvm_tui.screens.job_form import Begun, JobForm
from lvm_tui.state.job_fields import begins_anew
from lvm_tui.state.stranding import ACTIVE, BEGUN, what_next
from lvm_tui.state.views import Frame, JobRow
from lvm_tui.widgets.hints import Hint, HintLine, Hints
from lvm_tui.widgets.job_table import (
    Entry,
    JobDetails,
    QueueSummary,
    entries,
    layout,
    table_row,
)
from lvm_tui.widgets.log_tail import LogTail
from lvm_tui.widgets.row_table import RowTable

Result = TypeVar("Result")

ENDED = ("failed", "stopped", "cancelled")
"""States of a job that is retried without a question."""

EMPTY = """\
[b]The queue is empty.[/b]

  [b $accent]n[/]   add one model, with its settings
  [b $accent]A[/]   add all four: Transformer, GRU, LSTM, AMN

The first begins at once; space pauses it, s stops it after a save.
Jobs train one after the other; a failed one never stops the rest.
"""

HELP = """\
Jobs train from top to bottom, one at a time; a failed one never stops the rest. The list can
be changed while another job trains, from here or from any other terminal.

[b]time[/b]   of a waiting job is measured: seconds of an epoch and of a 5CAT in the newest run of
       that model, times its epochs; — where none of that model has finished an epoch yet
[b]retry[/b]  goes on from the run's last.pt; a job that is done is trained anew, after a question
[b]edit[/b]   of a job that has ended: retried as changed; from the beginning where that makes it
       another run\
"""

_HINTS = Hints(
    (
        Hint("n", "add", "add"),
        Hint("A", "add all four", "add_all"),
        Hint("e", "edit", "edit"),
        Hint("K J", "move", "move('up')"),
        Hint("x", "remove", "remove"),
        Hint("r", "retry", "retry"),
        Hint("c", "cancel, skip", "cancel"),
    ),
    Content(""),
)


class Queue(FrameScreen):
    TITLE = "Queue"
    HELP_TEXT = HELP
    CSS_PATH: ClassVar[list[str]] = ["../styles/tables.tcss", "../styles/queue.tcss"]  # type: ignore[assignment]
    AUTO_FOCUS = "#jobs"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "add", "Add a job", show=False, id="add_job"),
        Binding("A", "add_all", "Add all four models", show=False, id="add_all"),
        Binding("e", "edit", "Edit; retry edited (also enter)", show=False, id="edit_job"),
        Binding("K", "move('up')", "Earlier", show=False, id="move_up"),
        Binding("shift+up", "move('up')", "Earlier", show=False),
        Binding("J", "move('down')", "Later", show=False, id="move_down"),
        Binding("shift+down", "move('down')", "Later", show=False),
        Binding("x", "remove", "Remove", show=False, id="remove_job"),
        Binding("delete", "remove", "Remove", show=False),
        Binding("r", "retry", "Retry one that failed or was stopped", show=False, id="retry_job"),
        Binding("c", "cancel", "Cancel or skip the one that trains", show=False, id="cancel_job"),
    ]

    @property
    def desk(self) -> ProjectDesk:
        return cast("ProjectDesk", self.lvm.workspace)

    def compose_body(self) -> ComposeResult:
        yield QueueSummary(id="summary-line")
        with ContentSwitcher(initial="none", id="body"):
            yield Static(EMPTY, id="none")
            with Vertical(id="some"):
                yield RowTable(id="jobs")
                yield JobDetails(id="details")
        yield LogTail(id="log")
        yield HintLine(id="hints")

    def show_frame(self, frame: Frame) -> None:
        found = entries(frame)
        self.query_one(QueueSummary).show((found, frame, self.starting_key))
        self.query_one(HintLine).show(_HINTS)
        self.query_one(LogTail).show_frame(frame, self.lvm.zone)
        self.query_one("#body", ContentSwitcher).current = "some" if found else "none"
        table = self.query_one("#jobs", RowTable)
        first = not table.current
        table.show_table(layout(self.size.width - 2), [table_row(entry) for entry in found])
        if first:
            table.move_to(_at_hand(found))
        self._show_details()

    def on_resize(self) -> None:
        if self.is_mounted:
            self.show_frame(self.lvm.frame)

    def on_row_table_moved(self) -> None:
        self._show_details()

    def on_row_table_opened(self) -> None:
        self.action_edit()

    def _show_details(self) -> None:
        current = self.query_one("#jobs", RowTable).current
        entry = next((e for e in entries(self.lvm.frame) if str(e.row.id) == current), None)
        self.query_one(JobDetails).show(entry)

    # -------------------------------------------------------------- keys

    def action_add(self) -> None:
        job = self._done(self.desk.new_job) if self._may_edit() else None
        if job is not None:
            form = JobForm("Add a job", "add", job, check=self.desk.check)
            self.app.push_screen(form, self._added)

    def _added(self, job: Job | None) -> None:
        if job is not None:
            number = self._done(lambda: self.desk.store.add_job(job))
            if number is not None:
                self.query_one("#jobs", RowTable).move_to(str(number))
                self._say(f"job {number}: {job.train.model} · {self._when()}")

    def action_add_all(self) -> None:
        job = self._new_job()
        if job is not None:
            numbers = self._done(lambda: self.desk.store.add_all(job))
            if numbers is not None:
                self._say(f"jobs {numbers[0]} to {numbers[-1]}: all four · {self._when()}")

    def _when(self) -> str:
        """When a job that was just added is trained, and how that is held up."""
        pause, stop = self.key_of("pause"), self.key_of("stop")
        if self.lvm.frame.runner.alive:
            return "trained after those before it"
        if self.lvm.engine is not None and self.lvm.engine.running:
            return f"training begins now: {pause} pauses, {stop} stops"
        return what_next(self.lvm.frame, self.starting_key)

    def action_edit(self) -> None:
        row = self._row()
        if row is None or not self._may_edit():
            return
        if row.state in BEGUN:
            self._refuse(f"job {row.id} is {row.state}", "edit it once it has ended, or waits")
            return
        job = self._done(lambda: self.desk.store.job(row.id).job)
        if job is None:
            return
        ended = row.state != "queued"
        form = JobForm(
            f"Job {row.id}, {row.state}" if ended else f"Job {row.id}",
            "train it again" if row.state == "done" else "retry" if ended else "save",
            job,
            check=self.desk.check,
            begun=Begun(row.run, may_begin_anew=ended),
        )
        self.app.push_screen(form, lambda edited: self._edited(row, job, edited))

    def _edited(self, row: JobRow, before: Job, job: Job | None) -> None:
        """A waiting job is changed where it stands, one that has ended is queued again."""
        if job is None:
            return
        store = self.desk.store
        if row.state == "queued":
            self._done(lambda: store.edit_job(row.id, job))
            return
        fresh = row.state == "done" or (bool(row.run) and begins_anew(before, job))
        self._done(lambda: store.retry_job(row.id, fresh=fresh, job=job))

    def action_move(self, to: str) -> None:
        row = self._row()
        if row is not None and self._may_edit():
            self._done(lambda: self.desk.store.move_job(row.id, "up" if to == "up" else "down"))

    def action_remove(self) -> None:
        row = self._row()
        if row is None or not self._may_edit():
            return
        if row.state in ACTIVE:
            self._refuse(f"job {row.id} is training", "cancel or skip it first (c)")
            return
        words = f"Remove job {row.id} ({row.model}, {row.state}) from the queue?"
        if row.run:
            words += f"\nIts run stays: {row.run}"
        answers = (Answer("y", "yes", "remove", "warning"), Answer("n", "", "keep it"))
        self.app.push_screen(
            Ask("Remove", words, answers),
            lambda answer: self._removed(row.id) if answer == "yes" else None,
        )

    def _removed(self, number: int) -> None:
        self._done(lambda: self.desk.store.remove_job(number))

    def action_retry(self) -> None:
        row = self._row()
        if row is None or not self._may_edit():
            return
        if row.state != "done":
            if row.job is None or row.state not in ENDED or self._can_be_used(row.job):
                self._done(lambda: self.desk.store.retry_job(row.id))
            return
        answers = (Answer("y", "yes", "train it again"), Answer("n", "", "leave it"))
        question = f"Job {row.id} ({row.model}) is done. Train it again, from the beginning?"
        self.app.push_screen(
            Ask("Again", question + f"\nIts run stays: {row.run}", answers),
            lambda answer: self._again(row.id) if answer == "yes" else None,
        )

    def _again(self, number: int) -> None:
        self._done(lambda: self.desk.store.retry_job(number, fresh=True))

    def action_cancel(self) -> None:
        """Of the job that trains, wherever the cursor is."""
        if not self._may_edit():
            return
        frame = self.lvm.frame
        row = next((job for job in frame.jobs if job.state in ACTIVE), None)
        if row is None:
            self._refuse("nothing trains at the moment", "")
            return
        answers = (
            Answer("s", "skip", "skip to the next", "warning"),
            Answer("c", "cancel", "cancel it", "error"),
            Answer("n", "", "go on"),
        )
        words = (
            f"Job {row.id} ({row.model}) trains.\n\n"
            "skip     after a checkpoint; the next job begins\n"
            "cancel   the same, and it counts as not wanted any more\n\n"
            "Either way r brings it back, and it goes on from there."
        )
        self.app.push_screen(
            Ask("Cancel or skip", words, answers),
            lambda answer: self._send(answer, row) if answer else None,
        )

    def _send(self, kind: str, row: JobRow) -> None:
        if self._done(lambda: self.desk.store.send(kind, job=row.id)) is not None:
            self._say(f"{kind}: job {row.id} ends after a checkpoint …")

    # -------------------------------------------------------------- the store

    def _row(self) -> JobRow | None:
        """The job under the cursor."""
        current = self.query_one("#jobs", RowTable).current
        return next((job for job in self.lvm.frame.jobs if str(job.id) == current), None)

    def _new_job(self) -> Job | None:
        """What a new job begins with; None, and said why, when there is nothing to train on."""
        if not self._may_edit():
            return None
        job = self._done(self.desk.new_job)
        if job is not None and not job.data.complete:
            self._refuse("no training data", "say in lvm.toml where it is: [data]")
            return None
        return job if job is not None and self._can_be_used(job) else None

    def _can_be_used(self, job: Job) -> bool:
        """Whether its data is there; if not, it says what is wrong."""
        try:
            self.desk.check(job.data)
        except LvmError as error:
            self._refuse(f"{error.where}: {error.what}" if error.where else error.what, error.fix)
            return False
        return True

    def _may_edit(self) -> bool:
        if self.lvm.watching:
            self._refuse("look only", "start lvm-tui without “watch” to change the queue")
        return not self.lvm.watching

    def _done(self, do: Callable[[], Result]) -> Result | None:
        """The result; None, and said why, when it was refused."""
        try:
            result = do()
        except LvmError as error:
            self._refuse(error.what, error.fix)
            return None
        self.lvm.tick()
        return result

    def _refuse(self, what: str, fix: str) -> None:
        self.notify(fix or what, title=what if fix else "", severity="warning", markup=False)

    def _say(self, words: str) -> None:
        self.notify(words, timeout=4, markup=False)


def _at_hand(found: tuple[Entry, ...]) -> str:
    """The job that trains, or the one that is next."""
    for state in (*BEGUN, "queued"):
        for entry in found:
            if entry.row.state == state:
                return str(entry.row.id)
    return ""
