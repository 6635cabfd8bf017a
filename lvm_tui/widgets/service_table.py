"""The services as rows, and what is said of them all; pure but for the drawing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from textual.content import Content
from textual.geometry import Size

from lvm.service.status import ServiceStatus
from lvm_tui.widgets.board import Board
from lvm_tui.widgets.row_table import Cell, Column, Row
from lvm_tui.widgets.text import spread

STATES = {
    "running": ("✓", "good"),
    "starting": ("▶", "notice"),
    "stopping": ("▶", "notice"),
    "silent": ("?", "bad"),
    "retrying": ("▲", "bad"),
    "failed": ("✗", "bad"),
    "stopped": ("■", "dim"),
}
"""Of each state: its sign and tone."""

_PADDING = 2
_WIDE = 108


@dataclass(frozen=True, slots=True)
class Seen:
    """A service at one look."""

    status: ServiceStatus
    since: float
    """When it started, unix time; 0 if it does not run. Unlike its age it does not change."""
    serves: str
    """The run or file whose model answers; "" if nothing does."""


def seen(status: ServiceStatus, now: float) -> Seen:
    alive = status.pid and status.uptime_seconds
    since = round(now - status.uptime_seconds) if alive else 0.0
    file = str(status.health.get("file", ""))
    folder, _, name = file.rpartition("/")
    run = folder.rpartition("/")[2]
    return Seen(status, since, run if "_5cat_" in run else name)


def layout(width: int) -> tuple[Column, ...]:
    wide = width >= _WIDE
    fixed = [Column("", 1), Column("service", 12), Column("state", 10), Column("port", 5, True)]
    if wide:
        fixed += [Column("pid", 7, True), Column("since", 11), Column("exits", 5, True)]
    used = sum(column.width + _PADDING for column in fixed)
    return (*fixed, Column("answers with", max(width - used - _PADDING, 12)))


def table_row(each: Seen, busy: str, width: int, zone: tzinfo | None) -> Row:
    """busy: what is being done to it at the moment, "" if nothing."""
    status = each.status
    sign, tone = STATES.get(status.state, ("?", ""))
    cells = [
        Cell(sign, tone),
        Cell(status.name, "strong"),
        Cell(busy or status.state, "notice" if busy else tone),
        Cell(str(status.port)),
    ]
    if width >= _WIDE:
        cells += [
            Cell(str(status.pid or "–")),
            Cell(_clock(each.since, zone), "dim"),
            Cell(str(status.exits), "notice" if status.exits else ""),
        ]
    return Row(status.name, (*cells, _what(each)))


def _what(each: Seen) -> Cell:
    status = each.status
    if status.current is False:
        return Cell(f"▲ r loads the new file; now {each.serves}", "notice")
    if status.health:
        return Cell(each.serves)
    return Cell(status.note or "–", "bad" if status.state in ("failed", "retrying") else "dim")


def _clock(since: float, zone: tzinfo | None) -> str:
    return datetime.fromtimestamp(since, zone).strftime("%m-%d %H:%M") if since else "–"


@dataclass(frozen=True, slots=True)
class Overview:
    services: tuple[Seen, ...]
    manager: str
    """supervisor | commands; "" before the first look."""


class ServicesLine(Board[Overview]):
    """How many answer, and who runs them."""

    def draw(self, slice_: Overview, size: Size) -> Content:
        up = sum(1 for each in slice_.services if each.status.health)
        bad = _troubled(slice_.services)
        count = f"{up} of {len(slice_.services)} answer"
        left = Content.assemble(("Services  ", "bold"), count)
        if bad:
            left += Content.assemble(("  ▲ ", "$text-error"), (", ".join(bad), "$text-error"))
        return spread(left, Content.styled(_BY[slice_.manager], "$dim"), size.width)


_BY = {"": "", "supervisor": "run by supervisord", "commands": "run by the site's commands"}


def _troubled(services: Sequence[Seen]) -> list[str]:
    return [
        f"{each.status.name} {each.status.state}"
        for each in services
        if each.status.state in ("silent", "retrying", "failed")
    ]
