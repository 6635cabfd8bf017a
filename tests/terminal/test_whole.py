"""The real lvm-tui in a real pty: trains a small bank, is steered by keys, leaves whole files."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch

from lvm.runs.project import Project
from lvm.settings import Job
from tests.terminal.conftest import Start, set_epochs


def queue(project: Project, *models: Any) -> None:
    config = project.config()
    for model in models:
        train = config.train.changed(model=model)
        project.store().add_job(Job(train=train, data=config.data))


def events_of(project: Project) -> list[dict[str, Any]]:
    (run,) = project.runs()
    lines = (run.path / "events.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def kinds_of(project: Project) -> list[str]:
    return [event["type"] for event in events_of(project)] if project.runs() else []


def assert_no_gap(events: list[dict[str, Any]]) -> None:
    assert [event["seq"] for event in events] == list(range(len(events)))


def test_a_queue_of_four_is_trained_tested_alarmed_and_summed_up(
    project: Project, start: Start
) -> None:
    queue(set_epochs(project, 12), "transformer", "gru", "lstm", "amn")
    terminal = start("lvm_tui")
    terminal.wait_for("transformer_5cat_", "5CAT", "coherence")
    terminal.wait_for("[a] acknowledge")
    terminal.press("a")
    terminal.wait_until(
        lambda: any(
            '"type":"alert_acknowledged"' in (run.path / "events.jsonl").read_text()
            for run in project.runs()
        ),
        "acknowledgement in a log",
    )
    terminal.wait_until(
        lambda: [job.state for job in project.store().jobs()] == ["done"] * 4, "end of the queue"
    )
    terminal.wait_for("transformer", "gru", "lstm", "amn", "ready")
    for run in project.runs():
        assert {path.name for path in run.path.iterdir()} >= {
            "run.json",
            "events.jsonl",
            "training.log",
            "training_history.json",
            "best_model.pt",
            "best_5cat_model.pt",
            "checkpoint_epoch2.pt",
            "checkpoint_epoch4.pt",
            "last.pt",
        }
        assert run.state == "completed"
    terminal.press("q")
    assert terminal.wait_for_exit() == 0


def test_space_pauses_the_training_and_goes_on(project: Project, start: Start) -> None:
    queue(set_epochs(project, 400), "gru")
    terminal = start("lvm_tui")
    terminal.wait_until(lambda: "epoch_finished" in kinds_of(project), "first epoch")
    terminal.press(" ")
    terminal.wait_for("paused")
    terminal.wait_until(lambda: "paused" in kinds_of(project), "pause in the log")
    before = len(events_of(project))
    terminal.read(0.5)
    assert len(events_of(project)) == before
    terminal.press(" ")
    terminal.wait_until(lambda: "resumed" in kinds_of(project), "resumption in the log")
    terminal.press("s")
    terminal.wait_for("after a checkpoint", "[y]")
    terminal.press("y")
    terminal.wait_until(lambda: "run_finished" in kinds_of(project), "end of the run")
    assert events_of(project)[-1]["outcome"] == "stopped"
    assert_no_gap(events_of(project))


def test_a_closed_terminal_does_not_end_the_training_and_a_new_one_shows_the_whole_curve(
    project: Project, start: Start
) -> None:
    queue(set_epochs(project, 60), "gru")
    terminal = start("lvm_tui")
    terminal.wait_until(lambda: kinds_of(project).count("epoch_finished") >= 2, "second epoch")
    terminal.hang_up()
    again = start("lvm_tui", columns=80, rows=24)
    again.wait_for("gru_5cat_", "attached to")
    again.wait_until(
        lambda: project.store().jobs()[0].state == "done", "end of the training without a screen"
    )
    assert kinds_of(project).count("epoch_finished") == 60
    assert_no_gap(events_of(project))
    again.press("q")
    assert again.wait_for_exit() == 0
    assert terminal.wait_unseen() == 0


def test_a_training_that_went_on_without_its_screen_survives_the_end_of_the_terminal(
    project: Project, start: Start
) -> None:
    queue(set_epochs(project, 40), "gru")
    terminal = start("lvm_tui")
    terminal.wait_until(lambda: kinds_of(project).count("epoch_finished") >= 2, "second epoch")
    terminal.press("q")
    terminal.wait_for("[g]")
    terminal.press("g")
    terminal.wait_for("training goes on here")
    terminal.hang_up()
    assert terminal.wait_unseen() == 0
    assert project.store().jobs()[0].state == "done"
    assert kinds_of(project).count("epoch_finished") == 40


def test_sigterm_keeps_a_checkpoint_gives_the_lease_back_and_exits_with_0(
    project: Project, start: Start
) -> None:
    queue(set_epochs(project, 400), "amn")
    terminal = start("lvm_tui")
    terminal.wait_until(lambda: kinds_of(project).count("epoch_finished") >= 2, "second epoch")
    terminal.process.kill(signal.SIGTERM)
    assert terminal.wait_for_exit() == 0
    assert project.store().lease() is None
    (run,) = project.runs()
    state = torch.load(run.path / "last.pt", weights_only=True)["state"]
    assert state["step"] > 0


def test_kill_9_leaves_whole_files_and_the_next_start_goes_on(
    project: Project, start: Start
) -> None:
    queue(set_epochs(project, 60), "gru")
    terminal = start("lvm_tui")
    terminal.wait_until(lambda: kinds_of(project).count("epoch_finished") >= 3, "third epoch")
    terminal.kill()
    terminal.wait_for_exit()
    (run,) = project.runs()
    for path in run.path.glob("*.pt"):
        torch.load(path, weights_only=True)
    json.loads((run.path / "training_history.json").read_text())
    again = start("lvm_tui")
    again.wait_until(
        lambda: any(e["type"] == "run_started" and e["resumed"] for e in events_of(project)),
        "resumption of the run",
    )
    assert len(project.runs()) == 1
    assert_no_gap(events_of(project))


def test_watch_only_looks(project: Project, start: Start) -> None:
    queue(project, "amn")
    done = subprocess.run(
        [sys.executable, "-m", "lvm", "queue", "run"], cwd=project.root, timeout=90
    )
    assert done.returncode in (0, 1)
    before = {path: path.stat().st_mtime_ns for path in files_of(project)}
    terminal = start("lvm_tui", "watch")
    terminal.wait_for("amn_5cat_", "look only")
    terminal.press("as ")
    terminal.press("q")
    assert terminal.wait_for_exit() == 0
    assert {path: path.stat().st_mtime_ns for path in files_of(project)} == before


def files_of(project: Project) -> list[Path]:
    (run,) = project.runs()
    return sorted(run.path.iterdir())


def test_without_a_terminal_the_way_to_train_is_named(project: Project) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "lvm_tui"],
        cwd=project.root,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
    )
    assert done.returncode == 2
    assert "lvm queue run" in done.stderr
