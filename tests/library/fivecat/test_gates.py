from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from lvm.fivecat import gates
from lvm.fivecat.gates import judge, read_margin, readiness
from lvm.settings import Thresholds

DEFAULTS = Thresholds()
AHEAD = "after the one to predict: it skips ahead"


def table(margin: float, best: int = 0, top: float = 0.55) -> dict[int, float | None]:
    """An offset table with this margin, whose winner beside k=+1 is `best`."""
    cos: dict[int, float | None] = dict.fromkeys(range(-3, 4), 0.1)
    cos[1], cos[best] = (top, top - margin) if margin >= 0 else (top + margin, top)
    return cos


def passing(split: str) -> dict[str, Any]:
    """Numbers that sit exactly on every threshold of a split."""
    names = ("margin", "r1", "r5", "mrr", "rollout")
    return {
        "cos": {"1": getattr(DEFAULTS, f"cos_{split}"), "0": 0.3},
        **{name: getattr(DEFAULTS, f"{name}_{split}") for name in names},
        "shuffled": -0.15,
        "reversed": -0.10,
        "leave_one_out": -0.08,
        "repeat_last": 0.05,
        "cross_article": 0.05,
        "normal_mean": 0.55 if split == "val" else 0.50,
        "collapsed": False,
    }


def document(**changes: Any) -> dict[str, Any]:
    """A result that is ready for production, exactly on every threshold of that."""
    return {
        "origin": "context",
        "VAL": {"margin": 0.10, "rollout": 0.50},
        "OOD": {"margin": 0.08},
        "passed": 3,
        "gates": dict.fromkeys(gates.GATES, True) | {"offset": False, "ablations": False},
        "order_blind": False,
        "thresholds": DEFAULTS.to_json(),
    } | changes


# ------------------------------------------------------------------ reading the margin


@pytest.mark.parametrize(
    ("margin", "level", "words"),
    [
        (-0.50, "severe", "severe backward bias"),
        (-0.100001, "severe", "severe backward bias"),
        (-0.10, "alarm", "BACKWARD BIAS DETECTED"),
        (-0.084, "alarm", "BACKWARD BIAS DETECTED"),
        (-0.05, "caution", "slight backward tendency"),
        (-0.000001, "caution", "slight backward tendency"),
        (0.0, "weak", "weak forward signal"),
        (0.049999, "weak", "weak forward signal"),
        (0.05, "good", "good forward prediction"),
        (0.145, "good", "good forward prediction"),
    ],
)
def test_the_margin_has_five_levels(margin, level, words):
    reading = read_margin(table(margin), False, DEFAULTS)
    assert (reading.level, reading.words) == (level, words)
    assert reading.margin == margin


@pytest.mark.parametrize(
    ("margin", "best", "message"),
    [
        (-0.084, 0, "margin −0.084: closest to k=0, the chunk it just read"),
        (-0.084, -1, "margin −0.084: closest to k=−1, 1 chunk before the last one it read"),
        (-0.02, -3, "margin −0.020: closest to k=−3, 3 chunks before the last one it read"),
        (0.145, 0, "margin +0.145: closest to k=+1, the chunk to predict"),
        (-0.084, 2, f"margin −0.084: closest to k=+2, 1 chunk {AHEAD}"),
        (-0.3, 3, f"margin −0.300: closest to k=+3, 2 chunks {AHEAD}"),
    ],
)
def test_the_message_names_the_offset_that_won(margin, best, message):
    reading = read_margin(table(margin, best), False, DEFAULTS)
    assert reading.message == message
    assert reading.best_offset == (1 if margin > 0 else best)


@pytest.mark.parametrize(
    ("margin", "words"),
    [
        (-0.3, "severely skips ahead"),
        (-0.084, "SKIPS AHEAD"),
        (-0.02, "slight tendency to skip ahead"),
    ],
)
def test_a_model_that_skips_ahead_is_not_called_backward(margin, words):
    assert read_margin(table(margin, 2), False, DEFAULTS).words == words


def test_a_tie_goes_to_the_chunk_to_predict():
    reading = read_margin(table(0.0, -2), False, DEFAULTS)
    assert (reading.best_offset, reading.margin, reading.level) == (1, 0.0, "weak")


def test_what_rounds_to_nothing_has_a_plus_sign():
    assert "margin +0.000:" in read_margin(table(-0.0001), False, DEFAULTS).message
    assert gates.signed(-0.0) == "+0.000"


def test_a_collapsed_model_is_called_that_and_is_at_least_an_alarm():
    reading = read_margin(table(0.0001), True, DEFAULTS)
    assert (reading.level, reading.words) == ("alarm", "collapsed: all outputs are alike")
    assert reading.message.startswith("margin +0.000: collapsed, all outputs are alike")
    assert read_margin(table(-0.2), True, DEFAULTS).level == "severe"


@pytest.mark.parametrize(
    ("outputs", "targets", "collapsed"),
    [(0.99, 0.1, False), (0.991, 0.1, True), (1.0, 0.9, False), (0.995, 0.795, False)],
)
def test_outputs_are_alike_only_where_targets_are_not(outputs, targets, collapsed):
    assert gates.is_collapsed(outputs, targets) is collapsed


def test_a_table_without_the_next_chunk_is_not_measured_and_an_alarm():
    for cos in ({}, {0: 0.5, 2: 0.4}, {1: 0.5}, {1: None, 0: 0.2}, {1: float("nan"), 0: 0.2}):
        reading = read_margin(cos, False, DEFAULTS)
        assert (reading.level, reading.words, reading.margin) == ("alarm", "not measured", None)


def test_the_levels_follow_the_thresholds():
    strict = dataclasses.replace(DEFAULTS, good=0.2)
    assert read_margin(table(0.145), False, strict).level == "weak"


# ------------------------------------------------------------------ the old count


def counted_from_target(truth: dict[int, float]) -> dict[int, float | None]:
    """The same chunks under the old tool's k: one less than counted from the last context."""
    return {k: truth[k + 1] for k in range(-3, 4)}


FORWARD = {-3: 0.1, -2: 0.1, -1: 0.2, 0: 0.4, 1: 0.567, 2: 0.504, 3: 0.3, 4: 0.2}


def test_with_the_old_count_a_forward_model_has_a_negative_margin_but_is_not_called_backward():
    reading = read_margin(counted_from_target(FORWARD), False, DEFAULTS, "target")
    assert reading.margin == -0.063
    assert reading.best_offset == 0
    assert (reading.level, reading.words) == ("good", "good forward prediction")
    assert reading.message == (
        "margin −0.063: closest to k=0, the chunk to predict, k counted from the target"
    )


def test_with_the_old_count_a_backward_model_is_still_called_backward():
    backward = FORWARD | {0: 0.65}
    reading = read_margin(counted_from_target(backward), False, DEFAULTS, "target")
    assert reading.best_offset == -1
    assert reading.level == "alarm"
    assert reading.words == "BACKWARD BIAS DETECTED"
    assert "closest to k=−1, the chunk it just read" in reading.message


def test_with_the_old_count_a_positive_margin_means_that_it_skips_ahead():
    ahead = FORWARD | {2: 0.75}
    reading = read_margin(counted_from_target(ahead), False, DEFAULTS, "target")
    assert reading.margin == pytest.approx(0.183)
    assert (reading.level, reading.words) == ("severe", "severely skips ahead")
    assert "closest to k=+1, 1 chunk after the one to predict" in reading.message


def test_only_the_old_count_carries_a_note():
    assert gates.origin_note("context") == ""
    assert "NEGATIVE margin" in gates.origin_note("target")


# ------------------------------------------------------------------ gates


def test_numbers_exactly_on_the_thresholds_pass_all_five_gates():
    verdict = judge(passing("val"), passing("ood"), DEFAULTS)
    assert verdict.gates == dict.fromkeys(gates.GATES, True)
    assert verdict.passed == 5
    assert len(verdict.checks) == 2 * (2 + 3 + 5 + 1) + 1
    assert all(check.passed and check.short_by is None for check in verdict.checks)


@pytest.mark.parametrize("split", ["val", "ood"])
@pytest.mark.parametrize(
    ("name", "gate", "step"),
    [
        ("cos", "offset", -1e-6),
        ("margin", "offset", -1e-6),
        ("r1", "retrieval", -1e-6),
        ("r5", "retrieval", -1e-6),
        ("mrr", "retrieval", -1e-6),
        ("shuffled", "ablations", 1e-6),
        ("reversed", "ablations", 1e-6),
        ("leave_one_out", "ablations", 1e-6),
        ("repeat_last", "ablations", 1e-6),
        ("cross_article", "ablations", 1e-6),
        ("rollout", "rollout", -1e-6),
    ],
)
def test_each_number_short_by_a_millionth_on_one_split_fails_its_gate_alone(
    name, gate, step, split
):
    numbers = {"val": passing("val"), "ood": passing("ood")}
    if name == "cos":
        numbers[split]["cos"]["1"] += step
    else:
        numbers[split][name] += step
    verdict = judge(numbers["val"], numbers["ood"], DEFAULTS)
    assert verdict.gates == {other: other != gate for other in gates.GATES}
    (failed,) = (check for check in verdict.checks if not check.passed)
    assert (failed.gate, failed.name, failed.split) == (gate, name, split.upper())
    assert failed.short_by == 1e-6


@pytest.mark.parametrize("name", ["cos", "margin", "r1", "shuffled", "repeat_last", "rollout"])
def test_a_number_that_was_not_measured_does_not_pass(name):
    val = passing("val")
    if name == "cos":
        val["cos"]["1"] = None
    else:
        val[name] = None
    verdict = judge(val, passing("ood"), DEFAULTS)
    (failed,) = (check for check in verdict.checks if not check.passed)
    assert (failed.name, failed.value, failed.short_by) == (name, None, None)
    assert verdict.passed == 4


def test_nan_is_not_measured_either():
    assert not judge(passing("val") | {"mrr": float("nan")}, passing("ood"), DEFAULTS).gates[
        "retrieval"
    ]


@pytest.mark.parametrize(
    ("val", "ood", "passed"),
    [
        (0.55, 0.50, True),
        (0.50, 0.55, True),
        (0.550001, 0.50, False),
        (0.50, 0.550001, False),
        (None, 0.50, False),
        (0.50, None, False),
    ],
)
def test_gate_e_compares_the_normal_bins_of_the_splits(val, ood, passed):
    verdict = judge(
        passing("val") | {"normal_mean": val}, passing("ood") | {"normal_mean": ood}, DEFAULTS
    )
    assert verdict.gates["bins"] is passed


def test_a_verdict_is_plain_json():
    found = judge(passing("val"), passing("ood") | {"r1": 0.5}, DEFAULTS).to_json()
    assert json.loads(json.dumps(found)) == found
    assert found["passed"] == 4
    assert found["checks"][5] == {
        "gate": "retrieval",
        "name": "r1",
        "split": "OOD",
        "value": 0.5,
        "need": 0.55,
        "op": ">=",
        "passed": False,
        "short_by": 0.05,
    }


def test_an_order_blind_model_is_one_that_no_reordering_changes_on_either_split():
    blind = {"shuffled": 0.0, "reversed": 1e-6, "collapsed": False}
    assert gates.is_order_blind(blind, blind)
    assert not gates.is_order_blind(blind, blind | {"shuffled": -0.001})
    assert not gates.is_order_blind(blind | {"reversed": None}, blind)
    assert not gates.is_order_blind(blind, blind | {"collapsed": True})


def test_the_score_weighs_margin_and_rollout():
    assert gates.score(0.145, 0.521) == pytest.approx(0.8 * 0.145 + 0.2 * 0.521)


# ------------------------------------------------------------------ ready for production


def test_a_model_exactly_on_every_threshold_is_ready():
    assert readiness(document(), 0) == (True, [])


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        (
            {"VAL": {"margin": -0.084, "rollout": 0.5}},
            "VAL margin −0.084, needs ≥ +0.10: short by 0.184",
        ),
        ({"OOD": {"margin": 0.05}}, "OOD margin +0.050, needs ≥ +0.08: short by 0.030"),
        (
            {"VAL": {"margin": 0.1, "rollout": 0.4321}},
            "VAL rollout 0.432, needs ≥ 0.50: short by 0.068",
        ),
        (
            {"VAL": {"margin": 0.09999, "rollout": 0.5}},
            "VAL margin +0.099990, needs ≥ +0.10: short by 0.000010",
        ),
        (
            {"VAL": {"margin": None, "rollout": 0.5}},
            "VAL margin not measured, needs ≥ +0.10",
        ),
        (
            {"passed": 2, "gates": dict.fromkeys(gates.GATES, False) | {"rollout": True}},
            "2 of 5 gates, needs 3: A offset, B retrieval, C ablations, E bins failed",
        ),
        (
            {"passed": 2, "order_blind": True},
            "2 of 5 gates, needs 3: A offset, C ablations failed "
            "(order-blind model: C cannot pass)",
        ),
        (
            {"origin": "target"},
            "offsets are counted from the target; production needs them from the last context",
        ),
    ],
)
def test_what_is_missing_is_said_with_how_much(changes, missing):
    assert readiness(document(**changes), 0) == (False, [missing])


@pytest.mark.parametrize(
    ("alerts", "missing"),
    [
        (1, "1 backward-bias alert in the run's history, needs 0"),
        (3, "3 backward-bias alerts in the run's history, needs 0"),
    ],
)
def test_a_backward_alert_in_the_history_bars_a_model_from_production(alerts, missing):
    assert readiness(document(), alerts) == (False, [missing])


def test_a_result_is_judged_by_the_thresholds_stored_in_it():
    strict = dataclasses.replace(DEFAULTS, ready_margin_val=0.125, ready_gates=4)
    ready, missing = readiness(document(thresholds=strict.to_json()), 0)
    assert not ready
    assert missing[0] == "VAL margin +0.100, needs ≥ +0.125: short by 0.025"
    assert missing[1].startswith("3 of 5 gates, needs 4")
