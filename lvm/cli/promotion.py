"""`lvm promote` and `lvm rollback`: what will change, a question, the steps, how it ended."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from lvm.cli.beforehand import check_device
from lvm.cli.data_flags import given_test_data
from lvm.cli.output import Output
from lvm.cli.report import number
from lvm.errors import InputError, Interrupted
from lvm.events import Event, PromotionStep
from lvm.promotion.managed import services_of
from lvm.promotion.outcome import Outcome
from lvm.promotion.planning import Plan
from lvm.promotion.policy import Judgement
from lvm.promotion.promoting import Promoter
from lvm.promotion.state import Pending, pending
from lvm.runs.project import Project

_MARKS = {"done": "✓", "failed": "✗", "skipped": "–"}
_STYLES = {"done": "", "failed": "bad", "skipped": "dim"}

_STEPS = {
    "load": "load, predict once",
    "fivecat": "full 5CAT",
    "policy": "policy",
    "plan": "plan",
    "backup": "keep the old one",
    "link": "new link",
    "metadata": "metadata",
    "service": "service",
    "put_back": "put back",
    "service_back": "service back",
}

_GOOD = ("promoted", "rolled_back", "planned")


def promote(arguments: Namespace, output: Output) -> int:
    promoter = _promoter(arguments, output)
    if arguments.recover:
        if arguments.checkpoint or arguments.name:
            raise InputError(
                "--recover ends an earlier promotion: it takes no checkpoint",
                fix="lvm promote --recover finish, or lvm promote --recover undo",
            )
        return _recover(promoter, arguments.recover, output)
    if not arguments.checkpoint or not arguments.name:
        raise InputError("what to promote, and as what?", fix="lvm promote CKPT --as NAME")
    if (ended := _offer(promoter, arguments, output)) is not None:
        return ended
    outcome = promoter.promote(
        Path(arguments.checkpoint),
        arguments.name,
        data=given_test_data(arguments),
        override=arguments.override,
        restart=arguments.restart,
        dry_run=arguments.dry_run,
        confirm=_Question(arguments, output),
    )
    return _show(outcome, output)


def rollback(arguments: Namespace, output: Output) -> int:
    promoter = _promoter(arguments, output)
    if (ended := _offer(promoter, arguments, output)) is not None:
        return ended
    outcome = promoter.rollback(
        arguments.name,
        to=arguments.to,
        restart=arguments.restart,
        dry_run=arguments.dry_run,
        confirm=_Question(arguments, output),
    )
    return _show(outcome, output)


def _promoter(arguments: Namespace, output: Output) -> Promoter:
    project = Project(Path(arguments.root))
    wait = arguments.wait
    if wait is not None and not 0 < wait <= 3600:
        raise InputError(f"--wait {wait:g}", fix="give seconds, above 0")

    check_device(arguments.device, output)

    def tell(event: Event) -> None:
        if isinstance(event, PromotionStep) and event.step in _STEPS and event.state in _MARKS:
            took = f"  ({event.seconds:.1f} s)" if event.seconds >= 0.1 else ""
            words = f"{_MARKS[event.state]} {_STEPS[event.step]}: {event.words}{took}"
            output.message(words, _STYLES[event.state])

    return Promoter(
        project,
        services_of(project),
        tell=tell,
        progress=output.progress,
        seconds=project.config().services.start_seconds if wait is None else wait,
        device=arguments.device,
    )


# ------------------------------------------------------------------ what was interrupted


def _offer(promoter: Promoter, arguments: Namespace, output: Output) -> int | None:
    """An interrupted change comes first; None if there is none. Without a terminal `Promoter`
    refuses, with the commands to give."""
    left = pending(promoter.project)
    if left is None or arguments.yes or not sys.stdin.isatty():
        return None
    return _ask_recovery(promoter, left, output)


def _ask_recovery(promoter: Promoter, left: Pending, output: Output) -> int:
    output.message(left.words, "warn")
    answer = _ask("[f]inish it, [u]ndo it, or leave it? ")
    how = {"f": "finish", "u": "undo"}.get(answer[:1])
    if how is None:
        output.message("left as it is; " + left.advice)
        return 1
    return _recover(promoter, how, output)


def _recover(promoter: Promoter, how: str, output: Output) -> int:
    outcome = promoter.recover("finish" if how == "finish" else "undo")
    return _show(outcome, output, (*_GOOD, "undone") if how == "undo" else _GOOD)


# ------------------------------------------------------------------ question and answer


class _Question:
    """Shows the plan and asks, where somebody can answer and was not told to go on."""

    def __init__(self, arguments: Namespace, output: Output) -> None:
        self._ask = not arguments.yes and sys.stdin.isatty()
        self._output = output

    def __call__(self, plan: Plan, judgement: Judgement | None) -> bool:
        for text in _plan_lines(plan, judgement):
            self._output.message(text)
        return not self._ask or _ask("change this? [y/N] ")[:1] == "y"


def _ask(question: str) -> str:
    sys.stderr.write(question)
    sys.stderr.flush()
    answer = sys.stdin.readline()
    if not answer:
        raise Interrupted("no answer")
    return answer.strip().lower()


def _plan_lines(plan: Plan, judgement: Judgement | None) -> Iterator[str]:
    if judgement is not None and not judgement.ready:
        yield "not ready for production, overridden:"
        yield from (f"  ✗ {each}" for each in judgement.missing)
    yield f"{plan.name}: this will change"
    for change in plan.changes:
        yield f"  {change.path}: {change.before} → {change.after}"
    yield f"  {plan.service}"
    yield from (f"  note: {note}" for note in plan.notes)


def _criteria_lines(judgement: Judgement) -> Iterator[str]:
    for each in judgement.criteria:
        whole = each.name in ("gates", "backward-bias alerts")
        value = "not known" if each.value is None else number(each.value, signed=True)
        if whole and each.value is not None:
            value = f"{each.value:.0f}"
        need = f"{each.need:.0f}" if whole else number(each.need, signed=True)
        short = f", short by {number(each.short_by)}" if each.short_by and not whole else ""
        if each.name == "gates" and not each.passed:
            failed = [name for name, passed in judgement.document["gates"].items() if not passed]
            short = f"; failed: {', '.join(failed)}"
        relation = "≥" if each.op == ">=" else "≤"
        yield f"  {'✓' if each.passed else '✗'} {each.name} {value}, needs {relation} {need}{short}"


def _show(outcome: Outcome, output: Output, wanted: tuple[str, ...] = _GOOD) -> int:
    if output.as_json:
        output.document(outcome.to_json())
    else:
        if outcome.judgement is not None and outcome.outcome in ("refused", *_GOOD):
            output.lines(_criteria_lines(outcome.judgement))
        if outcome.outcome == "planned" and outcome.plan is not None:
            output.lines(_plan_lines(outcome.plan, outcome.judgement))
        good = outcome.outcome in wanted and not outcome.alarm
        entry = f"  (entry {outcome.entry} of the ledger)" if outcome.entry else ""
        mark = "✓ " if good else "✗ "
        output.line(f"{mark}{outcome.words}{entry}", "good" if good else "bad")
        if outcome.outcome == "refused":
            output.line('  → another checkpoint, or --override "why it may go live"')
    if outcome.alarm:
        output.message(f"ALARM  {outcome.name}: a person must look now", "bad")
        return 3
    if outcome.outcome in wanted:
        return 0
    return {"failed": 3, "undone": Interrupted.exit_code}.get(outcome.outcome, 1)
