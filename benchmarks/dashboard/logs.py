"""Long event logs, written fast: the lines are the writer's, their numbers change."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from lvm import events as e
from lvm.events import Event
from lvm.records import Record, encode

RUN = "gru_5cat_20251030_220000"
START = 1_761_861_600.0


class LogWriter:
    """Appends to the log of a run that trains at ten events a second."""

    def __init__(self, path: Path, *, epochs: int, batches: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._epochs, self._batches = epochs, batches
        self._seq = self._step = self._epoch = 0
        self._time = START
        sizes = {"train": 32 * batches, "val": 100, "ood": 100}
        settings = {"epochs": epochs, "fivecat_every": 5}
        self.append(
            e.RunStarted(RUN, "gru", settings, 1_800_000, epochs, batches, sizes, 384, "cpu")
        )

    def append(self, *events: Event) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.writelines(self._line(event) for event in events)

    def epoch(self) -> None:
        """One more epoch."""
        self._epoch += 1
        with self._path.open("a", encoding="utf-8") as file:
            file.writelines(self._batch_lines())
            loss, cosine = self._loss(self._step), 0.5
            done = e.EpochFinished(
                self._epoch,
                self._epochs,
                self._step,
                loss,
                cosine,
                loss * 1.02,
                cosine,
                5e-4,
                self._batches / 10,
                320.5,
                best=True,
            )
            file.write(self._line(done))

    def finish(self) -> None:
        seconds = self._time - START
        self.append(e.RunFinished("completed", self._epoch, seconds, best_epoch=self._epoch))

    def _batch_lines(self) -> Iterator[str]:
        for batch in range(1, self._batches + 1):
            self._step += 1
            self._time += 0.1
            loss = self._loss(self._step)
            yield (
                f'{{"seq":{self._seq},"time":{self._time:.3f},"type":"batch",'
                f'"epoch":{self._epoch},"step":{self._step},"batch":{batch},'
                f'"batches":{self._batches},"loss":{loss!r},"cosine":{1 - 300 * loss!r},'
                f'"learning_rate":0.0004987654321012345,"samples_per_second":{1000 + loss!r},'
                f'"memory_mb":512.25}}\n'
            )
            self._seq += 1

    def _loss(self, step: int) -> float:
        share = step / (self._epochs * self._batches)
        return 0.001 + 0.0016 * math.exp(-6 * share) + 0.0001 * math.sin(step * 12.9898)

    def _line(self, event: Event) -> str:
        line = encode(Record(self._seq, round(self._time, 3), event)) + "\n"
        self._seq += 1
        return line


def log_of(root: Path) -> Path:
    """Where the log of RUN lies in a project."""
    return root / "artifacts" / "lvm" / "models" / RUN / "events.jsonl"
