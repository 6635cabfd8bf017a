"""What `q` asks while this process trains."""

from __future__ import annotations

from lvm_tui.screens.dialogs import Answer, Ask

GO_ON, STOP, STAY = "go_on", "stop", "stay"


def leave() -> Ask:
    """The question; its result is GO_ON, STOP, STAY or ""."""
    return Ask(
        "Leave",
        "This process trains. Without the screen it goes on here, in plain lines;\n"
        "lvm-tui attaches again from any terminal.",
        (
            Answer("g", GO_ON, "go on without a screen", "primary"),
            Answer("s", STOP, "stop after a checkpoint", "warning"),
            Answer("y", STAY, "stay"),
        ),
    )
