"""Who holds the lease: the table, and how to tell a live holder from a dead one."""

from __future__ import annotations

import dataclasses
import os
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from lvm.runs.database import Database
from lvm.runs.who import host, place, process_start

STALE_AFTER = 30.0
"""Seconds without a heartbeat after which a holder counts as silent."""


@dataclass(frozen=True, slots=True)
class Lease:
    """One runner's right to train in this workspace; the fields are the columns of the table."""

    token: str
    """Unique; by it the holder knows whether the lease is still its own."""
    pid: int
    process_start: str
    host: str
    place: str
    by: str
    started: float
    heartbeat: float

    @property
    def holder(self) -> str:
        """For people: who, where, since when."""
        since = datetime.fromtimestamp(self.started).strftime("%Y-%m-%d %H:%M:%S")
        return f"process {self.pid} on {self.host} ({self.by}), since {since}"

    def health(self, now: float) -> Literal["alive", "silent", "dead"]:
        """dead: its process is certainly gone. silent: no sign for long; perhaps suspended, or on a
        host whose clock differs."""
        if self.place == place() and process_start(self.pid) != self.process_start:
            return "dead"
        return "alive" if abs(now - self.heartbeat) <= STALE_AFTER else "silent"


class Leases(Database):
    """The table `lease`, of one row at most."""

    def lease(self) -> Lease | None:
        """The lease of a runner that is alive, or None."""
        found = self.read_lease()
        return found if found and found.health(self.clock.now()) == "alive" else None

    def read_lease(self) -> Lease | None:
        """What the table says, whether the holder lives or not."""
        with self._reading() as connection:
            row = connection.execute(
                "SELECT token, pid, process_start, host, place, by, started, heartbeat FROM lease"
            ).fetchone()
        return Lease(*row) if row else None

    def take_lease(self, by: str, *, instead_of: Lease | None) -> Lease | None:
        """Take the lease for this process, if its state is still `instead_of`, heartbeat and all;
        None when somebody was quicker."""
        now, pid = self.clock.now(), os.getpid()
        mine = Lease(uuid.uuid4().hex, pid, process_start(pid) or "", host(), place(), by, now, now)
        with self._writing() as connection:
            if self.read_lease() != instead_of:
                return None
            connection.execute(
                "INSERT OR REPLACE INTO lease VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?)",
                dataclasses.astuple(mine),
            )
        return mine

    def renew_lease(self, token: str) -> bool:
        """Give a sign of life; False if the lease belongs to somebody else by now."""
        with self._writing() as connection:
            renewed = connection.execute(
                "UPDATE lease SET heartbeat = ? WHERE token = ?", (self.clock.now(), token)
            )
            return renewed.rowcount == 1

    def release_lease(self, token: str) -> None:
        with self._writing() as connection:
            connection.execute("DELETE FROM lease WHERE token = ?", (token,))
