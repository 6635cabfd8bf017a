"""The data map keeps what people wrote, and sets only like against like."""

from __future__ import annotations

from typing import Any

from lvm.promotion.report import Mapped, Measured, markdown, merged


def fivecat(margin: float) -> dict[str, Any]:
    split = {"cos": {"1": 0.5}, "margin": margin, "r1": 0.6, "rollout": None}
    return {"VAL": split, "OOD": split, "passed": 4, "ready": margin > 0.1}


def mapped(data_before: str = "d") -> Mapped:
    return Mapped(
        "gru",
        Measured("run/best.pt", "gru", "a", 7, fivecat(0.12), "d"),
        Measured("old|340k.pt", "gru", "b", None, fivecat(-0.06), data_before),
        promoted="2026-01-01",
    )


def test_the_change_is_now_minus_before() -> None:
    assert mapped().changes["VAL margin"] == 0.18
    assert mapped().changes["VAL rollout"] is None
    text = markdown([mapped()], [], "today")
    assert "| gru | `run/best.pt` | 7 | 0.500 | +0.120 |" in text
    assert "| gru | `old\\|340k.pt` |" in text
    assert "| gru | +0.000 | +0.180 |" in text


def test_numbers_of_other_data_are_not_set_against_one_another() -> None:
    assert mapped("other").changes["VAL margin"] is None
    assert "tested on other data: no change is given" in markdown([mapped("other")], [], "today")


def test_only_its_own_section_of_a_file_is_replaced() -> None:
    first = merged("# Mine\nwords\n", markdown([mapped()], [], "today"))
    second = merged(first + "\nmore words\n", markdown([], [Measured("x.pt")], "later"))
    assert second.startswith("# Mine\nwords\n")
    assert second.endswith("more words\n")
    assert second.count("lvm report: begin") == 1
    assert "run/best.pt" not in second
    assert "x.pt" in second


def test_a_name_with_nothing_in_production_is_listed_too() -> None:
    assert "| amn | nothing |" in markdown([Mapped("amn", None, None)], [], "today")
