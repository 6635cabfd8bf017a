"""The escape sequences that a terminal is told news by: the very bytes, each once."""

from __future__ import annotations

import pytest

from lvm.data.reference import write_reference
from lvm.records import Record, decode
from lvm.runs.latch import Latch
from lvm.runs.notices import escape, notice_of
from lvm.runs.project import Project
from tests.terminal.conftest import Start
from tests.terminal.test_whole import queue

SETTINGS = """\
accept_bad_data = true
[notify]
terminal = "{way}"
on = ["alert", "run", "queue"]
level = "notice"
"""
BEGINS = {"osc9": b"\x1b]9;", "osc777": b"\x1b]777;notify;"}


def records_of(project: Project) -> tuple[str, list[Record]]:
    (run,) = project.runs()
    lines = (run.path / "events.jsonl").read_text().splitlines()
    return run.name, [record for line in lines if (record := decode(line)) is not None]


@pytest.mark.parametrize("way", ["osc9", "osc777"])
def test_each_alert_and_each_end_arrives_once(project: Project, start: Start, way: str) -> None:
    write_reference("reversed", project.root / "bank.npz", dim=64, articles=60)  # it alarms
    config = project.root / "lvm.toml"
    config.write_text(config.read_text() + SETTINGS.format(way=way))
    terminal = start("lvm_tui", env={"TMUX": "", "STY": ""})
    terminal.wait_for("Nothing is queued")  # so that everything happens before its eyes
    queue(project, "gru")
    terminal.wait_for("The queue has finished")
    run, records = records_of(project)
    latch = Latch()
    notices = [notice_of(run, record.event) for record in records if latch.take(record.event)]
    expected = [escape(notice, way, {}).encode() for notice in notices if notice is not None]
    assert len(expected) > 1  # alerts, and the end
    terminal.wait_until(
        lambda: terminal.written.count(BEGINS[way]) > len(expected), "word of the queue's end"
    )
    for sequence in expected:
        assert terminal.written.count(sequence) == 1
    assert terminal.written.count(BEGINS[way] + b"queue finished") == 1
    assert terminal.written.count(BEGINS[way]) == len(expected) + 1
