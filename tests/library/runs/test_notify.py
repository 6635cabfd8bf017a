"""Words pushed to people: what is news, in which words, by which way, and never in the way."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from lvm.config import NotifySettings, parse_config
from lvm.errors import SettingsError
from lvm.events import AlertRaised, Batch, Event, NotifyFailed, QueueFinished, RunFinished
from lvm.runs.notices import Notice, escape, is_wanted, notice_of
from lvm.runs.notify import Notifier

from .conftest import Bench, FakeClock
from .scripted import kinds

RUN = "gru_5cat_20251030_220000"
ALARM = AlertRaised("collapse-5", "collapse", "alarm", "COLLAPSED  all outputs are alike", epoch=5)


def ended(outcome: str = "completed", **values: Any) -> RunFinished:
    return RunFinished(outcome=outcome, epochs=20, seconds=60.0, **values)


def told(settings: NotifySettings, root: Path, *events: Event, **environment: str) -> Notifier:
    """A notifier that has heard the events and sent what it had to send."""
    notifier = Notifier(lambda: settings, root, FakeClock(), environment or {"PATH": "/usr/bin"})
    for event in events:
        notifier.hear(RUN, event)
    notifier.close()
    return notifier


# ------------------------------------------------------------------ what is news


@pytest.mark.parametrize(
    ("event", "title", "message"),
    [
        (ALARM, f"alarm in {RUN}", "COLLAPSED  all outputs are alike"),
        (
            ended(summary={"ready": True, "passed": 5}),
            f"{RUN} completed",
            "after 20 epochs, ready for production",
        ),
        (
            ended("early_stopped", summary={"ready": False, "passed": 2}),
            f"{RUN} early stopped",
            "after 20 epochs, not ready: gates 2/5",
        ),
        (ended("failed", reason="the disk is full\n  → free"), f"{RUN} failed", "the disk is full"),
        (QueueFinished(3, 1), "queue finished", "3 done, 1 failed"),
    ],
)
def test_ends_and_alerts_are_news_in_one_line(event: Event, title: str, message: str) -> None:
    notice = notice_of(RUN, event)
    assert notice is not None
    assert notice.title == title
    assert message in notice.message
    assert "\n" not in notice.message


def test_progress_is_no_news() -> None:
    assert notice_of(RUN, Batch(1, 1, 1, 80, 0.1, 0.2, 5e-4, 900.0)) is None


def test_a_queue_that_was_empty_from_the_start_is_no_news() -> None:
    assert notice_of("", QueueFinished(0, 0)) is None


@pytest.mark.parametrize(
    ("level", "wanted"), [("severe", True), ("alarm", True), ("caution", False), ("notice", False)]
)
def test_alerts_milder_than_asked_for_are_not_told(level: str, wanted: bool) -> None:
    notice = notice_of(RUN, AlertRaised("x-1", "x", level, "x"))
    assert notice is not None
    assert is_wanted(notice, NotifySettings()) is wanted
    assert not is_wanted(notice, NotifySettings(on=("run",)))


# ------------------------------------------------------------------ terminals


def notice(title: str = "queue finished", message: str = "4 done") -> Notice:
    return Notice("queue", "", "good", title, message, {})


@pytest.mark.parametrize(
    ("way", "environment", "sequence"),
    [
        ("none", {}, ""),
        ("bell", {"TMUX": "/tmp/tmux-0/default"}, "\a"),
        ("osc9", {}, "\x1b]9;queue finished: 4 done\x1b\\"),
        ("osc777", {}, "\x1b]777;notify;queue finished;4 done\x1b\\"),
        (
            "osc9",
            {"TMUX": "/tmp/tmux-0/default"},
            "\x1bPtmux;\x1b\x1b]9;queue finished: 4 done\x1b\x1b\\\x1b\\",
        ),
        ("osc9", {"STY": "1.pts"}, "\x1bP\x1b]9;queue finished: 4 done\a\x1b\\"),
    ],
)
def test_a_terminal_is_told_in_its_own_way(
    way: str, environment: dict[str, str], sequence: str
) -> None:
    assert escape(notice(), way, environment) == sequence


def test_words_cannot_break_out_of_the_sequence() -> None:
    hostile = notice("a;b\x1b]0;owned\a", "c\x9cd\x1b\\e\n;f")
    assert escape(hostile, "osc777", {}) == "\x1b]777;notify;a,b ]0,owned;c d \\e ,f\x1b\\"


# ------------------------------------------------------------------ the command


def test_a_command_finds_the_words_in_its_environment(tmp_path: Path) -> None:
    words = 'printf "%s|%s|%s" "$LVM_EVENT" "$LVM_TITLE" "$LVM_MESSAGE" > told'
    command = f'{words}; printf "%s" "$LVM_JSON" > json'
    notifier = told(NotifySettings(command=command), tmp_path, ALARM)
    assert (tmp_path / "told").read_text() == f"alert|alarm in {RUN}|{ALARM.message}"
    document = json.loads((tmp_path / "json").read_text())
    assert (document["cause"], document["level"], document["epoch"]) == ("collapse", "alarm", 5)
    assert notifier.failures() == []


def test_a_command_that_fails_is_told_once_and_without_what_it_says(tmp_path: Path) -> None:
    settings = NotifySettings(command="echo my-secret >&2; exit 7")
    notifier = told(settings, tmp_path, ALARM, ended(), ALARM)
    assert notifier.failures() == [NotifyFailed("command", "ended with exit code 7")]
    assert notifier.failures() == []


def test_a_command_that_hangs_is_ended_with_all_its_children(tmp_path: Path) -> None:
    settings = NotifySettings(command="sleep 60 & wait", timeout_seconds=0.2)
    notifier = told(settings, tmp_path, ALARM)
    assert notifier.failures() == [NotifyFailed("command", "took longer than 0.2 s")]


def test_hearing_never_waits(tmp_path: Path) -> None:
    go = threading.Event()

    def read() -> NotifySettings:
        assert go.wait(20)
        return NotifySettings()

    notifier = Notifier(read, tmp_path, FakeClock(), {})
    for _ in range(500):  # far more than may wait
        notifier.hear(RUN, ALARM)
    go.set()
    notifier.close()


def test_settings_that_broke_meanwhile_are_told(tmp_path: Path) -> None:
    def read() -> NotifySettings:
        raise SettingsError("is not TOML")

    notifier = Notifier(read, tmp_path, FakeClock(), {})
    notifier.hear(RUN, ALARM)
    notifier.close()
    assert notifier.failures() == [NotifyFailed("settings", "is not TOML")]


# ------------------------------------------------------------------ the webhook


class Hook(HTTPServer):
    """A web server on a port of its own that remembers what it was sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 204
        self.received: list[tuple[dict[str, Any], str | None]] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/services/SECRET"


class _Handler(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((json.loads(body), self.headers.get("Authorization")))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Silent."""


@pytest.fixture
def hook() -> Iterator[Hook]:
    with Hook() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_webhook_is_posted_one_document(hook: Hook, tmp_path: Path) -> None:
    settings = NotifySettings(webhook=hook.address, webhook_token="LVM_TOKEN")
    told(settings, tmp_path, ended(summary={"ready": True, "passed": 5}), LVM_TOKEN="t0p")
    ((document, authorization),) = hook.received
    assert authorization == "Bearer t0p"
    assert document["event"] == "run"
    assert document["run"] == RUN
    assert document["ready"] is True
    assert document["time"] == 1000.0
    assert document["text"] == f"{RUN} completed: after 20 epochs, ready for production"


def test_a_webhook_that_refuses_is_told_without_its_address(hook: Hook, tmp_path: Path) -> None:
    hook.status = 500
    notifier = told(NotifySettings(webhook=hook.address), tmp_path, ALARM, ALARM)
    assert notifier.failures() == [NotifyFailed("webhook", "answered 500")]


def test_a_webhook_that_nobody_listens_to_is_told_without_its_address(tmp_path: Path) -> None:
    with Hook() as gone:
        address = gone.address
    notifier = told(NotifySettings(webhook=address), tmp_path, ALARM)
    assert notifier.failures() == [NotifyFailed("webhook", "could not be reached (ConnectError)")]


def test_an_empty_token_sends_nothing(hook: Hook, tmp_path: Path) -> None:
    settings = NotifySettings(webhook=hook.address, webhook_token="LVM_TOKEN")
    notifier = told(settings, tmp_path, ALARM)
    assert hook.received == []
    assert notifier.failures() == [NotifyFailed("webhook", "the variable LVM_TOKEN is empty")]


# ------------------------------------------------------------------ with the runner


@pytest.fixture
def configured(bench: Bench) -> Callable[[str], None]:
    return lambda text: bench.project.root.joinpath("lvm.toml").write_text(text) and None


def test_the_runner_tells_of_each_end_once(bench: Bench, configured: Callable[[str], None]) -> None:
    configured("[notify]\ncommand = 'echo \"$LVM_EVENT $LVM_TITLE\" >> told'\n")
    bench.add("gru")
    bench.run()
    lines = (bench.project.root / "told").read_text().splitlines()
    assert lines == [f"run {bench.job(1).run} completed", "queue queue finished"]


def test_a_failure_is_in_the_workspace_log_once_and_the_training_is_unharmed(
    bench: Bench, configured: Callable[[str], None]
) -> None:
    configured('[notify]\ncommand = "exit 3"\n')
    bench.add("gru")
    bench.add("amn")
    end = bench.run()
    assert end.done == 2
    assert kinds(bench.told()).count("notify_failed") == 1
    assert "run_finished" in kinds(bench.events())


# ------------------------------------------------------------------ settings


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('terminal = "smoke"', "terminal is one of none, bell, osc9, osc777"),
        ('level = "loud"', "level is one of severe, alarm, caution, notice"),
        ('on = ["run", "moon"]', "on is a list of some of: run, queue, alert"),
        ("on = 3", "on is a list"),
        ('webhook = "hooks.example.org/SECRET"', "it begins with http:// or https://"),
        ("webhook = 3", "webhook must be a text"),
        ('webhook_token = "Bearer SECRET"', "not the token"),
        ("timeout_seconds = 0", "a number above 0"),
        ('timeout_seconds = "x"', "a number above 0"),
    ],
)
def test_wrong_settings_are_refused_without_telling_secrets(line: str, words: str) -> None:
    with pytest.raises(SettingsError, match=r"lvm\.toml:2") as caught:
        parse_config(f"[notify]\n{line}\n", "lvm.toml")
    assert words in str(caught.value)
    assert "SECRET" not in str(caught.value)


def test_settings_are_read_as_written() -> None:
    text = '[notify]\nterminal = "osc9"\non = ["queue"]\nlevel = "notice"\n'
    assert parse_config(text, "").notify == NotifySettings(
        terminal="osc9", on=("queue",), level="notice"
    )
