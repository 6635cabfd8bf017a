"""Services under a real supervisord: what starts, what survives, what is refused in words."""

from __future__ import annotations

import os
import signal
import socket
import threading
from pathlib import Path

import psutil
import pytest

from lvm.clock import SystemClock
from lvm.config import load_config
from lvm.errors import InputError, ServiceError
from lvm.service.supervise import Supervisor
from lvm.service.supervisord import LONGEST_SOCKET, Home, is_alive

from .conftest import five_vectors, write_checkpoint
from .hammer import Hammer
from .supervised import HOST, MODELS, client_of, free_port, manager_of, only


def test_a_service_starts_comes_back_after_a_crash_and_never_serves_a_bad_file(
    project: Path,
) -> None:
    manager = manager_of(project)
    assert only(manager, "gru").state == "stopped"
    manager.start(["gru"])
    first = only(manager, "gru")
    assert (first.state, first.current, first.exits) == ("running", True, 0)
    manager.start(["gru"])
    assert only(manager, "gru").pid == first.pid, "what runs is left alone"

    os.kill(first.pid, signal.SIGKILL)
    with client_of(manager, "gru") as client:
        second = client.health()  # the socket is held: the request waits
        assert second["pid"] != first.pid
        crashed = only(manager, "gru")
        assert (crashed.exits, crashed.note) == (1, "last ended: terminated by SIGKILL")

        model = project / MODELS / "gru_v0.pt"
        good, before = model.read_bytes(), client.predict(five_vectors())
        model.write_bytes(good[:3000])
        with pytest.raises(ServiceError, match=r"ended while starting.*not a checkpoint"):
            manager.restart(["gru"])
        still = only(manager, "gru")
        assert (still.state, still.pid, still.current) == ("running", second["pid"], False)
        assert client.predict(five_vectors()) == pytest.approx(before), "the old one goes on"
        model.write_bytes(good)
        manager.restart(["gru"])
        assert only(manager, "gru").pid not in (first.pid, second["pid"])
        assert client.predict(five_vectors()) == pytest.approx(before)
    manager.stop(["gru"])
    with pytest.raises(ServiceError), client_of(manager, "gru", 1) as client:
        client.health()
    assert only(manager, "gru").state == "stopped"


def test_keep_alive_clients_lose_nothing_and_wait_for_nothing_while_it_is_restarted(
    project: Path,
) -> None:
    manager = manager_of(project)
    at_once = [threading.Thread(target=manager_of(project).start, args=(["gru"],)) for _ in "12"]
    for thread in at_once:
        thread.start()
    for thread in at_once:
        thread.join(60)
    assert only(manager, "gru").state == "running", "two that start it do not meet"
    hammer = Hammer(manager.services.service("gru").port, timeout=2)
    hammer.start(4)
    pids = {only(manager, "gru").pid}
    for _ in range(2):
        manager.restart(["gru"])
        pids.add(only(manager, "gru").pid)
    hammer.stop()
    assert hammer.failures == []
    assert hammer.answered > 100
    assert len(pids) == 3


def test_services_that_a_killed_supervisord_left_behind_make_room(project: Path) -> None:
    manager = manager_of(project)
    manager.start(["gru"])
    orphan = psutil.Process(only(manager, "gru").pid)
    home = Home(project.resolve())
    supervisord = psutil.Process(int((home.folder / "supervisord.pid").read_text()))
    supervisord.kill()
    supervisord.wait(10)
    left = only(manager, "gru")
    assert (left.state, left.pid) == ("running", orphan.pid)
    assert "its supervisord was killed" in left.note
    manager.start(["gru"])
    assert not orphan.is_running()
    assert only(manager, "gru").state == "running"

    write_checkpoint(project / MODELS / "amn_v0.pt", "amn")
    port = manager.services.service("amn").port
    with (
        socket.create_server((HOST, port)),
        pytest.raises(ServiceError, match=rf"port {port} of service amn.*pid {os.getpid()}"),
    ):
        manager.start(["amn"])
    assert only(manager, "gru").state == "running"

    settings, other = project / "lvm.toml", free_port()
    before = manager.services.service("gru").port
    settings.write_text(settings.read_text().replace(str(before), str(other)))
    manager = manager_of(project)
    manager.restart(["gru"])
    moved = only(manager, "gru")
    assert (moved.state, moved.port) == ("running", other), "another port is taken up"
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((HOST, before), 1)


def test_a_service_without_a_model_is_not_started(project: Path) -> None:
    manager = manager_of(project)
    with pytest.raises(InputError) as caught:
        manager.start(["gru", "lstm"])
    assert caught.value.where.endswith("lstm_v0.pt")
    assert "lvm promote" in caught.value.fix
    assert not is_alive(Home(project.resolve()))


def test_a_long_path_has_its_socket_elsewhere_in_a_folder_of_this_user_alone(
    tmp_path: Path,
) -> None:
    near, far = Home(Path("/srv")), Home(tmp_path / ("long" * 30), temporary=tmp_path)
    assert near.socket.parent == near.folder
    assert far.socket.parent != far.folder
    assert len(os.fsencode(Home(far.root).socket)) <= LONGEST_SOCKET
    (tmp_path / f"lvm-{os.getuid()}").mkdir(mode=0o777)
    (tmp_path / f"lvm-{os.getuid()}").chmod(0o777)
    with pytest.raises(ServiceError, match="not a folder of this user alone"):
        far.prepare()


def test_looking_at_a_project_that_never_had_services_makes_nothing(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, load_config(tmp_path).services, SystemClock())
    assert supervisor.processes(["gru"])["gru"].state == "stopped"
    assert supervisor.logs("gru", 5) == []
    assert list(tmp_path.iterdir()) == []
