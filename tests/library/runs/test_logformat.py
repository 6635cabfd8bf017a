"""What people read: the guide's own words."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import pytest

from lvm import events
from lvm.events import Event
from lvm.records import Record
from lvm.runs.logformat import format_event
from lvm.settings import Thresholds

NIGHT = time.mktime((2025, 10, 30, 22, 0, 0, 0, 0, -1))


def said(event: Event, folder: str = "") -> str | None:
    return format_event(Record(0, NIGHT, event), folder=folder)


def result(level: str = "good", **changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "VAL": {"margin": 0.145, "rollout": 0.521, "level": level},
        "OOD": {"margin": 0.138, "rollout": 0.514, "level": level},
        "gates": {"offset": True, "retrieval": True, "ablations": False},
        "passed": 2,
        "score": 0.2202,
        "thresholds": Thresholds().to_json(),
    }
    return found | changes


def test_the_start_of_5cat_looks_as_in_the_guide() -> None:
    assert said(events.FivecatStarted(5, 1000, 3)) == (
        "\n============================================\n"
        "🧪 Running 5CAT Validation (Epoch 5)\n"
        "============================================"
    )


def test_good_results_look_as_in_the_guide() -> None:
    assert said(events.FivecatFinished(5, 100, result(), 0.2202, 8.0, best=True)) == (
        "\n"
        "📊 5CAT Results:\n"
        "   VAL Margin: +0.145 (need ≥+0.12)  ✅\n"
        "   OOD Margin: +0.138 (need ≥+0.10)  ✅\n"
        "   VAL Rollout: 0.521 (need ≥0.45)  ✅\n"
        "   OOD Rollout: 0.514 (need ≥0.42)  ✅\n"
        "   Gates: 2/5  offset ✅  retrieval ✅  ablations ❌\n"
        "   Best score so far: +0.220\n"
        "\n"
        "✅ Good forward prediction!\n"
        "   Margin is +0.145"
    )


def test_a_number_short_of_its_need_or_not_measured_is_crossed() -> None:
    short = result(VAL={"margin": -0.084, "rollout": None, "level": "alarm"})
    text = said(events.FivecatFinished(5, 100, short, -0.1, 8.0))
    assert text is not None
    assert "   VAL Margin: -0.084 (need ≥+0.12)  ❌\n" in text
    assert "   VAL Rollout: not measured (need ≥0.45)  ❌\n" in text
    assert "forward" not in text
    assert "Best score" not in text


def test_a_weak_signal_is_said_to_be_weak() -> None:
    text = said(events.FivecatFinished(5, 100, result("weak"), 0.1, 8.0))
    assert text is not None
    assert text.endswith("⚠️  Weak forward signal\n   Margin is +0.145")


@pytest.mark.parametrize(("level", "severe"), [("alarm", ""), ("severe", "SEVERE ")])
def test_backward_bias_is_warned_of_as_in_the_guide(level: str, severe: str) -> None:
    alert = events.AlertRaised(
        "b-5",
        "backward_bias",
        level,
        "BACKWARD BIAS  closest to k=0",
        "check the data",
        value=-0.084,
    )
    assert said(alert) == (
        f"\n🚨 WARNING: {severe}BACKWARD BIAS DETECTED!\n"
        "   Margin is -0.084 (negative)\n"
        "   Model is learning to predict PREVIOUS vector instead of NEXT!\n"
        "   BACKWARD BIAS  closest to k=0\n"
        "   → check the data"
    )


def test_other_alerts_say_their_message() -> None:
    alarm = events.AlertRaised("f-1", "failed", "alarm", "FAILED  oops", "look at the log")
    assert said(alarm) == "\n🚨 WARNING: FAILED  oops\n   → look at the log"
    notice = events.AlertRaised("s-1", "slow_epoch", "notice", "slow epoch 3")
    assert said(notice) == "\n⚠️  slow epoch 3"


def test_the_end_looks_as_in_the_guide() -> None:
    event = events.RunFinished(
        "completed",
        20,
        5025.0,
        best_epoch=18,
        best_val_loss=0.001234,
        best_5cat_epoch=15,
        summary={"ready": True, "passed": 4},
    )
    folder = "artifacts/lvm/models/transformer_5cat_20251030_220000"
    assert said(event, folder) == (
        "\n"
        "✅ TRAINING COMPLETE!\n"
        "\n"
        f"Output directory: {folder}/\n"
        "Best val loss: 0.001234 (epoch 18)\n"
        "Trained for 1:23:45 h, 20 epochs\n"
        "\n"
        "Models saved:\n"
        "  - best_model.pt       (lowest val loss)\n"
        "  - best_5cat_model.pt  (best 5CAT metrics) ← Use this one!\n"
        "\n"
        "Ready for production: 4/5 gates passed  ✅\n"
        "\n"
        "Next steps:\n"
        "  1. Run full 5CAT test (max-samples 5000):\n"
        f"     lvm 5cat --model {folder}/best_5cat_model.pt\n"
        "  2. Update production symlinks\n"
        f"     lvm promote {folder}/best_5cat_model.pt\n"
        "  3. Restart LVM services (lvm promote does)"
    )


def test_a_run_that_is_not_ready_says_what_is_missing() -> None:
    event = events.RunFinished(
        "early_stopped",
        7,
        65.0,
        reason="no lower validation loss for 3 epochs",
        summary={"ready": False, "missing": ["VAL margin −0.084, needs ≥ +0.10"]},
    )
    text = said(event)
    assert text is not None
    assert "Stopped early: no lower validation loss for 3 epochs\n" in text
    assert "Trained for 1:05 min, 7 epochs\n" in text
    assert "Not ready for production:  ❌\n   VAL margin −0.084, needs ≥ +0.10\n" in text
    assert "best_5cat_model.pt" not in text
    assert text.endswith("  2. Keep this model out of production; train again")


def test_a_run_that_failed_or_stopped_says_why_and_claims_nothing() -> None:
    failed = said(events.RunFinished("failed", 3, 10.0, reason="x: broken\n  → mend it"))
    assert failed == "\n❌ TRAINING FAILED after 3 epochs and 10.0 s\n   x: broken\n     → mend it"
    stopped = said(events.RunFinished("stopped", 3, 10.0, reason="stopped by ann"))
    assert stopped == "\n⏹  TRAINING STOPPED after 3 epochs and 10.0 s\n   stopped by ann"


def test_data_is_told_with_its_checks() -> None:
    quality = {
        "words": "the windows run backwards",
        "checks": [
            {"name": "coherence", "value": 0.457, "need": 0.40, "passed": True},
            {"name": "signal", "value": -0.02, "need": 0.08, "passed": False},
            {"name": "order", "value": -0.01, "need": 0.0, "passed": False},
        ],
    }
    event = events.DataLoaded(
        "bank b.npz",
        {"train": 12000, "val": 10},
        768,
        714,
        quality,
        passed=False,
        overridden=True,
        notes=["2 articles are short"],
    )
    assert said(event) == (
        "📂 Data: bank b.npz\n"
        "   train 12,000, val 10 sequences of 768-D, 714 articles\n"
        "   coherence: 0.457 (need ≥0.400)  ✅\n"
        "   signal: -0.020 (need ≥+0.080)  ❌\n"
        "   order: -0.010 (need rising)  ❌\n"
        "   note: 2 articles are short\n"
        "   the windows run backwards\n"
        "   ⚠️  trained on all the same, as its settings say"
    )


def test_a_start_and_a_resumption_are_told_apart() -> None:
    event = events.RunStarted(
        run="gru_5cat_1",
        model="gru",
        settings={},
        parameters=1975296,
        epochs=20,
        batches_per_epoch=1714,
        samples={},
        dim=768,
        device="mps",
        host="mac",
        pid=42,
    )
    text = said(event)
    assert text is not None
    assert "🚀 Training gru (gru_5cat_1)\n" in text
    assert "   2025-10-30 22:00:00  process 42 on mac, device mps\n" in text
    assert text.endswith("   1,975,296 parameters, 20 epochs of 1,714 batches")
    text = said(dataclasses.replace(event, resumed=True, epoch=5, step=8570))
    assert text is not None
    assert "🚀 Resuming gru" in text
    assert text.endswith("   goes on after epoch 5, step 8570")


def test_an_epoch_is_one_line() -> None:
    event = events.EpochFinished(
        7, 20, 100, 0.00125, 0.56, 0.0012, 0.57, 5e-4, 480.4, 12345.6, best=True
    )
    assert said(event) == (
        "Epoch  7/20  train loss 0.001250 cos 0.560  val loss 0.001200 cos 0.570"
        "  lr 5.0e-04  12,346 seq/s  8:00 min  ← best so far"
    )


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (events.CheckpointSaved(5, 9, "best_model.pt", 18_700_000), "💾 best_model.pt (18.7 MB)"),
        (events.CheckpointSaved(5, 9, "best_model.pt", 9_700), "💾 best_model.pt (9.7 kB)"),
        (events.Paused(9, by="ann"), "⏸  paused at step 9 by ann"),
        (events.Resumed(9, by="bob", seconds=90.0), "▶  goes on after 1:30 min by bob"),
        (events.AlertAcknowledged("b-5", "ann"), "   acknowledged by ann: b-5"),
        (events.TaskStarted("t", "encoding"), "⏳ encoding"),
        (events.TaskFinished("t", 3.21), "   done in 3.2 s"),
        (events.TaskFinished("t", 3.21, ok=False, note="oops"), "   FAILED in 3.2 s: oops"),
        (events.JobStarted(3, "gru", "gru_5cat_1"), "▶  job 3: gru → gru_5cat_1"),
        (events.JobFinished(3, "gru", "r", "failed", "oops"), "■  job 3: gru failed: oops"),
        (events.QueueFinished(3, 1), "🏁 queue finished: 3 done, 1 failed"),
    ],
)
def test_small_events_are_one_line(event: Event, text: str) -> None:
    assert said(event) == text


@pytest.mark.parametrize(
    "event",
    [
        events.Batch(1, 1, 1, 1, 0.5, 0.5, 5e-4, 1.0),
        events.FivecatProgress(5, "VAL", "offset", 1, 2),
        events.TaskProgress("t", 1, 2),
        events.CheckpointSaved(5, 9, "last.pt", 1),
        events.BatchHalved(9, 128, 2),
        events.SlowEpoch(5, 9.0, 3.0),
    ],
    ids=lambda event: event.kind(),
)
def test_what_passes_or_is_told_by_an_alert_is_left_out(event: Event) -> None:
    assert said(event) is None
