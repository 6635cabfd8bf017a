"""Any number of readers of one event log, whatever becomes of it meanwhile."""

from __future__ import annotations

from pathlib import Path

from lvm.records import Record, encode
from lvm.runs.eventlog import EventReader, read_events

from .event_logs import Write, batch, seqs


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
