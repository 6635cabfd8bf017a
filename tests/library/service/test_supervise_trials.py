"""What can happen to services in a long life. Minutes: marked heavy."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch

from lvm.errors import LvmError, ServiceError
from lvm.service.manager import Manager
from lvm.service.status import ServiceStatus
from lvm.service.supervisord import RETRIES, Home, call, state

from .conftest import five_vectors, write_checkpoint
from .hammer import Hammer
from .supervised import HOST, MODELS, client_of, manager_of, only

pytestmark = pytest.mark.heavy


def wait_until(true: Callable[[], Any], what: str, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.05)


class Hostile:
    def __init__(self, evidence: Path) -> None:
        self.evidence = evidence

    def __reduce__(self) -> tuple[object, ...]:
        return (os.system, (f"touch '{self.evidence}'",))


def bad_files(good: Path, folder: Path) -> dict[str, Path]:
    """Kind → a file that no service may answer with."""
    files = {kind: folder / f"{kind}.pt" for kind in ("truncated", "shape", "nan", "hostile")}
    files["truncated"].write_bytes(good.read_bytes()[:-2000])
    document = torch.load(good, weights_only=False)
    weights = document["model_state_dict"]
    name = next(key for key, value in weights.items() if value.ndim == 2)
    torch.save(
        document | {"model_state_dict": weights | {name: weights[name][:-1]}}, files["shape"]
    )
    torch.save(
        document | {"model_state_dict": weights | {name: weights[name] * torch.nan}}, files["nan"]
    )
    torch.save(document | {"note": Hostile(folder / "evidence")}, files["hostile"])
    return files


def swap(project: Path, file: Path) -> None:
    link = project / MODELS / "gru_v0.pt"
    beside = link.with_suffix(".new")
    beside.symlink_to(file)
    beside.replace(link)


def test_a_bad_checkpoint_answers_nothing_and_the_old_one_answers_all_the_while(
    project: Path, tmp_path: Path
) -> None:
    manager = manager_of(project)
    good = write_checkpoint(tmp_path / "good.pt", seed=7)
    swap(project, good)
    manager.start(["gru"])
    pid = only(manager, "gru").pid
    with client_of(manager, "gru") as client:
        before = client.predict(five_vectors())
        hammer = Hammer(manager.services.service("gru").port, timeout=5)
        hammer.start(4)
        for kind, file in bad_files(good, tmp_path).items():
            swap(project, file)
            begun = time.monotonic()
            with pytest.raises(ServiceError, match="ended while starting") as caught:
                manager.restart(["gru"])
            print(f"{kind}: refused after {time.monotonic() - begun:.1f} s")
            assert f"pid {pid} goes on" in caught.value.fix
            assert (only(manager, "gru").pid, only(manager, "gru").current) == (pid, False)
            again = client.predict(five_vectors())  # batches of other sizes round otherwise
            assert again == pytest.approx(before, abs=1e-5)
        hammer.stop()
    assert hammer.failures == []
    assert not (tmp_path / "evidence").exists()


def test_a_crash_loop_is_given_up_with_its_reason_and_its_port_refuses(
    project: Path, tmp_path: Path
) -> None:
    manager = manager_of(project)
    port = manager.services.service("gru").port
    good = (project / MODELS / "gru_v0.pt").rename(tmp_path / "good.pt")
    swap(project, good)
    manager.start(["gru"])
    swap(project, bad_files(good, tmp_path)["nan"])
    os.kill(only(manager, "gru").pid, signal.SIGKILL)

    wait_until(lambda: only(manager, "gru").state == "failed", "it is given up", 120)
    given_up = only(manager, "gru")
    assert given_up.note == "given up: exit status 2"
    assert given_up.exits == 1 + RETRIES
    assert any("NaN" in line or "nan" in line for line in manager.logs("gru", 20))
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((HOST, port), 1)

    swap(project, good)
    with (
        socket.create_server((HOST, port)),
        pytest.raises(ServiceError, match=rf"port {port} of service gru.*pid {os.getpid()}"),
    ):
        manager.start(["gru"])
    manager.start(["gru"])
    assert only(manager, "gru").state == "running"


def test_a_restart_that_was_killed_is_put_right_by_the_next(project: Path) -> None:
    manager = manager_of(project)
    manager.start(["gru"])
    first = only(manager, "gru").pid
    command = [sys.executable, "-m", "lvm", "services", "restart", "gru", "--root", str(project)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as restarting:
        wait_until(lambda: only(manager, "gru").pid != first, "the new process began")
        restarting.kill()
    assert f"pid {first} answers too" in only(manager, "gru").note
    second = only(manager, "gru").pid

    manager.restart(["gru"])
    found = only(manager, "gru")
    assert (found.state, found.note) == ("running", "")
    assert found.pid not in (first, second)
    assert not psutil.pid_exists(first)
    assert not psutil.pid_exists(second)


def test_a_supervisord_that_hangs_is_told_and_hangs_nothing(project: Path) -> None:
    manager = manager_of(project)
    manager.start(["gru"])
    home = Home(project.resolve())
    pid = int((home.folder / "supervisord.pid").read_text())
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(ServiceError, match=rf"supervisord \(pid {pid}\) does not answer"):
            call(home, "supervisor.getState", seconds=0.2)
        with client_of(manager, "gru") as client:
            assert client.health()["status"] == "ok"
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_start_waits_for_a_supervisord_that_shuts_down(project: Path) -> None:
    manager = manager_of(project)
    manager.start(["gru"])
    home = Home(project.resolve())
    pid = int((home.folder / "supervisord.pid").read_text())
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: state(home) == "SHUTDOWN", "it shuts down")
    assert only(manager, "gru").state == "stopping"
    manager.start(["gru"])
    assert only(manager, "gru").state == "running"
    assert int((home.folder / "supervisord.pid").read_text()) != pid


def test_looks_never_fail_while_a_service_comes_and_goes(project: Path) -> None:
    manager, other = manager_of(project), manager_of(project)
    seen: set[str] = set()

    def look(manager: Manager) -> ServiceStatus | LvmError:
        try:
            return only(manager, "gru")
        except LvmError as error:
            return error

    command = [sys.executable, "-m", "lvm", "services"]
    for verb in ("start", "restart", "stop"):
        with subprocess.Popen([*command, verb, "gru", "--root", str(project)]) as changing:
            while changing.poll() is None:
                found = look(other)
                assert isinstance(found, ServiceStatus), found
                seen.add(found.state)
        assert changing.returncode == 0
    assert {"starting", "running", "stopped"} <= seen
    assert seen <= {"starting", "running", "stopped", "stopping", "silent"}
    assert only(manager, "gru").state == "stopped"
