"""Long event logs: batches come in bulk, and are the same events."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from lvm.events import AlertAcknowledged, Batch
from lvm.records import Record, encode
from lvm.runs.eventlog import EventReader, read_events

from .event_logs import Write, batch, seqs


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
