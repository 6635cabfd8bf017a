"""Events: one line of JSON each, readable by older and newer versions."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from lvm import events
from lvm.events import AlertAcknowledged, Batch, Event, RunStarted
from lvm.records import Record, decode, encode

BATCH = Batch(
    epoch=3,
    step=120,
    batch=20,
    batches=50,
    loss=0.00125,
    cosine=0.5,
    learning_rate=5e-4,
    samples_per_second=12400.0,
    memory_mb=812.5,
)

KINDS = [
    kind
    for kind in vars(events).values()
    if isinstance(kind, type) and issubclass(kind, Event) and kind is not Event
]

EXAMPLES: dict[str, Any] = {"int": 3, "float": 0.25, "str": "wörd ✓", "bool": True}


def example(kind: type[Event]) -> Event:
    """One of its kind, every field set to something other than its default."""
    values = {
        item.name: EXAMPLES.get(str(item.type).removesuffix(" | None"), {"VAL": {"margin": 0.1}})
        for item in dataclasses.fields(kind)
    }
    return kind(**values)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind())
def test_every_event_survives_its_line_in_the_log(kind: type[Event]) -> None:
    record = Record(7, 1761861600.125, example(kind))
    line = encode(record)
    assert "\n" not in line
    assert decode(line) == record


def test_a_line_begins_with_seq_time_and_type() -> None:
    line = encode(Record(0, 1761861600.123456, AlertAcknowledged("collapse-5", "ann@mac:ttys001")))
    assert line == (
        '{"seq":0,"time":1761861600.123,"type":"alert_acknowledged",'
        '"alert":"collapse-5","by":"ann@mac:ttys001"}'
    )


def test_a_type_of_a_newer_version_is_skipped() -> None:
    assert decode('{"seq":3,"time":1.0,"type":"coffee_brewed","cups":2}') is None


def test_a_field_of_a_newer_version_is_skipped() -> None:
    document = json.loads(encode(Record(3, 1.0, BATCH))) | {"temperature": 71}
    assert decode(json.dumps(document)) == Record(3, 1.0, BATCH)


def test_a_field_that_an_older_version_did_not_write_takes_its_default() -> None:
    document = json.loads(encode(Record(3, 1.0, BATCH)))
    del document["memory_mb"]
    found = decode(json.dumps(document))
    assert found is not None
    assert found.event == dataclasses.replace(BATCH, memory_mb=0.0)


def test_a_whole_number_is_accepted_as_time() -> None:
    document = json.loads(encode(Record(3, 1.0, BATCH))) | {"time": 17}
    found = decode(json.dumps(document))
    assert found is not None
    assert (found.time, type(found.time)) == (17.0, float)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "not json",
        "[1, 2]",
        "null",
        "7",
        '{"time":1.0,"type":"batch"}',
        '{"seq":"7","time":1.0,"type":"batch"}',
        '{"seq":7,"time":1.0,"type":"batch","epoch":1}',
        '{"seq":7,"time":"noon","type":"alert_acknowledged","alert":"a","by":"b"}',
        '{"seq":7,"time":null,"type":"alert_acknowledged","alert":"a","by":"b"}',
    ],
)
def test_a_line_that_is_no_event_is_a_value_error(line: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode(line)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_loss_that_is_not_finite_becomes_null_and_the_line_stays_json(value: float) -> None:
    line = encode(Record(0, 1.0, dataclasses.replace(BATCH, loss=value)))
    assert json.loads(line, parse_constant=pytest.fail)["loss"] is None


def test_not_finite_numbers_deep_in_a_result_become_null_too() -> None:
    event = events.FivecatFinished(5, 100, {"VAL": {"cos": [0.5, float("nan")]}}, 0.1, 2.0)
    document = json.loads(encode(Record(0, 1.0, event)))
    assert document["result"] == {"VAL": {"cos": [0.5, None]}}


def test_names_are_the_snake_case_of_the_class() -> None:
    assert RunStarted.kind() == "run_started"
    assert events.FivecatFinished.kind() == "fivecat_finished"
    assert {kind.kind() for kind in KINDS} >= {"batch_halved", "slow_epoch", "queue_finished"}
    assert len({kind.kind() for kind in KINDS}) == len(KINDS)
