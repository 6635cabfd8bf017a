"""Services under a real supervisord, in a project and on ports of a test's own."""

from __future__ import annotations

import socket
from pathlib import Path

from lvm.config import load_config
from lvm.service.client import ServiceClient
from lvm.service.manager import Manager, open_manager
from lvm.service.status import ServiceStatus

MODELS = "artifacts/lvm/models"
HOST = "127.0.0.1"


def free_port() -> int:
    with socket.create_server((HOST, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def manager_of(root: Path) -> Manager:
    return open_manager(root, load_config(root).services)


def only(manager: Manager, name: str) -> ServiceStatus:
    return manager.status([name])[0]


def client_of(manager: Manager, name: str, timeout: float = 30) -> ServiceClient:
    return ServiceClient(HOST, manager.services.service(name).port, timeout)
