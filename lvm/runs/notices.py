"""Which events are news for somebody who is not looking, in what words; pure.

Also the escape sequences that make a terminal tell of it; writing them is left to the edges.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lvm.config import NotifySettings
from lvm.events import AlertRaised, Event, QueueFinished, RunFinished

LEVELS = ("notice", "caution", "alarm", "severe")
"""Of alerts, from the mildest."""

_LONGEST = 200
"""Characters of a terminal's notification."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One piece of news."""

    occasion: str
    """run | queue | alert"""
    run: str
    """Its name; "" for the queue."""
    level: str
    """Of an alert; good or bad for an end."""
    title: str
    message: str
    details: Mapping[str, Any]
    """For programs: plain JSON values."""

    def document(self, *, host: str, time: float) -> dict[str, Any]:
        """What a webhook is sent."""
        return {
            "event": self.occasion,
            "run": self.run,
            "level": self.level,
            "title": self.title,
            "message": self.message,
            "text": f"{self.title}: {self.message}",  # what chat servers show
            "host": host,
            "time": round(time, 3),
            **self.details,
        }


def notice_of(run: str, event: Event) -> Notice | None:
    """The news in an event of a run's log, or of the workspace log (run ""); None: no news."""
    match event:
        case AlertRaised():
            title = f"{event.level} in {run}"
            details = {"alert": event.alert, "cause": event.cause, "epoch": event.epoch}
            return Notice("alert", run, event.level, title, event.message, details)
        case RunFinished():
            return _ended(run, event)
        case QueueFinished() if event.done or event.failed:  # a start with an empty queue is no end
            bad = event.failed > 0
            text = f"{event.done} done, {event.failed} failed"
            details = {"done": event.done, "failed": event.failed}
            return Notice("queue", "", "bad" if bad else "good", "queue finished", text, details)
    return None


def _ended(run: str, event: RunFinished) -> Notice:
    ready = bool(event.summary.get("ready"))
    words = event.outcome.replace("_", " ")
    text = f"after {event.epochs} epochs"
    if event.reason:
        text += f": {event.reason.splitlines()[0]}"
    elif event.summary:
        passed = event.summary.get("passed", 0)
        text += ", ready for production" if ready else f", not ready: gates {passed}/5"
    details = {
        "outcome": event.outcome,
        "epochs": event.epochs,
        "ready": ready,
        "gates": event.summary.get("passed"),
        "best_val_cosine": event.best_val_cosine,
    }
    good = event.outcome in ("completed", "early_stopped")
    return Notice("run", run, "good" if good else "bad", f"{run} {words}", text, details)


def is_wanted(notice: Notice, settings: NotifySettings) -> bool:
    if notice.occasion not in settings.on:
        return False
    if notice.occasion != "alert":
        return True
    return notice.level in LEVELS[LEVELS.index(settings.level) :]


def escape(notice: Notice, way: str, environment: Mapping[str, str]) -> str:
    """What to write to a terminal, or "". way: none, bell, osc9 or osc777.

    Within tmux and screen the sequence is wrapped so that it reaches the terminal around them
    (tmux: `set -g allow-passthrough on`). Nothing of the words can end the sequence or begin
    another: control characters are left out.
    """
    if way == "bell":
        return "\a"
    title, message = _plain(notice.title), _plain(notice.message)
    if way == "osc9":
        return _passed_through(f"\x1b]9;{title}: {message}\x1b\\", environment)
    if way == "osc777":
        title, message = title.replace(";", ","), message.replace(";", ",")
        return _passed_through(f"\x1b]777;notify;{title};{message}\x1b\\", environment)
    return ""


def _passed_through(sequence: str, environment: Mapping[str, str]) -> str:
    if environment.get("TMUX"):
        doubled = sequence.replace("\x1b", "\x1b\x1b")
        return f"\x1bPtmux;{doubled}\x1b\\"
    if environment.get("STY"):  # screen ends at the first ST: the inner one is a bell
        return f"\x1bP{sequence.removesuffix(chr(27) + chr(92))}\a\x1b\\"
    return sequence


def _plain(text: str) -> str:
    kept = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in text)
    return " ".join(kept.split())[:_LONGEST]
