"""Files that are whole or absent."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from lvm.errors import DiskError
from lvm.files import disk_errors, remove_leftovers, write_json, write_text, write_whole


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_replaced_in_one_step_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "history.json"
    write_json(path, [{"epoch": 1, "wörd": "✓"}])
    write_json(path, [{"epoch": 2}])
    assert json.loads(path.read_text()) == [{"epoch": 2}]
    assert names_in(tmp_path) == ["history.json"]


def test_a_write_that_fails_leaves_the_old_content_and_no_leftover(tmp_path: Path) -> None:
    path = tmp_path / "last.pt"
    write_text(path, "good")

    def breaks(file: IO[bytes]) -> None:
        file.write(b"half of")
        raise ValueError("cannot be saved")

    with pytest.raises(ValueError, match="cannot be saved"):
        write_whole(path, breaks)
    assert path.read_text() == "good"
    assert names_in(tmp_path) == ["last.pt"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO])
def test_a_full_or_read_only_disk_is_a_disk_error_that_names_the_file(code: int) -> None:
    with pytest.raises(DiskError) as caught, disk_errors(Path("models/last.pt")):
        raise OSError(code, os.strerror(code))
    assert caught.value.where == "models/last.pt"
    assert os.strerror(code) in caught.value.what
    assert "free some space" in caught.value.fix


def test_other_errors_of_the_system_stay_what_they_are() -> None:
    with pytest.raises(IsADirectoryError), disk_errors(Path("x")):
        raise IsADirectoryError(errno.EISDIR, "Is a directory")


def test_a_disk_that_fills_up_while_writing_keeps_the_old_file(tmp_path: Path) -> None:
    """A real limit of the system: this process may write files of 100 kB at most."""
    path = tmp_path / "best_model.pt"
    write_text(path, "good")
    script = (
        "import resource, sys; from pathlib import Path\n"
        "from lvm.errors import DiskError; from lvm.files import write_whole\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "try:\n"
        "    write_whole(Path(sys.argv[1]), lambda file: file.write(b'x' * 1_000_000))\n"
        "except DiskError as error:\n"
        "    print(error.what)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "cannot write: File too large\n"
    assert path.read_text() == "good"
    assert names_in(tmp_path) == ["best_model.pt"]


def test_what_a_killed_writer_left_is_found_and_deleted(tmp_path: Path) -> None:
    path = tmp_path / "last.pt"
    write_text(path, "good")
    script = (
        "import os, signal, sys; from pathlib import Path; from lvm.files import write_whole\n"
        "def write(file):\n"
        "    file.write(b'half'); file.flush(); os.kill(os.getpid(), signal.SIGKILL)\n"
        "write_whole(Path(sys.argv[1]), write)\n"
    )
    subprocess.run([sys.executable, "-c", script, str(path)], timeout=60, check=False)
    assert len(names_in(tmp_path)) == 2
    (leftover,) = remove_leftovers(tmp_path)
    assert leftover.name.startswith(".last.pt.")
    assert names_in(tmp_path) == ["last.pt"]
    assert path.read_text() == "good"


def test_a_new_file_can_be_read_by_others(tmp_path: Path) -> None:
    write_text(tmp_path / "run.json", "{}")
    assert (tmp_path / "run.json").stat().st_mode & 0o777 == 0o644
