"""Services that the site's own commands start and stop."""

from __future__ import annotations

import contextlib
from pathlib import Path

import psutil
import pytest

from lvm.config import ServicesSettings, parse_config
from lvm.errors import ServiceError, SettingsError
from lvm.service.own_commands import OwnCommands


def services(**commands: str) -> ServicesSettings:
    lines = "\n".join(f"{verb} = '''{command}'''" for verb, command in commands.items())
    text = f"[services]\nmanager = 'commands'\ncommand_seconds = 0.5\n[services.gru]\n{lines}"
    return parse_config(text, "lvm.toml").services


def test_each_verb_runs_its_command_in_the_project_and_knows_the_service(tmp_path: Path) -> None:
    control = OwnCommands(
        tmp_path,
        services(
            start="echo start $LVM_SERVICE >> said",
            stop="echo stop $LVM_SERVICE >> said",
            status="test -e said && echo since noon",
            logs="cat said",
        ),
    )
    waited: list[tuple[str, str]] = []
    assert control.processes(["gru"])["gru"].state == "stopped"
    control.start(["gru"])
    control.restart(["gru"], lambda name, look: waited.append((name, look().state)))
    assert waited == [("gru", "running")]
    assert control.logs("gru", 2) == ["stop gru", "start gru"]
    process = control.processes(["gru"])["gru"]
    assert (process.state, process.note) == ("running", "since noon")


def test_a_restart_command_is_used_where_there_is_one(tmp_path: Path) -> None:
    control = OwnCommands(tmp_path, services(restart="touch restarted", stop="false"))
    control.restart(["gru"], lambda name, look: None)
    assert (tmp_path / "restarted").exists()


def test_a_command_that_fails_is_shown_with_what_it_said(tmp_path: Path) -> None:
    control = OwnCommands(tmp_path, services(start="echo no such unit; exit 5"))
    with pytest.raises(ServiceError, match=r"exits with 5: no such unit"):
        control.start(["gru"])


def test_a_command_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    control = OwnCommands(tmp_path, services(start="sleep 60 & echo $! > pid; wait"))
    with pytest.raises(ServiceError, match=r"longer than 0\.5 s"):
        control.start(["gru"])
    pid = int((tmp_path / "pid").read_text())
    with contextlib.suppress(psutil.NoSuchProcess):
        child = psutil.Process(pid)
        psutil.wait_procs([child], timeout=10)
        assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_a_command_that_is_not_set_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        OwnCommands(tmp_path, services()).stop(["gru"])
    assert "no stop command" in caught.value.what
    assert "[services.gru]" in caught.value.where
