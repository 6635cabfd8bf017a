"""The alert history behind a bare checkpoint file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lvm.events import AlertAcknowledged, AlertRaised, Event
from lvm.runs.eventlog import EventWriter
from lvm.runs.past import Past, judged_with_past, past_of
from lvm.settings import Thresholds

from .conftest import FakeClock

NAME = "gru_5cat_20251030_220000"
BACKWARD = AlertRaised("backward_bias-5-VAL", "backward_bias", "alarm", "BACKWARD BIAS", epoch=5)
SEVERE = AlertRaised("backward_bias-10-OOD", "backward_bias", "severe", "SEVERE", epoch=10)
HARMLESS = (
    AlertRaised("backward_bias-15-VAL", "backward_bias", "caution", "slight backward tendency"),
    AlertRaised("skips_ahead-5-OOD", "skips_ahead", "alarm", "SKIPS AHEAD"),
    AlertRaised("slow_epoch-3", "slow_epoch", "notice", "slow epoch 3"),
)
FIELDS = {"run": NAME, "backward_bias_alerts": 1}


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "artifacts" / "lvm" / "models"


def a_run(models: Path, *told: Event, history: list[dict[str, Any]] | None = None) -> Path:
    folder = models / NAME
    folder.mkdir(parents=True)
    if history is not None:
        (folder / "training_history.json").write_text(json.dumps(history))
    else:
        (folder / "run.json").write_text("{}")
        with EventWriter(folder / "events.jsonl", FakeClock()) as log:
            for event in told:
                log.append(event)
    return folder / "best_5cat_model.pt"


def split(level: str, best: int = 0, **others: Any) -> dict[str, Any]:
    return {"level": level, "best_offset": best, **others}


def entry(epoch: int, val: dict[str, Any], ood: dict[str, Any]) -> dict[str, Any]:
    return {"epoch": epoch, "val_margin": 0.0, "5cat": {"VAL": val, "OOD": ood}}


def test_the_event_log_beside_the_file_counts_every_alert_once_acknowledged_or_not(
    models: Path,
) -> None:
    acknowledged = AlertAcknowledged(BACKWARD.alert, "ann")
    file = a_run(models, BACKWARD, acknowledged, SEVERE, *HARMLESS, BACKWARD)
    assert past_of(file, {}, models) == Past(NAME, "events", 2)


def test_a_link_to_the_file_leads_to_the_same_history(models: Path, tmp_path: Path) -> None:
    file = a_run(models, BACKWARD)
    file.write_bytes(b"weights")
    link = models / "gru_v0.pt"
    link.symlink_to(Path(NAME) / file.name)
    assert past_of(link, {}, models).bias_alerts == 1


def test_a_copied_file_names_its_run_and_the_run_knows_more_than_the_file(
    models: Path, tmp_path: Path
) -> None:
    a_run(models, BACKWARD, SEVERE)
    assert past_of(tmp_path / "copy.pt", FIELDS, models) == Past(NAME, "events", 2)


def test_without_its_run_a_file_tells_what_it_knew_when_it_was_written(
    models: Path, tmp_path: Path
) -> None:
    found = past_of(tmp_path / "copy.pt", FIELDS, models)
    assert found == Past(NAME, "checkpoint", 1)
    assert "until this file was written" in found.words


def test_without_an_event_log_the_training_history_tells(models: Path) -> None:
    file = a_run(
        models,
        history=[
            {"epoch": 4, "val_loss": 0.1},
            entry(5, split("severe"), split("alarm")),
            entry(10, split("caution"), split("alarm", best=2)),
            entry(15, split("good", best=1), split("alarm", collapsed=True)),
        ],
    )
    assert past_of(file, {}, models) == Past(NAME, "history", 2)


@pytest.mark.parametrize(
    "history", [[{"epoch": 5, "val_margin": -0.063, "ood_margin": -0.05}], [{"epoch": 1}]]
)
def test_margins_of_another_tool_are_not_read_as_ours(
    models: Path, history: list[dict[str, Any]]
) -> None:
    found = past_of(a_run(models, history=history), {}, models)
    assert (found.source, found.bias_alerts) == ("unknown", None)
    assert "another tool" in found.why


def test_a_broken_history_is_not_known_and_says_where(models: Path) -> None:
    file = a_run(models, history=[])
    (file.parent / "training_history.json").write_text("[{")
    found = past_of(file, {}, models)
    assert found.bias_alerts is None
    assert "training_history.json" in found.words


def test_the_log_of_the_workspace_is_not_the_history_of_a_file_beside_it(models: Path) -> None:
    models.mkdir(parents=True)
    with EventWriter(models.parent / "events.jsonl", FakeClock()) as log:
        log.append(BACKWARD)
    assert past_of(models.parent / "bare.pt", {}, models).source == "unknown"


@pytest.mark.parametrize("run", ["../../elsewhere", "", 5, None])
def test_a_run_that_is_no_name_is_not_followed(models: Path, tmp_path: Path, run: object) -> None:
    meta = {"run": run, "backward_bias_alerts": 0}
    assert past_of(tmp_path / "copy.pt", meta, models).source == "unknown"


READY = {
    "origin": "context",
    "VAL": {"margin": 0.2, "rollout": 0.7},
    "OOD": {"margin": 0.2},
    "gates": {},
    "passed": 5,
    "thresholds": Thresholds().to_json(),
}


@pytest.mark.parametrize(
    ("alerts", "missing"),
    [
        (0, []),
        (1, ["1 backward-bias alert in the run's history, needs 0"]),
        (None, ["the alerts of the run's history are not known, needs 0 backward-bias alerts"]),
    ],
)
def test_a_document_is_judged_by_what_is_known_of_its_run(
    alerts: int | None, missing: list[str]
) -> None:
    found = judged_with_past(READY, Past(NAME, "events", alerts))
    assert (found["ready"], found["missing"]) == (not missing, missing)
    assert found["history"]["bias_alerts"] == alerts
    assert "history" not in READY
