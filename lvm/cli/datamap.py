"""`lvm report`: the data map, in a file that people may write as well."""

from __future__ import annotations

import time
from argparse import Namespace
from pathlib import Path

from lvm.cli.beforehand import check_device
from lvm.cli.data_flags import given_test_data
from lvm.cli.output import Output
from lvm.errors import DiskError, InputError
from lvm.files import write_text
from lvm.promotion.mapping import Mapper
from lvm.promotion.report import markdown, merged
from lvm.runs.project import Project
from lvm.runs.who import whoami

DATA_MAP = "docs/LVM_DATA_MAP.md"
"""Where the guide has it; relative to the project folder."""


def report(arguments: Namespace, output: Output) -> int:
    check_device(arguments.device, output)
    project = Project(Path(arguments.root))
    mapper = Mapper(
        project,
        given_test_data(arguments),
        arguments.device,
        output.progress,
        test=not arguments.no_test,
    )
    mapped = mapper.production()
    others = mapper.others([Path(each) for each in arguments.include])
    made = f"{time.strftime('%Y-%m-%d %H:%M', time.localtime(project.clock.now()))}, {whoami()}"
    section = markdown(mapped, others, made)
    path, is_new = None, False
    if arguments.out != "-":
        path = Path(arguments.out) if arguments.out else project.root / DATA_MAP
        is_new = not path.exists()
        _write(path, section)
    if output.as_json:
        output.document(
            {
                "written": str(path) if path else None,
                "created": is_new,
                "production": [each.to_json() for each in mapped],
                "others": [each.to_json() for each in others],
            }
        )
    elif path is None:
        output.lines(section.splitlines())
    else:
        how = (
            "a new file; --out names another place"
            if is_new
            else "its section only; the rest of the file is as it was"
        )
        output.line(f"data map written to {path.resolve()} ({how})", "good")
    return 0


def _write(path: Path, section: str) -> None:
    try:
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, merged(before, section))
    except UnicodeDecodeError as error:
        raise InputError("is no UTF-8 text", where=str(path), fix="give another --out") from error
    except OSError as error:
        raise DiskError(
            f"cannot be written: {error.strerror}",
            where=str(path),
            fix="give a file in a folder that you may write to: --out FILE, or --out - for here",
        ) from error
