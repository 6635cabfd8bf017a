"""A project folder with a small real bank, and the real program in a real pty on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lvm.data.reference import write_reference
from lvm.runs.project import Project
from tests.terminal.terminal import Terminal

Start = Callable[..., Terminal]

SETTINGS = """
[data]
bank = "bank.npz"
[train]
epochs = {epochs}
batch_size = 16
d_model = 32
hidden_dim = 32
fivecat_every = 2
checkpoint_every = 2
fivecat_samples = 200
fivecat_horizon = 2
on_severe = "alert"
device = "cpu"
"""
"""Small enough for seconds; the first margins are negative, so alerts are raised."""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    write_reference("forward", tmp_path / "bank.npz", dim=64, articles=60)
    return set_epochs(Project(tmp_path), 4)


def set_epochs(project: Project, epochs: int) -> Project:
    (project.root / "lvm.toml").write_text(SETTINGS.format(epochs=epochs))
    return project


@pytest.fixture
def start(project: Project) -> Iterator[Start]:
    """Start a program of this project in a terminal; all are killed after the test."""
    started: list[Terminal] = []

    def begin(*arguments: str, **how: object) -> Terminal:
        terminal = Terminal("-m", *arguments, cwd=project.root, **how)  # type: ignore[arg-type]
        started.append(terminal)
        return terminal

    yield begin
    for terminal in started:
        terminal.kill()
