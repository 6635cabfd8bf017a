"""A service on a free port: in a thread of the test's process, or as a process of its own."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from lvm.clock import SystemClock
from lvm.models import build
from lvm.models.checkpoint import save_checkpoint
from lvm.service.answering import open_answering
from lvm.service.app import make_app
from lvm.service.client import ServiceClient
from lvm.service.limits import Limits
from lvm.service.model import ServedModel, load_model
from lvm.service.protocol import ServiceServer, configure
from lvm.service.serving import ServiceSpec, listen
from lvm.service.supervisord import Home, is_alive

from .supervised import MODELS, free_port, manager_of

torch.set_num_threads(1)
DIM = 16


def write_checkpoint(path: Path, model_type: str = "gru", dim: int = DIM, seed: int = 0) -> Path:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = build(model_type, dim, d_model=16, hidden_dim=16)
    save_checkpoint(
        path,
        model_type=model_type,
        config=model.config,
        state_dict=model.state_dict(),
        epoch=1,
        train_loss=0.1,
        train_cosine=0.5,
        val_loss=0.1,
        val_cosine=0.5,
    )
    return path


def five_vectors(seed: int = 0, dim: int = DIM) -> list[list[float]]:
    rows = np.random.default_rng(seed).normal(size=(5, dim))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).tolist()


@dataclass(frozen=True)
class RunningService:
    port: int
    model: ServedModel
    server: ServiceServer

    def client(self) -> ServiceClient:
        return ServiceClient("127.0.0.1", self.port, timeout=20)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)


@contextmanager
def running(
    spec: ServiceSpec, limits: Limits, model: ServedModel | None = None
) -> Iterator[RunningService]:
    """model: instead of the one of `spec`."""
    model = model or load_model(spec.model, spec.device, limits.batch)
    clock = SystemClock()
    answering = open_answering(spec.name, model.dim, spec.bank, spec.encoder, spec.decoder, clock)
    app = make_app(spec.name, model, answering, limits, clock)
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        server = ServiceServer(configure(app, limits), limits)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield RunningService(port, model, server)
        finally:
            server.should_exit = True
            thread.join(timeout=30)
    assert not thread.is_alive()


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("models") / "gru_v0.pt")


@pytest.fixture(scope="session")
def service(checkpoint: Path) -> Iterator[RunningService]:
    """A small GRU with the usual limits, without a bank."""
    with running(ServiceSpec("gru", checkpoint, "cpu"), Limits(drain_seconds=0.05)) as service:
        yield service


@pytest.fixture
def serve(checkpoint: Path) -> Iterator[Callable[..., RunningService]]:
    """serve(limits): the same with other limits."""
    with ExitStack() as stack:

        def start(limits: Limits, spec: ServiceSpec | None = None) -> RunningService:
            spec = spec or ServiceSpec("gru", checkpoint, "cpu")
            return stack.enter_context(running(spec, limits))

        yield start


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """A project with a GRU in production, its ports its own; nothing of it runs on afterwards."""
    root = tmp_path / "it's 100% mine; ü #1 ;"
    (root / MODELS).mkdir(parents=True)
    write_checkpoint(root / MODELS / "gru_v0.pt")
    (root / "lvm.toml").write_text(
        f"[services.gru]\nport = {free_port()}\ndevice = 'cpu'\n"
        f"[services.amn]\nport = {free_port()}\ndevice = 'cpu'\n"
    )
    yield root
    manager_of(root).stop([])
    assert not is_alive(Home(root.resolve()))
