"""A promotion with a real supervised service, from the command line to the answer on the port."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lvm.service.client import ServiceClient

from ..service.conftest import five_vectors, write_checkpoint
from .conftest import sha

pytestmark = pytest.mark.heavy
DIM = 32


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Site:
    def __init__(self, root: Path) -> None:
        self.root, self.port = root, free_port()
        self.models = root / "artifacts/lvm/models"
        (self.models / "one").mkdir(parents=True)
        (self.models / "two").mkdir()
        self.lvm("reference", "forward", "--out", "bank.npz", "--dim", str(DIM), "--articles", "40")
        self.settings()

    def settings(self, extra: str = "", manager: str = "supervisor") -> None:
        (self.root / "lvm.toml").write_text(
            "[data]\nbank = 'bank.npz'\n[fivecat]\nmax_samples = 40\nhorizon = 2\n"
            f"[services]\nmanager = '{manager}'\nstart_seconds = 30\n"
            f"[services.gru]\nport = {self.port}\n{extra}"
        )

    def lvm(self, *words: str) -> tuple[int, Any]:
        done = subprocess.run(
            [sys.executable, "-m", "lvm", *words, "--json"],
            cwd=self.root,
            capture_output=True,
            text=True,
            timeout=120,
        )
        return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr

    def promote(self, run: str, seed: int) -> tuple[int, Any]:
        file = write_checkpoint(self.models / run / "best_5cat_model.pt", seed=seed, dim=DIM)
        return self.lvm("promote", str(file), "--as", "gru", "--override", "a trial")

    def client(self) -> ServiceClient:
        return ServiceClient("127.0.0.1", self.port, timeout=20)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.settings()
    made.lvm("services", "stop")


def test_promote_answer_promote_again_and_roll_back(site: Site) -> None:
    code, first = site.promote("one", 1)
    assert (code, first["outcome"]) == (0, "promoted"), first
    with site.client() as client:
        assert client.health()["sha256"] == sha((site.models / "gru_v0.pt").read_bytes())
        answer = client.predict(five_vectors(dim=DIM))
    code, second = site.promote("two", 2)
    assert (code, second["outcome"]) == (0, "promoted"), second
    with site.client() as client:
        assert client.predict(five_vectors(dim=DIM)) != answer
    code, back = site.lvm("rollback", "gru")
    assert (code, back["outcome"]) == (0, "rolled_back"), back
    with site.client() as client:
        assert client.predict(five_vectors(dim=DIM)) == pytest.approx(answer, abs=1e-6)


def test_a_service_that_never_loads_the_new_file_is_found_out_and_all_is_put_back(
    site: Site,
) -> None:
    assert site.promote("one", 1)[0] == 0
    served = sha((site.models / "gru_v0.pt").read_bytes())
    other = write_checkpoint(site.models / "two" / "best_5cat_model.pt", seed=2, dim=DIM)
    site.settings("start = 'true'\nstop = 'true'\nrestart = 'true'\nstatus = 'true'\n", "commands")
    code, failed = site.lvm(
        "promote", str(other), "--as", "gru", "--override", "a trial", "--wait", "3"
    )
    assert (code, failed["outcome"], failed["alarm"]) == (3, "failed", False), failed
    assert f"it answers with file {served[:12]}" in failed["words"]
    assert sha((site.models / "gru_v0.pt").read_bytes()) == served
    with site.client() as client:
        assert client.health()["sha256"] == served
    assert not (site.root / "artifacts/lvm/promotion.json").exists()
