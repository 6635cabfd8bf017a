"""A full disk ends a run with an alert, and leaves the last good files."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lvm.errors import DiskError
from lvm.events import AlertRaised, QueueFinished, RunFinished
from lvm.files import write_text, write_whole
from lvm.runs.reserve import SIZE, Reserve

from .conftest import Bench, FakeClock
from .scripted import kinds


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 4 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no right to mount a small disk")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(path: Path) -> None:
    """Take the last byte of a disk, as another program might."""
    size = 1 << 20
    with path.open("ab", buffering=0) as file:
        while size:
            try:
                file.write(b"x" * size)
            except OSError:
                size //= 2


def test_a_run_on_a_disk_that_fills_up_ends_with_an_alert(
    small_disk: Path, clock: FakeClock
) -> None:
    bench = Bench(small_disk, clock)
    bench.add()
    bench.add("gru")

    def train(settings: Any, corpus: Any, folder: Path, **given: Any) -> Any:
        if settings.model == "gru":
            yield RunFinished("completed", 1, 1.0)
            return
        write_text(folder / "last.pt", "good")
        fill(small_disk / "another program's file")
        write_whole(folder / "last.pt", lambda file: file.write(b"x" * 100_000))

    bench.trainer = train  # type: ignore[assignment]
    end = bench.run()
    raised, finished = bench.events()[-2:]
    assert isinstance(raised, AlertRaised)
    assert (raised.cause, raised.level) == ("disk_full", "alarm")
    assert "No space left on device" in raised.message
    assert "free some space" in raised.fix
    assert isinstance(finished, RunFinished)
    assert finished.outcome == "failed"
    assert (bench.folder() / "last.pt").read_text() == "good"
    assert bench.job(1).state == "failed"
    assert bench.told()[-1] == QueueFinished(end.done, end.failed)
    bench.store.close()


def test_a_log_that_cannot_be_written_fails_the_job_and_not_the_queue(bench: Bench) -> None:
    folder = bench.project.models / "transformer_5cat_1"
    folder.mkdir(parents=True)
    (folder / "events.jsonl").symlink_to("/dev/full")
    bench.add()
    bench.store.assign_run(1, folder.name)
    bench.add("gru")
    end = bench.run()
    assert bench.job(1).state == "failed"
    assert "No space left on device" in bench.job(1).note
    assert bench.job(2).state == "done"
    assert (end.jobs[0].finished, end.failed) == (None, 1)
    assert kinds(bench.told())[-1] == "queue_finished"


def test_a_workspace_log_that_cannot_be_written_is_raised(bench: Bench) -> None:
    bench.add()
    bench.project.events.symlink_to("/dev/full")
    with pytest.raises(DiskError, match="No space left"):
        bench.run()
    assert bench.store.lease() is None


def test_a_folder_for_runs_that_cannot_be_made_fails_the_job(bench: Bench) -> None:
    bench.add()
    bench.project.models.write_text("a file in its place")
    bench.run()
    assert bench.job(1).state == "failed"
    assert "cannot make a run folder" in bench.job(1).note


def test_a_reserve_is_kept_given_up_and_kept_again(tmp_path: Path) -> None:
    path = tmp_path / ".reserve"
    reserve = Reserve(path)
    reserve.keep()
    assert path.stat().st_size == SIZE
    path.write_bytes(b"cut short")
    reserve.keep()
    assert path.stat().st_size == SIZE
    reserve.give_up()
    assert not path.exists()
    reserve.give_up()
