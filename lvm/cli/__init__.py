"""The `lvm` command: parse, call, print; no logic.

Each command lives in a module of this folder that is imported only when its command is called:
`lvm --help` imports neither torch nor numpy.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from lvm.cli.output import Output
from lvm.cli.parser import parse
from lvm.cli.usage import asks_for_json
from lvm.errors import DiskError, InputError, Interrupted, LvmError, RunError, in_words


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code (0 passed, 1 verdict "fail", 2, 3, 130)."""
    words = sys.argv[1:] if argv is None else argv
    output = Output(
        as_json=asks_for_json(words), stream=sys.stdout, messages=sys.stderr, env=os.environ
    )
    try:
        code = _run(words, output)
        sys.stdout.flush()
    except LvmError as error:
        return _failed(error, output)
    except KeyboardInterrupt:
        return _failed(Interrupted("interrupted"), output)
    except BrokenPipeError:  # `lvm … | head`: the reader has seen enough
        _print_no_more()
        return 128 + signal.SIGPIPE
    except Exception as error:  # noqa: BLE001  a fault of ours is no verdict, which exit 1 would say
        traceback.print_exc()
        fix = "this is a fault of lvm; the lines above tell where"
        return _failed(RunError(in_words(error), fix=fix), output)
    return code


def _failed(error: LvmError, output: Output) -> int:
    """Tell of it; its exit code stands even where nobody can read the document."""
    try:
        output.error(error)
    except (BrokenPipeError, DiskError):
        _print_no_more()
    return error.exit_code


def _print_no_more() -> None:
    """What is still to be flushed to standard output goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(words: Sequence[str], output: Output) -> int:
    arguments = parse(words)
    if not Path(arguments.root).is_dir():
        raise InputError("no such folder", where=arguments.root, fix="check --root, or make it")
    module = importlib.import_module(f"lvm.cli.{arguments.module}")
    code: int = getattr(module, arguments.function)(arguments, output)
    return code
