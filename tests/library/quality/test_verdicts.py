"""What a forecast may say of a gate, from plain numbers."""

from __future__ import annotations

import pytest

from lvm.quality.verdicts import BAND, Reach, judge_measured, judge_offset


def _reach(split="VAL", best_cos=0.62, best_margin=0.0, need_cos=0.5, need_margin=0.12):
    return Reach(split, need_cos, need_margin, best_cos, best_margin)


def test_a_margin_far_below_its_need_is_out_of_reach_and_says_how_far():
    verdict = judge_offset([_reach(best_margin=-0.017), _reach("OOD", 0.62, 0.05)], passed=False)

    assert verdict.answer == "out of reach"
    assert verdict.best == -0.017
    assert verdict.need == 0.12
    assert verdict.short_by == pytest.approx(0.137)
    assert "short by 0.137" in verdict.words
    assert "on VAL" in verdict.words


def test_a_margin_within_the_band_below_its_need_is_unknown():
    assert judge_offset([_reach(best_margin=0.12 - BAND + 0.001)], passed=False).answer == "unknown"
    below = judge_offset([_reach(best_margin=0.12 - BAND - 0.001)], passed=False)
    assert below.answer == "out of reach"


def test_a_predictor_that_passes_proves_the_gate_within_reach():
    verdict = judge_offset([_reach(best_margin=0.2), _reach("OOD", 0.6, 0.15)], passed=True)
    assert verdict.answer == "within reach"
    assert verdict.short_by is None


def test_a_cosine_that_nobody_reaches_decides_before_the_margin():
    verdict = judge_offset([_reach(best_cos=0.30, best_margin=None)], passed=False)

    assert verdict.answer == "out of reach"
    assert (verdict.best, verdict.need) == (0.30, 0.5)
    assert "best cos 0.300" in verdict.words


def test_needs_met_on_each_split_but_by_no_one_predictor_are_unknown():
    verdict = judge_offset([_reach(best_margin=0.13), _reach("OOD", 0.6, 0.125)], passed=False)
    assert verdict.answer == "unknown"
    assert verdict.words.endswith("never both")


def _document(passed=False, **values):
    """A 5CAT document of the gate "retrieval" (or as named) with R@1 on both splits."""
    checks = [
        {"gate": gate, "name": name, "split": split, "value": value, "need": need, "op": op}
        for (gate, name, split, need, op), value in zip(
            [
                ("retrieval", "r1", "VAL", 0.60, ">="),
                ("retrieval", "r1", "OOD", 0.55, ">="),
                ("ablations", "shuffled", "VAL", -0.15, "<="),
            ],
            [values.get("val"), values.get("ood"), values.get("shuffled")],
            strict=True,
        )
    ]
    return {"gates": {"retrieval": passed, "ablations": False}, "checks": checks}


def test_the_best_of_several_predictors_is_compared_with_the_need():
    verdict = judge_measured(
        "retrieval", [_document(val=0.30, ood=0.50), _document(val=0.41, ood=0.20)]
    )
    assert verdict.answer == "out of reach"
    assert (verdict.best, verdict.need) == (0.41, 0.60)
    assert verdict.short_by == pytest.approx(0.19)
    assert "VAL R@1 0.410, needs ≥ 0.60" in verdict.words


def test_a_gate_passed_by_one_predictor_is_within_reach():
    documents = [_document(val=0.3, ood=0.3), _document(passed=True, val=0.7, ood=0.56)]
    verdict = judge_measured("retrieval", documents)
    assert verdict.answer == "within reach"
    assert verdict.best == 0.56  # the tightest of its numbers


def test_numbers_reached_by_different_predictors_are_unknown():
    verdict = judge_measured(
        "retrieval", [_document(val=0.7, ood=0.5), _document(val=0.5, ood=0.6)]
    )
    assert verdict.answer == "unknown"
    assert "all of them by none" in verdict.words


def test_the_ablations_are_never_out_of_reach():
    verdict = judge_measured("ablations", [_document(val=0.7, ood=0.5, shuffled=0.4)])
    assert verdict.answer == "unknown"
    assert verdict.short_by == pytest.approx(0.55)


def test_a_number_that_was_never_measured_makes_the_gate_unknown():
    verdict = judge_measured("retrieval", [_document(val=0.7)])
    assert verdict.answer == "unknown"
    assert verdict.words == "not measured: OOD R@1"
    assert judge_measured("rollout", [_document(val=0.7)]).words == "not measured"
