"""Events in words, as the guide shows them: the lines of `training.log`. Pure."""

from __future__ import annotations

import math
import time
from typing import Any

from lvm import events
from lvm.events import Event
from lvm.records import Record
from lvm.runs.folder import BEST, BEST_5CAT, LAST

_RULE = "=" * 44

_NEEDS = (
    ("VAL Margin", "VAL", "margin", "margin_val"),
    ("OOD Margin", "OOD", "margin", "margin_ood"),
    ("VAL Rollout", "VAL", "rollout", "rollout_val"),
    ("OOD Rollout", "OOD", "rollout", "rollout_ood"),
)
"""Label, split and field of the 5CAT document, and the threshold that judges it."""

_SIGNED = ("margin", "signal", "order")
"""Numbers that are shown with their sign."""


def format_event(record: Record, *, folder: str = "") -> str | None:
    """What a person should read of an event, without a newline at its end; None for what passes
    (batches, progress) or is told by another event.

    folder: of the run, as the reader would type it; for the file names at the end.
    """
    event = record.event
    match event:
        case events.RunStarted():
            return _started(event, record.time)
        case events.DataLoaded():
            return _data(event)
        case events.ForecastMade():
            return _forecast(event)
        case events.EpochFinished():
            return _epoch(event)
        case events.FivecatStarted():
            return f"\n{_RULE}\n🧪 Running 5CAT Validation (Epoch {event.epoch})\n{_RULE}"
        case events.FivecatFinished():
            return _fivecat(event.result, event.best)
        case events.AlertRaised():
            return _alert(event)
        case events.RunFinished():
            return _finished(event, folder)
        case _:
            return _line(event)


def _line(event: Event) -> str | None:
    """Events of one line."""
    match event:
        case events.CheckpointSaved(file=file) if file != LAST:
            return f"💾 {file} ({_size(event.bytes)})"
        case events.Paused():
            return f"⏸  paused at step {event.step}{_by(event.by)}"
        case events.Resumed():
            return f"▶  goes on after {_duration(event.seconds)}{_by(event.by)}"
        case events.AlertAcknowledged():
            return f"   acknowledged{_by(event.by)}: {event.alert.replace('_', ' ')}"
        case events.TaskStarted():
            return f"⏳ {event.title}"
        case events.TaskFinished():
            note = f": {event.note}" if event.note else ""
            return f"   {'done' if event.ok else 'FAILED'} in {_duration(event.seconds)}{note}"
        case events.JobStarted():
            return f"▶  job {event.job}: {event.model} → {event.run}"
        case events.JobFinished():  # its run has told the rest
            note = f": {event.note.splitlines()[0]}" if event.note else ""
            return f"■  job {event.job}: {event.model} {event.state}{note}"
        case events.GateFailed():
            again = f" (job {event.next_job}, next)" if event.next_job else ""
            return f"🚧 job {event.job}: {event.words}{again}"
        case events.QueueFinished():
            return f"🏁 queue finished: {event.done} done, {event.failed} failed"
        case events.NotifyFailed():
            return f"⚠️  notification by {event.way} failed: {event.reason} (told once)"
        case _:
            return None


def _started(event: events.RunStarted, now: float) -> str:
    verb = "Resuming" if event.resumed else "Training"
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now))
    lines = [
        "",
        _RULE,
        f"🚀 {verb} {event.model} ({event.run})",
        _RULE,
        f"   {when}  process {event.pid} on {event.host}, device {event.device}",
        f"   {event.parameters:,} parameters, {event.epochs} epochs "
        f"of {event.batches_per_epoch:,} batches",
    ]
    if event.resumed:
        lines.append(f"   goes on after epoch {event.epoch}, step {event.step}")
    return "\n".join(lines)


def _data(event: events.DataLoaded) -> str:
    counts = ", ".join(f"{name} {count:,}" for name, count in event.samples.items())
    lines = [
        f"📂 Data: {event.source}",
        f"   {counts} sequences of {event.dim}-D, {event.articles:,} articles",
    ]
    for check in event.quality.get("checks", []):
        name = check["name"]
        need = f"≥{_number(check['need'], name)}" if name != "order" else "rising"
        mark = _mark(check["passed"])
        lines.append(f"   {name}: {_number(check['value'], name)} (need {need})  {mark}")
    lines += [f"   note: {note}" for note in event.notes]
    if not event.passed:
        lines.append(f"   {event.quality.get('words', '')}")
        if event.overridden:
            lines.append("   ⚠️  trained on all the same, as its settings say")
    return "\n".join(lines)


def _forecast(event: events.ForecastMade) -> str:
    if not event.forecast:
        return f"🔮 No forecast: {event.note}"
    when = "known from an earlier run" if event.cached else _duration(event.seconds)
    lines = [f"🔮 Forecast of the gates ({when})"]
    for name, found in event.forecast.get("baselines", {}).items():
        numbers = [
            f"{split} cos {_number(found[split]['cos'])}"
            f" margin {_number(found[split]['margin'], 'margin')}"
            for split in ("VAL", "OOD")
        ]
        lines.append(f"   {name.replace('_', ' ')}: {', '.join(numbers)}")
    for gate, found in event.forecast.get("gates", {}).items():
        lines.append(f"   {gate}: {found.get('verdict')}: {found.get('words')}")
    if arrow := event.forecast.get("arrow", {}).get("words"):
        lines.append(f"   {arrow}")
    if event.note:
        lines.append(f"   note: {event.note}")
    return "\n".join(lines)


def _epoch(event: events.EpochFinished) -> str:
    best = "  ← best so far" if event.best else ""
    return (
        f"Epoch {event.epoch:>2}/{event.epochs}"
        f"  train loss {_loss(event.train_loss)} cos {_number(event.train_cosine)}"
        f"  val loss {_loss(event.val_loss)} cos {_number(event.val_cosine)}"
        f"  lr {event.learning_rate:.1e}  {event.samples_per_second:,.0f} seq/s"
        f"  {_duration(event.seconds)}{best}"
    )


def _fivecat(result: dict[str, Any], best: bool) -> str:
    lines = ["", "📊 5CAT Results:"]
    for label, split, field, threshold in _NEEDS:
        value, need = result[split][field], result["thresholds"][threshold]
        mark = _mark(value is not None and value >= need)
        lines.append(
            f"   {label}: {_number(value, field)} (need ≥{_number(need, field, 2)})  {mark}"
        )
    gates = "  ".join(f"{name} {_mark(passed)}" for name, passed in result["gates"].items())
    lines.append(f"   Gates: {result['passed']}/5  {gates}")
    if best:
        lines.append(f"   Best score so far: {_number(result['score'], 'margin')}")
    margin, level = result["VAL"]["margin"], result["VAL"]["level"]
    if level in ("good", "weak"):
        title = "✅ Good forward prediction!" if level == "good" else "⚠️  Weak forward signal"
        lines += ["", title, f"   Margin is {_number(margin, 'margin')}"]
    return "\n".join(lines)


def _alert(event: events.AlertRaised) -> str:
    if event.level not in ("severe", "alarm"):
        lines = [f"⚠️  {event.message}"]
    elif event.cause == "backward_bias":
        severe = "SEVERE " if event.level == "severe" else ""
        lines = [
            f"🚨 WARNING: {severe}BACKWARD BIAS DETECTED!",
            f"   Margin is {_number(event.value, 'margin')} (negative)",
            "   Model is learning to predict PREVIOUS vector instead of NEXT!",
            f"   {event.message}",
        ]
    else:
        lines = [f"🚨 WARNING: {event.message}"]
    if event.fix:
        lines.append(f"   → {event.fix}")
    return "\n".join(["", *lines])


def _finished(event: events.RunFinished, folder: str) -> str:
    if event.outcome not in ("completed", "early_stopped"):
        title = f"{'❌' if event.outcome == 'failed' else '⏹ '} TRAINING {event.outcome.upper()}"
        spent = f"{event.epochs} epochs and {_duration(event.seconds)}"
        reason = event.reason.replace("\n", "\n   ")
        return f"\n{title} after {spent}\n   {reason}"
    lines = ["", "✅ TRAINING COMPLETE!", ""]
    if event.outcome == "early_stopped":
        lines.append(f"Stopped early: {event.reason}")
    if folder:
        lines.append(f"Output directory: {folder.rstrip('/')}/")
    lines.append(f"Best val loss: {_loss(event.best_val_loss)} (epoch {event.best_epoch})")
    lines.append(f"Trained for {_duration(event.seconds)}, {event.epochs} epochs")
    lines += ["", "Models saved:", f"  - {BEST:<20}(lowest val loss)"]
    if event.best_5cat_epoch:
        lines.append(f"  - {BEST_5CAT:<20}(best 5CAT metrics) ← Use this one!")
    lines += [*_verdict(event.summary), "", "Next steps:"]
    if event.summary and not event.summary.get("ready"):
        lines.append("  1. Check the data: lvm diagnose FILE (coherence ≥ 0.40, signal ≥ +0.08)")
        lines.append("  2. Keep this model out of production; train again")
        return "\n".join(lines)
    best = f"{folder.rstrip('/')}/{BEST_5CAT}" if folder else BEST_5CAT
    lines += [
        "  1. Run full 5CAT test (max-samples 5000):",
        f"     lvm 5cat --model {best}",
        "  2. Update production symlinks",
        f"     lvm promote {best}",
        "  3. Restart LVM services (lvm promote does)",
    ]
    return "\n".join(lines)


def _verdict(summary: dict[str, Any]) -> list[str]:
    if not summary:
        return []
    if summary.get("ready"):
        return ["", f"Ready for production: {summary['passed']}/5 gates passed  ✅"]
    missing = [f"   {words}" for words in summary.get("missing", [])]
    return ["", "Not ready for production:  ❌", *missing]


def _mark(passed: bool) -> str:
    return "✅" if passed else "❌"


def _by(name: str) -> str:
    return f" by {name}" if name else ""


def _loss(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.6f}"


def _number(value: float | None, name: str = "", digits: int = 3) -> str:
    if value is None:
        return "not measured"
    return f"{value:{'+' if name in _SIGNED else ''}.{digits}f}"


def _duration(seconds: float) -> str:
    """3.2 s · 4:05 min · 1:23:45 h"""
    if not math.isfinite(seconds) or seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02} h" if hours else f"{minutes}:{rest:02} min"


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.1f} kB"
