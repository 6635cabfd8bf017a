"""A long log read in bulk gives the same view as one folded event by event."""

from __future__ import annotations

import math
import random
from dataclasses import fields, replace
from functools import reduce
from pathlib import Path

import pytest

from lvm import events as e
from lvm.events import Event
from lvm.records import Record, encode
from lvm.runs.eventlog import EventReader, read_events
from lvm_tui.live import Tail
from lvm_tui.state import bulk
from lvm_tui.state.curves import CAPACITY, MANY, SMOOTHING, Curve
from lvm_tui.state.fold import fold
from lvm_tui.state.views import RunView

RUN = "gru_5cat_20251030_220000"
BATCHES = 40


class LogMaker:
    """A log of a run that is stopped and taken up again, with lines that nobody should write."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.lines: list[str] = []
        self.seq = 0
        self.time = 1_761_861_600.0

    def add(self, event: Event) -> None:
        self.time += self.random.choice((0.0, 0.1, 0.13))
        self.lines.append(encode(Record(self.seq, round(self.time, 3), event)))
        self.seq += 1

    def start(self, step: int) -> None:
        epoch = step // BATCHES
        sizes = {"train": 1, "val": 1, "ood": 1}
        self.add(
            e.RunStarted(
                RUN,
                "gru",
                {},
                9,
                99,
                BATCHES,
                sizes,
                8,
                "cpu",
                step=step,
                epoch=epoch,
                resumed=True,
            )
        )

    def batch(self, step: int) -> None:
        value = self.random.choice((0.5, 1e-9, -3.0, math.nan, math.inf, 7.25, 1e30))
        epoch, done = divmod(step - 1, BATCHES)
        self.add(
            e.Batch(epoch + 1, step, done + 1, BATCHES, self.random.random(), value, 1e-4, 99.5, 3)
        )

    def oddity(self) -> None:
        """What is no event, or one of another version, or a batch of another hand."""
        self.lines.append(
            self.random.choice(
                (
                    "garbage",
                    '{"seq":1,"time":1.0,"type":"coffee_brewed"}',
                    '{"seq":1,"time":1.0,"type":"batch","epoch":1}',
                    '{"seq": 1, "time": 1, "type": "batch", "epoch": 1, "step": 1, "batch": 1, '
                    '"batches": 2, "loss": NaN, "cosine": 1, "learning_rate": 0, '
                    '"samples_per_second": 1, "colour": "red"}',
                    "",
                )
            )
        )

    def make(self, events: int) -> list[str]:
        self.start(0)
        step = 0
        while len(self.lines) < events:
            step += self.random.choice((1, 1, 1, 1, 3))
            self.batch(step)
            dice = self.random.random()
            if dice < 0.004:
                step = self.random.randint(0, step)
                self.start(step)
            elif dice < 0.02:
                number = step // BATCHES
                self.add(e.EpochFinished(number, 99, step, 1.0, 0.5, 1.0, 0.5, 1e-4, 2.0, 9.0))
            elif dice < 0.024:
                self.add(e.Paused(step))
                self.add(e.Resumed(step))
            elif dice < 0.028:
                step -= self.random.randint(0, 3)  # lines that were written twice
            elif dice < 0.03:
                self.oddity()
        return self.lines


def view_of(tail: Tail) -> RunView:
    tail.read()
    while not tail.at_end:
        tail.read()
    return tail.view


def one_by_one(path: Path) -> RunView:
    return reduce(fold, read_events(path), RunView(run=RUN))


def assert_alike(one: Curve, other: Curve) -> None:
    assert (one.width, one.points) == (other.width, other.points)
    places = [[(b.first, b.last, b.upto) for b in curve.buckets] for curve in (one, other)]
    assert places[0] == places[1]
    for left, right in zip(one.buckets, other.buckets, strict=True):
        for name in ("lows", "highs", "ends"):
            assert getattr(left, name) == pytest.approx(getattr(right, name), rel=1e-9, abs=1e-12)


def assert_same(bulk_view: RunView, single: RunView) -> None:
    assert_alike(bulk_view.loss, single.loss)
    assert_alike(bulk_view.cosine, single.cosine)
    assert bulk_view.pace.seconds_per_batch == pytest.approx(single.pace.seconds_per_batch)
    alike = {name: getattr(single, name) for name in ("loss", "cosine", "pace")}
    assert replace(bulk_view, **alike) == single


@pytest.mark.parametrize("seed", range(4))
def test_a_long_log_of_a_resumed_run_is_folded_in_bulk_as_one_by_one(
    tmp_path: Path, seed: int
) -> None:
    path = tmp_path / "events.jsonl"
    lines = LogMaker(seed).make(6_000)
    path.write_text("\n".join(lines) + "\n" + lines[-1][:30])  # the last line is torn
    assert_same(view_of(Tail(EventReader(path), RUN)), one_by_one(path))


def test_a_log_is_followed_wherever_its_pieces_end(tmp_path: Path) -> None:
    maker = LogMaker(7)
    text = ("\n".join(maker.make(4_000)) + "\n").encode()
    path = tmp_path / "events.jsonl"
    tail = Tail(EventReader(path), RUN)
    end = 0
    while end < len(text):
        more = maker.random.choice((1, 40, 700, 9_000, 200_000))
        with path.open("ab") as file:
            file.write(text[end : end + more])
        end += more
        view_of(tail)
    assert_same(tail.view, one_by_one(path))


def test_a_replaced_log_is_read_anew_in_bulk(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text("\n".join(LogMaker(1).make(2_000)) + "\n")
    tail = Tail(EventReader(path), RUN)
    view_of(tail)
    path.unlink()
    path.write_text("\n".join(LogMaker(2).make(900)) + "\n")
    assert_same(view_of(tail), one_by_one(path))


def test_a_view_without_curves_knows_everything_else(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text("\n".join(LogMaker(3).make(2_000)) + "\n")
    view, whole = view_of(Tail(EventReader(path), RUN, curves=False)), one_by_one(path)
    assert view.loss.points == 0
    assert (view.history, view.log, view.settings) == (whole.history, whole.log, whole.settings)


# ------------------------------------------------------------------ curves


@pytest.mark.parametrize("seed", range(6))
def test_a_curve_in_bulk_has_the_buckets_of_a_curve_point_by_point(seed: int) -> None:
    dice = random.Random(seed)
    capacity = dice.choice((8, 64, CAPACITY))
    one = other = Curve(capacity=capacity)
    step = 0
    for _ in range(12):
        if dice.random() < 0.3:
            step = dice.randint(0, step)
            one, other = one.rewound(step), other.rewound(step)
        count = dice.choice((1, 5, MANY, 1_000, 3_333))
        steps, values = [], []
        for _ in range(count):
            step += dice.choice((1, 2))
            steps.append(step)
            values.append(dice.choice((0.0, dice.random(), -5.0, None, math.nan)))
        one = bulk.extended(one, steps, values)
        for start in range(0, count, MANY - 1):
            piece = slice(start, start + MANY - 1)
            other = other.extended(steps[piece], values[piece])
        assert_alike(one, other)


def test_nothing_measured_leaves_a_curve_as_it_is() -> None:
    curve = Curve().extended([1, 2], [0.5, 0.25])
    assert bulk.extended(curve, [3, 4], [None, math.inf]) is curve
    assert curve.extended([3, 4], [None, math.inf]) is curve
    assert bulk.extended(curve, [1, 2], [9.0, 9.0]) is curve


def test_the_recurrence_is_the_plain_one() -> None:
    dice = random.Random(5)
    values = [dice.uniform(-1, 1) for _ in range(5_000)]
    for decay in SMOOTHING[1:]:
        y, expected = 3.0, []
        for value in values:
            y = value + decay * y
            expected.append(y)
        found = bulk.recurrence(bulk.np.array(values), decay, 3.0)
        assert found.tolist() == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_a_batch_line_has_every_field_of_the_event() -> None:
    from lvm.runs.decoding import BatchLine

    assert set(BatchLine.__annotations__) == {"seq", "time", *(f.name for f in fields(e.Batch))}
