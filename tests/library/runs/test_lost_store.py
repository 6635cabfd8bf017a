"""A lease that is lost, a store that cannot be read: what a runner does then."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from lvm.errors import LeaseError, LvmError, RunError
from lvm.events import (
    AlertRaised,
    RunFinished,
)
from lvm.runs.commands import Command
from lvm.runs.steering import Steering
from lvm.runs.store import Store

from .conftest import Bench, FakeClock
from .scripted import alert, kinds


def test_a_runner_that_lost_its_lease_writes_not_one_line_more(bench: Bench) -> None:
    def train(*given: Any, **named: Any) -> Any:
        yield alert("bias-5")
        bench.clock.sleep(60.0)  # no heartbeat comes in these tests
        taken = bench.store.take_lease("bob@far:2", instead_of=bench.store.read_lease())
        assert taken is not None
        yield RunFinished("completed", 1, 1.0)

    bench.trainer = train  # type: ignore[assignment]
    bench.add()
    with pytest.raises(LeaseError, match="the lease was lost"):
        bench.run()
    assert kinds(bench.events()) == ["data_loaded", "alert_raised"]
    assert "job_finished" not in kinds(bench.told())
    assert [row.state for row in bench.store.jobs()] == ["running"]
    lease = bench.store.lease()
    assert lease is not None
    assert lease.by == "bob@far:2"


class Blind(Store):
    """A store whose commands cannot be read for a while."""

    broken = True

    def take_commands(self) -> list[Command]:
        if self.broken:
            raise RunError("broken: disk I/O error")
        return super().take_commands()


def test_a_store_that_cannot_be_read_is_told_once_and_does_not_end_the_training(
    store: Store, clock: FakeClock
) -> None:
    blind = Blind(store.path, clock)
    told: list[LvmError] = []
    steering = Steering(
        blind,
        clock,
        should_stop=threading.Event(),
        check_lease=lambda: None,
        acknowledge=lambda command: None,
        unreadable=told.append,
    )
    steering.begin(1)
    for _ in range(5):
        assert steering.control() is None
        clock.sleep(1.0)
    assert len(told) == 1
    blind.broken = False
    blind.send("pause")
    assert steering.control() == "pause"
    blind.broken = True
    clock.sleep(1.0)
    assert steering.control() is None
    assert len(told) == 2
    blind.close()


def test_the_store_is_not_asked_after_every_batch(store: Store, clock: FakeClock) -> None:
    steering = Steering(
        store,
        clock,
        should_stop=threading.Event(),
        check_lease=lambda: None,
        acknowledge=lambda command: None,
        unreadable=lambda error: None,
    )
    steering.begin(1)
    assert steering.control() is None
    store.send("pause")
    clock.sleep(0.05)
    assert steering.control() is None
    clock.sleep(0.06)
    assert steering.control() == "pause"


def test_a_queue_that_cannot_show_a_pause_raises_an_alert_and_trains_on(bench: Bench) -> None:
    bench.add()
    bench.at(3, lambda: bench.store.send("pause"))
    store, set_state = bench.store, bench.store.set_state

    def fails_to_pause(number: int, state: Any, note: str = "") -> None:
        if state == "paused":
            store.send("resume")
            raise RunError("locked", fix="see what hangs")
        set_state(number, state, note)

    store.set_state = fails_to_pause  # type: ignore[method-assign]
    bench.run()
    raised = [event for event in bench.events() if isinstance(event, AlertRaised)]
    assert [event.message for event in raised] == ["NO COMMANDS  the queue cannot be read: locked"]
    assert [row.state for row in bench.store.jobs()] == ["done"]
