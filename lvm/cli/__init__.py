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
from lvm.errors import InputError, Interrupted, LvmError, RunError, in_words


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
        output.error(error)
        return error.exit_code
    except KeyboardInterrupt:
        output.error(Interrupted("interrupted"))
        return Interrupted.exit_code
    except BrokenPipeError:  # `lvm … | head`: the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except Exception as error:  # noqa: BLE001  a fault of ours is no verdict, which exit 1 would say
        traceback.print_exc()
        fix = "this is a fault of lvm; the lines above tell where"
        output.error(RunError(in_words(error), fix=fix))
        return RunError.exit_code
    return code


def _run(words: Sequence[str], output: Output) -> int:
    arguments = parse(words)
    if not Path(arguments.root).is_dir():
        raise InputError("no such folder", where=arguments.root, fix="check --root, or make it")
    module = importlib.import_module(f"lvm.cli.{arguments.module}")
    code: int = getattr(module, arguments.function)(arguments, output)
    return code
