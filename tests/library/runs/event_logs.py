"""What the tests of the event log write, and how they name it."""

from __future__ import annotations

from collections.abc import Callable

from lvm.events import Batch
from lvm.records import Record

Write = Callable[..., None]
"""Appends events to the log of a test."""


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


def seqs(records: list[Record]) -> list[int]:
    return [record.seq for record in records]
