"""What supervisord says, as what people want to know."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lvm.service.watching import Slot, exits_in, last_exits, process_of, slot_of

LOG = """\
2026-01-01 10:00:00,000 INFO spawned: 'gru_0' with pid 7
2026-01-01 10:00:03,000 WARN exited: gru_0 (exit status 2; not expected)
2026-01-01 10:00:05,000 WARN exited: gru_1 (terminated by SIGKILL; not expected)
2026-01-01 10:00:06,000 INFO exited: my-gru_2_0 (exit status 0; expected)
2026-01-01 10:00:07,000 INFO stopped: amn_0 (exit status 0)
"""


def info(**values: Any) -> dict[str, Any]:
    return {
        "group": "gru",
        "name": "gru_1",
        "statename": "RUNNING",
        "pid": 7,
        "start": 100,
        "spawnerr": "",
        "description": "pid 7, uptime 0:00:05",
    } | values


def slot(number: int, state: Any, began: int = 0, pid: int = 0) -> Slot:
    return Slot("gru", number, state, pid, began)


def test_a_slot_is_addressed_as_supervisord_wants_it() -> None:
    found = slot_of(info())
    assert (found.address, found.number, found.alive) == ("gru:gru_1", 1, True)
    assert not slot_of(info(statename="BACKOFF")).alive
    assert slot_of(info(name="my_gru_0", group="my_gru")).address == "my_gru:my_gru_0"


def test_the_newest_of_those_that_serve_speaks_for_the_service() -> None:
    both = [slot(0, "running", 200, 8), slot(1, "running", 100, 7)]
    process = process_of(both, now=205.0)
    assert (process.pid, process.uptime_seconds) == (8, 5.0)
    assert "pid 7 answers too" in process.note


def test_one_that_serves_counts_before_one_that_failed_later() -> None:
    process = process_of([slot(0, "running", 100, 7), slot(1, "failed", 200)])
    assert (process.state, process.pid) == ("running", 7)
    assert process_of([slot(0, "stopped"), slot(1, "failed")]).state == "failed"
    assert process_of([slot(0, "failed"), slot(1, "retrying")]).state == "retrying"


def test_the_last_end_is_told_with_its_reason(tmp_path: Path) -> None:
    assert exits_in(LOG) == {"gru": "terminated by SIGKILL", "my-gru_2": "exit status 0"}
    assert last_exits(tmp_path / "none.log") == {}
    given_up = process_of([slot(0, "failed")], exits=4, last_exit="exit status 2")
    assert (given_up.exits, given_up.note) == (4, "given up: exit status 2")
    again = process_of([slot(0, "running", 100, 7)], 1, "terminated by SIGKILL", now=101.0)
    assert again.note == "last ended: terminated by SIGKILL"
