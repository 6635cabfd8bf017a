"""Runners in real processes: killed, doubled, told to end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lvm.errors import LeaseError
from lvm.events import RunStarted
from lvm.runs.eventlog import read_events
from lvm.runs.lease import HeldLease
from lvm.runs.project import Project
from lvm.runs.runner import Runner
from lvm.runs.store import Store
from lvm.settings import DataSettings, Job

from .conftest import FakeClock

PROGRAM = Path(__file__).with_name("runner_process.py")


class Process:
    """A runner that says in JSON lines what it does."""

    def __init__(self, root: Path) -> None:
        self.popen = subprocess.Popen(
            [sys.executable, str(PROGRAM), str(root)], stdout=subprocess.PIPE, text=True
        )

    def says(self) -> dict[str, Any]:
        assert self.popen.stdout is not None
        line = self.popen.stdout.readline()
        assert line, "the runner ended too early"
        return json.loads(line)  # type: ignore[no-any-return]

    def is_in_full_flight(self) -> dict[str, Any]:
        """Its first word, after it has trained five epochs."""
        started = self.says()
        assert "epochs" in self.says()
        return started


@contextmanager
def runner(root: Path) -> Iterator[Process]:
    process = Process(root)
    try:
        yield process
    finally:
        process.popen.kill()
        process.popen.communicate()


def project_with_two_jobs(root: Path) -> Project:
    project = Project(root)
    for model in ("gru", "amn"):
        job = Job(data=DataSettings(bank="b.npz"))
        project.store().add_job(Job(train=job.train.changed(model=model), data=job.data))
    return project


def test_the_job_of_a_killed_runner_is_resumed_at_once_by_the_next(tmp_path: Path) -> None:
    project = project_with_two_jobs(tmp_path)
    for turn in range(3):
        with runner(tmp_path) as process:
            assert process.is_in_full_flight() == {"started": "gru", "resumed": turn > 0}
            process.popen.send_signal(signal.SIGKILL)
    row = project.store().job(1)
    assert row.state == "running"
    assert project.runs()[0].state == "interrupted"
    events = [record.event for record in read_events(project.run(row.run).events)]
    starts = [event.step for event in events if isinstance(event, RunStarted)]
    assert len(starts) == 3
    assert starts == sorted(set(starts))
    seqs = [record.seq for record in read_events(project.run(row.run).events)]
    assert seqs == list(range(len(seqs)))
    record = json.loads((project.models / row.run / "run.json").read_text())
    assert len(record["resumed"]) == 2


def test_a_second_runner_is_refused_while_the_first_lives(tmp_path: Path) -> None:
    project = project_with_two_jobs(tmp_path)
    with runner(tmp_path) as process:
        process.is_in_full_flight()
        with pytest.raises(LeaseError, match=f"process {process.popen.pid} on "):
            Runner(project).run()
        assert project.runs()[0].state == "running"
        project.store().send("stop", by="ann@mac:1")
        assert process.says() == {"end": "stopped"}
    assert [row.state for row in project.store().jobs()] == ["stopped", "queued"]
    assert project.store().job(1).note == "stopped by ann@mac:1"


def test_a_runner_that_gets_sigterm_leaves_its_job_and_its_lease(tmp_path: Path) -> None:
    project = project_with_two_jobs(tmp_path)
    with runner(tmp_path) as process:
        process.is_in_full_flight()
        process.popen.terminate()
        assert process.says() == {"end": "asked"}
        assert process.popen.wait() == 0
    assert project.store().read_lease() is None
    assert [row.state for row in project.store().jobs()] == ["queued", "queued"]
    with runner(tmp_path) as process:
        assert process.is_in_full_flight() == {"started": "gru", "resumed": True}


def test_a_runner_that_was_frozen_and_replaced_writes_nothing_more(tmp_path: Path) -> None:
    """Ctrl-Z for a minute, by the clock of all that take part."""
    project = project_with_two_jobs(tmp_path)
    with runner(tmp_path) as process:
        process.is_in_full_flight()
        process.popen.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.popen.pid, os.WSTOPPED)
        before = read_events(project.run(project.store().job(1).run).events)
        (tmp_path / "shift").write_text("60")
        clock = FakeClock(time.time() + 60)
        with HeldLease(Store(project.database, clock), clock, by="bob@far:2") as mine:
            assert mine.taken_from is not None
            assert mine.taken_from.pid == process.popen.pid
            process.popen.send_signal(signal.SIGCONT)
            assert process.popen.wait() == 1  # LeaseError, which the little program does not catch
            mine.check()
    after = read_events(project.run(project.store().job(1).run).events)
    assert len(after) - len(before) <= 1  # the one that was being written
    assert project.store().job(1).state == "running"  # for its new holder to take up
