"""Curves: bounded memory, no spike lost, smoothing before bucketing, rewinding."""

from __future__ import annotations

import math

import pytest

from lvm_tui.state.curves import CAPACITY, SMOOTHING, Curve

RAW = 0


def curve_of(values: list[float], *, capacity: int = CAPACITY) -> Curve:
    return Curve(capacity=capacity).extended(range(1, len(values) + 1), values)


def test_a_curve_keeps_every_point_while_there_is_room() -> None:
    curve = curve_of([3.0, 1.0, 2.0])
    assert [(b.first, b.last, b.lows[RAW], b.highs[RAW]) for b in curve.buckets] == [
        (1, 1, 3.0, 3.0),
        (2, 2, 1.0, 1.0),
        (3, 3, 2.0, 2.0),
    ]


def test_a_full_curve_merges_neighbours_and_goes_on() -> None:
    curve = curve_of([float(i) for i in range(1, 11)], capacity=8)
    assert curve.width == 2
    assert [(b.first, b.last) for b in curve.buckets] == [(1, 2), (3, 4), (5, 6), (7, 8), (9, 10)]
    assert curve.buckets[2].lows[RAW] == 5.0
    assert curve.buckets[2].highs[RAW] == 6.0


def test_memory_is_bounded_after_a_hundred_thousand_points() -> None:
    curve = curve_of([0.0] * 100_000, capacity=256)
    assert 128 <= len(curve.buckets) <= 256
    assert curve.points == 100_000


@pytest.mark.parametrize("spike_at", [0, 1, 4_999, 9_998, 9_999])
def test_no_spike_is_lost(spike_at: int) -> None:
    values = [1.0] * 10_000
    values[spike_at] = 50.0
    curve = curve_of(values, capacity=64)
    spans = curve.spans(RAW, 0, 10_000, columns=20)
    assert max(span.high for span in spans) == 50.0
    assert len(spans) <= 41


def test_points_one_by_one_give_the_same_buckets_as_all_at_once() -> None:
    values = [math.sin(i / 7) for i in range(1_000)]
    whole = curve_of(values, capacity=64)
    piecewise = Curve(capacity=64)
    for step, value in enumerate(values, start=1):
        piecewise = piecewise.extended([step], [value])
    assert [(b.first, b.last, b.upto) for b in piecewise.buckets] == [
        (b.first, b.last, b.upto) for b in whole.buckets
    ]
    for one, other in zip(piecewise.buckets, whole.buckets, strict=True):
        assert one.lows == pytest.approx(other.lows)
        assert one.ends == pytest.approx(other.ends)


def test_extending_leaves_the_old_curve_as_it_was() -> None:
    before = curve_of([1.0, 2.0])
    buckets = before.buckets
    before.extended([3], [9.0])
    assert before.buckets is buckets


def test_smoothing_is_the_debiased_moving_average() -> None:
    values = [4.0, 0.0, 2.0]
    curve = curve_of(values)
    for level, decay in enumerate(SMOOTHING):
        average = 0.0
        for count, value in enumerate(values, start=1):
            average = decay * average + (1 - decay) * value
            expected = average / (1 - decay**count)
            assert curve.buckets[count - 1].ends[level] == pytest.approx(expected)


def test_a_constant_stays_constant_at_every_level_from_the_first_point() -> None:
    curve = curve_of([0.25] * 50)
    for bucket in curve.buckets:
        assert bucket.ends == pytest.approx((0.25,) * len(SMOOTHING))


def test_rewinding_drops_what_came_later_and_goes_on_as_if_it_had_never_been() -> None:
    values = [math.cos(i / 5) for i in range(100)]
    rewound = curve_of(values).rewound(60)
    assert rewound.last_step == 60
    again = rewound.extended(range(61, 101), values[60:])
    straight = curve_of(values)
    assert [b.last for b in again.buckets] == [b.last for b in straight.buckets]
    assert again.buckets[-1].ends == pytest.approx(straight.buckets[-1].ends)


def test_a_bucket_that_straddles_the_rewound_step_goes_too() -> None:
    curve = curve_of([1.0] * 30, capacity=8)
    assert curve.width == 8
    assert curve.rewound(10).last_step == 8


def test_rewinding_to_the_end_changes_nothing() -> None:
    curve = curve_of([1.0, 2.0])
    assert curve.rewound(2) is curve


def test_only_what_is_visible_is_given() -> None:
    curve = curve_of([float(i) for i in range(1, 101)])
    spans = curve.spans(RAW, 40, 50, columns=80)
    assert [span.step for span in spans] == list(range(40, 51))


def test_an_empty_range_or_no_columns_give_nothing() -> None:
    curve = curve_of([1.0, 2.0])
    assert curve.spans(RAW, 5, 5, 10) == []
    assert curve.spans(RAW, 0, 5, 0) == []
