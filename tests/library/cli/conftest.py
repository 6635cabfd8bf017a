"""The lvm command in this process, in a project folder of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lvm.cli import main

from .documents import assert_valid

Call = Callable[..., tuple[int, str, str]]

TINY = """
[train]
epochs = 2
batch_size = 32
d_model = 16
hidden_dim = 16
fivecat_every = 1
fivecat_samples = 40
fivecat_horizon = 2
on_severe = "alert"
device = "cpu"
[data]
bank = "bank.npz"
"""


@pytest.fixture
def lvm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Call:
    """Call it: (exit code, standard output, standard error). What it prints for --json is held
    against the command's schema."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        said = capsys.readouterr()
        if "--json" in arguments:
            assert_valid(arguments, said.out, code)
        return code, said.out, said.err

    return call


@pytest.fixture
def project(tmp_path: Path, lvm: Call) -> Path:
    """A project folder with a small reference bank."""
    code, _, _ = lvm("reference", "forward", "--out", "bank.npz", "--dim", "32", "--articles", "40")
    assert code == 0
    (tmp_path / "lvm.toml").write_text(TINY)
    return tmp_path
