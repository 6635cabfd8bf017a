"""The cache of an import: reused, renewed, and whole or absent whatever happens to the importer."""

from __future__ import annotations

import json
import os
import signal

import numpy as np
import pytest

from lvm.data.cache import hash_file, open_cached
from lvm.data.importing import open_sequences
from lvm.errors import DataError

KILLED_AT_A_STEP = """
import os, signal, sys
from pathlib import Path
from lvm.data.importing import open_sequences
fatal, steps = int(sys.argv[2]), 0
def progress(*step):
    global steps
    steps += 1
    if steps == fatal:
        os.kill(os.getpid(), signal.SIGKILL)
open_sequences(Path(sys.argv[1]), "train", progress)
"""

KILLED_BEFORE_THE_MANIFEST = """
import os, signal, sys
from pathlib import Path
from lvm.data.cache import open_cached
def build(folder):
    (folder / "vectors.npy").write_bytes(b"half")
    (folder / ".manifest.json.abc.part").write_bytes(b"{")
    os.kill(os.getpid(), signal.SIGKILL)
open_cached(Path(sys.argv[1]), "sequences", build, lambda *_: None, progress=lambda *_: None)
"""

TALKS = """
import sys
from pathlib import Path
from lvm.data.importing import open_sequences
said = set()
def progress(what, done, total):
    if what.split()[0] not in said:
        said.add(what.split()[0])
        print(what.split()[0], flush=True)
        if sys.argv[2] == "slow" and what.startswith("importing"):
            sys.stdin.readline()
sequences = open_sequences(Path(sys.argv[1]), "train", progress)
print(len(sequences), float(sequences.vectors.sum()), flush=True)
"""


class Steps(list):
    """A Progress that remembers the first word of what it was told."""

    def __call__(self, what, done, total):
        self.append(what.split()[0])


def cache_of(path):
    return path.with_name(path.name + ".lvm-cache")


def reopen(path):
    steps = Steps()
    return open_sequences(path, "train", steps), set(steps)


def test_the_second_opening_reads_the_cache(sequence_file):
    path = sequence_file()
    first, _ = reopen(path)
    second, steps = reopen(path)
    assert steps == set()
    assert second.fingerprint == first.fingerprint == hash_file(path)
    np.testing.assert_array_equal(second.vectors, first.vectors)


def test_a_touched_file_is_recognised_by_its_content(sequence_file):
    path = sequence_file()
    reopen(path)
    os.utime(path, ns=(1, 1))
    assert reopen(path)[1] == {"has"}  # "has train.npz changed?"
    assert reopen(path)[1] == set()  # the new time was noted


def test_a_file_with_other_content_of_the_same_size_is_imported_again(sequence_file, units):
    path = sequence_file(compressed=False)
    first, _ = reopen(path)
    size = path.stat().st_size
    sequence_file(contexts=np.flip(first.gather(slice(None))[0], axis=1), compressed=False)
    os.utime(path, ns=(1, 1))
    assert path.stat().st_size == size
    second, steps = reopen(path)
    assert steps == {"has", "importing"}
    assert second.fingerprint != first.fingerprint


def test_arrays_opened_before_a_new_import_stay_what_they_were(sequence_file, units):
    path = sequence_file()
    first, _ = reopen(path)
    before = first.gather(slice(None))[0].copy()
    sequence_file(contexts=np.flip(before, axis=1)[:10], targets=first.gather(slice(0, 10))[1])
    assert len(reopen(path)[0]) == 10
    np.testing.assert_array_equal(first.gather(slice(None))[0], before)


@pytest.mark.parametrize("name", ["vectors.npy", "contexts.npy"])
def test_a_cache_with_a_damaged_file_is_made_again(sequence_file, name):
    path = sequence_file()
    reopen(path)
    with (cache_of(path) / name).open("r+b") as file:
        file.truncate(200)
    assert reopen(path)[1] == {"importing"}


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"format": 0}'])
def test_a_manifest_that_is_none_counts_as_no_cache(sequence_file, content):
    path = sequence_file()
    reopen(path)
    (cache_of(path) / "manifest.json").write_bytes(content)
    assert reopen(path)[1] == {"importing"}


def test_the_manifest_names_size_time_and_content_of_the_source(sequence_file):
    path = sequence_file()
    reopen(path)
    manifest = json.loads((cache_of(path) / "manifest.json").read_text())
    assert manifest["source"] == {
        "name": "train.npz",
        "size": path.stat().st_size,
        "mtime_ns": path.stat().st_mtime_ns,
        "sha256": hash_file(path),
    }
    assert set(manifest["files"]) == {"contexts.npy", "targets.npy", "vectors.npy"}


@pytest.mark.parametrize("step", [1, 2, 3])
def test_a_killed_import_is_never_taken_for_whole(sequence_file, start_python, step):
    path = sequence_file()
    killed = start_python(KILLED_AT_A_STEP, path, step)
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    assert cache_of(path).is_dir()
    assert not (cache_of(path) / "manifest.json").exists()
    sequences, steps = reopen(path)
    assert steps == {"importing"}
    assert len(sequences) == 15


def test_what_a_killed_import_left_is_cleaned_away(sequence_file, start_python):
    path = sequence_file()
    killed = start_python(KILLED_BEFORE_THE_MANIFEST, path)
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    assert (cache_of(path) / ".manifest.json.abc.part").exists()
    assert len(reopen(path)[0]) == 15
    assert {p.name for p in cache_of(path).iterdir()} == {
        "CACHEDIR.TAG",
        "contexts.npy",
        "lock",
        "manifest.json",
        "targets.npy",
        "vectors.npy",
    }


def test_a_cancelled_import_leaves_nothing(sequence_file, tmp_path):
    path = sequence_file()

    def cancel(what, done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        open_sequences(path, "train", cancel)
    assert list(tmp_path.iterdir()) == [path]


def test_two_imports_at_once_are_one_import(sequence_file, start_python):
    path = sequence_file()
    slow = start_python(TALKS, path, "slow")
    assert slow.stdout.readline() == "importing\n"
    other = start_python(TALKS, path, "quick")
    assert other.stdout.readline() == "waiting\n"
    last, _ = slow.communicate("go on\n")
    rest, _ = other.communicate()
    assert slow.returncode == other.returncode == 0
    assert rest == last  # the same data, and not a word of importing
    assert last.startswith("15 ")


def test_who_waits_takes_over_when_the_importer_is_killed(sequence_file, start_python):
    path = sequence_file()
    slow = start_python(TALKS, path, "slow")
    assert slow.stdout.readline() == "importing\n"
    other = start_python(TALKS, path, "quick")
    assert other.stdout.readline() == "waiting\n"
    slow.kill()
    slow.communicate()
    rest, _ = other.communicate()
    assert rest.startswith("importing\n15 ")


def test_who_waits_takes_over_when_the_importer_fails(sequence_file, start_python):
    path = sequence_file()
    bad = start_python(
        TALKS.replace("sys.stdin.readline()", "sys.stdin.readline(); 1 / 0"), path, "slow"
    )
    assert bad.stdout.readline() == "importing\n"
    other = start_python(TALKS, path, "quick")
    assert other.stdout.readline() == "waiting\n"
    bad.communicate("go on\n")
    assert bad.returncode == 1
    rest, _ = other.communicate()
    assert rest.startswith("importing\n15 ")


def test_a_source_that_changes_meanwhile_is_refused(sequence_file, tmp_path):
    path = sequence_file()

    def change(what, done, total):
        os.utime(path, ns=(5, 5))

    with pytest.raises(DataError, match="changed while it was read"):
        open_sequences(path, "train", change)
    assert list(tmp_path.iterdir()) == [path]


def test_where_no_cache_can_lie_beside_the_source_it_goes_home_and_says_so(sequence_file, tmp_path):
    path = sequence_file()
    cache_of(path).write_text("a file is in the way, as good as a read-only folder")
    said = []
    for _ in range(2):
        sequences = open_sequences(
            path, "train", lambda what, *_: said.append(what), cache_home=tmp_path / "home"
        )
        assert len(sequences) == 15
    folder = tmp_path / "home" / "imports"
    assert [p.name.rpartition("-")[0] for p in folder.iterdir()] == ["train.npz"]
    assert [what for what in said if what.startswith("kept in")] == [
        f"kept in {next(folder.iterdir())}, because {tmp_path} cannot be written"
    ]


def test_a_link_shares_the_cache_of_its_file(sequence_file, tmp_path):
    path = sequence_file()
    reopen(path)
    (tmp_path / "link.npz").symlink_to(path)
    assert reopen(tmp_path / "link.npz")[1] == set()


def test_a_missing_source_is_an_error_even_where_a_cache_is(sequence_file):
    path = sequence_file()
    reopen(path)
    path.unlink()
    with pytest.raises(DataError, match="cannot be opened: No such file"):
        open_sequences(path, "train")


def test_a_full_disk_leaves_nothing(sequence_file, tmp_path):
    def build(folder):
        (folder / "vectors.npy").write_bytes(b"some")
        raise OSError(28, "No space left on device")

    path = sequence_file()
    with pytest.raises(Exception, match="cannot write: No space left on device"):
        open_cached(path, "sequences", build, lambda *_: None, progress=Steps())
    assert list(tmp_path.iterdir()) == [path]
