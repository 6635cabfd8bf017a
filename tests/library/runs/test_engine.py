"""The runner with the real engine: a bank in, a run folder with all its files out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from lvm.cli import main
from lvm.data.bank import write_bank_npz
from lvm.events import Event, FivecatFinished, ForecastMade, RunFinished
from lvm.models.checkpoint import load_checkpoint
from lvm.runs.eventlog import read_events
from lvm.runs.project import Project
from lvm.runs.runner import Runner
from lvm.settings import DataSettings, Job, TrainSettings

SETTINGS = TrainSettings(
    model="gru",
    epochs=5,
    batch_size=64,
    d_model=16,
    hidden_dim=16,
    fivecat_samples=50,
    on_severe="alert",
    accept_bad_data=True,
    device="cpu",
)


def write_drifting_articles(
    path: Path, articles: int = 40, chunks: int = 14, dim: int = 16
) -> None:
    random = np.random.default_rng(3)
    steps = random.normal(size=(articles, chunks, dim)).cumsum(axis=1) + random.normal(
        size=(articles, 1, dim)
    )
    vectors = (steps / np.linalg.norm(steps, axis=2, keepdims=True)).reshape(-1, dim)
    write_bank_npz(
        path,
        vectors.astype(np.float32),
        np.repeat(np.arange(articles), chunks),
        np.tile(np.arange(chunks), articles),
    )


def test_a_queued_job_becomes_a_run_with_all_its_files(tmp_path: Path) -> None:
    write_drifting_articles(tmp_path / "bank.npz")
    project = Project(tmp_path)
    project.store().add_job(Job(train=SETTINGS, data=DataSettings(bank="bank.npz")))
    end = Runner(project).run()
    assert [job.state for job in end.jobs] == ["done"]
    (summary,) = project.runs()
    assert (summary.state, summary.model, summary.epochs) == ("completed", "gru", 5)
    assert sorted(path.name for path in summary.path.iterdir()) == [
        "best_5cat_model.pt",
        "best_model.pt",
        "checkpoint_epoch5.pt",
        "events.jsonl",
        "last.pt",
        "run.json",
        "training.log",
        "training_history.json",
    ]
    events = [record.event for record in read_events(summary.path / "events.jsonl")]
    assert [event.kind() for event in events[:3]] == ["data_loaded", "forecast_made", "run_started"]
    (tested,) = [event for event in events if isinstance(event, FivecatFinished)]
    finished = events[-1]
    assert isinstance(finished, RunFinished)
    assert finished == end.jobs[0].finished
    assert finished.summary == tested.result
    assert summary.val_margin == tested.result["VAL"]["margin"]
    record = json.loads((summary.path / "run.json").read_text())
    assert record["data"]["samples"]["train"] == events[0].samples["train"]  # type: ignore[attr-defined]
    assert set(record["data"]["fingerprints"]) == {"train", "val", "ood", "articles"}
    assert set(record["forecast"]) >= {"baselines", "frontier", "gates", "arrow"}
    assert load_checkpoint(summary.path / "best_5cat_model.pt").epoch == 5
    text = (summary.path / "training.log").read_text()
    assert "🧪 Running 5CAT Validation (Epoch 5)" in text
    assert "✅ TRAINING COMPLETE!" in text


def test_the_forecast_of_a_run_is_that_of_lvm_diagnose(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_drifting_articles(tmp_path / "bank.npz")
    project = Project(tmp_path)
    project.store().add_job(Job(train=SETTINGS, data=DataSettings(bank="bank.npz")))
    Runner(project).run()
    (summary,) = project.runs()
    made = next(e for e in _events(summary.path) if isinstance(e, ForecastMade))
    main(["diagnose", "--json", str(tmp_path / "bank.npz")])
    said = json.loads(capsys.readouterr().out)["forecast"]
    for document in (said, made.forecast):
        document.pop("seconds")
    assert made.forecast == said


def test_the_forecast_changes_no_bit_of_the_training(tmp_path: Path) -> None:
    weights = []
    for forecast in (True, False):
        root = tmp_path / str(forecast)
        root.mkdir()
        write_drifting_articles(root / "bank.npz")
        project = Project(root)
        settings = SETTINGS.changed(forecast=forecast, epochs=2)
        project.store().add_job(Job(train=settings, data=DataSettings(bank="bank.npz")))
        Runner(project).run()
        (summary,) = project.runs()
        made = any(isinstance(event, ForecastMade) for event in _events(summary.path))
        assert made is forecast
        weights.append(load_checkpoint(summary.path / "best_model.pt").model.state_dict())
    with_it, without = weights
    assert all(torch.equal(with_it[name], without[name]) for name in with_it)


def _events(folder: Path) -> list[Event]:
    return [record.event for record in read_events(folder / "events.jsonl")]
