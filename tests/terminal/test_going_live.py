"""By keyboard alone, in a real terminal: from a run's checkpoint to a service that answers."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from lvm.runs.project import Project
from lvm.service.manager import open_manager
from tests.terminal.conftest import Start, set_epochs


@pytest.fixture
def served(project: Project) -> Iterator[Project]:
    """A trained GRU that is not ready, and a free port for its service."""
    set_epochs(project, 4)
    subprocess.run(
        [sys.executable, "-m", "lvm", "train", "gru"],
        cwd=project.root,
        capture_output=True,
        timeout=90,
        check=False,
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    settings = project.root / "lvm.toml"
    settings.write_text(settings.read_text() + f"[services.gru]\nport = {port}\ndevice = 'cpu'\n")
    yield project
    open_manager(project.root, project.config().services).stop([])


def test_refused_overridden_promoted_served_and_asked(served: Project, start: Start) -> None:
    (run,) = served.runs()
    link = served.models / "gru_v0.pt"
    terminal = start("lvm_tui")
    terminal.wait_for("1 Dash")
    terminal.press("3")
    terminal.wait_for("0 of 4 in production", "best_5cat_model", "need")
    terminal.press("p")
    terminal.wait_for("This will change on disk", f"link to {run.name}/best_5cat_model.pt")
    terminal.press("y")
    terminal.wait_for("missing:", "O promotes it all the same")
    assert not link.exists()
    terminal.press("O")
    terminal.wait_for("The reason and your name go into the ledger", "gru_v0.json")
    terminal.press("a trial by keyboard\r")
    terminal.wait_for("gru promoted to", "1 of 4 in production")
    assert link.resolve() == (run.path / "best_5cat_model.pt").resolve()
    terminal.press("4")
    terminal.wait_for("1 of 4 answer", run.name)
    terminal.press("\x1b[B")  # to the GRU, below the Transformer
    terminal.press("c")
    terminal.wait_for("enter send")
    terminal.press("Article 3, chunk 6.\r")
    terminal.wait_for("gru says next", "copying the last chunk", "Article 3, chunk 6.", "predict")
    terminal.press("\x1b")
    terminal.wait_for("c chat")
    terminal.press("x")
    terminal.wait_for("Stop service gru?")
    terminal.press("y")
    terminal.wait_for("0 of 4 answer")
    kinds = [entry.kind for entry in served.store().ledger("gru")]
    assert [kind for kind in kinds if kind != "tested"] == ["refused", "promoted"]
    terminal.press("q")
    assert terminal.wait_for_exit() == 0
