"""The `lvm` command: parse, call, print; no logic.

Each command lives in a module of this folder that is imported only when its command is called:
`lvm --help` imports neither torch nor numpy.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Sequence

from lvm.cli.output import Output
from lvm.cli.parser import build_parser
from lvm.errors import Interrupted, LvmError


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code (0 passed, 1 verdict "fail", 2, 3, 130)."""
    arguments = build_parser().parse_args(argv)
    output = Output(as_json=arguments.json, stream=sys.stdout, messages=sys.stderr, env=os.environ)
    try:
        module = importlib.import_module(f"lvm.cli.{arguments.module}")
        code: int = getattr(module, arguments.function)(arguments, output)
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
    return code
