"""`lvm diagnose` in a process of its own: the dashboard never loads torch, nor a bank."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lvm.errors import InputError, RunError

DEEPEST = 4
"""Folders below the project in which files are looked for."""

MOST = 200
"""Files that are offered: more are not read by anybody; a path can be typed."""

_LEFT_OUT = (".lvm-cache", "artifacts", "node_modules", "__pycache__")

_LINE = 1 << 20
"""Longest line that is read of the process's messages, in bytes."""


def npz_files(root: Path) -> list[Path]:
    """The data files of a project, relative to it: the nearest first, then by name."""
    found: list[Path] = []
    for folder, folders, files in os.walk(root):
        here = Path(folder).relative_to(root)
        folders[:] = [
            name
            for name in sorted(folders)
            if not name.startswith(".") and not name.endswith(_LEFT_OUT)
        ]
        if len(here.parts) >= DEEPEST:
            folders.clear()
        found += [here / name for name in sorted(files) if name.endswith(".npz")]
    found.sort(key=lambda path: (len(path.parts), str(path)))
    return found[:MOST]


async def diagnose(
    root: Path, file: Path, progress: Callable[[str, int, int], None]
) -> dict[str, Any]:
    """The document of `lvm diagnose --json FILE`; cancelling ends the process.

    file: as typed, relative to the project. Raises InputError for what it refuses, RunError when
    it dies.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "lvm", "diagnose", "--json", "--root", str(root), str(root / file.expanduser())),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=_LINE,
        env={**os.environ, "LVM_PROGRESS": "lines"},
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        output, said = await asyncio.gather(
            process.stdout.read(), _messages(process.stderr, progress)
        )
        code = await process.wait()
    except BaseException:
        if process.returncode is None:
            process.kill()
            await process.wait()
        raise
    document = _document(output)
    if document is not None:
        return document
    words = "\n".join(said[-3:]).removeprefix("lvm: ").strip()
    if code == InputError.exit_code:
        raise InputError(words or "lvm diagnose refused it", where=str(file))
    raise RunError(
        words or f"lvm diagnose ended with code {code}",
        where=str(file),
        fix="run lvm diagnose in a terminal to see all that it says",
    )


async def _messages(
    stream: asyncio.StreamReader, progress: Callable[[str, int, int], None]
) -> list[str]:
    """What it says besides progress."""
    said: list[str] = []
    async for line in stream:
        text = line.decode(errors="replace").rstrip()
        told = _progress(text)
        if told is None:
            said.append(text)
        else:
            progress(*told)
    return said


def _progress(text: str) -> tuple[str, int, int] | None:
    try:
        match json.loads(text):
            case ["progress", str(what), int(done), int(total)]:
                return what, done, total
    except ValueError:
        pass
    return None


def _document(output: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(output)
    except ValueError:
        return None
    return document if isinstance(document, dict) and "quality" in document else None
