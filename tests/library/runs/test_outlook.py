"""The forecast of a run: made once for the same data, told, kept, and never in the way."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from lvm.errors import DataError
from lvm.events import ForecastMade, RunFinished, RunStarted, TaskFinished, TaskStarted
from lvm.runs.outlook import LIMIT

from .conftest import Bench
from .scripted import FORECAST, REVERSED, ScriptedCorpus


def forecast_of(bench: Bench, job: int = 1) -> ForecastMade:
    (made,) = [event for event in bench.all_events(job) if isinstance(event, ForecastMade)]
    return made


def raising(error: BaseException) -> Any:
    def act(step: int) -> None:
        raise error

    return act


def test_it_is_told_between_the_data_and_the_start(bench: Bench) -> None:
    bench.add()
    bench.run()
    kinds = [event.kind() for event in bench.all_events()]
    assert kinds[:3] == ["data_loaded", "forecast_made", "run_started"]
    assert forecast_of(bench).forecast == FORECAST
    assert json.loads((bench.folder() / "run.json").read_text())["forecast"] == FORECAST


def test_it_is_a_task_of_the_workspace_log(bench: Bench) -> None:
    bench.add("gru")
    bench.run()
    tasks = [each for each in bench.all_told() if getattr(each, "task", "") == "forecast-1"]
    assert tasks[0] == TaskStarted("forecast-1", f"forecast of the gates for {bench.job(1).run}")
    assert tasks[-1] == TaskFinished("forecast-1", 0.0, ok=True, note="")


def test_training_log_says_it_for_people(bench: Bench) -> None:
    bench.add()
    bench.run()
    text = (bench.folder() / "training.log").read_text()
    assert "Forecast of the gates (0.0 s)" in text
    assert "ridge: VAL cos 0.605 margin -0.190, OOD cos 0.601 margin not measured" in text
    assert "offset: out of reach: short by 0.14" in text
    assert "a weak arrow of time" in text


def test_four_jobs_on_the_same_data_make_it_once(bench: Bench) -> None:
    for model in ("transformer", "gru", "lstm", "amn"):
        bench.add(model)
    bench.run()
    assert len(bench.forecast.made) == 1
    assert [forecast_of(bench, job).cached for job in (1, 2, 3, 4)] == [False, True, True, True]
    assert all(forecast_of(bench, job).forecast == FORECAST for job in (1, 2, 3, 4))


def test_other_data_or_other_thresholds_are_forecast_anew(bench: Bench) -> None:
    bench.add()
    bench.run()
    (bench.project.root / "lvm.toml").write_text("[thresholds]\nmargin_val = 0.2\n")
    bench.add("gru")
    bench.run()
    bench.open_corpus = lambda data, **others: replace(ScriptedCorpus(), fingerprint="beef")
    bench.add("amn")
    bench.run()
    assert len(bench.forecast.made) == 3


def test_a_kept_one_that_cannot_be_read_is_made_again(bench: Bench) -> None:
    bench.add()
    bench.run()
    (kept,) = (bench.project.folder / "forecasts").iterdir()
    kept.write_text("{")
    bench.add("gru")
    bench.run()
    assert not forecast_of(bench, 2).cached
    assert json.loads(kept.read_text()) == FORECAST


def test_it_can_be_left_out(bench: Bench) -> None:
    bench.add(forecast=False)
    bench.run()
    assert bench.forecast.made == []
    assert "forecast_made" not in [event.kind() for event in bench.all_events()]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (DataError("too few samples", fix="give more"), "too few samples\n  → give more"),
        (ValueError("singular"), "unexpected error: singular (ValueError)"),
        (MemoryError(), "unexpected error (MemoryError)"),
    ],
)
def test_its_failure_is_told_and_the_run_goes_on(
    bench: Bench, error: Exception, words: str
) -> None:
    bench.forecast.at = raising(error)
    bench.add()
    assert bench.run().done == 1
    made = forecast_of(bench)
    assert (made.forecast, made.note) == ({}, words)
    assert f"No forecast: {words}" in (bench.folder() / "training.log").read_text()
    finished = [each for each in bench.all_told() if isinstance(each, TaskFinished)][-1]
    assert (finished.ok, finished.note) == (False, words)
    assert not (bench.project.folder / "forecasts").exists()


def test_it_is_given_up_when_it_takes_too_long(bench: Bench) -> None:
    bench.forecast.at = lambda step: bench.clock.sleep(LIMIT / 2 + 1)
    bench.add()
    assert bench.run().done == 1
    assert forecast_of(bench).note == "given up after 120 s; lvm diagnose takes its time"


def test_where_it_cannot_be_kept_it_is_told_all_the_same(bench: Bench) -> None:
    bench.project.folder.mkdir(parents=True, exist_ok=True)
    (bench.project.folder / "forecasts").write_text("in the way")
    bench.add()
    assert bench.run().done == 1
    made = forecast_of(bench)
    assert made.forecast == FORECAST
    assert made.note.startswith("could not be kept: ")


def test_a_job_that_is_skipped_meanwhile_ends_at_once(bench: Bench) -> None:
    def skip(step: int) -> None:
        bench.store.send("skip")
        bench.clock.sleep(1.0)

    bench.forecast.at = skip
    bench.add()
    bench.run()
    assert bench.job(1).state == "stopped"
    kinds = [type(event) for event in bench.all_events()]
    assert ForecastMade not in kinds
    assert RunStarted not in kinds
    assert kinds[-1] is RunFinished


def test_refused_data_is_not_forecast(bench: Bench) -> None:
    bench.report = REVERSED
    bench.add()
    bench.run()
    assert bench.forecast.made == []


def test_a_resumed_run_tells_the_same_again_without_making_it(bench: Bench) -> None:
    bench.add()
    bench.at(7, lambda: bench.store.send("stop"))
    bench.run()
    bench.store.retry_job(1)
    bench.run()
    made = [event for event in bench.all_events() if isinstance(event, ForecastMade)]
    assert [each.cached for each in made] == [False, True]
    assert len(bench.forecast.made) == 1
