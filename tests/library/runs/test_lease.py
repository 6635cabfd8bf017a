"""One runner at a time; a dead one is replaced, a sleeping one finds out."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lvm.errors import LeaseError
from lvm.runs.lease import HeldLease
from lvm.runs.leases import STALE_AFTER, Lease
from lvm.runs.store import Store
from lvm.runs.who import place, process_start

from .conftest import FakeClock

NEVER = 3600.0
"""A heartbeat that does not come while a test runs."""

HOLDS_THE_LEASE = """
import sys
from pathlib import Path
from lvm.clock import SystemClock
from lvm.runs.lease import HeldLease
from lvm.runs.store import Store
with HeldLease(Store(Path(sys.argv[1])), SystemClock(), by="bob@far:pts/7"):
    print("held", flush=True)
    sys.stdin.readline()
"""


@contextmanager
def other_process(path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the lease until it is told to end."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDS_THE_LEASE, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def far_lease(heartbeat: float) -> Lease:
    """As if a runner on another machine had taken it."""
    return Lease("t0k3n", 7, "123", "far", "far boot ns", "bob@far:pts/7", 900.0, heartbeat)


def put_lease(store: Store, lease: Lease) -> None:
    with store._writing() as connection:
        connection.execute(
            "INSERT OR REPLACE INTO lease VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?)",
            dataclasses.astuple(lease),
        )


def test_a_second_runner_is_told_who_holds_the_lease(store: Store, clock: FakeClock) -> None:
    with HeldLease(store, clock, by="ann@mac:ttys001", heartbeat=NEVER):
        with pytest.raises(LeaseError) as caught:
            HeldLease(store, clock, heartbeat=NEVER)
        assert f"process {os.getpid()} on " in caught.value.what
        assert "ann@mac:ttys001" in caught.value.what
        assert "lvm-tui" in caught.value.fix
        assert store.lease() is not None
    assert store.lease() is None
    with HeldLease(store, clock, heartbeat=NEVER) as again:
        assert again.taken_from is None


def test_a_runner_in_another_process_is_refused_until_that_one_ends(tmp_path: Path) -> None:
    store = Store(tmp_path / "lvm.db")
    with other_process(store.path) as process:
        with pytest.raises(LeaseError, match=f"process {process.pid} on .*bob@far:pts/7"):
            HeldLease(store, store.clock)
        process.communicate("end\n")
        with HeldLease(store, store.clock) as mine:
            assert mine.taken_from is None


def test_the_lease_of_a_killed_runner_is_taken_over_at_once(tmp_path: Path) -> None:
    store = Store(tmp_path / "lvm.db")
    with other_process(store.path) as process:
        process.send_signal(signal.SIGKILL)
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # dead, but not yet reaped
        assert store.lease() is None
        with HeldLease(store, store.clock) as mine:
            assert mine.taken_from is not None
            assert mine.taken_from.pid == process.pid


def test_a_process_that_has_the_dead_ones_number_is_not_mistaken_for_it(
    store: Store, clock: FakeClock
) -> None:
    me = os.getpid()
    put_lease(
        store,
        dataclasses.replace(
            far_lease(1000.0), pid=me, process_start="an earlier one", place=place()
        ),
    )
    assert store.lease() is None
    with HeldLease(store, clock, heartbeat=NEVER) as mine:
        assert mine.taken_from is not None
        assert mine.taken_from.pid == me


def test_a_runner_on_another_host_counts_as_alive_for_thirty_seconds(
    store: Store, clock: FakeClock
) -> None:
    put_lease(store, far_lease(heartbeat=1000.0))
    clock.time = 1000.0 + STALE_AFTER
    assert store.lease() == far_lease(heartbeat=1000.0)
    with pytest.raises(LeaseError, match="process 7 on far"):
        HeldLease(store, clock, heartbeat=NEVER)
    clock.time += 1
    assert store.lease() is None
    with HeldLease(store, clock, heartbeat=NEVER) as mine:
        assert mine.taken_from == far_lease(heartbeat=1000.0)


def test_a_silent_runner_that_gives_a_sign_when_watched_keeps_the_lease(store: Store) -> None:
    """Its clock differs from ours, or its machine has just woken."""

    class SignOfLife(FakeClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            put_lease(store, far_lease(heartbeat=901.0))

    put_lease(store, far_lease(heartbeat=900.0))
    with pytest.raises(LeaseError, match="process 7 on far"):
        HeldLease(store, SignOfLife(), heartbeat=NEVER)


def test_a_heartbeat_from_the_future_is_watched_too(store: Store, clock: FakeClock) -> None:
    put_lease(store, far_lease(heartbeat=9_000.0))
    with HeldLease(store, clock, heartbeat=NEVER) as mine:
        assert mine.taken_from is not None
    assert clock.time > 1000.0


def test_of_two_that_take_over_at_once_one_gets_it(store: Store) -> None:
    class Quicker(FakeClock):
        def sleep(self, seconds: float) -> None:
            if self.time == 1000.0:
                found = store.read_lease()
                assert store.take_lease("carol@near:-", instead_of=found) is not None
            super().sleep(seconds)

    put_lease(store, far_lease(heartbeat=900.0))
    with pytest.raises(LeaseError, match="carol@near"):
        HeldLease(store, Quicker(), heartbeat=NEVER)


def test_a_lease_is_taken_only_in_the_state_that_was_looked_at(store: Store) -> None:
    put_lease(store, far_lease(heartbeat=900.0))
    assert store.take_lease("ann", instead_of=None) is None
    assert store.take_lease("ann", instead_of=far_lease(heartbeat=899.0)) is None
    assert store.take_lease("ann", instead_of=far_lease(heartbeat=900.0)) is not None


def test_a_runner_that_slept_too_long_finds_that_its_lease_is_gone(
    store: Store, clock: FakeClock
) -> None:
    with HeldLease(store, clock, heartbeat=NEVER) as sleeper:
        sleeper.check()
        put_lease(store, far_lease(heartbeat=1100.0))
        clock.time += STALE_AFTER + 1
        with pytest.raises(LeaseError, match="the lease was lost") as caught:
            sleeper.check()
        assert "process 7 on far" in caught.value.fix
    assert store.read_lease() == far_lease(heartbeat=1100.0)  # not the sleeper's to give back


def test_a_runner_that_slept_without_being_missed_goes_on(store: Store, clock: FakeClock) -> None:
    with HeldLease(store, clock, heartbeat=NEVER) as sleeper:
        clock.time += STALE_AFTER + 1
        assert store.lease() is None
        sleeper.check()
        assert store.lease() is not None


def test_the_heart_beats_by_itself(store: Store, clock: FakeClock) -> None:
    with HeldLease(store, clock, heartbeat=0.001):
        clock.time += 10
        while (lease := store.read_lease()) is None or lease.heartbeat != 1010.0:
            pass  # ends by the test's time limit if the heart does not beat
        assert lease.started == 1000.0


def test_a_lost_lease_is_noticed_by_the_heartbeat_itself(store: Store, clock: FakeClock) -> None:
    with HeldLease(store, clock, heartbeat=0.001) as mine:
        put_lease(store, far_lease(heartbeat=1000.0))
        mine._thread.join(timeout=60)
        with pytest.raises(LeaseError, match="lost"):
            mine.check()


def test_a_process_that_is_gone_has_no_start() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert process_start(process.pid) is None
    assert process_start(os.getpid()) == process_start(os.getpid()) is not None
