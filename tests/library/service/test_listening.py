"""The socket of a service: its own, or one that is handed over."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from lvm.errors import InputError, RunError
from lvm.service.serving import address, inherited, listen


def test_port_0_is_any_free_one_and_is_told() -> None:
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        assert address(listener) == f"http://127.0.0.1:{port}"
        with pytest.raises(RunError, match="Address already in use") as caught:
            listen("127.0.0.1", port)
    assert str(port) in caught.value.where
    assert "--port" in caught.value.fix


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 99_999), ("127.0.0.1", -1), ("a b", 80)])
def test_what_is_no_address_is_refused(host: str, port: int) -> None:
    with pytest.raises(InputError):
        listen(host, port)


def test_a_socket_is_taken_over_only_if_it_listens(tmp_path: Path) -> None:
    with listen("127.0.0.1", 0) as held, inherited(held.fileno()) as taken:
        assert taken.getsockname() == held.getsockname()
    with (
        socket.socket() as idle,
        pytest.raises(InputError, match="does not listen"),
    ):
        inherited(idle.fileno())
    with (tmp_path / "file").open("w") as file, pytest.raises(InputError, match="no socket"):
        inherited(file.fileno())
    free = os.dup(0)
    os.close(free)
    with pytest.raises(InputError, match="Bad file descriptor"):
        inherited(free)
