"""The queue as rows: what trains, what comes, what came of the rest, and how long it takes."""

from __future__ import annotations

from dataclasses import dataclass

from textual.content import Content
from textual.geometry import Size

from lvm_tui.numbers import clock, rate, signed
from lvm_tui.state.estimate import Pace, paces, runs_of, seconds_left, seconds_taken
from lvm_tui.state.stranding import ACTIVE, BEGUN, NOBODY, nobody_trains
from lvm_tui.state.views import Frame, JobRow, RunView
from lvm_tui.widgets.board import Board
from lvm_tui.widgets.queue_strip import SIGNS
from lvm_tui.widgets.row_table import Cell, Column, Row
from lvm_tui.widgets.scoreboard import number
from lvm_tui.widgets.text import clipped, lines, spread

_TONES = {
    "running": "current",
    "paused": "notice",
    "interrupted": "notice",
    "done": "good",
    "failed": "bad",
    "stopped": "notice",
    "cancelled": "dim",
}

_FIXED = (
    Column("job", 3, right=True),
    Column("model", 11),
    Column("state", 13),
    Column("epochs", 6, right=True),
    Column("time", 10, right=True),
)

_PADDING = 2
"""Cells that a DataTable puts around each column."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One job with all that is known of it."""

    row: JobRow
    run: RunView | None
    pace: Pace | None
    left: float | None
    taken: float | None
    place: int
    """1 for the queued job that is next, 0 for one that is not queued."""

    @property
    def epochs_done(self) -> int:
        return len(self.run.history) if self.run is not None else 0

    @property
    def epochs(self) -> int:
        if self.row.job is not None:
            return self.row.job.train.epochs
        return self.run.epochs if self.run is not None else 0


def entries(frame: Frame) -> tuple[Entry, ...]:
    runs = runs_of(frame)
    known = paces(runs.values())
    place = sum(row.state == "interrupted" for row in frame.jobs)  # those come first
    found = []
    for row in frame.jobs:
        run = runs.get(row.run)
        queued = row.state == "queued"
        place += queued
        found.append(
            Entry(
                row,
                run,
                known.get(row.model),
                seconds_left(row, run, known),
                None
                if queued or row.state in ("running", "interrupted")
                else seconds_taken(row, run),
                place if queued else 0,
            )
        )
    return tuple(found)


def layout(width: int) -> tuple[Column, ...]:
    """The columns of a table of so many cells; the note takes what is left."""
    used = sum(column.width + _PADDING for column in _FIXED)
    return (*_FIXED, Column("", max(width - used - _PADDING, 8)))


def table_row(entry: Entry) -> Row:
    row = entry.row
    sign, _ = SIGNS.get(row.state, ("?", ""))
    tone = _TONES.get(row.state, "")
    return Row(
        str(row.id),
        (
            Cell(str(row.id), "dim"),
            Cell(row.model, "strong"),
            Cell(f"{sign} {row.state}", tone),
            Cell(_epochs(entry)),
            Cell(_time(entry), "dim" if row.state == "queued" else ""),
            Cell(_note(entry), "bad" if row.state == "failed" else ""),
        ),
    )


def _epochs(entry: Entry) -> str:
    if entry.row.state == "queued" and not entry.epochs_done:
        return str(entry.epochs) if entry.epochs else "—"
    return f"{entry.epochs_done}/{entry.epochs}"


def _time(entry: Entry) -> str:
    if entry.row.state in BEGUN:
        return f"{clock(entry.left)} left" if entry.left is not None else "—"
    if entry.row.state == "queued":
        return f"≈ {clock(entry.left)}" if entry.left is not None else "—"
    return clock(entry.taken) if entry.taken is not None else "—"


def _note(entry: Entry) -> str:
    row = entry.row
    if row.note:
        return " ".join(row.note.split())
    if row.state == "interrupted":
        return "its runner is gone"
    if row.state == "queued":
        words = "next" if entry.place == 1 else ""
        if row.run:
            return f"{words}: goes on with {row.run}" if words else f"goes on with {row.run}"
        return words
    return _result(entry.run) or row.run


def _result(run: RunView | None) -> str:
    """What its best 5CAT says; "" before the first."""
    best = run.best_fivecat if run is not None else None
    if best is None:
        return ""
    words = f"margin {signed(number(best.result, 'VAL', 'margin'))}"
    if (gates := best.result.get("passed")) is not None:
        words += f" · {gates}/5"
    return words


class QueueSummary(Board[tuple[tuple[Entry, ...], Frame, str]]):
    """One line: how much is done, how long the rest takes, who trains."""

    def draw(self, slice_: tuple[tuple[Entry, ...], Frame, str], size: Size) -> Content:
        rows, frame, key = slice_
        counts = {
            "training": [e for e in rows if e.row.state in ACTIVE],
            "interrupted": [e for e in rows if e.row.state == "interrupted"],
            "waiting": [e for e in rows if e.row.state == "queued"],
            "done": [e for e in rows if e.row.state == "done"],
            "failed": [e for e in rows if e.row.state == "failed"],
            "stopped": [e for e in rows if e.row.state in ("stopped", "cancelled")],
        }
        parts = [f"{len(found)} {words}" for words, found in counts.items() if found]
        left = Content.assemble(("Queue  ", "bold"), " · ".join(parts) or "empty")
        ahead = counts["training"] + counts["interrupted"] + counts["waiting"]
        words = _who(frame, key)
        if left.cell_length + len(words) + 2 > size.width:
            words = words.removeprefix(f"{NOBODY}: ")
        who = Content.styled(words, "$dim")
        time = Content.assemble(("   left ", "$dim"), _all_left(ahead))
        if ahead and (left + time + who).cell_length + 2 <= size.width:
            left += time
        return spread(left, who, size.width)


def _all_left(ahead: list[Entry]) -> str:
    unknown = sum(entry.left is None for entry in ahead)
    known = sum(entry.left for entry in ahead if entry.left is not None)
    if unknown == len(ahead):
        return "—"
    return f"≈ {clock(known)}" + (f" + {unknown} unknown" if unknown else "")


def _who(frame: Frame, key: str) -> str:
    runner = frame.runner
    if runner.here:
        return "trains here"
    if runner.alive:
        return f"trained by {runner.host or 'process'} {runner.pid}"
    return nobody_trains(frame, key)


class JobDetails(Board[Entry | None]):
    """Everything about the job under the cursor."""

    def draw(self, slice_: Entry | None, size: Size) -> Content:
        if slice_ is None:
            return Content("")
        width = size.width
        rows: list[Content] = []
        for name, text, style in _details(slice_):
            wrapped = Content.styled(text, style).wrap(max(width - 10, 20))
            rows += [
                Content.styled(f"{name if not at else '':<10}", "$dim") + line
                for at, line in enumerate(wrapped)
            ]
        return lines(clipped(row, width) for row in rows)


def _details(entry: Entry) -> list[tuple[str, str, str]]:
    """Name, text and style of each line."""
    row = entry.row
    sign, _ = SIGNS.get(row.state, ("?", ""))
    found = [(f"job {row.id}", f"{row.model}  {sign} {row.state}", "bold")]
    if row.note:
        style = "$text-error" if row.state == "failed" else "$text-warning"
        found.append(("note", row.note, style))
    if row.state == "interrupted":
        words = "its runner is gone; whoever trains next goes on from the last save"
        found.append(("note", words, "$text-warning"))
    if row.job is not None:
        train, data = row.job.train, row.job.data
        bad = "accept" if train.accept_bad_data else "refuse"
        found.append(
            (
                "settings",
                f"epochs {train.epochs} · batch {train.batch_size} · lr {rate(train.learning_rate)}"
                f" · {train.device} · {train.precision} · seed {train.seed}"
                f" · severe bias: {train.on_severe} · bad data: {bad}",
                "",
            )
        )
        found.append(("data", data.bank or data.train or "none", ""))
    if row.run:
        found.append(("run", row.run, ""))
    if row.parent:
        found.append(("anew from", row.parent, ""))
    found.append(("time", _time_in_words(entry), ""))
    return found


def _time_in_words(entry: Entry) -> str:
    if entry.row.state == "queued":
        if entry.left is None or entry.pace is None:
            return f"not known: no {entry.row.model} has finished an epoch here yet"
        epochs = entry.epochs - entry.epochs_done
        return (
            f"≈ {clock(entry.left)}: {epochs} epochs of {clock(entry.pace.epoch_seconds)}"
            f" and their 5CAT, as in {entry.pace.run}"
        )
    if entry.row.state in BEGUN:
        return f"{clock(entry.left)} left" if entry.left is not None else "not known yet"
    return f"{clock(entry.taken)} trained" if entry.taken is not None else "not known"
