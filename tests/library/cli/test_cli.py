"""The lvm command as a user calls it: what it prints, what it writes, how it exits."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from lvm.events import AlertRaised
from lvm.naming import plain
from lvm.records import Record, encode
from lvm.runs.project import Project

from .conftest import Call


def document(out: str) -> dict[str, Any]:
    parsed = json.loads(out)
    assert isinstance(parsed, dict)
    return parsed


def test_a_file_that_is_not_there_is_named_and_exits_with_2(lvm: Call) -> None:
    code, out, err = lvm("diagnose", "nowhere.npz")
    assert (code, out) == (2, "")
    assert "nowhere.npz" in err
    assert "Traceback" not in err


def test_init_writes_the_settings_once(lvm: Call, tmp_path: Path) -> None:
    assert lvm("init")[0] == 0
    written = (tmp_path / "lvm.toml").read_text()
    code, _, err = lvm("init")
    assert code == 2
    assert "is there already" in err
    assert (tmp_path / "lvm.toml").read_text() == written
    assert lvm("init", "--force")[0] == 0


def test_init_names_what_it_took_and_what_it_left(lvm: Call, tmp_path: Path) -> None:
    for number, name in enumerate(("old.npz", "new.npz")):
        lvm("reference", "flat", "--out", name, "--dim", "32", "--articles", "10")
        os.utime(tmp_path / name, (number, number))
    _, out, _ = lvm("init")
    assert "bank = new.npz" in out
    assert "not taken: old.npz" in out
    assert document(lvm("init", "--force", "--json")[1])["others"] == ["old.npz"]


def test_text_becomes_a_bank_with_texts(lvm: Call, tmp_path: Path) -> None:
    for number in range(3):
        sentences = [
            f"Chapter {number} has a sentence about word{n} and word{n + 1}." for n in range(120)
        ]
        (tmp_path / f"{number}.txt").write_text(" ".join(sentences))
    code, out, _ = lvm("encode", ".", "--out", "text.npz", "--dim", "8", "--json")
    assert code == 0
    found = document(out)
    assert (found["articles"], found["dim"], found["texts"]) == (3, 8, True)


def test_diagnose_says_pass_or_fail_by_its_exit_code(lvm: Call, project: Path) -> None:
    code, out, _ = lvm("diagnose", "bank.npz", "--json", "--no-forecast")
    found = document(out)
    assert code == (0 if found["quality"]["passed"] else 1)
    assert {check["name"] for check in found["quality"]["checks"]} == {
        "coherence",
        "signal",
        "order",
    }
    lvm("reference", "flat", "--out", "flat.npz", "--dim", "32", "--articles", "40")
    code, out, _ = lvm("diagnose", "flat.npz", "--json", "--no-forecast")
    assert code == 1
    assert document(out)["quality"]["passed"] is False


def test_reversed_articles_are_called_so_and_found_out_of_reach(lvm: Call, tmp_path: Path) -> None:
    """Cosines cannot tell them: the note, the forecast and, in training, 5CAT do."""
    _, _, err = lvm("reference", "reversed", "--out", "r.npz", "--dim", "48", "--articles", "60")
    assert err == ""
    code, out, _ = lvm("diagnose", "r.npz")
    assert code == 0
    assert "only training runs backward" in out
    assert "✗ offset     out of reach" in out
    _, _, err = lvm("reference", "reversed", "--out", "few.npz", "--dim", "48", "--articles", "20")
    assert "no model learns from so few" in err


def test_diagnose_forecasts_every_gate_of_a_bank(lvm: Call, project: Path) -> None:
    _, out, _ = lvm("diagnose", "bank.npz", "--json")
    forecast = document(out)["forecast"]
    assert set(forecast["baselines"]) == {"copy_last", "mean", "ridge"}
    assert set(forecast["gates"]) == {"offset", "retrieval", "ablations", "rollout", "bins"}


def test_train_prints_the_guides_words_and_leaves_the_guides_files(
    lvm: Call, project: Path
) -> None:
    code, out, _ = lvm("train", "gru")
    assert code in (0, 1)
    for words in ("Running 5CAT Validation (Epoch 1)", "VAL Margin:", "TRAINING COMPLETE"):
        assert words in out
    (run,) = Project(project).runs()
    names = {path.name for path in run.path.iterdir()}
    assert names >= {
        "run.json",
        "events.jsonl",
        "training.log",
        "training_history.json",
        "best_model.pt",
        "best_5cat_model.pt",
        "last.pt",
    }


def test_the_exit_code_of_train_is_the_verdict(lvm: Call, project: Path) -> None:
    code, out, _ = lvm("train", "amn", "--json")
    (job,) = document(out)["jobs"]
    assert job["state"] == "done"
    assert code == (0 if job["5cat"]["ready"] else 1)


def test_data_that_fails_its_checks_is_refused_unless_told_to_go_on(
    lvm: Call, project: Path
) -> None:
    lvm("reference", "flat", "--out", "flat.npz", "--dim", "32", "--articles", "40")
    code, out, _ = lvm("train", "amn", "--bank", "flat.npz")
    assert code == 1
    assert "--accept-bad-data" in out
    assert "(flat): flat:" not in out
    (job,) = document(lvm("train", "amn", "--bank", "flat.npz", "--json")[1])["jobs"]
    assert (job["state"], job["refused"]) == ("failed", True)
    assert not list(project.glob("artifacts/lvm/models/*/*.pt"))
    code, out, _ = lvm("train", "amn", "--bank", "flat.npz", "--accept-bad-data", "--json")
    assert document(out)["jobs"][0]["state"] == "done"
    assert document(out)["jobs"][0]["refused"] is False
    record = json.loads(
        next(project.glob("artifacts/lvm/models/*/best_model.pt")).with_name("run.json").read_text()
    )
    assert record["data"]["overridden_by"]


def test_5cat_prints_every_number_of_the_document(lvm: Call, project: Path) -> None:
    lvm("train", "gru")
    checkpoint = str(next(project.glob("artifacts/lvm/models/*/best_5cat_model.pt")))
    code, out, _ = lvm("5cat", "--model", checkpoint, "--bank", "bank.npz", "--json")
    found = document(out)
    assert code == (0 if found["ready"] else 1)
    assert found["origin"] == "context"
    assert set(found["VAL"]["cos"]) == {"-3", "-2", "-1", "0", "1", "2", "3"}
    assert set(found["gates"]) == {"offset", "retrieval", "ablations", "rollout", "bins"}
    _, words, _ = lvm("5cat", "--model", checkpoint, "--bank", "bank.npz")
    assert f"{found['passed']}/5 gates" in words
    for check in found["checks"]:
        assert plain(check["name"]) in words
        assert not re.search(rf"\b{check['name']}\b", words) or "_" not in check["name"]


def test_5cat_names_every_file_that_is_missing(lvm: Call, project: Path) -> None:
    files = ("--val-npz", "v.npz", "--ood-npz", "o.npz", "--articles-npz", "a.npz")
    code, _, err = lvm("5cat", "--model", "m.pt", *files)
    assert code == 2
    assert all(f"{name}: no such file" in err for name in ("m.pt", "v.npz", "o.npz", "a.npz"))
    assert "--ood-npz, --articles-npz missing" in lvm("5cat", "--model", "m.pt", *files[:2])[2]
    names = {"train": "gone.npz", "val": "v.npz", "ood": "o.npz", "articles": "a.npz"}
    settings = "\n".join(f'{name} = "{file}"' for name, file in names.items())
    (project / "lvm.toml").write_text(f"[data]\n{settings}\n")
    assert "gone.npz" not in lvm("5cat", "--model", "m.pt")[2], "no test reads the training split"


def test_the_same_seed_gives_the_same_5cat_and_another_origin_says_so(
    lvm: Call, project: Path
) -> None:
    lvm("train", "gru")
    checkpoint = str(next(project.glob("artifacts/lvm/models/*/best_5cat_model.pt")))
    one, two = (
        document(lvm("5cat", "--model", checkpoint, "--max-samples", "30", "--json")[1])
        for _ in range(2)
    )
    assert {**one, "seconds": 0} == {**two, "seconds": 0}
    other = lvm("5cat", "--model", checkpoint, "--offset-origin", "target", "--json")[1]
    assert document(other)["origin"] == "target"


def test_the_alerts_of_a_files_run_bar_it_from_production(lvm: Call, project: Path) -> None:
    lvm("train", "gru")
    checkpoint = next(project.glob("artifacts/lvm/models/*/best_5cat_model.pt"))
    log = checkpoint.with_name("events.jsonl")
    lines = [line for line in log.read_text().splitlines() if '"backward_bias"' not in line]
    alert = AlertRaised("backward_bias-1-VAL", "backward_bias", "alarm", "BACKWARD BIAS")
    for alerts in (0, 1):
        more = [encode(Record(len(lines), 1.0, alert))] * alerts
        log.write_text("\n".join([*lines, *more, ""]))
        found = document(lvm("5cat", "--model", str(checkpoint), "--json")[1])
        assert found["history"]["bias_alerts"] == alerts
        assert any("in the run's history" in words for words in found["missing"]) == bool(alerts)
        assert f"{alerts} backward-bias alert" in lvm("5cat", "--model", str(checkpoint))[1]


def test_a_hostile_checkpoint_is_refused_and_runs_nothing(lvm: Call, project: Path) -> None:
    import pickle

    class Hostile:
        def __reduce__(self) -> tuple[Any, ...]:
            return (os.mkdir, ("broken-in",))

    (project / "bad.pt").write_bytes(pickle.dumps({"model_state_dict": Hostile()}))
    code, _, err = lvm("5cat", "--model", "bad.pt", "--bank", "bank.npz")
    assert code == 2
    assert "bad.pt" in err
    assert not (project / "broken-in").exists()


def test_the_queue_takes_all_four_and_can_be_rearranged(lvm: Call, project: Path) -> None:
    assert document(lvm("queue", "all", "--json")[1])["added"] == [1, 2, 3, 4]
    lvm("queue", "move", "4", "top")
    lvm("queue", "remove", "2")
    jobs = document(lvm("queue", "list", "--json")[1])["jobs"]
    assert [job["model"] for job in jobs] == ["amn", "transformer", "lstm"]


def test_the_queue_runs_to_its_end(lvm: Call, project: Path) -> None:
    lvm("queue", "add", "amn", "--epochs", "1")
    lvm("queue", "add", "gru", "--epochs", "1")
    code, out, _ = lvm("queue", "run", "--json")
    assert code in (0, 1)
    assert [job["state"] for job in document(out)["jobs"]] == ["done", "done"]
    runs = document(lvm("runs", "list", "--json")[1])["runs"]
    assert {run["model"] for run in runs} == {"amn", "gru"}


def test_a_command_to_nobody_is_an_error(lvm: Call, project: Path) -> None:
    code, _, err = lvm("queue", "pause")
    assert code == 2
    assert "no runner is alive" in err


def test_runs_are_compared_by_what_differs(lvm: Call, project: Path) -> None:
    lvm("train", "amn", "--epochs", "1")
    lvm("train", "amn", "--epochs", "1", "--seed", "5")
    names = [run["name"] for run in document(lvm("runs", "--json")[1])["runs"]]
    found = document(lvm("runs", "compare", *names, "--json")[1])
    assert found["settings"] == {"train.seed": [5, 0]}
    assert lvm("runs", "show", names[0])[0] == 0


def test_a_finished_run_is_resumed_for_more_epochs(lvm: Call, project: Path) -> None:
    lvm("train", "amn", "--epochs", "1")
    (run,) = Project(project).runs()
    code, _, _ = lvm("runs", "resume", run.name, "--epochs", "3")
    assert code in (0, 1)
    (again,) = Project(project).runs()
    assert (again.name, again.epochs) == (run.name, 3)


def start_lvm(project: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "lvm", *arguments],
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_ctrl_c_stops_after_a_checkpoint_and_the_same_command_goes_on(project: Path) -> None:
    command = ("train", "gru", "--epochs", "300")
    process = start_lvm(project, *command)
    assert process.stdout is not None
    for line in process.stdout:
        if re.match(r"Epoch +2/300 ", line):
            break
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    (run,) = Project(project).runs()
    assert run.epochs >= 1  # 5CAT of the second was cut short
    again = start_lvm(project, *command)
    assert again.stderr is not None
    assert f"going on with {run.name}" in again.stderr.readline()
    again.send_signal(signal.SIGKILL)
    again.communicate()


def test_kill_9_leaves_no_half_written_file_and_the_same_command_goes_on(project: Path) -> None:
    command = ("train", "amn", "--epochs", "400")
    process = start_lvm(project, *command)
    assert process.stdout is not None
    for line in process.stdout:
        if "💾 checkpoint_epoch5.pt" in line:
            break
    process.kill()
    process.communicate()
    (folder,) = project.glob("artifacts/lvm/models/*")
    for path in folder.glob("*.json"):
        json.loads(path.read_text())
    import torch

    for path in folder.glob("*.pt"):
        torch.load(path, weights_only=True)
    again = start_lvm(project, *command)
    assert again.stderr is not None
    assert f"going on with {folder.name}" in again.stderr.readline()
    again.send_signal(signal.SIGINT)
    again.communicate(timeout=60)
    events = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    assert [event["seq"] for event in events] == list(range(len(events)))


def test_train_beside_a_live_runner_says_that_the_job_is_queued(project: Path) -> None:
    runner = start_lvm(project, "train", "gru", "--epochs", "400")
    assert runner.stdout is not None
    for line in runner.stdout:
        if re.match(r"Epoch +1/400 ", line):
            break
    second = start_lvm(project, "train", "amn")
    _, err = second.communicate(timeout=60)
    assert second.returncode == 3
    assert "job 2 is queued, so that runner trains it" in err
    runner.kill()
    runner.communicate()
    assert [row.model for row in Project(project).store().jobs()] == ["gru", "amn"]


def test_torchrun_trains_one_run_with_two_ranks(project: Path) -> None:
    done = subprocess.run(
        [
            sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2",
            "-m", "lvm", "train", "gru", "--json",
        ],
        cwd=project, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    (run,) = Project(project).runs()
    assert run.state == "completed", done.stderr
    assert run.epochs == 2
