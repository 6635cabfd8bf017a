"""The queue is through: which model is worth what, and what to do next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from textual.content import Content
from textual.geometry import Size

from lvm_tui.numbers import fixed, signed
from lvm_tui.state.views import Frame, JobRow, RunView, Task
from lvm_tui.state.wording import missing_for_production
from lvm_tui.widgets.board import Board
from lvm_tui.widgets.queue_strip import SIGNS
from lvm_tui.widgets.scoreboard import number
from lvm_tui.widgets.text import clipped, lines

_ROOMY = 90
"""Cells from which on the columns have their full names."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One job and what came of it."""

    model: str
    state: str
    epoch: int
    val_cosine: float | None
    val_margin: float | None
    ood_margin: float | None
    rollout: float | None
    gates: int | None
    ready: bool
    missing: tuple[str, ...]
    """What keeps it from production, or why it failed."""
    data: str = ""
    """Name of what it was trained on; "" where all jobs have the same."""

    @classmethod
    def of(cls, job: JobRow, run: RunView | None, data: str = "") -> Verdict:
        outcome = run.outcome if run is not None else None
        if run is None or outcome is None:
            note = (job.note,) if job.note else ()
            return cls(job.model, job.state, 0, None, None, None, None, None, False, note, data)
        result = outcome.summary
        missing = missing_for_production(result, run.bias_alerts)
        if not result:
            missing.append("no 5CAT ran")
        if outcome.outcome not in ("completed", "early_stopped") and outcome.reason:
            missing.insert(0, outcome.reason)
        return cls(
            model=job.model,
            state=job.state,
            epoch=outcome.best_5cat_epoch or outcome.best_epoch,
            val_cosine=_val_cosine(result, outcome.best_val_cosine),
            val_margin=number(result, "VAL", "margin"),
            ood_margin=number(result, "OOD", "margin"),
            rollout=number(result, "VAL", "rollout"),
            gates=result.get("passed") if result else None,
            ready=bool(result.get("ready")) and not run.bias_alerts,
            missing=tuple(missing),
            data=data,
        )


def _val_cosine(result: dict[str, Any], otherwise: float | None) -> float | None:
    """At the same epoch as the margins beside it: the mean cosine at k = +1."""
    value = result.get("VAL", {}).get("cos", {}).get("1") if result else None
    return float(value) if value is not None else otherwise


def _data_of(job: JobRow) -> str:
    data = job.job.data if job.job is not None else None
    return Path(data.bank or data.train).stem if data is not None else ""


@dataclass(frozen=True, slots=True)
class Ended:
    verdicts: tuple[Verdict, ...]
    afterwards: tuple[Task, ...]
    """What was done when the queue was through."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """The key of each action that may come next, by its name in the key map."""


class Summary(Board[Ended]):
    def show_frame(self, frame: Frame, key_of: Callable[[str], str]) -> None:
        """key_of: the key of an action, by its name in the key map; "" where it has none."""
        runs = {run.run: run for run in frame.finished}
        if frame.run is not None:
            runs[frame.run.run] = frame.run
        sources = [_data_of(job) for job in frame.jobs]
        shown = sources if len(set(sources)) > 1 else [""] * len(sources)
        verdicts = tuple(
            Verdict.of(job, runs.get(job.run), data)
            for job, data in zip(frame.jobs, shown, strict=True)
        )
        keys = {name: key_of(name) for name in _NEXT}
        self.show(Ended(verdicts, frame.workspace.tasks, keys))

    def draw(self, slice_: Ended, size: Size) -> Content:
        verdicts = slice_.verdicts
        ready = [verdict.model for verdict in verdicts if verdict.ready]
        rows = [
            Content.assemble(
                ("The queue has finished. ", "bold"),
                (f"Ready for production: {', '.join(ready)}", "$text-success bold")
                if ready
                else ("No model is ready for production.", "$text-warning bold"),
            ),
            Content(""),
            _heads(size.width >= _ROOMY),
        ]
        roomy = size.height > 3 * len(verdicts) + 8
        for verdict in verdicts:
            rows.append(_row(verdict, size.width >= _ROOMY))
            rows += _missing(verdict, 2 if roomy else 1)
        after = [row for task in slice_.afterwards for row in _after(task, roomy)]
        rows[1:1] = [Content(""), *after] if roomy and after else after
        keys = _next(slice_.keys, bool(ready))
        if len(rows) + 1 + len(keys) <= size.height:
            rows += [Content(""), *_full(keys)]
        else:  # what to press must be seen whatever is cut off below
            rows.insert(1, _short(keys))
        return lines(clipped(row, size.width) for row in rows)


def _after(task: Task, roomy: bool) -> list[Content]:
    sign, tone = {"done": ("✓ ", "$text-success"), "failed": ("✗ ", "$text-error")}.get(
        task.state, ("▶ ", "$text-primary")
    )
    first = Content.assemble((sign, tone), (task.title, "bold"))
    if not roomy:
        return [first + Content(f"  {task.note}")]
    return [first, Content(f"    {task.note}")]


def _heads(roomy: bool) -> Content:
    if not roomy:
        text = f"  {'model':<12}{'best':>4} {'val cos':>7}  {'margin':>6}"
        return Content.styled(f"{text}  {'OOD':>6} {'rollout':>7} gates", "$dim")
    text = f"  {'model':<13}{'best epoch':>10}  {'val cos':>7}  {'margin VAL':>10}"
    return Content.styled(f"{text}  {'OOD':>6}  {'rollout':>7}  {'gates':>5}  verdict", "$dim")


def _row(verdict: Verdict, roomy: bool) -> Content:
    sign, style = SIGNS.get(verdict.state, ("?", ""))
    epoch = str(verdict.epoch) if verdict.epoch else "–"
    gates = f"{verdict.gates}/5" if verdict.gates is not None else "–"
    if verdict.ready:
        words = Content.styled("READY ✓", "$text-success bold")
    elif verdict.state in ("queued", "running", "paused"):
        words = Content.styled(verdict.state, "$dim")
    elif verdict.state == "failed":
        words = Content.styled("failed ✗", "$text-error bold")
    else:
        words = Content.styled("not ready ✗", "$text-warning bold")
    cosine, rollout = fixed(verdict.val_cosine), fixed(verdict.rollout)
    margin, ood = signed(verdict.val_margin), signed(verdict.ood_margin)
    if roomy:
        numbers = f"{epoch:>10}  {cosine:>7}  {margin:>10}  {ood:>6}  {rollout:>7}  {gates:>5}  "
    else:
        numbers = f"{epoch:>4} {cosine:>7}  {margin:>6}  {ood:>6} {rollout:>7} {gates:>5}  "
    name = f"{verdict.model:<13}" if roomy else f"{verdict.model:<12}"
    return Content.assemble((f"{sign} ", style), (name, "bold"), numbers, words)


def _missing(verdict: Verdict, room: int) -> list[Content]:
    shown = [] if verdict.ready else list(verdict.missing[:room])
    if verdict.data:
        shown[:1] = [" · ".join([f"on {verdict.data}", *shown[:1]])]
    if shown and not verdict.ready and len(verdict.missing) > room:
        shown[-1] += f"  (+{len(verdict.missing) - room} more)"
    return [Content.styled(f"      {item}", "$dim") for item in shown]


_NEXT = {
    "promote": ("promote", "promote a model that is ready"),
    "services": ("chat", "talk to a model that is served"),
    "runs": ("compare", "compare the runs"),
    "data": ("data", "look at the data: can it reach the gates at all?"),
    "queue": ("queue more", "queue more training"),
    "charts": ("charts", "show the charts of the last run"),
}
"""What may come next, by its name in the key map: one word, all words."""

_OF_A_READY_ONE = ("promote", "services")


def _next(keys: Mapping[str, str], ready: bool) -> list[tuple[str, str, str]]:
    """What to press now: key, one word, all words."""
    return [
        (keys[name], *words)
        for name, words in _NEXT.items()
        if keys.get(name) and (ready or name not in _OF_A_READY_ONE)
    ]


def _full(keys: list[tuple[str, str, str]]) -> list[Content]:
    return [
        Content.assemble("  ", (f"[{key}]", "bold $text-primary"), f" {words}")
        for key, _, words in keys
    ]


def _short(keys: list[tuple[str, str, str]]) -> Content:
    return Content("  ").join(
        Content.assemble((f"[{key}]", "bold $text-primary"), f" {word}") for key, word, _ in keys
    )
