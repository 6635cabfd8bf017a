"""What is recorded of a run, and of data that runs the wrong way."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import lvm
from lvm.events import (
    AlertRaised,
    DataLoaded,
    RunFinished,
    TaskProgress,
)
from lvm.settings import SPLIT_SEED, DataSettings, Thresholds

from .conftest import Bench
from .scripted import REVERSED, ScriptedCorpus


def test_the_record_of_a_run_says_what_was_trained_on_what(bench: Bench) -> None:
    (bench.project.root / "lvm.toml").write_text("[thresholds]\nmargin_val = 0.2\n")
    bench.add("gru", seed=7)
    bench.run()
    record = json.loads((bench.folder() / "run.json").read_text())
    assert record["run"] == bench.job(1).run
    assert record["job"] == bench.job(1).job.to_json()
    assert record["thresholds"]["margin_val"] == 0.2
    assert (record["model"], record["seed"], record["created"]) == ("gru", 7, 1000.0)
    assert record["data"]["fingerprints"] == {"train": "beef"}
    assert record["data"]["fingerprint"] == "f00d"
    assert record["data"]["quality"]["kind"] == "forward"
    assert record["data"]["notes"] == ["two articles are short"]
    assert (record["data"]["passed"], record["data"]["overridden_by"]) == (True, None)
    assert record["versions"]["lvm"] == lvm.__version__
    assert record["versions"]["torch"].startswith("2.")
    assert record["versions"]["python"].startswith("3.")
    assert record["host"]
    assert record["by"] == "ann@mac:ttys001"
    assert (record["parent"], record["resumed"], record["commit"]) == (None, [], None)
    assert bench.trainer.calls[0].thresholds == Thresholds(margin_val=0.2)


def test_the_record_has_the_commit_of_the_project(bench: Bench) -> None:
    git = ["git", "-C", str(bench.project.root), "-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    bench.add()
    bench.run()
    record = json.loads((bench.folder() / "run.json").read_text())
    assert record["commit"] == head.stdout.strip()


def test_a_fresh_retry_names_the_run_that_it_replaces(bench: Bench) -> None:
    bench.add()
    bench.run()
    old = bench.job(1).run
    bench.store.retry_job(1, fresh=True)
    bench.run()
    assert bench.job(1).run != old
    assert json.loads((bench.folder() / "run.json").read_text())["parent"] == old


def test_the_log_for_people_follows_the_events(bench: Bench) -> None:
    bench.add()
    bench.run()
    text = (bench.folder() / "training.log").read_text()
    assert text.index("📂 Data: bank docs.npz") < text.index("🚀 Training transformer")
    assert text.index("Epoch  2/2") < text.index("✅ TRAINING COMPLETE!")
    assert f"Output directory: artifacts/lvm/models/{bench.job(1).run}/" in text


def test_data_is_opened_from_the_project_and_split_the_same_for_every_seed(bench: Bench) -> None:
    asked: list[dict[str, Any]] = []

    def open_corpus(data: DataSettings, **others: Any) -> ScriptedCorpus:
        asked.append({"data": data, **others})
        return ScriptedCorpus()

    bench.open_corpus = open_corpus
    bench.add(seed=7)
    bench.run()
    assert asked[0]["data"] == DataSettings(bank="docs.npz")
    assert (asked[0]["root"], asked[0]["seed"]) == (bench.project.root, SPLIT_SEED)


def test_opening_data_tells_its_progress_ten_times_a_second(bench: Bench) -> None:
    def open_corpus(data: DataSettings, **others: Any) -> ScriptedCorpus:
        for done in range(100):
            bench.clock.sleep(1 / 32)
            others["progress"]("importing docs.npz", done, 100)
        return ScriptedCorpus()

    bench.open_corpus = open_corpus
    bench.add()
    bench.run()
    told = [event for event in bench.told() if isinstance(event, TaskProgress)]
    assert len(told) == 25  # in 3.125 s, each an eighth of a second after the one before
    assert told[0] == TaskProgress("data-1", 3, 100, "importing docs.npz")


def test_bad_data_is_refused_and_the_refusal_recorded(bench: Bench) -> None:
    bench.report = REVERSED
    bench.add()
    bench.run()
    data, raised, finished = bench.events()
    assert isinstance(data, DataLoaded)
    assert (data.passed, data.overridden) == (False, False)
    assert isinstance(raised, AlertRaised)
    assert (raised.cause, raised.level) == ("data_quality", "alarm")
    assert "reversed" in raised.message
    assert raised.fix.startswith("make them again; ")
    assert "--accept-bad-data" in raised.fix
    assert isinstance(finished, RunFinished)
    assert (finished.outcome, finished.epochs) == ("failed", 0)
    assert bench.trainer.calls == []
    record = json.loads((bench.folder() / "run.json").read_text())
    assert (record["data"]["passed"], record["data"]["overridden_by"]) == (False, None)
    assert record["data"]["quality"]["kind"] == "reversed"


def test_bad_data_is_trained_on_if_the_settings_say_so_and_that_is_recorded(bench: Bench) -> None:
    bench.report = REVERSED
    bench.add(accept_bad_data=True)
    bench.run()
    data = bench.events()[0]
    assert isinstance(data, DataLoaded)
    assert (data.passed, data.overridden) == (False, True)
    assert bench.job(1).state == "done"
    record = json.loads((bench.folder() / "run.json").read_text())
    assert record["data"]["passed"] is False
    assert record["data"]["overridden_by"] == "ann@mac:ttys001"


def test_good_data_is_not_called_overridden(bench: Bench) -> None:
    bench.add(accept_bad_data=True)
    bench.run()
    data = bench.events()[0]
    assert isinstance(data, DataLoaded)
    assert (data.passed, data.overridden) == (True, False)
