"""Mode 3: from a run's checkpoint to the file that a service answers with, and back."""

from __future__ import annotations

from functools import partial
from typing import ClassVar, cast

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import ContentSwitcher, Static

from lvm.errors import LvmError
from lvm_tui.desk import ProjectDesk
from lvm_tui.messages import Problem
from lvm_tui.promoting import Promoting
from lvm_tui.screens.looking import LookingScreen
from lvm_tui.screens.promote_dialog import ConfirmChange, Confirmed
from lvm_tui.state.promotion import CandidateView, ChangeView, Stock, fold_all
from lvm_tui.state.views import Frame
from lvm_tui.widgets.hints import Hint, HintLine, Hints
from lvm_tui.widgets.promotion_boards import (
    CompareBoard,
    Comparison,
    Overview,
    PendingLine,
    PromoteLine,
    StepsBoard,
)
from lvm_tui.widgets.promotion_tables import (
    candidate_layout,
    candidate_row,
    ledger_layout,
    ledger_row,
    production_layout,
    production_row,
)
from lvm_tui.widgets.row_table import RowTable

NONE = """\
[b]No run has a checkpoint yet.[/b]

  [b $accent]2[/]   queue some training

A checkpoint of a run goes into production here: tested in full, swapped in one step, its service
restarted and verified; back by one key.
"""

HELP = """\
[b]above[/b]      what the services load: the link NAME_v0.pt, and the numbers of its full 5CAT
[b]below it[/b]   the checkpoints of all runs, with their 5CAT in training: ✓ ready by it,
           ● in production now
[b]p[/b]          1 loads the file as a service would  2 full 5CAT of this very file  3 refused if
           not ready  4 keeps what stood there  5 new link by one rename  6 restarts the service
           and verifies its answer, else all goes back by itself. It goes on without this screen.
[b]b[/b]          the same way back to what stood there before
[b]O[/b]          after a refusal: promote all the same, for a reason that is recorded
[b]ledger[/b]     everything that was tested, promoted, refused, taken back (g)\
"""

_HINTS = Hints(
    (
        Hint("p", "promote", "promote"),
        Hint("b", "roll back", "roll_back"),
        Hint("tab", "other table", "other_table"),
        Hint("g", "ledger", "ledger"),
        Hint("v", "steps", "steps"),
        Hint("O", "override", "override"),
    ),
    Content(""),
)

LOOK_SECONDS = 5.0
"""Between two looks at the disk while this screen is shown; after a change it looks at once."""
FOLLOW_SECONDS = 0.3
"""Between two looks at the log of promotions."""

ABOUT = "First: load it, full 5CAT of this very file (minutes); refused if it is not ready."


class Promote(LookingScreen[Stock]):
    TITLE = "Promote"
    TROUBLE = "What is in production cannot be read"
    HELP_TEXT = HELP
    CSS_PATH: ClassVar[list[str]] = ["../styles/tables.tcss", "../styles/promote.tcss"]  # type: ignore[assignment]
    AUTO_FOCUS = "#candidates"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "promote", "Promote the checkpoint", show=False, id="promote_checkpoint"),
        Binding("b", "roll_back", "Roll the service back", show=False, id="roll_back"),
        Binding("tab", "other_table", "The other table", show=False),
        Binding("g", "ledger", "The ledger, or the comparison", show=False, id="ledger"),
        Binding("v", "steps", "Steps of the last change", show=False, id="promotion_steps"),
        Binding("O", "override", "Promote although refused", show=False, id="override"),
        Binding("f", "finish", "Finish what was interrupted", show=False, id="finish_change"),
        Binding("z", "undo", "Undo what was interrupted", show=False, id="undo_change"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._stock = Stock()
        self._change: ChangeView | None = None
        self._busy = ""
        self._before: ChangeView | None = None
        """The change that was shown when the process at hand began."""
        self._next: tuple[str, tuple[str, ...]] | None = None
        """To begin when the process before has ended."""
        self._followed = False
        """Whether what the log says from now on is news."""
        self._desk_promoting: Promoting | None = None

    @property
    def _promoting(self) -> Promoting:
        if self._desk_promoting is None:
            self._desk_promoting = cast("ProjectDesk", self.lvm.workspace).promoting()
        return self._desk_promoting

    def compose_body(self) -> ComposeResult:
        yield PromoteLine(id="line")
        yield PendingLine(id="pending")
        yield RowTable(id="production")
        with ContentSwitcher(initial="none", id="body"):
            yield Static(NONE, id="none")
            yield RowTable(id="candidates")
        with ContentSwitcher(initial="compare", id="below"):
            yield CompareBoard(id="compare")
            with VerticalScroll(id="steps-scroll"):
                yield StepsBoard(id="steps")
            yield RowTable(id="ledger")
        yield HintLine(id="hints")

    def on_mount(self) -> None:
        super().on_mount()
        self._log = self._promoting.log()
        self.set_interval(FOLLOW_SECONDS, self._follow_if_shown)
        self._follow()
        self._followed = True
        self.start_looking(LOOK_SECONDS)

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        if self.is_mounted:
            self._follow()

    def show_frame(self, frame: Frame) -> None:  # noqa: ARG002 - the disk says what there is
        self._redraw()

    def on_resize(self) -> None:
        if self.is_mounted:
            self._redraw()

    # ------------------------------------------------------------------ what there is

    def _follow_if_shown(self) -> None:
        if self.is_current:
            self._follow()

    def see(self) -> Stock:
        """There may be many runs, and the disk may be slow."""
        return self._promoting.stock()

    def take(self, found: Stock) -> None:
        if found != self._stock:
            self._stock = found
            self._redraw()

    def _follow(self) -> None:
        """The log of promotions, whoever makes them: a few lines a change."""
        try:
            view = fold_all(self._change, self._log.poll())
        except (LvmError, OSError) as error:
            self.tell_once(error)
            return
        if view == self._change:
            return
        before, self._change = self._change, view
        assert view is not None
        began = before is None or before.change != view.change
        if began and (self._followed or view.finished is None):  # else it is an old story
            self._below("steps-scroll")
        if view.finished is not None and self._followed:
            self.look()
        self._redraw()

    def _redraw(self) -> None:
        self.query_one(HintLine).show(_HINTS)
        self.query_one(PromoteLine).show(Overview(self._stock, self._busy))
        pending = self.query_one(PendingLine)
        pending.display = self._stock.pending is not None
        if self._stock.pending is not None:
            pending.show(self._stock.pending)
        width = self.size.width - 3
        rows = [production_row(each, width) for each in self._stock.production]
        self.query_one("#production", RowTable).show_table(production_layout(width), rows)
        rows = [candidate_row(each, width) for each in self._stock.candidates]
        self.query_one("#candidates", RowTable).show_table(candidate_layout(width), rows)
        self.query_one("#body", ContentSwitcher).current = "candidates" if rows else "none"
        rows = [ledger_row(each, self.lvm.zone) for each in reversed(self._stock.ledger)]
        self.query_one("#ledger", RowTable).show_table(ledger_layout(width), rows)
        if self._change is not None:
            self.query_one(StepsBoard).show(self._change)
            self.call_after_refresh(self.query_one("#steps-scroll").scroll_end, animate=False)
        self._compare()

    def on_row_table_moved(self) -> None:
        self._compare()

    def _compare(self) -> None:
        candidate = self._candidate
        if candidate is not None:
            production = self._stock.of(candidate.candidate.run.model)
            self.query_one(CompareBoard).show(Comparison(candidate, production))

    @property
    def _candidate(self) -> CandidateView | None:
        return self._stock.candidate(self.query_one("#candidates", RowTable).current)

    # ------------------------------------------------------------------ views

    def _below(self, name: str) -> None:
        self.query_one("#below", ContentSwitcher).current = name

    def action_other_table(self) -> None:
        other = "production" if self.query_one("#candidates").has_focus else "candidates"
        self.query_one(f"#{other}").focus()

    def action_ledger(self) -> None:
        if not self._stock.ledger:
            self.notify("the ledger is empty: nothing was tested or promoted yet")
            return
        shown = self.query_one("#below", ContentSwitcher).current
        self._below("compare" if shown == "ledger" else "ledger")
        self.query_one("#candidates" if shown == "ledger" else "#ledger").focus()

    def action_steps(self) -> None:
        if self._change is None:
            self.notify("nothing was promoted here yet")
            return
        shown = self.query_one("#below", ContentSwitcher).current
        self._below("compare" if shown == "steps-scroll" else "steps-scroll")

    # ------------------------------------------------------------------ changes

    def action_promote(self) -> None:
        candidate = self._candidate
        if candidate is not None and self._may():
            self._confirm(candidate, override=False)

    def action_override(self) -> None:
        """Of the file that was refused last."""
        refused = self._change
        if refused is None or refused.finished is None or refused.finished.outcome != "refused":
            self.notify("nothing was refused: p promotes", severity="warning")
            return
        found = next(
            (
                e
                for e in self._stock.candidates
                if refused.file in (e.key, str(e.candidate.path.resolve()))
            ),
            None,
        )
        if found is None:
            self.notify(f"lvm promote {refused.file} --as {refused.name} --override …")
        elif self._may():
            self._confirm(found, override=True, name=refused.name)

    def _confirm(self, candidate: CandidateView, *, override: bool, name: str = "") -> None:
        path = candidate.candidate.path
        names = [each.name for each in self._stock.production]
        first = name or candidate.candidate.run.model
        ordered = [first, *(each for each in names if each != first)] if not name else [name]
        dialog = ConfirmChange(
            "Promote although it falls short" if override else "Promote",
            "promote",
            candidate.label,
            ordered,
            partial(self._promoting.plan, path),
            about=ABOUT if not override else "The reason and your name go into the ledger.",
            override=override,
        )
        self.app.push_screen(dialog, lambda said: self._promote(path, said))

    def _promote(self, path: object, said: Confirmed | None) -> None:
        if said is not None:
            words = ["promote", str(path), "--as", said.name, "--yes"]
            if said.reason:
                words += ["--override", said.reason]
            self._start(f"promoting {said.name} …", *words)

    def action_roll_back(self) -> None:
        name = self.query_one("#production", RowTable).current
        if not name or not self._may():
            return
        dialog = ConfirmChange(
            "Roll back",
            "roll back",
            "what stood there before the last change",
            [name],
            self._promoting.plan_back,
            about="No test: it was in production before. Its service must answer with it.",
        )
        self.app.push_screen(dialog, self._rolled_back)

    def _rolled_back(self, said: Confirmed | None) -> None:
        if said is not None:
            self._start(f"rolling {said.name} back …", "rollback", said.name, "--yes")

    def action_finish(self) -> None:
        self._recover("finish", "finishing …")

    def action_undo(self) -> None:
        self._recover("undo", "undoing …")

    def _recover(self, how: str, busy: str) -> None:
        if self._stock.pending is None:
            self.notify("nothing was interrupted")
        elif self._may():
            self._start(busy, "promote", "--recover", how, "--yes")

    def _may(self) -> bool:
        if self.lvm.watching:
            self.notify("look only: lvm-tui without “watch” can do that", severity="warning")
        elif self._busy and not self._has_ended:
            self.notify(self._busy, severity="warning")
        else:
            return True
        return False

    @property
    def _has_ended(self) -> bool:
        """Its log has told the end, though its process may take a moment more."""
        change = self._change
        return change is not None and change is not self._before and change.finished is not None

    def _start(self, busy: str, *words: str) -> None:
        if self._busy:
            self._next = (busy, words)
            return
        self._busy, self._before = busy, self._change
        self._redraw()
        self._run(words)

    @work(thread=True)
    def _run(self, words: tuple[str, ...]) -> None:
        try:
            code, said = self._promoting.run(*words)
        except OSError as error:
            self.app.call_from_thread(self._ran, -1, str(error))
            return
        self.app.call_from_thread(self._ran, code, said)

    def _ran(self, code: int, said: str) -> None:
        """Its log has told how it ended, unless it ended before it could."""
        self._busy = ""
        self._follow()
        self.look()
        change = self._change
        if change is None or change.finished is None or (code and change.good):
            self.app.post_message(Problem("It did not come so far", said or f"exit code {code}"))
        elif change.finished.alarm:
            self.app.bell()
        self._redraw()
        if self._next is not None:
            (busy, words), self._next = self._next, None
            self._start(busy, *words)
