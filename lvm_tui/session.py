"""From the first paint to the end of the process: the screen may go, the work stays.

SIGHUP, dead terminal   the screen is dropped, the work goes on, nothing is printed any more
SIGTERM                 stop after a checkpoint, give the lease back, exit 0
SIGINT                  as `q`; without the screen: stop after a checkpoint, twice: at once
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from types import FrameType

from lvm.config import NotifySettings
from lvm.errors import Interrupted, LvmError
from lvm.events import Event
from lvm.runs.latch import Latch
from lvm.runs.notices import escape, is_wanted, notice_of
from lvm_tui.app import LvmApp
from lvm_tui.engine import Engine
from lvm_tui.line import takes_words
from lvm_tui.live import Desk, Reader
from lvm_tui.messages import Interrupt, TerminalLost, Terminate
from lvm_tui.state.wording import log_line
from lvm_tui.terminal import detach, is_gone

PAUSE = 0.25
"""Seconds between two looks at the logs, without a screen."""

Handler = Callable[[int, FrameType | None], None]


class Session:
    """One start of `lvm-tui`: the app, then whatever has to be finished without it."""

    def __init__(
        self,
        app: LvmApp,
        desk: Desk,
        engine: Engine | None,
        words: NotifySettings | None = None,
    ) -> None:
        """words: how this terminal is told of news when the screen is gone."""
        self._words = words or NotifySettings(terminal="none")
        self._app = app
        self._desk = desk
        self._engine = engine
        self._latches: dict[str, Latch] = {}
        self._on_screen = True
        self._silent = False
        self._interrupted = False

    def run(self) -> int:
        """The exit code."""
        with self._signals():
            choice = self._show()
            engine = self._engine
            if engine is None:
                return 0 if choice is not None else 1
            stop = choice in ("stop", "terminated") or not engine.working
            engine.be_alone()
            if stop:
                engine.stop()
            if engine.working:
                self._finish_work(engine, stop=stop)
            engine.wait(None)
            if choice == "terminated":
                return 0
            return self._exit_code(engine, choice)

    def _show(self) -> str | None:
        """Run the app; why it ended, or None if it broke."""
        try:
            choice = self._app.run()
        except OSError:  # its last words had nowhere to go
            choice = "lost"
        self._on_screen = False
        # Textual's driver leaves these installed; a hang-up sends SIGCONT as well, and the driver
        # would then draw where there is no app any more.
        signal.signal(signal.SIGCONT, signal.SIG_DFL)
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        if choice == "lost" or is_gone():
            self._go_silent()
            return "lost"
        if not takes_words():  # stuck, not gone: its last words would never be taken
            self._go_silent()
        return choice

    def _finish_work(self, engine: Engine, *, stop: bool) -> None:
        with _Progress(self._desk, self._say, self._ring) as progress:
            if stop:
                self._say("stopping after a checkpoint …")
            else:
                self._say("training goes on here; lvm-tui in another terminal shows it again")
                self._say("Ctrl-C stops it after a checkpoint")
            while not engine.wait(PAUSE):
                progress.tell()

    def _stop(self) -> None:
        if self._engine is not None:
            self._engine.stop()
        self._say("stopping after a checkpoint …")

    def _exit_code(self, engine: Engine, choice: str | None) -> int:
        error = engine.error
        if error is None:
            return Interrupted.exit_code if self._interrupted else 0
        if choice != "quit":  # nobody saw the modal
            self._say(f"lvm-tui: {error}", error=True)
        return error.exit_code if isinstance(error, LvmError) else LvmError.exit_code

    # -------------------------------------------------------------- signals

    @contextmanager
    def _signals(self) -> Iterator[None]:
        handlers: dict[signal.Signals, Handler] = {
            signal.SIGTERM: self._on_terminate,
            signal.SIGINT: self._on_interrupt,
            signal.SIGHUP: self._on_hangup,
        }
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_hangup(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        if self._on_screen:
            self._app.post_message(TerminalLost())
        else:
            self._go_silent()

    def _on_terminate(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        if self._on_screen:
            self._app.post_message(Terminate())
        else:
            self._stop()

    def _on_interrupt(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        if self._on_screen:
            self._app.post_message(Interrupt())
        elif self._interrupted:
            self._say("ended at once; it goes on from its last checkpoint")
            os._exit(Interrupted.exit_code)
        else:
            self._interrupted = True
            self._stop()

    # -------------------------------------------------------------- words

    def _go_silent(self) -> None:
        self._silent = True
        detach()

    def _say(self, text: str, *, error: bool = False, end: str = "\n") -> None:
        if self._silent or not takes_words():
            return
        stream = sys.stderr if error else sys.stdout
        try:
            stream.write(text + end)
            stream.flush()
        except OSError:
            self._go_silent()

    def _ring(self, run: str, event: Event) -> None:
        """The terminal's own word for who looks elsewhere; none into a file."""
        fresh = self._latches.setdefault(run, Latch()).take(event)
        notice = notice_of(run, event) if fresh else None
        if notice is not None and is_wanted(notice, self._words):
            sequence = escape(notice, self._words.terminal, os.environ)
            if sequence and sys.stdout.isatty():
                self._say(sequence, end="")


class _Progress:
    """Plain lines of what happens from now on, in the runs and in the workspace."""

    def __init__(
        self, desk: Desk, say: Callable[[str], None], ring: Callable[[str, Event], None]
    ) -> None:
        self._desk = desk
        self._say = say
        self._ring = ring
        self._readers: dict[str, Reader] = {"": desk.workspace_log()}
        self._skip(self._readers[""])
        if run := desk.newest_run():
            self._readers[run] = desk.run_log(run)
            self._skip(self._readers[run])

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self.tell()

    def tell(self) -> None:
        run = self._desk.newest_run()
        if run and run not in self._readers:
            self._readers[run] = self._desk.run_log(run)
        for name, reader in list(self._readers.items()):
            for record in reader.poll():
                self._ring(name, record.event)
                line = log_line(record)
                if line is not None:
                    time = datetime.fromtimestamp(record.time).strftime("%H:%M:%S")
                    self._say(f"{time} {line.text}")

    def _skip(self, reader: Reader) -> None:
        """What was on the screen need not be told again."""
        reader.poll_in_bulk(batches=False)
        while not reader.at_end:
            reader.poll_in_bulk(batches=False)
