"""Who may go live, what is missing and by how much, and when a test counts again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lvm.errors import InputError
from lvm.promotion.ledger import find_test
from lvm.promotion.policy import Override, judge
from lvm.runs.past import Past
from lvm.runs.store import Store
from lvm.settings import Thresholds

CLEAN = Past("gru_5cat_1", "events", 0)


def result(**changes: Any) -> dict[str, Any]:
    numbers = {"margin": 0.12, "rollout": 0.55} | changes
    return {
        "origin": "context",
        "VAL": numbers,
        "OOD": {"margin": 0.09, "rollout": 0.5},
        "passed": 3,
        "gates": dict.fromkeys(("offset", "retrieval", "ablations", "rollout", "bins"), True),
        "thresholds": Thresholds().to_json(),
    }


def test_what_reaches_every_need_is_allowed_without_words() -> None:
    judged = judge(result(), CLEAN, Override("just in case", "ann"))
    assert judged.ready
    assert judged.allowed
    assert judged.override is None, "none was needed, so none is recorded"
    assert all(each.passed for each in judged.criteria)


def test_what_falls_short_says_by_how_much() -> None:
    judged = judge(result(margin=0.08), CLEAN)
    assert not judged.allowed
    assert judged.missing == ["VAL margin +0.080, needs ≥ +0.10: short by 0.020"]
    assert [each.short_by for each in judged.criteria if not each.passed] == [0.02]


def test_a_backward_bias_alert_in_the_runs_history_bars_good_numbers() -> None:
    judged = judge(result(), Past("gru_5cat_1", "events", 1))
    assert judged.missing == ["1 backward-bias alert in the run's history, needs 0"]


def test_a_history_that_is_not_known_does_not_pass() -> None:
    assert not judge(result(), Past("", "unknown", None, "no run")).allowed


def test_a_number_that_was_not_measured_does_not_pass() -> None:
    judged = judge(result(rollout=None), CLEAN)
    assert not judged.allowed
    assert judged.criteria[2].value is None
    assert judged.criteria[2].short_by is None


def test_an_override_allows_and_keeps_reason_and_person() -> None:
    judged = judge(result(margin=0.0), CLEAN, Override("demo on Friday", "ann@mac"))
    assert judged.allowed
    assert not judged.ready
    assert judged.override == Override("demo on Friday", "ann@mac")


@pytest.mark.parametrize("reason", ["", "  ", "\n"])
def test_an_override_without_a_reason_is_none(reason: str) -> None:
    with pytest.raises(InputError, match="needs a reason"):
        Override(reason, "ann")


def test_a_test_counts_again_only_for_the_same_bytes_data_and_settings(tmp_path: Path) -> None:
    store = Store(tmp_path / "lvm.db")
    settings = {"max_samples": 5000, "horizon": 5}
    document = {"sha256": "a", "data": "d", "settings": settings, "result": {"passed": 4}}
    store.add_to_ledger("tested", "gru", document)
    found = store.ledger()
    store.close()
    assert find_test(found, "a", "d", settings) == {"passed": 4, "entry": 1}
    assert find_test(found, "b", "d", settings) is None
    assert find_test(found, "a", "e", settings) is None
    assert find_test(found, "a", "d", {**settings, "horizon": 3}) is None
