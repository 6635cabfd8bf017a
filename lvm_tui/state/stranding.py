"""Jobs whose runner is gone, and what takes them up again; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lvm_tui.state.views import Frame, JobRow, RunnerView

ACTIVE = ("running", "paused")
"""States of a job while its runner lives."""

BEGUN = (*ACTIVE, "interrupted")
"""States of a job that somebody began and nobody ended."""


WAITING = ("interrupted", "queued")
"""States of a job that the next runner takes up."""

FROM = " from the last save"
NOBODY = "nobody trains"


def as_they_are(jobs: Sequence[JobRow], runner: RunnerView) -> tuple[JobRow, ...]:
    """The jobs, but those that the database calls running though nobody trains: interrupted.

    A runner that was killed could not write it down; the next one will (`Jobs.requeue_active`).
    """
    if runner.alive:
        return tuple(jobs)
    return tuple(replace(job, state="interrupted") if job.state in ACTIVE else job for job in jobs)


def steering_words(frame: Frame, name: str) -> str:
    """What a key that steers does now, by its name in the key map; "" where it would do nothing."""
    if name == "stop":
        return "stop" if frame.runner.alive else ""
    if frame.runner.alive:
        return "go on" if frame.run is not None and frame.run.phase == "paused" else "pause"
    states = {job.state for job in frame.jobs}
    if "interrupted" in states:
        return "go on"
    return "begin" if "queued" in states else ""


def nobody_trains(frame: Frame, key: str) -> str:
    """That, and what changes it. key: as `what_next` has it."""
    words = what_next(frame, key).removesuffix(FROM)
    return f"{NOBODY}: {words}" if words else NOBODY


def what_next(frame: Frame, key: str) -> str:
    """What makes the queue go on while nobody trains, in words; "" where nothing waits.

    key: the one that starts the training here; "" where there is none.
    """
    states = {job.state for job in frame.jobs}
    if frame.runner.alive or states.isdisjoint(WAITING):
        return ""
    who = key or "lvm queue run"
    if "interrupted" in states:
        return f"{who} goes on{FROM}"
    return f"{who} begins"
