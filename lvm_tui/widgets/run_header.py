"""Two lines on top of every screen: which run, how far, how fast, how long to go."""

from __future__ import annotations

from dataclasses import dataclass

from textual.content import Content
from textual.geometry import Size

from lvm_tui.numbers import clock, large, rate
from lvm_tui.state.stranding import WAITING, what_next
from lvm_tui.state.views import Frame, RunView
from lvm_tui.widgets.board import Board
from lvm_tui.widgets.text import bar, clipped, fitted, lines, spread

STRANDED = "■ not running: its runner is gone"
"""A run that did not end, and that nobody trains."""

_BAR = 40
"""Cells of the widest progress bar."""

_OUTCOMES = {
    "completed": ("✓ completed", "$text-success"),
    "early_stopped": ("✓ stopped early: no lower validation loss", "$text-success"),
    "stopped": ("■ stopped", "$text-warning"),
    "cancelled": ("■ cancelled", "$text-warning"),
    "failed": ("✗ FAILED", "$text-error bold"),
}


@dataclass(frozen=True, slots=True)
class Heading:
    """What the header tells; plain values, so that an unchanged header is not repainted."""

    run: str
    device: str
    model: str
    epoch: int
    epochs: int
    rate: str
    speed: str
    memory: str
    phase: str
    words: str
    share: float
    step: str
    left: str

    @classmethod
    def of(cls, frame: Frame, pause: str) -> Heading:
        run = frame.run
        if run is None:
            return cls.without_run(frame)
        share, step = _progress(run)
        goes = run.phase != "finished" and frame.runner.alive
        left = run.seconds_left
        words = _words(frame, run, pause)
        if frame.catching_up:
            words = f"reading the log: {run.records:,} events …"
        return cls(
            run=run.run,
            device=run.device,
            model=run.model,
            epoch=run.epoch,
            epochs=run.epochs,
            rate=rate(run.learning_rate),
            speed=f"{large(run.samples_per_second)} seq/s" if goes else "",
            memory=large(run.memory_mb * 1e6) + "B" if run.memory_mb and goes else "",
            phase=run.phase,
            words=words,
            share=share,
            step=step,
            left="" if left is None and run.phase == "testing" else clock(left),
        )

    @classmethod
    def without_run(cls, frame: Frame) -> Heading:
        """Nothing has been trained here yet."""
        task = next((task for task in frame.workspace.tasks if task.state == "running"), None)
        words = "· nothing trains"
        if frame.runner.alive:
            words = "▶ preparing" if task is not None else "… starting"
        share = task.done / task.total if task is not None and task.total else 0.0
        return cls("lvm-tui", "", "", 0, 0, "", "", "", "preparing", words, share, "", "")


class RunHeader(Board[Heading]):
    def show_frame(self, frame: Frame, pause: str = "") -> None:
        """pause: the key that goes on after a pause, or "" where there is none."""
        self.show(Heading.of(frame, pause))

    def draw(self, slice_: Heading, size: Size) -> Content:
        heading, width = slice_, size.width
        parts = [(0, Content.styled(heading.run or "a run begins", "bold"))]
        if heading.epochs:
            parts += [
                (1, Content(heading.device)),
                (1, Content(f"epoch {heading.epoch}/{heading.epochs}")),
                (3, Content(f"lr {heading.rate}")),
                (2, Content(heading.speed)),
                (4, Content.styled(heading.memory, "$dim")),
            ]
        first = fitted([part for part in parts if part[1].plain], width)
        return lines((clipped(first, width), _second(heading, width)))


def _second(heading: Heading, width: int) -> Content:
    style = {
        "finished": "",
        "paused": "$text-warning bold",
        "testing": "$text-secondary bold",
    }.get(heading.phase, "$text-primary bold")
    stranded = heading.words.startswith(STRANDED)
    if heading.phase == "finished" or stranded or not heading.epochs:
        return clipped(Content(heading.words), width)
    words = Content.styled(heading.words, style)
    left = (
        Content.assemble(("ETA ", "$dim"), (heading.left, "bold")) if heading.left else Content("")
    )
    room = width - words.cell_length - left.cell_length - len(heading.step) - 12
    progress = Content("")
    if room >= 6:
        color = "$secondary" if heading.phase == "testing" else "$primary"
        progress = bar(heading.share, min(room, _BAR), color) + Content(f" {heading.share:4.0%}")
    middle = Content.styled(f"  {heading.step}  ", "$dim")
    return spread(words + middle + progress, left, width)


def _progress(run: RunView) -> tuple[float, str]:
    if run.phase == "testing" and run.testing is not None:
        testing = run.testing
        return testing.share, " ".join(part for part in (testing.split, testing.test) if part)
    if not run.batches:
        return 0.0, ""
    return min(run.batch / run.batches, 1.0), f"batch {run.batch}/{run.batches}"


def _words(frame: Frame, run: RunView, pause: str) -> str:
    if run.phase == "finished":
        outcome = run.outcome
        if outcome is None:
            return ""
        words, _ = _OUTCOMES.get(outcome.outcome, (outcome.outcome, ""))
        words += f" after {outcome.epochs} epochs, {clock(outcome.seconds)}"
        return f"{words} · {outcome.reason}" if outcome.reason else words
    if not frame.runner.alive:
        taken_up = any(job.run == run.run and job.state in WAITING for job in frame.jobs)
        goes_on = what_next(frame, pause) if taken_up else ""
        return f"{STRANDED} · {goes_on}" if goes_on else STRANDED
    return {
        "loading": "… loading",
        "training": "▶ training",
        "validating": "▶ validating",
        "testing": "◆ 5CAT running",
        "paused": f"‖ PAUSED, {pause} goes on" if pause else "‖ PAUSED",
    }[run.phase]
