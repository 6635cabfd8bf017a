"""Which numbers raise which alert."""

from __future__ import annotations

from typing import Any

import pytest

from lvm.training import alerts


def split(level: str, margin: float, best_offset: int = 0, **more: Any) -> dict[str, Any]:
    message = f"margin {margin:+.3f}: closest to k={best_offset}"
    return {
        "level": level,
        "margin": margin,
        "best_offset": best_offset,
        "message": message,
        "collapsed": False,
        **more,
    }


@pytest.mark.parametrize("level", ["severe", "alarm", "caution"])
def test_a_backward_val_split_raises_one_alert_of_its_level(level: str) -> None:
    found = alerts.fivecat_alerts({"VAL": split(level, -0.07), "OOD": split("good", 0.1, 1)}, 5)
    assert [(a.alert, a.cause, a.level, a.split, a.value) for a in found] == [
        ("backward_bias-5-VAL", "backward_bias", level, "VAL", -0.07)
    ]


def test_the_ood_margin_is_read_the_same_way_and_comes_second() -> None:
    found = alerts.fivecat_alerts({"VAL": split("alarm", -0.06), "OOD": split("severe", -0.2)}, 10)
    assert [(a.split, a.level) for a in found] == [("VAL", "alarm"), ("OOD", "severe")]


def test_a_forward_model_raises_nothing() -> None:
    document = {"VAL": split("good", 0.2, 1), "OOD": split("weak", 0.01, 1)}
    assert alerts.fivecat_alerts(document, 5) == []


def test_a_model_that_skips_ahead_is_not_called_backward() -> None:
    found = alerts.fivecat_alerts({"VAL": split("alarm", -0.07, 2), "OOD": split("good", 0.1)}, 5)
    assert [(a.cause, a.message.split("  ")[0]) for a in found] == [("skips_ahead", "SKIPS AHEAD")]


def test_a_collapsed_model_is_called_collapsed_and_nothing_else() -> None:
    document = {"VAL": split("caution", -0.0, 0, collapsed=True), "OOD": split("good", 0.1, 1)}
    assert [a.cause for a in alerts.fivecat_alerts(document, 5)] == ["collapse"]


@pytest.mark.parametrize(
    ("cause", "level", "counts"),
    [
        ("backward_bias", "severe", True),
        ("backward_bias", "alarm", True),
        ("backward_bias", "caution", False),
        ("collapse", "alarm", False),
    ],
)
def test_only_backward_bias_alarms_count_against_production(
    cause: str, level: str, counts: bool
) -> None:
    assert alerts.counts_against_production({"cause": cause, "level": level}) is counts


def test_an_epoch_is_slow_from_twice_the_median_of_at_least_three() -> None:
    assert alerts.slow_epoch(3, 99.0, [10, 10], "cpu", 0.5, 2) is None
    assert alerts.slow_epoch(4, 20.0, [10, 10, 11], "cpu", 0.5, 2) is None
    found = alerts.slow_epoch(4, 20.1, [10, 10, 11], "cpu", 0.5, 2)
    assert found is not None
    assert (found.median, found.seconds) == (10, 20.1)


def test_a_short_epoch_is_not_slow_before_it_costs_ten_seconds() -> None:
    assert alerts.slow_epoch(4, 10.9, [1, 1, 1], "cpu", 0.5, 2) is None
    assert alerts.slow_epoch(4, 11.1, [1, 1, 1], "cpu", 0.5, 2) is not None


@pytest.mark.parametrize(
    ("before", "seconds", "news"),
    [
        ([10, 10, 10], 30.0, True),
        ([10, 10, 10, 30], 30.0, False),
        ([10, 10, 10, 30, 10, 10], 31.0, False),
        ([10, 10, 10, 30, 10, 10], 61.0, True),
        ([30, 10, 10, 10], 30.0, True),
    ],
    ids=["the first", "goes on", "comes back", "much worse", "a slow start counts for nothing"],
)
def test_a_machine_that_stays_slow_is_raised_once(
    before: list[float], seconds: float, news: bool
) -> None:
    found = alerts.slow_epoch(len(before) + 1, seconds, before, "cpu", 0.5, 2)
    assert found is not None
    assert alerts.is_slow_news(found, before, "cpu") is news


def test_the_cause_of_a_slow_epoch_is_the_load_if_the_machine_is_loaded() -> None:
    found = alerts.slow_epoch(4, 30.0, [10, 10, 10], "cpu", 6.0, 2)
    assert found is not None
    assert "load is 6.0 on 2 cores" in found.cause


def test_on_mps_the_guides_eight_minutes_are_slow_even_for_a_first_epoch() -> None:
    assert alerts.slow_epoch(1, 481.0, [], "mps", 0.5, 8) is not None
    assert alerts.slow_epoch(1, 481.0, [], "cpu", 0.5, 8) is None
