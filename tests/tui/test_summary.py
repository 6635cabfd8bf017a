"""The summary at the end of a queue: what came out, and what to press next."""

from __future__ import annotations

from textual.geometry import Size

from lvm_tui.state.views import Task
from lvm_tui.widgets.summary import Ended, Summary, Verdict


def verdict(model: str, data: str = "", *, ready: bool = False) -> Verdict:
    return Verdict(
        model, "done", 20, 0.8, 0.2, 0.2, 0.7, 4, ready, () if ready else ("VAL margin", "B"), data
    )


KEYS = {"promote": "3", "services": "4", "runs": "6", "data": "5", "queue": "f2", "charts": "C"}


def drawn(size: Size, *verdicts: Verdict, after: tuple[Task, ...] = ()) -> list[str]:
    return Summary().draw(Ended(verdicts, after, KEYS), size).plain.split("\n")


def test_what_to_press_stands_below_in_full_where_there_is_room() -> None:
    shown = drawn(Size(120, 30), verdict("gru"))
    assert shown[1] == ""
    assert any("[6] compare the runs" in line for line in shown)


def test_what_to_press_moves_to_the_top_where_there_is_none() -> None:
    shown = drawn(Size(80, 12), *[verdict("gru")] * 5)
    assert "[6] compare" in shown[1]
    assert "[C] charts" in shown[1]
    assert "[f2] queue more" in shown[1]


def test_the_data_is_named_where_jobs_have_different_ones() -> None:
    shown = drawn(Size(120, 30), verdict("gru", "docs"), verdict("gru", "reference", ready=True))
    assert any(line.strip().startswith("on docs · VAL margin") for line in shown)
    assert any(line.strip() == "on reference" for line in shown)
    assert "Ready for production: gru" in shown[0]


ASKED = Task("after-chat", "asking gru what comes next", state="done", note="“6” → “7”")
FAILED = Task("after-promote", "promoting gru", state="failed", note="the port is taken")


def test_what_was_done_afterwards_stands_first() -> None:
    shown = drawn(Size(120, 40), verdict("gru", ready=True), after=(FAILED, ASKED))
    assert shown[2:6] == [
        "✗ promoting gru",
        "    the port is taken",
        "✓ asking gru what comes next",
        "    “6” → “7”",
    ]
    assert any("[3] promote a model that is ready" in line for line in shown)
    assert any("[4] talk to a model that is served" in line for line in shown)


def test_where_there_is_little_room_it_takes_a_line_each() -> None:
    shown = drawn(Size(80, 14), *[verdict("gru", ready=True)] * 5, after=(ASKED,))
    assert "[3] promote" in shown[1]
    assert shown[2] == "✓ asking gru what comes next  “6” → “7”"
