"""`lvm promote`, `lvm rollback`, `lvm report` with a real model: exit codes, documents, files."""

from __future__ import annotations

import json
import pickle
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from lvm.models import build
from lvm.models.checkpoint import save_checkpoint
from lvm.promotion.state import pending
from lvm.runs.folder import RunFolder
from lvm.runs.project import Project
from lvm.settings import DataSettings, Job, TrainSettings

from .conftest import Call

EASY = """
[fivecat]
max_samples = 40
horizon = 2
[thresholds]
ready_margin_val = -2.0
ready_margin_ood = -2.0
ready_rollout_val = -2.0
ready_gates = 0
"""


def checkpoint(project: Path, run: str = "gru_5cat_20260101_000000", seed: int = 0) -> str:
    """A small GRU in the folder of a run without any alert, that says what it was tested on."""
    folder = RunFolder(project / "artifacts/lvm/models" / run)
    folder.path.mkdir(parents=True)
    job = Job(train=TrainSettings(model="gru"), data=DataSettings(bank="bank.npz"))
    folder.write_record(
        {"model": "gru", "job": {"train": job.train.to_json(), "data": job.data.to_json()}}
    )
    folder.events.touch()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = build("gru", 32, d_model=16, hidden_dim=16)
    numbers = dict.fromkeys(("train_loss", "train_cosine", "val_loss", "val_cosine"), 0.1)
    path = folder.path / "best_5cat_model.pt"
    save_checkpoint(
        path,
        model_type="gru",
        config=model.config,
        state_dict=model.state_dict(),
        epoch=3,
        **numbers,
    )
    return str(path.relative_to(project))


def easy(project: Path) -> None:
    (project / "lvm.toml").write_text(EASY)


def document(printed: str) -> Any:
    return json.loads(printed)


def test_what_is_not_ready_is_refused_with_what_is_missing(lvm: Call, project: Path) -> None:
    file = checkpoint(project)
    code, out, _ = lvm("promote", file, "--as", "gru", "--no-restart", "--json")
    refused = document(out)
    assert (code, refused["outcome"], refused["reused"]) == (1, "refused", False)
    assert any(text.startswith("VAL margin") and "short by" in text for text in refused["missing"])
    assert not (project / "artifacts/lvm/models/gru_v0.pt").is_symlink()
    code, out, _ = lvm(
        "promote", file, "--as", "gru", "--no-restart", "--override", "a trial", "--json"
    )
    promoted = document(out)
    assert (code, promoted["outcome"], promoted["reused"]) == (0, "promoted", True)
    said = json.loads((project / "artifacts/lvm/models/gru_v0.json").read_text())
    assert said["override"]["reason"] == "a trial"
    assert said["missing"] == refused["missing"]
    assert said["5cat"]["thresholds"]["ready_gates"] == 3
    kinds = [entry.kind for entry in Project(project).store().ledger()]
    assert kinds == ["tested", "refused", "promoted"]


def test_promote_again_roll_back_and_map(lvm: Call, project: Path) -> None:
    easy(project)
    models = project / "artifacts/lvm/models"
    first = checkpoint(project)
    second = checkpoint(project, "gru_5cat_20260202_000000", seed=1)
    (models / "gru_v0.pt").write_bytes((project / first).read_bytes())
    code, out, _ = lvm("promote", second, "--as", "gru", "--no-restart", "--dry-run", "--json")
    assert (code, document(out)["outcome"]) == (0, "planned")
    assert {change["path"] for change in document(out)["plan"]["changes"]} == {
        "gru_v0_OLD.pt", "gru_v0.pt", "gru_v0.json",
    }  # fmt: skip
    assert document(out)["plan"]["notes"] == [
        "[fivecat] asks for 40 samples and H = 2; the full test has 5,000 and 5"
    ]
    assert not (models / "gru_v0.json").exists()
    code, out, err = lvm("promote", second, "--as", "gru", "--no-restart")
    assert code == 0, err
    assert "gru promoted to gru_5cat_20260202_000000/best_5cat_model.pt" in out
    code, out, _ = lvm("report", "--include", first, "--json")
    mapped = next(each for each in document(out)["production"] if each["name"] == "gru")
    assert mapped["now"]["file"] == "gru_5cat_20260202_000000/best_5cat_model.pt"
    assert mapped["before"]["file"] == "gru_v0_OLD.pt"
    assert mapped["change"]["VAL margin"] is not None
    assert document(out)["others"][0]["numbers"] == mapped["before"]["numbers"], "the same bytes"
    assert "gru_v0_OLD.pt" in (project / "docs/LVM_DATA_MAP.md").read_text()
    code, out, _ = lvm("rollback", "gru", "--no-restart", "--json")
    assert (code, document(out)["outcome"]) == (0, "rolled_back")
    assert (models / "gru_v0.pt").read_bytes() == (project / first).read_bytes()


def test_a_data_map_that_is_made_is_said_to_be_new(lvm: Call, project: Path) -> None:
    file = project / "docs/LVM_DATA_MAP.md"
    assert f"{file} (a new file; --out names another place)" in lvm("report")[1]
    file.write_text(f"ours\n\n{file.read_text()}")
    assert "the rest of the file is as it was" in lvm("report")[1]
    assert file.read_text().startswith("ours")
    assert document(lvm("report", "--json")[1])["created"] is False
    assert document(lvm("report", "--out", "-", "--json")[1])["created"] is False


def test_other_thresholds_judge_a_known_test_anew(lvm: Call, project: Path) -> None:
    easy(project)
    file = checkpoint(project)
    assert lvm("promote", file, "--as", "gru", "--no-restart", "--dry-run")[0] == 0
    (project / "lvm.toml").write_text(EASY.replace("ready_gates = 0", "ready_gates = 5"))
    code, out, _ = lvm("promote", file, "--as", "gru", "--no-restart", "--json")
    assert (code, document(out)["reused"]) == (1, True)
    (project / "lvm.toml").write_text(EASY.replace("horizon = 2", "horizon = 3"))
    assert (
        document(lvm("promote", file, "--as", "gru", "--no-restart", "--json")[1])["reused"]
        is False
    )


class Evil:
    def __reduce__(self) -> Any:
        return (Path.touch, (Path("owned"),))


def test_a_bad_checkpoint_never_gets_the_link(lvm: Call, project: Path) -> None:
    easy(project)
    good = project / checkpoint(project)
    link = project / "artifacts/lvm/models/gru_v0.pt"
    link.write_bytes(b"the old model")
    (project / "short.pt").write_bytes(good.read_bytes()[:-500])
    (project / "evil.pt").write_bytes(pickle.dumps(Evil()))
    stored = torch.load(good, weights_only=True)
    weights = stored["model_state_dict"]
    name = next(iter(weights))
    torch.save({**stored, "model_state_dict": {**weights, name: weights[name][:-1]}}, "shape.pt")
    torch.save(
        {**stored, "model_state_dict": {**weights, name: weights[name] * torch.nan}}, "nan.pt"
    )
    for bad in ("short.pt", "evil.pt", "shape.pt", "nan.pt", "none.pt"):
        code, _, err = lvm("promote", bad, "--as", "gru", "--no-restart", "--override", "x")
        assert code == 2, bad
        assert bad in err
    assert lvm("promote", str(good), "--as", "lstm", "--no-restart")[0] == 2
    assert link.read_bytes() == b"the old model"
    assert not (project / "owned").exists()
    refused = [entry for entry in Project(project).store().ledger() if entry.kind == "refused"]
    assert len(refused) == 5, "each is in the ledger; a file that is not there is only a slip"


@pytest.mark.parametrize("words", [[], ["x.pt"], ["--as", "gru"], ["x.pt", "--recover", "undo"]])
def test_half_a_command_says_what_is_needed(lvm: Call, project: Path, words: list[str]) -> None:
    code, _, err = lvm("promote", *words)
    assert code == 2
    assert "lvm promote" in err


def test_nothing_to_recover_is_said(lvm: Call, project: Path) -> None:
    checkpoint(project)
    assert lvm("promote", "--recover", "undo")[0] == 2


SITE = """
[services]
manager = "commands"
start_seconds = 1.0
[services.gru]
port = 1
start = "sleep 3"
stop = "true"
status = "true"
"""


def test_kill_9_and_the_next_start_says_what_was_left(lvm: Call, project: Path) -> None:
    (project / "lvm.toml").write_text(EASY + SITE)
    file = checkpoint(project)
    command = [sys.executable, "-m", "lvm", "promote", file, "--as", "gru"]
    process = subprocess.Popen(command, cwd=project, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if "metadata" in line and "written" in line:
            break
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stderr.close()
    left = pending(Project(project))
    assert left is not None
    assert left.now == "new"
    code, _, err = lvm("rollback", "gru", "--no-restart")
    assert code == 3
    assert "was interrupted while" in err
    assert "--recover finish" in err
    (project / "lvm.toml").write_text(EASY)
    code, out, _ = lvm("promote", "--recover", "undo", "--json")
    assert document(out)["outcome"] == "undone"
    assert pending(Project(project)) is None
    assert not (project / "artifacts/lvm/models/gru_v0.pt").is_symlink()
