"""The dashboard on a real project folder, real logs and a real lvm.db; and the program's start."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lvm import events as e
from lvm.errors import InputError
from lvm.runs.eventlog import EventWriter, read_events
from lvm.runs.lease import HeldLease
from lvm.runs.project import Project
from lvm.settings import Job, TrainSettings
from lvm_tui.__main__ import main
from lvm_tui.live import Live
from lvm_tui.state.views import Frame, RunnerView
from lvm_tui.workspace import Workspace

from .disk import SetClock
from .scripted import Plan, Script, begin, training

OLD, NEW = "gru_5cat_20251029_080000", "transformer_5cat_20251030_220000"


def put(root: Path, run: str, script: Script) -> None:
    script.write(root / "artifacts" / "lvm" / "models" / run / "events.jsonl")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with two runs; the newer one has two open alerts."""
    old = Script()
    begin(old, Plan(OLD, "gru"))
    put(tmp_path, OLD, old)
    put(tmp_path, NEW, training())
    return tmp_path


@pytest.fixture
def workspace(root: Path) -> Iterator[Workspace]:
    workspace = Workspace(root, clock=SetClock())
    yield workspace
    workspace.store.close()


def frame_of(workspace: Workspace, **options: str) -> Frame:
    live = Live(workspace, **options)  # type: ignore[arg-type]
    while live.poll().catching_up:
        pass
    return live.frame


def test_the_newest_run_is_shown_when_nothing_trains(workspace: Workspace) -> None:
    frame = frame_of(workspace)
    assert frame.run is not None
    assert frame.run.run == NEW
    assert frame.run.epoch == 7
    assert frame.runner == RunnerView()


def test_the_run_that_trains_is_shown_before_a_newer_one(workspace: Workspace) -> None:
    number = workspace.store.add_job(Job(train=TrainSettings(model="gru")), run=OLD)
    workspace.store.take_next()
    lease = workspace.store.take_lease("ada@host:tty1", instead_of=None)
    assert lease is not None
    frame = frame_of(workspace)
    assert frame.run is not None
    assert frame.run.run == OLD
    assert [(job.id, job.model, job.state) for job in frame.jobs] == [(number, "gru", "running")]
    workspace.store.release_lease(lease.token)  # as if its holder had been killed
    frame = frame_of(workspace)
    assert frame.run is not None
    assert frame.run.run == OLD
    assert [(job.id, job.state) for job in frame.jobs] == [(number, "interrupted")]


def test_when_nothing_trains_the_run_that_ended_last_is_shown(workspace: Workspace) -> None:
    """An older one that was taken up again, say."""
    for run in (NEW, OLD):
        workspace.store.add_job(Job(train=TrainSettings(model="gru")), run=run)
        taken = workspace.store.take_next()
        assert taken is not None
        workspace.clock.sleep(60)
        workspace.store.set_state(taken.id, "done")
    frame = frame_of(workspace)
    assert frame.run is not None
    assert frame.run.run == OLD


def test_a_run_that_begins_later_is_found(workspace: Workspace, root: Path) -> None:
    live = Live(workspace)
    live.poll()
    later = "lstm_5cat_20251031_090000"
    script = Script()
    begin(script, Plan(later, "lstm"))
    (workspace.models / later).mkdir()
    live.poll()  # the folder is there, its log is not
    put(root, later, script)
    live.poll()
    assert live.frame.run is not None
    assert live.frame.run.run == later


def test_a_second_run_of_the_same_second_is_the_newer_one(workspace: Workspace, root: Path) -> None:
    put(root, NEW + "_2", Script())
    put(root, NEW + "_10", Script())
    assert workspace.newest_run() == NEW + "_10"


def test_a_log_that_grows_is_followed_and_a_replaced_one_is_read_anew(
    workspace: Workspace, root: Path
) -> None:
    live = Live(workspace)
    live.poll()
    assert live.frame.run is not None
    steps = live.frame.run.step
    with EventWriter(workspace.folder(NEW) / "events.jsonl", SetClock()) as log:
        log.append(e.Paused(step=steps))
    assert live.poll().run is not None
    assert live.frame.run.phase == "paused"
    script = Script()
    begin(script, Plan())
    (workspace.folder(NEW) / "events.jsonl").unlink()
    put(root, NEW, script)
    live.poll()
    assert live.frame.run.records == 1
    assert live.frame.run.loss.points == 0


def test_a_live_runner_is_recognised_and_that_it_is_this_process(workspace: Workspace) -> None:
    with HeldLease(Project(workspace.project.root, SetClock()).store(), SetClock()):
        runner = workspace.runner()
        assert (runner.alive, runner.here, runner.pid) == (True, True, os.getpid())
    assert not workspace.runner().alive


def test_a_command_reaches_the_runner(workspace: Workspace) -> None:
    workspace.send("pause")
    (command,) = Project(workspace.project.root).store().take_commands()
    assert command.kind == "pause"


def test_with_a_runner_an_alert_is_acknowledged_by_it(workspace: Workspace) -> None:
    alert = frame_of(workspace).alerts[0]
    workspace.acknowledge(alert, Frame(runner=RunnerView(alive=True)))
    (command,) = workspace.store.take_commands()
    assert (command.kind, command.argument, command.run) == ("acknowledge", alert.id, NEW)


def test_without_a_runner_it_is_acknowledged_here_and_for_good(workspace: Workspace) -> None:
    frame = frame_of(workspace)
    assert len(frame.alerts) == 2
    workspace.acknowledge(frame.alerts[0], frame)
    last = read_events(workspace.folder(NEW) / "events.jsonl")[-1]
    assert isinstance(last.event, e.AlertAcknowledged)
    assert last.event.alert == frame.alerts[0].id
    assert len(frame_of(workspace).alerts) == 1
    assert workspace.store.read_lease() is None


def test_jobs_are_read_again_only_when_the_database_changed(workspace: Workspace) -> None:
    workspace.store.add_job(Job())
    first = workspace.jobs()
    assert workspace.jobs() is first
    workspace.store.add_job(Job())
    assert len(workspace.jobs()) == 2


def test_watching_makes_nothing(root: Path) -> None:
    before = sorted(path for path in root.rglob("*"))
    frame = frame_of(Workspace(root, watch=True))
    assert frame.run is not None
    assert sorted(path for path in root.rglob("*")) == before


@pytest.mark.parametrize("word", [NEW, "transformer", NEW[:20]])
def test_a_run_is_found_by_its_name_or_the_beginning_of_it(workspace: Workspace, word: str) -> None:
    assert workspace.find(word) == NEW


def test_a_run_is_found_by_its_folder_anywhere(workspace: Workspace, tmp_path: Path) -> None:
    elsewhere = tmp_path / "backup" / "amn_5cat_20240101_000000"
    script = Script()
    begin(script, Plan(elsewhere.name, "amn"))
    script.write(elsewhere / "events.jsonl")
    run = workspace.find(str(elsewhere))
    frame = frame_of(workspace, run=run)
    assert frame.run is not None
    assert frame.run.model == "amn"


def test_a_run_that_there_is_not_is_refused_with_what_there_is(workspace: Workspace) -> None:
    with pytest.raises(InputError, match="transformr"):
        workspace.find("transformr")


# ------------------------------------------------------------------ the program


def test_without_a_terminal_it_says_what_to_use_instead(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--root", str(root), "watch"]) == 2
    assert "lvm queue run" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["before", "after", "last"])
def test_the_project_may_be_named_before_and_after_the_command(
    root: Path, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """An unknown run there is bad input."""
    where = ["--root", str(root)]
    words = {
        "before": [*where, "watch", "nope"],
        "after": ["watch", *where, "nope"],
        "last": ["watch", "nope", *where],
    }
    assert main(words[form]) == 2
    said = capsys.readouterr().err
    assert "nope" in said
    assert str(root) in said


def test_an_unknown_command_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["wacth"])
    assert ended.value.code == 2
    assert "--help" in capsys.readouterr().err


def test_a_wrong_setting_is_refused_with_its_line(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "lvm.toml").write_text('[dashboard]\nanimations = "some"\n')
    assert main(["--root", str(root), "watch"]) == 2
    assert "lvm.toml:2" in capsys.readouterr().err


def test_the_help_answers_at_once_and_names_every_command() -> None:
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "lvm_tui", "--help"],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert "watch" in done.stdout
    assert "demo" in done.stdout
    assert time.monotonic() - begun < 2.0  # the claim is 0.3 s; a busy machine is slower
