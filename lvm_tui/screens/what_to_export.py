"""What `e` asks on the list of runs."""

from __future__ import annotations

from lvm_tui.screens.dialogs import Answer, Ask

THIS, MARKED, ALL = "this", "marked", "all"


def what_to_export(here: str, marked: int, listed: int) -> Ask:
    """The question; its result is THIS, MARKED, ALL or "".

    here: the run under the cursor. marked: how many are compared. listed: how many are in sight.
    """
    answers = [Answer("t", THIS, "this run", "primary")]
    if marked:
        answers.append(Answer("m", MARKED, f"the {marked} compared"))
    if listed > 1:
        answers.append(Answer("a", ALL, f"all {listed} listed"))
    return Ask(
        "Export as CSV, JSON and SVG",
        f"This run is {here}: every batch and epoch of it, into its own folder.\n"
        "Several runs: their list, with settings and epochs, into one folder for all.",
        answers,
    )
