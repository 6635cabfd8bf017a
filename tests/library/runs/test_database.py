"""One file, many processes; and what it says when it cannot be used."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from lvm.errors import DiskError, InputError, RunError
from lvm.runs.store import Store
from lvm.settings import Job

ADDS_TEN_JOBS = """
import sys
from pathlib import Path
from lvm.runs.store import Store
from lvm.settings import Job
sys.stdin.readline()
store = Store(Path(sys.argv[1]))
for _ in range(10):
    store.add_job(Job())
"""


def test_processes_that_open_a_new_file_at_once_all_succeed(tmp_path: Path) -> None:
    path = tmp_path / "lvm.db"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", ADDS_TEN_JOBS, str(path)], stdin=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    for process in processes:  # all at once, not one after the other
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        process.communicate()
    assert [process.returncode for process in processes] == [0, 0, 0, 0]
    rows = Store(path).jobs()
    assert sorted(row.id for row in rows) == list(range(1, 41))
    assert sorted(row.position for row in rows) == list(range(1, 41))


def test_threads_that_open_a_new_file_at_once_all_succeed(tmp_path: Path) -> None:
    opened: list[Store] = []
    for turn in range(20):
        path = tmp_path / f"{turn}.db"
        begin = threading.Barrier(6)

        def open_it(path: Path = path, begin: threading.Barrier = begin) -> None:
            begin.wait()
            opened.append(Store(path))

        threads = [threading.Thread(target=open_it) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(opened) == 20 * 6
    for store in opened:
        store.close()


def test_one_store_serves_many_threads(store: Store) -> None:
    def add() -> None:
        for _ in range(20):
            store.add_job(Job())

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.jobs()) == 80


def test_what_one_store_writes_another_sees(store: Store) -> None:
    other = Store(store.path)
    store.add_job(Job())
    assert [row.id for row in other.jobs()] == [1]
    other.close()


def test_the_file_is_in_wal_mode_and_says_its_schema(store: Store) -> None:
    with sqlite3.connect(store.path) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    connection.close()


def test_a_file_of_a_newer_version_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "lvm.db"
    Store(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 7")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(InputError, match=r"newer version \(schema 7, known is 1\)") as caught:
        Store(path)
    assert caught.value.where == str(path)
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "lvm.db"
    path.write_text("something else entirely, and quite long" * 100)
    before = path.read_bytes()
    with pytest.raises(RunError, match="broken: file is not a database"):
        Store(path)
    assert path.read_bytes() == before


def test_a_broken_page_is_an_error_in_words(tmp_path: Path) -> None:
    path = tmp_path / "lvm.db"
    store = Store(path)
    for _ in range(100):
        store.add_job(Job())
    store.close()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))
    with pytest.raises(RunError, match="broken"):
        Store(path).jobs()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="cannot be opened for writing") as caught:
        Store(tmp_path / "gone" / "lvm.db")
    assert caught.value.where == str(tmp_path / "gone" / "lvm.db")


def test_a_file_locked_for_too_long_is_an_error_in_words(tmp_path: Path) -> None:
    store = Store(tmp_path / "lvm.db", busy_seconds=0.05)
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(RunError, match=r"locked for more than 0.05 s"):
        store.add_job(Job())
    other.execute("ROLLBACK")
    assert store.add_job(Job()) == 1
    other.close()


def test_a_file_that_may_not_be_written_is_an_error_in_words() -> None:
    """Root may write anywhere, so the attempt is made as another user."""
    script = (
        "import os, sys; from pathlib import Path\n"
        "from lvm.errors import RunError; from lvm.runs.store import Store\n"
        "from lvm.settings import Job\n"
        "if os.geteuid() == 0: os.setuid(65534)\n"
        "try:\n"
        "    Store(Path(sys.argv[1])).add_job(Job())\n"
        "except RunError as error:\n"
        "    print(error.what)\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lvm.db"
        Store(path).close()
        path.chmod(0o444)
        Path(folder).chmod(0o555)
        done = subprocess.run(
            [sys.executable, "-c", script, str(path)], capture_output=True, text=True, timeout=60
        )
        Path(folder).chmod(0o755)
    assert done.stdout.startswith("cannot be opened for writing: "), done.stderr


def test_a_full_disk_is_a_disk_error_and_the_queue_stays_as_it_was(tmp_path: Path) -> None:
    """A real limit of the system: files of this process may not grow beyond 64 kB."""
    path = tmp_path / "lvm.db"
    script = (
        "import resource, sys; from pathlib import Path\n"
        "from lvm.errors import DiskError; from lvm.runs.store import Store\n"
        "from lvm.settings import Job\n"
        "store = Store(Path(sys.argv[1])); store.add_job(Job())\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))\n"
        "try:\n"
        "    while True: store.add_job(Job())\n"
        "except DiskError as error:\n"
        "    print(error.what, len(store.jobs()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, timeout=60
    )
    words, _, count = done.stdout.strip().rpartition(" ")
    assert words.startswith("cannot write: "), done.stderr
    assert len(Store(path).jobs()) == int(count) > 0


def test_full_means_disk_full(store: Store) -> None:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorname = "SQLITE_FULL"
    with pytest.raises(DiskError, match="database or disk is full"), store._in_words():
        raise error
