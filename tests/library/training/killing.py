"""A real run in a process that kills itself at its n-th step that changes the disk.

A step is: opening a file to write, writing the first half of something and the rest of it, fsync,
rename, removing, truncating, making a folder. Python's audit hook tells of most; for `os.write`,
`os.fsync` and what is written into temporary files, this process alone has its own functions.
"""

from __future__ import annotations

import io
import json
import os
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from lvm.clock import SystemClock
from lvm.runs.project import Project
from lvm.runs.runner import Runner
from lvm.settings import DataSettings, Job, TrainSettings

_AUDITED = {
    "os.rename": "rename",
    "os.remove": "remove",
    "os.truncate": "truncate",
    "os.mkdir": "make folder",
    "os.chmod": "chmod",
}
_RUN = re.compile(r"_5cat_\d{8}")
_WRITING = os.O_WRONLY | os.O_RDWR


class EvenClock(SystemClock):
    """Each look at the stopwatch is a moment later: what depends on time is the same each run."""

    def __init__(self) -> None:
        self._looks = 0

    def monotonic(self) -> float:
        self._looks += 1
        return self._looks * 0.03


class Steps:
    """Counts the steps within `root` whose words begin with `only`; ends the process at one."""

    def __init__(self, root: Path, kill_at: int, only: str = "") -> None:
        self._root, self._kill_at, self._only = str(root), kill_at, only
        self.seen: list[str] = []

    def step(self, what: str, path: Any) -> None:
        if not str(path).startswith(self._root) or "lvm.db" in str(path):
            return
        words = f"{what} {_kind(Path(str(path)))}"
        if not words.startswith(self._only):
            return
        self.seen.append(words)
        if len(self.seen) == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def install(self) -> None:
        sys.addaudithook(self._audit)
        write, fsync, fdopen = os.write, os.fsync, os.fdopen

        def stepping_write(descriptor: int, data: Any) -> int:
            path = _path_of(descriptor)
            view = memoryview(data).cast("B")
            self.step("write", path)
            written = write(descriptor, view[: len(view) // 2])
            self.step("write the rest of", path)
            return written + write(descriptor, view[written:])

        def stepping_fsync(descriptor: int) -> None:
            self.step("fsync", _path_of(descriptor))
            fsync(descriptor)

        def stepping_fdopen(descriptor: int, mode: str = "r", *more: Any, **others: Any) -> Any:
            if mode != "wb":
                return fdopen(descriptor, mode, *more, **others)
            path = _path_of(descriptor)
            return io.BufferedWriter(_Stepping(descriptor, lambda what: self.step(what, path)))

        os.write = stepping_write
        os.fsync = stepping_fsync  # type: ignore[assignment]
        os.fdopen = stepping_fdopen  # type: ignore[assignment]

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITING:
            self.step("open", arguments[0])
        elif event in _AUDITED:
            self.step(_AUDITED[event], arguments[1] if event == "os.rename" else arguments[0])


class _Stepping(io.FileIO):
    """An unbuffered file whose writes can be stopped before and half-way."""

    def __init__(self, descriptor: int, step: Callable[[str], None]) -> None:
        super().__init__(descriptor, "wb")
        self._step = step

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        self._step("write")
        written = super().write(view[: len(view) // 2])
        self._step("write the rest of")
        return written + super().write(view[written:])


def _path_of(descriptor: int) -> str:
    return str(Path(f"/proc/self/fd/{descriptor}").readlink())


def _kind(path: Path) -> str:
    """A temporary file goes by the name of what it becomes, a folder by what it is."""
    if path.name.endswith(".part"):
        return "." + path.name[1:].rsplit(".", 2)[0]
    return "run folder" if _RUN.search(path.name) else path.name


def settings() -> TrainSettings:
    return TrainSettings(
        model="gru",
        epochs=2,
        batch_size=200,
        d_model=8,
        fivecat_every=1,
        checkpoint_every=1,
        fivecat_samples=20,
        fivecat_horizon=2,
        on_severe="alert",
        forecast=False,
        accept_bad_data=True,
        device="cpu",
    )


def run(root: str, bank: str, kill_at: int) -> None:
    """Train the project's one job to its end, or to the step. Steps are listed in steps.json."""
    torch.set_num_threads(1)
    project = Project(Path(root), EvenClock())
    store = project.store()
    if not store.jobs():
        store.add_job(Job(train=settings(), data=DataSettings(bank=bank)))
    steps = Steps(project.models.parent, kill_at)
    steps.install()
    Runner(project, clock=EvenClock(), by="ann", heartbeat=3600.0).run()
    Path(root, "steps.json").write_text(json.dumps(steps.seen))
