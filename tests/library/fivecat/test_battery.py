from __future__ import annotations

import itertools
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from lvm.errors import DataError, RunError
from lvm.fivecat import gates
from lvm.fivecat.battery import iter_battery, run_battery
from lvm.settings import MODEL_TYPES, FivecatSettings, Thresholds

from .conftest import LooksUp, Says

SHORT = FivecatSettings(max_samples=200, horizon=3)
THRESHOLDS = Thresholds()
LENGTHS = [12] * 12


class ScriptedClock:
    def __init__(self) -> None:
        self.ticks = 0.0

    def now(self) -> float:
        raise AssertionError("nobody asked for the date")

    def monotonic(self) -> float:
        self.ticks += 2.5
        return self.ticks

    def sleep(self, seconds: float) -> None:
        raise AssertionError("nobody sleeps")


def document(model: nn.Module, val, ood=None, settings=SHORT, thresholds=THRESHOLDS):
    return run_battery(model, val, val if ood is None else ood, settings, thresholds).to_json()


# ------------------------------------------------------------------ models whose answer is known


def test_a_model_that_knows_the_next_chunk_is_perfect(world):
    val = world(LENGTHS)
    found = document(LooksUp(val), val)
    assert found["VAL"]["cos"]["1"] == 1.0
    assert found["VAL"]["margin"] > 0.12
    assert (found["VAL"]["level"], found["VAL"]["best_offset"]) == ("good", 1)
    assert found["VAL"]["r1"] == found["VAL"]["mrr"] == 1.0
    assert found["VAL"]["rollout_steps"] == [1.0, 1.0, 1.0]
    assert found["gates"]["offset"]
    assert found["gates"]["retrieval"]
    assert found["gates"]["rollout"]
    assert found["score"] == pytest.approx(0.8 * found["VAL"]["margin"] + 0.2, abs=1e-6)


def test_counted_from_the_target_the_same_perfect_model_has_a_negative_margin(world):
    val = world(LENGTHS)
    found = document(LooksUp(val), val, settings=SHORT.changed(offset_origin="target"))
    assert found["origin"] == "target"
    assert "NEGATIVE margin" in found["note"]
    assert found["VAL"]["cos"]["0"] == 1.0
    assert found["VAL"]["margin"] < 0
    assert found["VAL"]["best_offset"] == 0
    assert found["VAL"]["words"] == "good forward prediction"
    assert found["VAL"]["rollout"] < 0.9  # step h is held against the chunk after its own
    assert not found["gates"]["offset"]
    assert not found["ready"]


@pytest.mark.parametrize(("context", "best"), [(4, 0), (3, -1), (1, -3)])
def test_a_model_that_repeats_what_it_read_is_backward(context, best, world):
    found = document(Says(context), world(LENGTHS))
    assert found["VAL"]["best_offset"] == best
    assert found["VAL"]["cos"][str(best)] == 1.0
    assert found["VAL"]["level"] == "severe"
    assert not found["gates"]["offset"]
    assert not found["ready"]
    assert found["missing"][0].startswith("VAL margin −0.")


def test_a_model_that_knows_the_chunk_after_the_next_skips_ahead(world):
    val = world(LENGTHS)
    found = document(LooksUp(val, ahead=2), val)
    assert found["VAL"]["best_offset"] == 2
    assert "skips ahead" in found["VAL"]["words"]
    assert "skips ahead" in found["VAL"]["message"]


def test_a_model_that_always_says_the_same_is_collapsed(world):
    found = document(Says(None), world(LENGTHS))
    assert found["VAL"]["collapsed"]
    assert found["VAL"]["outputs_alike"] == 1.0
    assert found["VAL"]["targets_alike"] < 0.3
    assert found["VAL"]["words"] == "collapsed: all outputs are alike"
    assert not found["order_blind"]


def test_an_amn_is_order_blind_and_cannot_pass_c(world, random_model):
    found = document(random_model("amn"), world(LENGTHS))
    assert found["order_blind"]
    assert found["VAL"]["shuffled"] == found["VAL"]["reversed"] == 0.0
    assert found["OOD"]["shuffled"] == found["OOD"]["reversed"] == 0.0
    assert not found["gates"]["ablations"]


@pytest.mark.parametrize("model_type", ["lstm", "gru", "transformer"])
def test_the_others_are_not_order_blind(model_type, world, random_model):
    assert not document(random_model(model_type), world(LENGTHS))["order_blind"]


# ------------------------------------------------------------------ samples


def test_samples_at_the_edges_of_articles_are_left_out_per_test_and_counted(world):
    # 7 chunks: targets 5, 6, nothing at k=+3; 9 chunks: targets 5…8, only 5 and 6 have k=+3
    val, ood = world([7, 9]), world(LENGTHS)
    found = document(LooksUp(val), val, ood, SHORT.changed(horizon=4))
    assert found["samples"]["VAL"] == {
        "asked": 200,
        "available": 6,
        "drawn": 6,
        "used": 2,
        "skipped": {
            "offset test: no chunk at some k of −3…+3": 4,
            "rollout: fewer than 4 chunks follow": 5,
        },
    }
    assert found["VAL"]["offset_n"] == 2
    assert found["VAL"]["rollout_n"] == 1
    assert found["VAL"]["retrieval_n"] == found["VAL"]["n"] == 6


def test_samples_lost_before_the_battery_are_reported_too(world):
    val = replace(world(LENGTHS), skipped={"missing article": 3})
    assert document(LooksUp(val), val)["samples"]["VAL"]["skipped"]["missing article"] == 3


def test_no_more_samples_than_asked_for_are_measured(world, random_model):
    found = document(random_model("amn"), world(LENGTHS), settings=SHORT.changed(max_samples=50))
    assert found["samples"]["VAL"]["drawn"] == found["VAL"]["n"] == 50
    assert found["samples"]["VAL"]["available"] == 84


def test_no_sample_at_all_is_an_error_with_the_reasons(world):
    val = world(LENGTHS)
    empty = replace(
        val,
        contexts=val.contexts[:0],
        target_rows=val.target_rows[:0],
        article_starts=val.article_starts[:0],
        article_ends=val.article_ends[:0],
        skipped={"missing article": 9},
    )
    with pytest.raises(DataError, match=r"OOD: no usable samples \(missing article: 9\)"):
        document(Says(4), val, empty)


@pytest.mark.parametrize(
    ("lengths", "settings", "message"),
    [
        ([7, 7], SHORT, r"VAL: none of 4 samples has all .* offset test needs\n.* 8 chunks"),
        (
            [8, 8],
            SHORT.changed(offset_origin="target"),
            r"VAL: none of 6 samples has all .* offset test needs\n.* 9 chunks",
        ),
        (
            [7, 7],
            SHORT.changed(max_samples=3),
            r"VAL: none of 3 samples has all .*\n.* 8 chunks and more, or draw more samples",
        ),
        (
            [9, 9],
            SHORT.changed(horizon=5),
            r"VAL: none of 8 samples has all .* rollout needs\n.* 10 chunks .* smaller horizon",
        ),
    ],
)
def test_a_test_without_a_usable_sample_is_an_error_and_never_a_pass(
    lengths, settings, message, world
):
    with pytest.raises(DataError, match=message):
        document(Says(4), world(lengths), world(LENGTHS), settings)


def test_an_empty_normal_bin_is_not_measured_and_gate_e_fails(world):
    val = world(LENGTHS, drift=0.1)  # every text holds together far too well
    found = document(LooksUp(val), val)
    assert found["VAL"]["normal_mean"] is None
    assert found["VAL"]["normal_n"] == 0
    assert found["VAL"]["high_n"] == found["VAL"]["n"]
    assert not found["gates"]["bins"]
    (check,) = (check for check in found["checks"] if check["gate"] == "bins")
    assert (check["value"], check["passed"], check["short_by"]) == (None, False, None)


def test_vectors_of_another_width_than_the_models_are_an_error(world, random_model):
    with pytest.raises(DataError, match=r"OOD: vectors of 8 numbers, but the model reads 16"):
        document(random_model("gru"), world(LENGTHS), world(LENGTHS, dim=8))


def test_a_model_that_predicts_nan_is_an_error_and_never_rank_one(world, random_model):
    model = random_model("gru")
    with torch.no_grad():
        model.output_proj.bias[0] = float("nan")
    with pytest.raises(RunError, match="NaN"):
        document(model, world(LENGTHS))


# ------------------------------------------------------------------ the document


def test_the_document_is_plain_json_with_the_promised_keys(world, random_model):
    found = document(random_model("gru"), world(LENGTHS))
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found.keys() == {
        "origin", "note", "seed", "horizon", "samples", "VAL", "OOD", "gates", "checks", "passed",
        "ready", "missing", "score", "order_blind", "thresholds", "seconds",
    }  # fmt: skip
    assert list(found["VAL"]["cos"]) == ["-3", "-2", "-1", "0", "1", "2", "3"]
    assert {
        "margin", "best_offset", "level", "words", "message", "collapsed", "r1", "r5", "mrr",
        "retrieval_n", "r1_without_context", "shuffled", "reversed", "leave_one_out",
        "repeat_last", "cross_article", "rollout", "rollout_steps", "low_mean", "low_n",
        "normal_mean", "normal_n", "high_mean", "high_n",
    } <= found["VAL"].keys()  # fmt: skip
    assert found["VAL"].keys() == found["OOD"].keys()
    assert found["gates"].keys() == set(gates.GATES)
    assert found["thresholds"] == THRESHOLDS.to_json()


def test_a_result_can_be_judged_again_with_the_history_of_its_run(world):
    val = world(LENGTHS)
    found = document(LooksUp(val), val)
    assert (found["ready"], found["missing"]) == gates.readiness(found, 0) == (True, [])
    assert not gates.readiness(found, 1)[0]


def test_the_thresholds_that_judged_are_those_given(world):
    val = world(LENGTHS)
    strict = Thresholds(r1_val=1.5)
    found = document(LooksUp(val), val, thresholds=strict)
    assert not found["gates"]["retrieval"]
    assert found["thresholds"]["r1_val"] == 1.5


def test_the_time_is_that_of_the_clock(world):
    result = run_battery(
        Says(4), world(LENGTHS), world(LENGTHS), SHORT, THRESHOLDS, clock=ScriptedClock()
    )
    assert result.seconds == 2.5


# ------------------------------------------------------------------ the same numbers again


def without_time(document):
    return {name: value for name, value in document.items() if name != "seconds"}


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others(world, random_model):
    val, settings = world(LENGTHS), SHORT.changed(max_samples=40)
    model = random_model("lstm")
    first = document(model, val, settings=settings)
    torch.rand(3)
    np.random.default_rng(9).normal()
    assert without_time(document(model, val, settings=settings)) == without_time(first)
    other = document(model, val, settings=settings.changed(seed=1))
    assert other["VAL"]["cos"] != first["VAL"]["cos"]


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_the_batch_size_changes_no_number(model_type, world, random_model):
    val, ood = world(LENGTHS), world(LENGTHS, seed=1)
    model = random_model(model_type)
    whole = document(model, val, ood, SHORT.changed(batch_size=4096))
    for batch_size in (1, 7) if model_type == "lstm" else (13,):
        parts = document(model, val, ood, SHORT.changed(batch_size=batch_size))
        for split in ("VAL", "OOD"):
            for name, value in whole[split].items():
                if isinstance(value, float):
                    assert parts[split][name] == pytest.approx(value, abs=2e-6), name
        assert parts["gates"] == whole["gates"]


# ------------------------------------------------------------------ progress, cancelling, manners


def test_progress_counts_every_row_that_went_through_the_model(world):
    class Counts(Says):
        rows = 0

        def forward(self, contexts):
            self.rows += len(contexts)
            return super().forward(contexts)

    val, ood, model = world(LENGTHS), world([7, 11, 30]), Counts(4)
    seen = []
    run_battery(model, val, ood, SHORT.changed(batch_size=20), THRESHOLDS, progress=seen.append)
    assert [step.done for step in seen] == sorted(step.done for step in seen)
    assert {step.total for step in seen} == {model.rows}
    assert seen[-1].done == model.rows
    assert {step.test for step in seen} == {"offset", "retrieval", "ablations", "rollout"}
    assert [split for split, _ in itertools.groupby(step.split for step in seen)] == ["VAL", "OOD"]
    assert max(b.done - a.done for a, b in itertools.pairwise(seen)) <= 20


def test_one_sample_costs_a_prediction_nine_ablations_and_two_more_rollout_steps(world):
    val = world([20])
    running = iter_battery(Says(4), val, val, SHORT, THRESHOLDS)
    assert next(running).total == 2 * (15 * (1 + 9) + 13 * 2)
    running.close()


@pytest.mark.parametrize("steps", [1, 5, 14])
def test_cancelling_anywhere_leaves_the_model_and_torch_as_they_were(steps, world, random_model):
    model = random_model("lstm").train()
    model.output_proj.eval()
    val = world(LENGTHS)
    before = torch.get_rng_state()
    running = iter_battery(model, val, val, SHORT, THRESHOLDS)
    for _ in range(steps):
        next(running)
        assert model.training
        assert not model.output_proj.training
        assert torch.is_grad_enabled()
        assert not torch.is_inference_mode_enabled()
    running.close()
    assert model.lstm.training
    assert torch.equal(torch.get_rng_state(), before)


def test_a_model_in_training_mode_is_measured_without_dropout(world, random_model):
    val = world(LENGTHS)
    model = random_model("transformer")
    expected = without_time(document(model, val))
    assert without_time(document(model.train(), val)) == expected
