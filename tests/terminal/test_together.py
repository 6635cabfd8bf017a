"""Several terminals on one training, and what leaving one of them does to it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

import psutil
import pytest

from lvm.runs.project import Project
from tests.terminal.conftest import Start, set_epochs
from tests.terminal.terminal import DEADLINE
from tests.terminal.test_whole import assert_no_gap, events_of, kinds_of, queue


@pytest.fixture
def runner(project: Project) -> Iterator[subprocess.Popen[bytes]]:
    """A GRU that trains without a screen."""
    queue(set_epochs(project, 400), "gru")
    process = subprocess.Popen(
        [sys.executable, "-m", "lvm", "queue", "run"],
        cwd=project.root,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    end = time.monotonic() + DEADLINE
    while project.store().lease() is None:  # else a dashboard that is quicker would train
        assert time.monotonic() < end, "the runner does not begin"
        time.sleep(0.05)
    yield process
    process.kill()
    process.wait()


def test_dashboards_beside_a_runner_see_the_same_and_each_may_steer(
    project: Project, start: Start, runner: subprocess.Popen[bytes]
) -> None:
    first = start("lvm_tui")
    second = start("lvm_tui", columns=80, rows=24)
    only_looks = start("lvm_tui", "watch")
    first.wait_until(lambda: "epoch_finished" in kinds_of(project), "first epoch")
    first.press(" ")
    for terminal in (first, second, only_looks):
        terminal.wait_for("gru_5cat_", "paused")
    only_looks.press(" ")
    only_looks.wait_for("look only")
    assert kinds_of(project)[-1] == "paused"
    second.press(" ")
    for terminal in (first, second, only_looks):
        terminal.wait_until(lambda t=terminal: "paused" not in t.text, "the training again")
    first.press("q")
    assert first.wait_for_exit() == 0
    assert runner.poll() is None, "leaving one that only attached ends nothing"
    second.press("s")
    second.wait_for("[y]")
    second.press("y")
    assert runner.wait(timeout=45) == 1, "what was stopped by a person is not ready"
    assert events_of(project)[-1]["outcome"] == "stopped"
    assert_no_gap(events_of(project))


def test_leaving_asks_and_its_answers_do_what_they_say(project: Project, start: Start) -> None:
    queue(set_epochs(project, 400), "gru")
    terminal = start("lvm_tui")
    terminal.wait_until(lambda: "epoch_finished" in kinds_of(project), "first epoch")
    terminal.press("q")
    terminal.wait_for("[g] go on without a screen", "[s] stop after a checkpoint", "[y] stay")
    terminal.press("y")
    before = kinds_of(project).count("epoch_finished")
    terminal.wait_until(
        lambda: kinds_of(project).count("epoch_finished") > before + 1, "more epochs"
    )
    terminal.press("q")
    terminal.wait_for("[s] stop")
    terminal.press("s")
    assert terminal.wait_for_exit() == 0
    (job,) = project.store().jobs()
    assert job.state == "queued", "the next start goes on"
    assert events_of(project)[-1]["type"] == "run_finished"


def test_a_dead_terminal_costs_no_time(project: Project, start: Start) -> None:
    queue(set_epochs(project, 400), "gru")
    terminal = start("lvm_tui")
    terminal.wait_until(lambda: "epoch_finished" in kinds_of(project), "first epoch")
    terminal.press(" ")
    terminal.wait_until(lambda: kinds_of(project)[-1:] == ["paused"], "pause")
    process = psutil.Process(terminal.process.pid)
    terminal.hang_up()
    again = start("lvm_tui", "watch")
    again.wait_for("paused")
    used = process.cpu_times()
    again.read(2.0)
    now = process.cpu_times()
    spent = now.user + now.system - used.user - used.system
    assert spent < 1.0, "a loop on a dead terminal would have taken two seconds"


def test_a_storm_of_resizes_leaves_a_whole_picture(project: Project, start: Start) -> None:
    queue(set_epochs(project, 400), "gru")
    terminal = start("lvm_tui")
    terminal.wait_until(lambda: "epoch_finished" in kinds_of(project), "first epoch")
    for step in range(40):
        terminal.resize(60 + step * 37 % 240, 12 + step * 17 % 80)
        terminal.read(0.02)
    terminal.resize(120, 40)
    terminal.wait_for("gru_5cat_", "1 Dashboard", "5CAT gates", "cosine")
    count = kinds_of(project).count("epoch_finished")
    terminal.wait_until(
        lambda: kinds_of(project).count("epoch_finished") > count, "the training goes on"
    )


def test_a_dashboard_whose_trainer_was_killed_says_so_and_takes_over(
    project: Project, start: Start, runner: subprocess.Popen[bytes]
) -> None:
    other = start("lvm_tui")
    other.wait_until(lambda: "epoch_finished" in kinds_of(project), "first epoch")
    other.wait_for("gru_5cat_", "space pause", "s stop")
    runner.kill()
    other.wait_for("its runner is gone", "■ gru", "nobody trains: space goes on", "space go on")
    assert "s stop" not in other.text
    other.press("2")
    other.wait_for("1 interrupted", "■ interrupted")
    other.press(" ")
    other.wait_for("1 training", "trains here")
    other.wait_until(lambda: events_of(project)[-1]["type"] == "batch", "its batches")
    assert_no_gap(events_of(project))
