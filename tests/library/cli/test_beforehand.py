"""What cannot work is refused where it is asked for, and leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from lvm.runs.project import Project
from lvm.settings import Job, TrainSettings
from lvm.training.device import available

from .conftest import Call

ASKING = (["train", "amn"], ["queue", "add", "amn"], ["queue", "all"])
FOUR = ("--train", "t.npz", "--val", "v.npz", "--ood", "o.npz", "--articles", "bank.npz")


def untouched(project: Path) -> bool:
    return not (project / "artifacts").exists() and not list(project.glob("*.lvm-cache"))


@pytest.fixture
def fresh(project: Path) -> Path:
    """A project that nobody has trained in: `lvm reference` has imported its bank."""
    cache = project / "bank.npz.lvm-cache"
    for path in cache.iterdir():
        path.unlink()
    cache.rmdir()
    return project


@pytest.mark.parametrize("command", ASKING)
def test_files_that_cannot_be_used_are_refused_before_anything_is_made(
    lvm: Call, fresh: Path, command: list[str]
) -> None:
    (fresh / "text.npz").write_text("no arrays")
    whole = (fresh / "bank.npz").read_bytes()
    (fresh / "half.npz").write_bytes(whole[: len(whole) // 2])
    for bank, words in {
        "nope.npz": "nope.npz: no such file",
        "text.npz": "not an .npz",
        "half.npz": "cut off",
    }.items():
        code, out, err = lvm(*command, "--bank", bank)
        assert (code, out) == (2, "")
        assert words in err
    code, _, err = lvm(*command, *FOUR)
    assert code == 2
    assert all(f"{name}.npz: no such file" in err for name in "tvo")
    assert untouched(fresh)


@pytest.mark.parametrize("command", [["queue", "add", "amn"], ["queue", "all"]])
def test_a_device_that_is_not_there_is_warned_of_and_one_that_is_none_is_refused(
    lvm: Call, fresh: Path, command: list[str]
) -> None:
    code, _, err = lvm(*command, "--device", "gpu")
    assert code == 2
    assert "one of auto" in err
    assert untouched(fresh)
    missing = next(name for name in ("mps", "cuda:99") if not available(name))
    code, _, err = lvm(*command, "--device", missing)
    assert code == 0
    assert f"device '{missing}' is not there" in err
    assert "on the cpu instead, this machine has" in err
    assert lvm(*command, "--device", "auto")[2] == ""


def test_a_test_on_a_device_that_is_not_there_is_warned_of(lvm: Call, project: Path) -> None:
    missing = next(name for name in ("mps", "cuda:99") if not available(name))
    for command in (("5cat", "--model", "x.pt"), ("promote", "x.pt", "--as", "gru")):
        code, _, err = lvm(*command, "--device", missing)
        assert code == 2  # x.pt is not there either
        assert f"device '{missing}' is not there" in err
        assert "one of auto" in lvm(*command, "--device", "gpu")[2]
    code, _, err = lvm("report", "--device", "gpu")
    assert code == 2
    assert not (project / "docs").exists()


def test_a_device_of_another_machine_is_left_to_its_runner(lvm: Call, project: Path) -> None:
    missing = next(name for name in ("mps", "cuda:99") if not available(name))
    store = Project(project).store()
    store.take_lease("ann", instead_of=None)
    with store._writing() as connection:
        connection.execute("UPDATE lease SET host = 'gpu-box', place = 'gpu-box'")
    code, _, err = lvm("queue", "add", "amn", "--device", missing)
    assert (code, err) == (0, "")


@pytest.mark.parametrize("out", ["file/x.npz", "folder.npz"])
def test_a_place_that_cannot_be_written_is_refused_before_the_work(
    lvm: Call, tmp_path: Path, out: str
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder.npz").mkdir()
    (tmp_path / "text.txt").write_text("One sentence. Another one. " * 200)
    before = sorted(tmp_path.rglob("*"))
    for command in (["encode", "text.txt", "--dim", "8"], ["reference", "flat", "--dim", "32"]):
        code, _, err = lvm(*command, "--out", out)
        assert code == 2
        assert f"{out}: cannot be written" in err
    assert sorted(tmp_path.rglob("*")) == before


def test_half_of_the_data_says_which_half(lvm: Call, fresh: Path) -> None:
    (fresh / "lvm.toml").write_text("")
    code, _, err = lvm("train", "amn", "--train", "nope.npz")
    assert code == 2
    assert "nope.npz: no such file" in err
    code, _, err = lvm("train", "amn", "--articles", "bank.npz", "--val", "")
    assert code == 2
    assert "not complete: --train, --val, --ood missing" in err
    assert "no training data" in lvm("train", "amn")[2]
    assert untouched(fresh)


def test_a_job_whose_files_are_gone_is_not_queued_again(lvm: Call, project: Path) -> None:
    store = Project(project).store()
    number = store.add_job(Job(train=TrainSettings(), data=Project(project).config().data))
    store.set_state(number, "failed", "it was killed")
    (project / "bank.npz").unlink()
    code, _, err = lvm("queue", "retry", str(number))
    assert code == 2
    assert "bank.npz: no such file" in err
    assert store.job(number).state == "failed"


def test_a_run_from_another_machine_goes_on_with_another_device(lvm: Call, project: Path) -> None:
    assert lvm("train", "amn", "--epochs", "1")[0] in (0, 1)
    (run,) = Project(project).runs()
    missing = next(name for name in ("mps", "cuda:99") if not available(name))
    code, _, err = lvm("runs", "resume", run.name, "--epochs", "2", "--device", missing)
    assert code in (0, 1)
    assert f"device '{missing}' is not there" in err
    code, _, err = lvm("runs", "resume", run.name, "--epochs", "3", "--device", "cpu")
    assert code in (0, 1)
    assert "is not there" not in err
