"""The event log: one writer, any number of readers, crashes at any byte."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lvm.errors import DiskError, RunError
from lvm.events import AlertAcknowledged, Batch, Event
from lvm.records import Record, encode
from lvm.runs.eventlog import EventReader, EventWriter, read_events

from .conftest import FakeClock

Write = Callable[..., None]


def batch(step: int) -> Batch:
    return Batch(
        epoch=1,
        step=step,
        batch=step,
        batches=100,
        loss=0.5,
        cosine=0.25,
        learning_rate=5e-4,
        samples_per_second=1000.0,
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


@pytest.fixture
def write(path: Path) -> Write:
    def append(*events: Event) -> None:
        with EventWriter(path, FakeClock()) as writer:
            for event in events:
                writer.append(event)

    return append


def seqs(records: list[Record]) -> list[int]:
    return [record.seq for record in records]


# ------------------------------------------------------------------ writing


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


# ------------------------------------------------------------------ reading


def test_a_reader_takes_only_what_is_new(path: Path, write: Write) -> None:
    reader = EventReader(path)
    assert reader.poll() == []
    write(batch(1), batch(2))
    assert seqs(reader.poll()) == [0, 1]
    assert reader.poll() == []
    write(batch(3))
    assert seqs(reader.poll()) == [2]


def test_a_reader_waits_for_the_rest_of_a_line(path: Path, write: Write) -> None:
    line = (encode(Record(0, 1.0, batch(1))) + "\n").encode()
    reader = EventReader(path)
    for end in (1, 40, len(line) - 1):
        path.write_bytes(line[:end])
        assert reader.poll() == []
    path.write_bytes(line)
    assert seqs(reader.poll()) == [0]
    assert (reader.bad_lines, reader.restarts) == (0, 0)


def test_a_poll_can_be_bounded(path: Path, write: Write) -> None:
    write(*map(batch, range(10)))
    reader = EventReader(path)
    assert [seqs(reader.poll(4)) for _ in range(4)] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9], []]


def test_lines_that_are_no_events_are_counted_and_skipped(path: Path) -> None:
    good = [encode(Record(seq, 1.0, batch(seq))) for seq in range(3)]
    lines = [good[0], "garbage", '{"seq":9,"broken":[1', "2]}", "", good[1], "[" * 100_000, good[2]]
    path.write_text("\n".join(lines) + "\n")
    reader = EventReader(path)
    assert seqs(reader.poll()) == [0, 1, 2]
    assert reader.bad_lines == 5


def test_two_broken_lines_never_pass_for_one_event(path: Path) -> None:
    path.write_text(
        '{"seq":9,"time":1.0,"type":"alert_acknowledged","alert":"a"\n"by":"b"}\n'
        + encode(Record(0, 1.0, batch(0)))
        + "\n"
    )
    reader = EventReader(path)
    assert seqs(reader.poll()) == [0]
    assert reader.bad_lines == 2


def test_bytes_that_are_no_text_do_not_stop_a_reader(path: Path, write: Write) -> None:
    path.write_bytes(b"\xff\xfe\0\n" + (encode(Record(0, 1.0, batch(1))) + "\n").encode())
    reader = EventReader(path)
    assert seqs(reader.poll()) == [0]
    assert reader.bad_lines == 1


def test_types_of_a_newer_version_are_skipped_silently(path: Path) -> None:
    path.write_text(
        '{"seq":0,"time":1.0,"type":"coffee_brewed"}\n' + encode(Record(1, 1.0, batch(1))) + "\n"
    )
    reader = EventReader(path)
    assert seqs(reader.poll()) == [1]
    assert reader.bad_lines == 0


def test_a_log_that_shrank_is_read_anew(path: Path, write: Write) -> None:
    write(*map(batch, range(5)))
    reader = EventReader(path)
    assert len(reader.poll()) == 5
    path.write_bytes(b"")
    write(batch(7))
    assert reader.poll() == [Record(0, 1000.0, batch(7))]
    assert reader.restarts == 1


def test_a_log_that_was_replaced_by_a_longer_one_is_read_anew(path: Path, write: Write) -> None:
    write(batch(1))
    reader = EventReader(path)
    assert len(reader.poll()) == 1
    path.rename(path.with_suffix(".old"))
    write(batch(2), batch(3), batch(4))
    assert [record.event for record in reader.poll()] == [batch(2), batch(3), batch(4)]
    assert reader.restarts == 1


def test_a_log_that_was_written_anew_in_place_is_read_anew(path: Path, write: Write) -> None:
    write(batch(1))
    reader = EventReader(path)
    assert len(reader.poll()) == 1
    path.write_bytes(b"")
    write(batch(2), batch(3))
    assert [record.event for record in reader.poll()] == [batch(2), batch(3)]
    assert reader.restarts == 1


def test_what_a_bounded_reader_still_had_of_a_replaced_log_is_forgotten(
    path: Path, write: Write
) -> None:
    write(*map(batch, range(5)))
    reader = EventReader(path)
    assert len(reader.poll(2)) == 2
    path.unlink()
    write(batch(7))
    assert reader.poll(2) == [Record(0, 1000.0, batch(7))]


def test_a_log_that_is_cut_while_it_is_torn_is_no_restart(path: Path, write: Write) -> None:
    write(batch(1))
    reader = EventReader(path)
    with path.open("ab") as file:
        file.write(b'{"seq":1,"time"')
    assert seqs(reader.poll()) == [0]
    write(batch(2))
    assert seqs(reader.poll()) == [1]
    assert reader.restarts == 0


def test_a_log_longer_than_a_block_is_read_whole(path: Path, write: Write) -> None:
    count = 12_000  # × 180 bytes: two blocks and a bit
    path.write_text("".join(encode(Record(i, 1.0, batch(i))) + "\n" for i in range(count)))
    assert path.stat().st_size > 2 << 20
    assert seqs(read_events(path)) == list(range(count))


# ------------------------------------------------------------------ in bulk


def in_bulk(reader: EventReader) -> list[Record]:
    """Everything that is there, batches made into records again."""
    records: list[Record] = []
    while True:
        for item in reader.poll_in_bulk():
            if isinstance(item, Record):
                records.append(item)
                continue
            for line in item.lines:
                values = {f.name: getattr(line, f.name) for f in dataclasses.fields(Batch)}
                records.append(Record(line.seq, line.time, Batch(**values)))
        if reader.at_end:
            return records


def test_bulk_holds_the_same_events_in_the_same_order(path: Path, write: Write) -> None:
    write(*map(batch, range(9)), AlertAcknowledged("a", "b"), *map(batch, range(9, 12)))
    with path.open("ab") as file:
        file.write(b"garbage\n")
    write(batch(12), AlertAcknowledged("c", '"type":"batch",'))
    reader = EventReader(path)
    assert in_bulk(reader) == read_events(path)
    assert reader.bad_lines == 1


def test_a_batch_of_another_hand_is_taken_as_without_bulk(path: Path, write: Write) -> None:
    write(*map(batch, range(3)))
    with path.open("ab") as file:
        file.write(b'{"seq":3,"time":5,"type":"batch","epoch":1,"step":9,"batch":9,"batches":9,')
        file.write(b'"loss":NaN,"cosine":1,"learning_rate":0,"samples_per_second":1,"new":[]}\n')
        file.write(b'{"seq":4,"time":5.0,"type":"batch","epoch":1}\n')
    reader = EventReader(path)
    records = in_bulk(reader)
    assert seqs(records) == [0, 1, 2, 3]
    assert reader.bad_lines == 1


def test_batches_can_be_left_out(path: Path, write: Write) -> None:
    write(batch(1), AlertAcknowledged("a", "b"), batch(2))
    reader = EventReader(path)
    assert reader.poll_in_bulk(batches=False) == [Record(1, 1000.0, AlertAcknowledged("a", "b"))]
    assert reader.at_end


def test_a_log_of_several_blocks_is_given_out_piece_by_piece(path: Path) -> None:
    with path.open("w") as file:
        file.writelines(encode(Record(seq, 1000.0, batch(seq))) + "\n" for seq in range(20_000))
    reader = EventReader(path)
    reader.poll_in_bulk()
    assert not reader.at_end
    assert seqs(in_bulk(EventReader(path))) == list(range(20_000))


def test_what_a_bounded_poll_had_left_comes_first(path: Path, write: Write) -> None:
    write(*map(batch, range(5)))
    reader = EventReader(path)
    assert seqs(reader.poll(2)) == [0, 1]
    assert not reader.at_end
    assert seqs(in_bulk(reader)) == [2, 3, 4]
