"""`lvm-tui`: the dashboard of a project folder.

Only this and argparse are imported for --help; Textual comes with the first paint, torch after it.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, NoReturn

from lvm import __version__
from lvm.errors import LvmError

if TYPE_CHECKING:
    from lvm_tui.engine import Engine, Reason, RunQueue
    from lvm_tui.workspace import Workspace

Build = Callable[..., Any]
"""Work before or after the queue: build(project, emit, clock)."""

TURN = 0.001
"""Seconds that the training may keep the interpreter while the screen waits for it. A key passes
through several threads; with Python's own 0.005 each of them may wait that long."""

_EPILOG = """\
without a command: trains what is queued, or attaches if a runner is alive
keys: space pause · s stop · a acknowledge · 1…6 screens · ? help · q leave

environment: LVM_TUI_ANIMATIONS=none calm mode · LVM_TUI_ASCII=1 no Unicode · NO_COLOR
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"lvm-tui: {message}\n  → {self.prog} --help shows what is known\n")


def build_parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="lvm-tui",
        description="Mission control for retraining Latent Vector Models.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"lvm-tui {__version__}")
    everywhere = _Parser(add_help=False, argument_default=argparse.SUPPRESS)
    for each in (parser, everywhere):
        each.add_argument("--root", metavar="DIR", help="the project folder")
    parser.set_defaults(root=".")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    watch = commands.add_parser(
        "watch", parents=[everywhere], help="look only: a live or finished run"
    )
    watch.add_argument("run", nargs="?", default="", metavar="RUN", help="default: the newest")
    demo = commands.add_parser(
        "demo", help="make a small workspace of real text, train on it, show it"
    )
    demo.add_argument("folder", nargs="?", default="demo", metavar="FOLDER", help="default: demo")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    arguments = build_parser().parse_args(argv)
    try:
        if arguments.command == "watch":
            return _watch(Path(arguments.root), arguments.run)
        if arguments.command == "demo":
            return _demo(Path(arguments.folder))
        return _dashboard(Path(arguments.root))
    except LvmError as error:
        sys.stderr.write(f"lvm-tui: {error}\n")
        return error.exit_code


def _dashboard(root: Path) -> int:
    return _train_and_show(root)


def _demo(folder: Path) -> int:
    from lvm.demo import build, go_live, make_folder, stop_services

    root = make_folder(folder)
    try:
        return _train_and_show(root, build, go_live)
    finally:
        stop_services(root)


def _watch(root: Path, word: str) -> int:
    from lvm_tui.workspace import Workspace

    workspace = Workspace(root, watch=True)
    run = workspace.find(word) if word else ""
    return _session(workspace, None, run=run, watch=True)


def _train_and_show(
    root: Path, prepare: Build | None = None, afterwards: Build | None = None
) -> int:
    from lvm_tui.engine import Engine
    from lvm_tui.workspace import Workspace

    workspace = Workspace(root)
    return _session(workspace, Engine(_queue_of(root, prepare, afterwards), workspace.has_jobs))


def _queue_of(root: Path, prepare: Build | None, afterwards: Build | None) -> RunQueue:
    """What the engine does in its thread: imports torch there, opens a store of its own."""

    def run(stop: Event) -> Reason:
        from lvm.clock import SystemClock
        from lvm.runs.project import Project
        from lvm.runs.runner import Runner

        project, clock = Project(root), SystemClock()
        first = (lambda emit: prepare(project, emit, clock)) if prepare is not None else None
        last = (lambda emit: afterwards(project, emit, clock)) if afterwards is not None else None
        runner = Runner(project, clock=clock)
        return runner.run(should_stop=stop, prepare=first, afterwards=last).reason

    return run


def _session(
    workspace: Workspace, engine: Engine | None, *, run: str = "", watch: bool = False
) -> int:
    from lvm_tui.app import LvmApp
    from lvm_tui.machine import Meter
    from lvm_tui.session import Session

    config = workspace.project.config()
    _require_terminal()
    look, words = config.dashboard, config.notify
    meter = Meter(workspace.models)
    if engine is not None:
        sys.setswitchinterval(TURN)
    app = LvmApp(
        workspace,
        engine=engine,
        meter=meter,
        run=run,
        watch=watch,
        look=look,
        words=words,
        warm=True,
    )
    return Session(app, workspace, engine, words).run()


def _require_terminal() -> None:
    from lvm.errors import InputError

    if not (os.isatty(0) and os.isatty(2)):
        raise InputError(
            "no terminal to draw on",
            fix="without one, lvm queue run trains and lvm runs list shows what came of it",
        )


if __name__ == "__main__":
    sys.exit(main())
