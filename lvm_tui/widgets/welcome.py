"""What a workspace lacks before anything can be trained in it, and what to press or type next."""

from __future__ import annotations

from dataclasses import dataclass

from textual.content import Content
from textual.geometry import Size

from lvm_tui.state.setup import Setup
from lvm_tui.widgets.board import Board
from lvm_tui.widgets.text import lines

Step = tuple[str, str]
"""What to press or type, and what it does."""


@dataclass(frozen=True, slots=True)
class Greeting:
    setup: Setup | None
    """None: not looked at yet."""
    queue_key: str
    """Of the queue's screen; "" for who only looks."""


class Welcome(Board[Greeting]):
    def draw(self, slice_: Greeting, size: Size) -> Content:
        setup = slice_.setup
        if setup is None:
            return Content("")
        steps = _steps(setup, slice_.queue_key)
        column = max(len(what) for what, _ in steps) + 3
        rows = [
            Content.styled("Nothing is queued here yet.", "bold"),
            Content(""),
            *_state(setup, size.width),
            Content(""),
            *(
                Content.assemble("  ", (f"{what:<{column}}", "bold"), (words, "$dim"))
                for what, words in steps
            ),
            Content(""),
            Content("This screen follows whatever is queued, from wherever it is queued."),
        ]
        return lines(row.truncate(size.width, ellipsis=True) for row in rows)


def _state(setup: Setup, width: int) -> list[Content]:
    if not setup.configured:
        return [
            Content.styled("There is no lvm.toml that says where the data is.", "$text-warning")
        ]
    if not setup.problem:
        data = setup.source
        return [Content.assemble(("✓ ", "$text-success"), "the data is there: ", (data, "bold"))]
    if not setup.source:
        words = f"✗ lvm.toml: {setup.problem}"
    else:
        words = f"✗ the data of lvm.toml cannot be used: {setup.problem}"
    found = list(Content.styled(words, "$text-error").wrap(max(width, 20)))
    if setup.fix:
        found += Content(f"→ {setup.fix}").wrap(max(width, 20))
    return found


def _steps(setup: Setup, queue_key: str) -> list[Step]:
    demo = ("lvm-tui demo", "or see it all on real text")
    if not setup.configured:
        return [("lvm init", "finds the data in this folder and writes lvm.toml"), demo]
    if setup.problem:
        edit = ("lvm.toml", "edit its [data]; this screen notices")
        encode = ("lvm encode DIR --out bank.npz", "makes a bank of text files")
        return [edit, demo] if setup.source else [edit, encode, demo]
    shell = ("lvm queue all", "in any terminal queues all four models")
    if not queue_key:
        return [shell, demo]
    return [
        (f"{queue_key} then A", "queues all four models, and training begins"),
        (f"{queue_key} then n", "queues one, with its settings"),
        shell,
        demo,
    ]
