"""A runner in a process of its own, to be killed: `runner_process.py ROOT` trains by script, slowly
enough to be caught; each epoch leaves last.pt, and the process says so."""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lvm.clock import SystemClock
from lvm.events import Batch, EpochFinished, Event, RunFinished, RunStarted
from lvm.files import write_text
from lvm.runs.project import Project
from lvm.runs.runner import Runner

ENDLESS = 1_000_000


class ShiftedClock(SystemClock):
    """The system's clock, plus the seconds that a file tells."""

    def __init__(self, shift: Path) -> None:
        self._shift = shift

    def now(self) -> float:
        return super().now() + (float(self._shift.read_text()) if self._shift.exists() else 0.0)


class Corpus:
    train = None
    source = "scripted"
    samples = {"train": 1, "val": 1, "ood": 1}  # noqa: RUF012
    dim, articles = 16, 1
    alignment: dict[str, Any] = {}  # noqa: RUF012
    fingerprint = ""
    fingerprints: dict[str, str] = {}  # noqa: RUF012
    notes = ()


class Report:
    passed = True

    def to_json(self) -> dict[str, Any]:
        return {}


def train(settings: Any, corpus: Any, folder: Path, **given: Any) -> Iterator[Event]:
    done = int((folder / "last.pt").read_text()) if given["resume"] else 0
    yield RunStarted(
        run=folder.name,
        model=settings.model,
        settings=settings.to_json(),
        parameters=1,
        epochs=ENDLESS,
        batches_per_epoch=1,
        samples=corpus.samples,
        dim=16,
        device="cpu",
        resumed=given["resume"],
        step=done,
    )
    print(json.dumps({"started": settings.model, "resumed": given["resume"]}), flush=True)
    for epoch in range(done + 1, ENDLESS):
        if given["control"]() == "stop":
            yield RunFinished("stopped", epoch - 1, 1.0)
            return
        yield Batch(epoch, epoch, 1, 1, 0.5, 0.5, 5e-4, 1.0)
        write_text(folder / "last.pt", str(epoch))
        yield EpochFinished(epoch, ENDLESS, epoch, 0.5, 0.5, 0.5, 0.5, 5e-4, 1.0, 1.0)
        if epoch - done == 5:
            print(json.dumps({"epochs": epoch}), flush=True)


def main() -> None:
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda number, frame: stop.set())
    end = Runner(
        Project(Path(sys.argv[1])),
        clock=ShiftedClock(Path(sys.argv[1]) / "shift"),
        train=train,
        open_corpus=lambda data, **others: Corpus(),  # type: ignore[arg-type,return-value]
        check=lambda sequences, thresholds: Report(),  # type: ignore[arg-type,return-value]
    ).run(should_stop=stop)
    print(json.dumps({"end": end.reason}), flush=True)


if __name__ == "__main__":
    main()
