"""What people tell a running runner, from any process; and the ledger of promotions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal, get_args

from lvm.errors import InputError
from lvm.runs.database import Database
from lvm.runs.who import whoami

CommandKind = Literal["pause", "resume", "stop", "cancel", "skip", "acknowledge"]
COMMANDS: tuple[CommandKind, ...] = get_args(CommandKind)


@dataclass(frozen=True, slots=True)
class Command:
    id: int
    kind: CommandKind
    argument: str
    """acknowledge: id of the alert, "" = all that are open."""
    by: str
    """Who sent it: user@host:terminal."""
    job: int | None
    """The job that it is meant for; None = the one that trains."""
    run: str
    """acknowledge: the run whose alert it is; "" = the one that trains."""
    created: float


class Commands(Database):
    """The table `commands`."""

    def send(
        self,
        kind: str,
        argument: str = "",
        by: str | None = None,
        *,
        job: int | None = None,
        run: str = "",
    ) -> int:
        """Leave a command for the runner. Meant for one job, it does nothing to another: so a key
        pressed for a run that is just ending never hits the next. (stop ends the queue anyway.)"""
        if kind not in COMMANDS:
            raise InputError(f"unknown command {kind!r}", fix=f"one of {', '.join(COMMANDS)}")
        with self._writing() as connection:
            cursor = connection.execute(
                "INSERT INTO commands (kind, argument, by, job, run, created) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (kind, argument, by or whoami(), job, run, self.clock.now()),
            )
            return int(cursor.lastrowid or 0)

    def take_commands(self) -> list[Command]:
        """Those not yet taken, oldest first; each is handed out once, to one caller."""
        with self._reading() as connection:
            waiting = connection.execute("SELECT 1 FROM commands WHERE taken IS NULL LIMIT 1")
            if waiting.fetchone() is None:  # the usual case costs no write
                return []
        with self._writing() as connection:
            rows = connection.execute(
                "SELECT id, kind, argument, by, job, run, created FROM commands "
                "WHERE taken IS NULL ORDER BY id"
            ).fetchall()
            connection.execute(
                "UPDATE commands SET taken = ? WHERE taken IS NULL", (self.clock.now(),)
            )
        return [Command(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    id: int
    time: float
    kind: str
    model: str
    document: dict[str, Any]


class Ledger(Database):
    """The table `ledger`: entries are added, never changed."""

    def add_to_ledger(self, kind: str, model: str, document: dict[str, Any]) -> int:
        with self._writing() as connection:
            cursor = connection.execute(
                "INSERT INTO ledger (time, kind, model, document) VALUES (?, ?, ?, ?)",
                (self.clock.now(), kind, model, json.dumps(document, ensure_ascii=False)),
            )
            return int(cursor.lastrowid or 0)

    def ledger(self, model: str = "") -> list[LedgerEntry]:
        """Oldest first; of one model, or of all."""
        with self._reading() as connection:
            rows = connection.execute(
                "SELECT id, time, kind, model, document FROM ledger "
                "WHERE ? IN ('', model) ORDER BY id",
                (model,),
            ).fetchall()
        return [
            LedgerEntry(number, time, kind, model, json.loads(document))
            for number, time, kind, model, document in rows
        ]
