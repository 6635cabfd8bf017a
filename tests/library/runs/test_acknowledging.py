"""Alerts acknowledged through the runner: in the log of their run, once, by whom."""

from __future__ import annotations

from typing import Any

import pytest

from lvm.events import (
    AlertAcknowledged,
    Event,
    JobFinished,
    QueueFinished,
    RunFinished,
)

from .conftest import Bench
from .scripted import alert


def raising_alerts(bench: Bench, *names: str) -> None:
    def train(*given: Any, **named: Any) -> Any:
        for name in names:
            yield alert(name)
        bench.clock.sleep(1.0)
        bench.store.send("acknowledge", "bias-5", by="ann@mac:1")
        assert named["control"]() is None
        yield RunFinished("completed", 5, 60.0)

    bench.trainer = train  # type: ignore[assignment]


def acknowledged(events: list[Event]) -> list[AlertAcknowledged]:
    return [event for event in events if isinstance(event, AlertAcknowledged)]


def test_an_alert_is_acknowledged_in_the_log_of_its_run(bench: Bench) -> None:
    raising_alerts(bench, "bias-5", "bias-10")
    bench.add()
    bench.run()
    assert acknowledged(bench.events()) == [AlertAcknowledged("bias-5", "ann@mac:1")]
    assert "acknowledged by ann@mac:1: bias-5" in (bench.folder() / "training.log").read_text()


def test_an_alert_is_acknowledged_once_and_all_that_are_left_at_once(bench: Bench) -> None:
    raising_alerts(bench, "bias-5", "bias-10", "bias-15")
    bench.add()
    bench.run()
    run = bench.job(1).run
    bench.store.send("acknowledge", "bias-5", by="bob", run=run)
    bench.store.send("acknowledge", "never-raised", by="bob", run=run)
    bench.store.send("acknowledge", by="bob", run=run)
    bench.run()
    assert acknowledged(bench.events())[1:] == [
        AlertAcknowledged("bias-10", "bob"),
        AlertAcknowledged("bias-15", "bob"),
    ]
    assert isinstance(bench.events()[-1], AlertAcknowledged)


def test_an_alert_of_an_earlier_run_is_acknowledged_there_while_another_trains(
    bench: Bench,
) -> None:
    raising_alerts(bench, "bias-5", "bias-10")
    bench.add()
    bench.run()
    first = bench.job(1).run
    number = bench.add("gru")

    def train(*given: Any, **named: Any) -> Any:
        bench.clock.sleep(1.0)
        bench.store.send("acknowledge", "bias-10", by="bob", run=first)
        assert named["control"]() is None
        yield RunFinished("completed", 5, 60.0)

    bench.trainer = train  # type: ignore[assignment]
    bench.run()
    assert acknowledged(bench.events(1))[1:] == [AlertAcknowledged("bias-10", "bob")]
    assert acknowledged(bench.events(number)) == []


@pytest.mark.parametrize("run", ["no_such_run", "../..", "..", "."])
def test_an_acknowledgement_for_no_run_is_void(bench: Bench, run: str) -> None:
    bench.store.send("acknowledge", "bias-5", run=run)
    bench.run()
    assert bench.told() == [QueueFinished(0, 0)]


def test_an_acknowledgement_without_a_run_means_the_last_one(bench: Bench) -> None:
    raising_alerts(bench, "bias-5", "bias-10")
    bench.add()

    def heard(run: str, record: Any) -> None:
        if isinstance(record.event, JobFinished):
            bench.store.send("acknowledge", by="bob")
            bench.clock.sleep(1.0)

    bench.run(listen=heard)
    assert acknowledged(bench.events())[-1] == AlertAcknowledged("bias-10", "bob")
