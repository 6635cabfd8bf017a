"""Events in a person's words, one line each, for the log tail."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from lvm import events as e
from lvm.records import Record
from lvm_tui.numbers import duration, fixed, large, signed
from lvm_tui.state.views import LogLine

_EVERY_EPOCH = ("last.pt", "best_model.pt")
"""Checkpoints that are written so often that nobody needs to read of it."""

_TOLD_ALREADY = ("slow_epoch", "out_of_memory")
"""Causes of alerts whose own event, in the line before, says the same and more."""

_CONTROL = re.compile(r"\s*[\x00-\x1f\x7f-\x9f]+\s*")

_LEVELS = {"severe": "alarm", "alarm": "alarm", "caution": "notice", "notice": "notice"}


def log_line(record: Record) -> LogLine | None:
    """The line of an event; None for those that only show progress."""
    if not is_told(record):
        return None
    level, text = _WORDS[type(record.event)](record.event)
    return LogLine(record.time, level, in_one_line(text))


def in_one_line(text: str) -> str:
    """Without what would move the terminal's cursor: an error may have a second line."""
    return text if text.isprintable() else _CONTROL.sub(" ", text).strip()


def is_told(record: Record) -> bool:
    """Whether `log_line` has a line for it."""
    event = record.event
    if isinstance(event, e.CheckpointSaved) and event.file in _EVERY_EPOCH:
        return False
    if isinstance(event, e.AlertRaised) and event.cause in _TOLD_ALREADY:
        return False
    if isinstance(event, e.QueueFinished) and not (event.done or event.failed):
        return False  # a start with an empty queue
    return type(event) in _WORDS


def _run_started(event: e.RunStarted) -> tuple[str, str]:
    if event.resumed:
        return "good", f"{event.run} resumed at step {event.step:,} on {event.device}"
    size = f"{large(event.parameters)} parameters"
    return "good", f"{event.run} started on {event.device}: {size}, {event.epochs} epochs"


def _run_finished(event: e.RunFinished) -> tuple[str, str]:
    level = "good" if event.outcome in ("completed", "early_stopped") else "alarm"
    text = f"{event.outcome.replace('_', ' ')} after {event.epochs} epochs"
    text += f" in {duration(event.seconds)}"
    return level, f"{text}: {event.reason}" if event.reason else text


def _data_loaded(event: e.DataLoaded) -> tuple[str, str]:
    total = sum(event.samples.values())
    words = str(event.quality.get("words", ""))
    return (
        "good" if event.passed else "alarm",
        f"data {event.source}: {total:,} samples, {event.articles:,} articles · {words}",
    )


def _forecast(event: e.ForecastMade) -> tuple[str, str]:
    if not event.forecast:
        return "notice", f"no forecast: {event.note}"
    gates = event.forecast.get("gates") or {}
    out = [gate for gate, found in gates.items() if found.get("verdict") == "out of reach"]
    within = sum(found.get("verdict") == "within reach" for found in gates.values())
    when = "known already" if event.cached else duration(event.seconds)
    text = f"forecast ({when}): {within} of {len(gates)} gates within reach"
    if out:
        return "notice", f"{text} · out of reach: {', '.join(out)}"
    return "good", text


def _epoch(event: e.EpochFinished) -> tuple[str, str]:
    best = " · best" if event.best else ""
    return "plain", (
        f"epoch {event.epoch}/{event.epochs}: train {fixed(event.train_loss, 6)}"
        f" · val {fixed(event.val_loss, 6)} cos {fixed(event.val_cosine, 3)}"
        f" · {duration(event.seconds)}{best}"
    )


def _checkpoint(event: e.CheckpointSaved) -> tuple[str, str]:
    return "plain", f"saved {event.file} ({event.bytes / 1e6:.1f} MB)"


def _paused(event: e.Paused) -> tuple[str, str]:
    return "notice", f"paused at step {event.step:,}" + _by(event.by)


def _resumed(event: e.Resumed) -> tuple[str, str]:
    return "notice", f"goes on after {duration(event.seconds)}" + _by(event.by)


def _fivecat_started(event: e.FivecatStarted) -> tuple[str, str]:
    return "plain", f"5CAT of epoch {event.epoch}: {event.samples:,} samples a split"


def _fivecat(event: e.FivecatFinished) -> tuple[str, str]:
    val: dict[str, Any] = event.result.get("VAL") or {}
    ood: dict[str, Any] = event.result.get("OOD") or {}
    passed = event.result.get("passed", 0)
    return "good" if event.result.get("ready") else "plain", (
        f"5CAT of epoch {event.epoch}: margin VAL {signed(val.get('margin'), 3)}"
        f" OOD {signed(ood.get('margin'), 3)} · gates {passed}/5 · {duration(event.seconds)}"
        + (" · best" if event.best else "")
    )


def _alert(event: e.AlertRaised) -> tuple[str, str]:
    return _LEVELS.get(event.level, "notice"), event.message


def _acknowledged(event: e.AlertAcknowledged) -> tuple[str, str]:
    cause, _, place = event.alert.partition("-")
    epoch, _, split = place.partition("-")
    of = [f"epoch {epoch}"] if epoch.isdigit() and int(epoch) else []
    where = ", ".join([*of, *([split] if split else [])])
    name = cause.replace("_", " ") + (f" ({where})" if where else "")
    return "plain", f"{name} acknowledged{_by(event.by)}"


def _halved(event: e.BatchHalved) -> tuple[str, str]:
    return "notice", f"out of memory: {event.micro_batch} rows × {event.accumulate} from here on"


def _slow(event: e.SlowEpoch) -> tuple[str, str]:
    text = f"epoch {event.epoch} took {duration(event.seconds)}, usually {duration(event.median)}"
    return "notice", f"{text}: {event.cause}" if event.cause else text


def _task_started(event: e.TaskStarted) -> tuple[str, str]:
    return "plain", f"{event.title} …"


def _task_finished(event: e.TaskFinished) -> tuple[str, str]:
    text = f"{event.task} {'done' if event.ok else 'FAILED'} in {duration(event.seconds)}"
    return "good" if event.ok else "alarm", f"{text}: {event.note}" if event.note else text


def _job_started(event: e.JobStarted) -> tuple[str, str]:
    return "plain", f"job {event.job}: {event.model}"


def _job_finished(event: e.JobFinished) -> tuple[str, str]:
    level = "alarm" if event.state == "failed" else "plain"
    text = f"job {event.job}: {event.model} {event.state}"
    return level, f"{text}: {event.note}" if event.note else text


def _gate_failed(event: e.GateFailed) -> tuple[str, str]:
    again = f" (job {event.next_job})" if event.next_job else ""
    return "notice", f"job {event.job}: {event.words}{again}"


def _queue_finished(event: e.QueueFinished) -> tuple[str, str]:
    return "good", f"queue finished: {event.done} done, {event.failed} failed"


def _notify_failed(event: e.NotifyFailed) -> tuple[str, str]:
    return "notice", f"notification by {event.way} failed: {event.reason} (told once)"


def _by(who: str) -> str:
    return f" by {who}" if who else ""


_WORDS: dict[type[e.Event], Callable[[Any], tuple[str, str]]] = {
    e.RunStarted: _run_started,
    e.RunFinished: _run_finished,
    e.DataLoaded: _data_loaded,
    e.ForecastMade: _forecast,
    e.EpochFinished: _epoch,
    e.CheckpointSaved: _checkpoint,
    e.Paused: _paused,
    e.Resumed: _resumed,
    e.FivecatStarted: _fivecat_started,
    e.FivecatFinished: _fivecat,
    e.AlertRaised: _alert,
    e.AlertAcknowledged: _acknowledged,
    e.BatchHalved: _halved,
    e.SlowEpoch: _slow,
    e.TaskStarted: _task_started,
    e.TaskFinished: _task_finished,
    e.JobStarted: _job_started,
    e.JobFinished: _job_finished,
    e.GateFailed: _gate_failed,
    e.QueueFinished: _queue_finished,
    e.NotifyFailed: _notify_failed,
}


def missing_for_production(result: Mapping[str, Any], bias_alerts: int) -> list[str]:
    """What a 5CAT document says is missing, with the alerts of the whole history till now."""
    said = [str(item) for item in result.get("missing") or ()]
    missing = [item for item in said if "backward-bias alert" not in item]
    if bias_alerts:
        plural = "s" if bias_alerts > 1 else ""
        missing.append(f"{bias_alerts} backward-bias alert{plural} in the history, needs 0")
    return missing
