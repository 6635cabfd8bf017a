"""`lvm services` as it is called: words, JSON, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lvm.cli import main
from lvm.cli.services import _after

from .documents import assert_valid


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Services that commands of the site run: a file that is there is a service that runs."""
    (tmp_path / "lvm.toml").write_text(
        "[services]\nmanager = 'commands'\nstart_seconds = 0.2\n"
        "[services.gru]\nport = 1\nstart = 'touch up'\nstop = 'rm -f up'\n"
        "status = 'test -e up'\nlogs = 'echo one; echo two'\n"
        "[services.transformer]\nenabled = false\n"
        "[services.lstm]\nenabled = false\n"
        "[services.amn]\nenabled = false\n"
    )
    return tmp_path


def call(project: Path, *words: str) -> int:
    return main(["services", *words, "--root", str(project)])


def with_model(project: Path) -> Path:
    models = project / "artifacts/lvm/models"
    models.mkdir(parents=True)
    (models / "gru_v0.pt").write_bytes(b"weights")
    return project


def test_status_says_what_is_missing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(project, "status", "--json") == 0, "no model, so nothing that ought to run"
    printed = capsys.readouterr().out
    assert_valid(["services", "status"], printed)
    (gru,) = json.loads(printed)["services"]
    assert (gru["name"], gru["state"], gru["port"], gru["pid"]) == ("gru", "stopped", 1, None)
    assert gru["note"] == "no model: lvm promote CKPT --as gru"
    assert call(project, "status", "gru") == 1


def test_start_without_any_model_says_how_to_get_one(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(project, "start") == 2
    assert "lvm promote CKPT --as NAME" in capsys.readouterr().err
    assert not (project / "up").exists()


def test_what_is_started_but_does_not_answer_is_a_failure(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with_model(project)
    assert call(project, "start") == 3
    error = capsys.readouterr().err
    assert "service gru does not answer within 0.2 s (running): one / two" in error
    assert "lvm services logs gru" in error
    assert (project / "up").exists()
    assert call(project, "status") == 1
    assert " silent " in capsys.readouterr().out
    assert call(project, "stop") == 0
    assert not (project / "up").exists()


def test_an_unknown_service_and_the_logs(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(project, "logs", "lstm") == 2
    assert "known are: gru" in capsys.readouterr().err
    assert call(project, "logs", "gru", "-n", "1", "--json") == 0
    printed = capsys.readouterr().out
    assert_valid(["services", "logs"], printed)
    assert json.loads(printed) == {"logs": {"gru": ["two"]}}


@pytest.mark.parametrize(
    ("before", "now", "new"),
    [
        ("ab", "ab", ""),
        ("ab", "zabc", "c"),
        ("ab", "bc", "c"),
        ("", "ab", "ab"),
        ("ab", "xy", "xy"),
        ("aa", "aaa", ""),
    ],
)
def test_followed_logs_show_only_what_is_new(before: str, now: str, new: str) -> None:
    assert _after(list(before), list(now)) == list(new)


def test_without_a_name_all_logs_are_shown_but_one_only_is_followed(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = project / "lvm.toml"
    text = settings.read_text().replace("[services.amn]\nenabled = false", "[services.amn]")
    settings.write_text(text + "logs = 'true'\n")
    assert call(project, "logs") == 0
    assert capsys.readouterr().out.splitlines() == [
        "== gru",
        "one",
        "two",
        "== amn",
        "amn has not said anything yet",
    ]
    assert call(project, "logs", "--follow") == 2
    assert "--follow follows one service" in capsys.readouterr().err


def test_the_folder_may_stand_before_the_command(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--root", str(project), "--json", "services", "logs", "gru"]) == 0
    assert json.loads(capsys.readouterr().out)["logs"] == {"gru": ["one", "two"]}
