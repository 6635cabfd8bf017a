"""Holding the lease: one runner at a time, a dead one's work taken over, a lost one noticed.

A holder whose process is gone is replaced at once. One that is only silent (suspended, hung, on a
host with another clock) is watched for a few seconds first; if it wakes later, it finds that the
lease is no longer its own and stops before it writes anything.
"""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

from lvm.clock import Clock
from lvm.errors import DiskError, LeaseError, LvmError
from lvm.runs.leases import STALE_AFTER, Lease
from lvm.runs.store import Store
from lvm.runs.who import whoami

HEARTBEAT = 2.0
"""Seconds between two signs of life."""

WATCH = 5.0
"""Seconds that a silent holder is given to show a heartbeat."""


class HeldLease:
    """A context manager: takes the lease on construction, renews it in a thread, gives it back.

    Raises LeaseError if a live runner holds it.
    """

    def __init__(
        self, store: Store, clock: Clock, *, by: str | None = None, heartbeat: float = HEARTBEAT
    ) -> None:
        self._store, self._clock = store, clock
        self._lease, self.taken_from = _take(store, clock, by or whoami())
        self._renewed = clock.now()
        self._lost = False
        self._ended = threading.Event()
        self._thread = threading.Thread(
            target=self._beat, args=(heartbeat,), name="lvm-lease", daemon=True
        )
        self._thread.start()

    def check(self) -> None:
        """Raises LeaseError if the lease was lost. Costs nothing while the heart beats."""
        if not self._lost and self._clock.now() - self._renewed > STALE_AFTER:
            self._renew(self._store)
        if self._lost:
            holder = self._store.read_lease()
            raise LeaseError(
                "the lease was lost: this process gave no sign of life for too long",
                where=str(self._store.path),
                fix=f"its work went to {holder.holder}" if holder else "start the runner again",
            )

    def _renew(self, store: Store) -> None:
        try:
            self._lost = not store.renew_lease(self._lease.token)
        except DiskError:  # a full disk takes no heartbeat, but nobody has taken the lease either
            held = store.read_lease()
            self._lost = held is None or held.token != self._lease.token
        self._renewed = self._clock.now()

    def _beat(self, interval: float) -> None:
        """Its own connection: a slow disk in this thread must not hold up the trainer's."""
        store: Store | None = None
        try:
            while not self._ended.wait(interval) and not self._lost:
                try:
                    store = store or Store(self._store.path, self._clock)
                    self._renew(store)
                except LvmError:  # the next beat tries again; check() sees how old the last is
                    continue
        finally:
            if store is not None:
                store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()
        try:
            self._store.release_lease(self._lease.token)
        except LvmError as failure:
            if error is None:
                raise
            error.add_note(f"and the lease could not be given back: {failure}")


def _take(store: Store, clock: Clock, by: str) -> tuple[Lease, Lease | None]:
    """The lease, and the dead holder's that it replaces."""
    found = store.read_lease()
    if found is not None:
        health = found.health(clock.now())
        if health == "alive" or (health == "silent" and _gives_a_sign(store, clock, found)):
            raise _refused(store)
    mine = store.take_lease(by, instead_of=found)
    if mine is None:
        raise _refused(store)
    return mine, found


def _gives_a_sign(store: Store, clock: Clock, lease: Lease) -> bool:
    end = clock.monotonic() + WATCH
    while clock.monotonic() < end:
        clock.sleep(HEARTBEAT / 4)
        if store.read_lease() != lease:
            return True
    return False


def _refused(store: Store) -> LeaseError:
    lease = store.read_lease()
    holder = lease.holder if lease else "another process"
    return LeaseError(
        f"another runner trains here: {holder}",
        where=str(store.path),
        fix="watch and steer it with lvm-tui, or end it with lvm queue stop",
    )
