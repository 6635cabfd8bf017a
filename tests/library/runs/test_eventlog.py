"""The event log: one writer, crashes at any byte."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lvm.errors import DiskError, RunError
from lvm.events import AlertAcknowledged
from lvm.records import Record
from lvm.runs.eventlog import EventReader, EventWriter, read_events

from .conftest import FakeClock
from .event_logs import Write, batch, seqs


def test_what_is_appended_can_be_read(path: Path, write: Write) -> None:
    write(batch(1), AlertAcknowledged("collapse-5", "ann"))
    assert read_events(path) == [
        Record(0, 1000.0, batch(1)),
        Record(1, 1000.0, AlertAcknowledged("collapse-5", "ann")),
    ]


def test_a_reopened_log_goes_on_counting_without_a_gap(path: Path, write: Write) -> None:
    write(batch(1), batch(2))
    write(batch(3))
    assert seqs(read_events(path)) == [0, 1, 2]


@pytest.mark.parametrize("kept", [1, 30, -1])
def test_a_torn_last_line_is_ignored_and_overwritten(path: Path, write: Write, kept: int) -> None:
    write(batch(1), batch(2))
    first, second = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + second[:kept])
    assert seqs(read_events(path)) == [0]
    write(batch(9))
    assert read_events(path) == [Record(0, 1000.0, batch(1)), Record(1, 1000.0, batch(9))]


def test_a_log_whose_only_line_is_torn_begins_anew(path: Path, write: Write) -> None:
    path.write_bytes(b'{"seq":0,"ti')
    write(batch(1))
    assert seqs(read_events(path)) == [0]


def test_zeros_that_a_power_cut_left_at_the_end_are_cut_off(path: Path, write: Write) -> None:
    write(batch(1))
    whole = path.read_bytes()
    path.write_bytes(whole + b"\0" * 300_000)
    write(batch(2))
    assert path.read_bytes()[: len(whole)] == whole
    assert seqs(read_events(path)) == [0, 1]


def test_a_whole_line_that_is_no_event_is_kept_and_counted_past(path: Path, write: Write) -> None:
    write(batch(1), batch(2))
    with path.open("ab") as file:
        file.write(b"\0\0 garbage\n")
    write(batch(3))
    reader = EventReader(path)
    assert seqs(reader.poll()) == [0, 1, 2]
    assert reader.bad_lines == 1


def test_a_file_that_is_no_event_log_is_refused_and_stays_as_it_is(
    path: Path, write: Write
) -> None:
    path.write_text("dear diary\ntoday\nunfinished")
    with pytest.raises(RunError, match="not an event log"):
        write(batch(1))
    assert path.read_text() == "dear diary\ntoday\nunfinished"


def test_the_last_seq_is_found_behind_a_line_longer_than_the_first_look(
    path: Path, write: Write
) -> None:
    write(batch(1), AlertAcknowledged("x" * 1_000_000, "ann"))
    write(batch(2))
    assert seqs(read_events(path)) == [0, 1, 2]


def test_lines_may_hold_carriage_returns_and_any_letters(path: Path, write: Write) -> None:
    write(AlertAcknowledged("a\r\nb\u2028c ✓", "ann"))
    write(batch(1))
    (first, _) = read_events(path)
    assert first.event == AlertAcknowledged("a\r\nb\u2028c ✓", "ann")


def test_opening_a_log_reads_only_its_end(path: Path, write: Write) -> None:
    write(batch(1))
    line = path.read_bytes()
    with path.open("wb") as file:
        file.truncate(50_000_000_000)  # a sparse 50 GB that nobody could read in time
        file.seek(0, os.SEEK_END)
        file.write(b"\n" + line)
    write(batch(2))
    with path.open("rb") as file:
        file.seek(50_000_000_001)
        assert [line[:8] for line in file] == [b'{"seq":0', b'{"seq":1']


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DiskError, match="No such file") as caught:
        EventWriter(tmp_path / "gone" / "events.jsonl", FakeClock())
    assert caught.value.where == str(tmp_path / "gone" / "events.jsonl")


def test_a_full_disk_is_a_disk_error(path: Path) -> None:
    path.symlink_to("/dev/full")  # every write to it fails with "no space left on device"
    with EventWriter(path, FakeClock()) as writer, pytest.raises(DiskError, match="No space left"):
        writer.append(batch(1))


def test_a_disk_that_fills_up_within_a_line_leaves_the_log_whole(path: Path) -> None:
    """A real limit of the system: the log may grow to 1,000 bytes, then to 10,000."""
    script = (
        "import resource, sys; from pathlib import Path\n"
        "from lvm.clock import SystemClock; from lvm.errors import DiskError\n"
        "from lvm.events import AlertAcknowledged; from lvm.runs.eventlog import EventWriter\n"
        "def allow(size): resource.setrlimit(resource.RLIMIT_FSIZE, (size, 10_000))\n"
        "writer = EventWriter(Path(sys.argv[1]), SystemClock())\n"
        "allow(1_000)\n"
        "writer.append(AlertAcknowledged('a' * 600, 'ann'))\n"
        "try:\n"
        "    writer.append(AlertAcknowledged('b' * 600, 'ann'))\n"
        "except DiskError as error:\n"
        "    print(error.what)\n"
        "allow(10_000)\n"
        "writer.append(AlertAcknowledged('c' * 600, 'ann'))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.stderr) == ("cannot write: File too large\n", "")
    records = read_events(path)
    assert [(record.seq, record.event.alert[0]) for record in records] == [(0, "a"), (1, "c")]
    assert path.read_bytes().count(b"\n") == 2


APPENDS_UNTIL_KILLED = """
import sys
from pathlib import Path
from lvm.clock import SystemClock
from lvm.events import Batch
from lvm.runs.eventlog import EventWriter

writer = EventWriter(Path(sys.argv[1]), SystemClock())
while True:
    print(writer.next_seq, flush=True)
    writer.append(Batch(1, writer.next_seq, 1, 1, 0.5, 0.5, 5e-4, 1e3))
"""


def test_a_writer_killed_in_full_flight_loses_nothing_that_it_had_written(
    path: Path, write: Write
) -> None:
    for _ in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", APPENDS_UNTIL_KILLED, str(path)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(200)]
        process.send_signal(signal.SIGKILL)
        told += process.stdout.readlines()
        process.wait()
        written = int([line for line in told if line.endswith("\n")][-1])  # before this one
        found = seqs(read_events(path))
        assert found == list(range(len(found)))
        assert len(found) >= written
    write(batch(1))
    found = seqs(read_events(path))
    assert found == list(range(len(found)))
