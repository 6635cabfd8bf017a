"""Tells people who are not looking: a shell command and a webhook, from the process that trains.

`hear` decides and returns at once; a thread of its own does the rest, so neither a command that
hangs nor a dead web server holds the training up. What fails is told once a way, in words that
hold no secret, through `failures`.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from lvm.clock import Clock
from lvm.config import NotifySettings
from lvm.errors import LvmError
from lvm.events import Event, NotifyFailed
from lvm.runs.latch import Latch
from lvm.runs.notices import Notice, is_wanted, notice_of
from lvm.runs.who import host

BACKLOG = 64
"""Notices that wait at most; more are not told: whoever gets 64 at once reads none."""


class Notifier:
    """read: the [notify] of now, read anew for every notice: a runner may live for weeks."""

    def __init__(
        self,
        read: Callable[[], NotifySettings],
        root: Path,
        clock: Clock,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._read, self._root, self._clock = read, root, clock
        self._environment = environment
        self._waiting: queue.Queue[tuple[Notice, float] | None] = queue.Queue(BACKLOG)
        self._failed: queue.SimpleQueue[NotifyFailed] = queue.SimpleQueue()
        self._told: set[str] = set()
        self._latches: dict[str, Latch] = {}
        self._thread: threading.Thread | None = None
        self._patience = NotifySettings().timeout_seconds
        """Seconds that a notice may take, by the settings read last."""

    def hear(self, run: str, event: Event) -> None:
        """An event that was just written; run "" for the workspace log. Returns at once."""
        fresh = self._latches.setdefault(run, Latch()).take(event)
        notice = notice_of(run, event) if fresh else None
        if notice is None:
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="notify", daemon=True)
            self._thread.start()
        with contextlib.suppress(queue.Full):
            self._waiting.put_nowait((notice, self._clock.now()))

    def failures(self) -> list[NotifyFailed]:
        """What failed since the last call, for the log; each way only once."""
        found: list[NotifyFailed] = []
        while not self._failed.empty():
            found.append(self._failed.get_nowait())
        return found

    def close(self) -> None:
        """Wait for what is under way, not longer than one command and one webhook may take."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        with contextlib.suppress(queue.Full):
            self._waiting.put_nowait(None)
        thread.join(2 * self._patience + 1.0)

    # ------------------------------------------------------------------ in the thread

    def _work(self) -> None:
        while (item := self._waiting.get()) is not None:
            notice, time = item
            try:
                settings = self._read()
            except LvmError as error:
                self._fail("settings", error.what)
                continue
            self._patience = settings.timeout_seconds
            if not is_wanted(notice, settings):
                continue
            document = notice.document(host=host(), time=time)
            if settings.command:
                self._command(settings, document)
            if settings.webhook:
                self._post(settings, document)

    def _command(self, settings: NotifySettings, document: dict[str, object]) -> None:
        known = ("event", "run", "level", "title", "message", "host")
        words = {f"LVM_{name.upper()}": str(document[name]) for name in known}
        words["LVM_JSON"] = json.dumps(document, ensure_ascii=False)
        try:
            running = subprocess.Popen(
                settings.command,
                shell=True,
                cwd=self._root,
                env={**self._environment, **words},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # a Ctrl-C is not for it, and all of it can be ended
            )
        except (OSError, ValueError) as error:  # no shell, or a zero byte in the command
            self._fail("command", f"could not be started: {type(error).__name__}")
            return
        try:
            status = running.wait(settings.timeout_seconds)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)
            running.wait()
            self._fail("command", f"took longer than {settings.timeout_seconds:g} s")
            return
        if status != 0:
            self._fail("command", f"ended with exit code {status}")

    def _post(self, settings: NotifySettings, document: dict[str, object]) -> None:
        import httpx  # 0.1 s, and only for those who use it

        headers = {}
        if settings.webhook_token:
            token = self._environment.get(settings.webhook_token, "")
            if not token:
                self._fail("webhook", f"the variable {settings.webhook_token} is empty")
                return
            headers["Authorization"] = f"Bearer {token}"
        try:
            answer = httpx.post(
                settings.webhook, json=document, headers=headers, timeout=settings.timeout_seconds
            )
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            # only its kind: its words may hold the address, and the address a secret
            self._fail("webhook", f"could not be reached ({type(error).__name__})")
            return
        if not answer.is_success:
            self._fail("webhook", f"answered {answer.status_code}")

    def _fail(self, way: str, reason: str) -> None:
        if way not in self._told:
            self._told.add(way)
            self._failed.put(NotifyFailed(way, reason))
