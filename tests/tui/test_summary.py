"""The summary at the end of a queue: what came out, and what to press next."""

from __future__ import annotations

from textual.geometry import Size

from lvm_tui.widgets.summary import Summary, Verdict


def verdict(model: str, data: str = "", *, ready: bool = False) -> Verdict:
    return Verdict(
        model, "done", 20, 0.8, 0.2, 0.2, 0.7, 4, ready, () if ready else ("VAL margin", "B"), data
    )


def drawn(size: Size, *verdicts: Verdict) -> list[str]:
    return Summary().draw(verdicts, size).plain.split("\n")


def test_what_to_press_stands_below_in_full_where_there_is_room() -> None:
    shown = drawn(Size(120, 30), verdict("gru"))
    assert shown[1] == ""
    assert any("[6] compare the runs" in line for line in shown)


def test_what_to_press_moves_to_the_top_where_there_is_none() -> None:
    shown = drawn(Size(80, 12), *[verdict("gru")] * 5)
    assert "[6] compare" in shown[1]
    assert "[c] charts" in shown[1]


def test_the_data_is_named_where_jobs_have_different_ones() -> None:
    shown = drawn(Size(120, 30), verdict("gru", "docs"), verdict("gru", "reference", ready=True))
    assert any(line.strip().startswith("on docs · VAL margin") for line in shown)
    assert any(line.strip() == "on reference" for line in shown)
    assert "Ready for production: gru" in shown[0]
