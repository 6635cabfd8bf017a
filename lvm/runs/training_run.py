"""One job, from its data to its last event. Whatever happens, the run's log says how it ended."""

from __future__ import annotations

import dataclasses
import traceback
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from lvm.clock import Clock
from lvm.control import Control
from lvm.errors import (
    DiskError,
    DivergedError,
    LeaseError,
    LvmError,
    RefusedError,
    RunError,
    in_words,
)
from lvm.events import AlertRaised, DataLoaded, Event, Paused, Resumed, RunFinished
from lvm.records import Record
from lvm.runs.folder import RunFolder, best_entries
from lvm.runs.jobs import JobRow, JobState
from lvm.runs.outlook import MakeForecast, kept_forecast, new_forecast
from lvm.runs.project import Project
from lvm.runs.record import data_record, new_record, resumed_record
from lvm.runs.runlog import RunLog
from lvm.runs.steering import Steering
from lvm.runs.tasks import Ended, Task, task
from lvm.settings import SPLIT_SEED, DataSettings, Thresholds, TrainSettings

if TYPE_CHECKING:
    from lvm.data.sources import Corpus
    from lvm.quality.direction import DirectionReport


class Train(Protocol):
    """lvm.training.trainer.train, or what stands for it."""

    def __call__(
        self,
        settings: TrainSettings,
        corpus: Corpus,
        folder: Path,
        *,
        thresholds: Thresholds,
        control: Control,
        clock: Clock,
        resume: bool,
    ) -> Iterator[Event]: ...


class OpenCorpus(Protocol):
    """lvm.data.sources.open_corpus, or what stands for it."""

    def __call__(
        self,
        data: DataSettings,
        *,
        root: Path,
        seed: int,
        progress: Callable[[str, int, int], None],
    ) -> Corpus: ...


class Check(Protocol):
    """lvm.quality.direction.check_direction, or what stands for it."""

    def __call__(self, sequences: Any, thresholds: Thresholds) -> DirectionReport: ...


@dataclass(frozen=True, slots=True)
class Tools:
    """The heavy half of the engine, handed in so that nothing here imports torch."""

    train: Train
    open_corpus: OpenCorpus
    check: Check
    forecast: MakeForecast


class TrainingRun:
    """`run()` trains one job in its folder and returns what became of the job, and why.

    tools: called within `run`, so that even an import that fails is told in the log.
    tell: writes an event to the workspace log. listen: sees every record of the run's log.
    on_disk_error: called before a full disk is reported. set_state: shows paused and running.
    """

    def __init__(
        self,
        job: JobRow,
        folder: RunFolder,
        log: RunLog,
        steering: Steering,
        tools: Callable[[], Tools],
        *,
        project: Project,
        clock: Clock,
        by: str,
        tell: Callable[[Event], object],
        listen: Callable[[Record], None],
        on_disk_error: Callable[[], None],
        set_state: Callable[[JobState], None],
    ) -> None:
        self._job, self._folder, self._log = job, folder, log
        self._steering, self._tools_of = steering, tools
        self._project, self._root, self._clock, self._by = project, project.root, clock, by
        self._tell, self._listen, self._set_state = tell, listen, set_state
        self._on_disk_error = on_disk_error
        self._begun = clock.monotonic()
        self._trained_before = float((folder.last_outcome() or {}).get("seconds", 0.0))
        self.finished: RunFinished | None = None
        """How it ended."""

    def run(self) -> tuple[JobState, str]:
        """(state of the job, why). Raises LeaseError when this runner is no longer the one, and
        DiskError when not even the end could be written down."""
        try:
            self._thresholds = self._project.config().thresholds
            self._tools = self._tools_of()
            self._train(self._loaded())
        except LeaseError:
            raise
        except Ended:
            self._finish("cancelled" if self._steering.ending == "cancel" else "stopped", "")
        except Exception as error:  # noqa: BLE001  whatever it is, it ends in the log, not the queue
            self._fail(error)
        except BaseException:  # Ctrl-C without a handler: the job is not to blame
            self._steering.ending = "asked"
            self._finish("stopped", "")
            raise
        return self._became()

    def _became(self) -> tuple[JobState, str]:
        assert self.finished is not None
        outcome, reason = self.finished.outcome, self.finished.reason
        if outcome in ("completed", "early_stopped"):
            return "done", reason
        if outcome == "stopped" and self._steering.ending == "asked":
            return "queued", reason
        states: dict[str, JobState] = {"stopped": "stopped", "cancelled": "cancelled"}
        return states.get(outcome, "failed"), reason

    # ------------------------------------------------------------------ data

    def _loaded(self) -> Corpus:
        """The corpus, checked. Raises RefusedError if it runs the wrong way."""
        begun = self._clock.monotonic()
        self._write_record()
        corpus = self._opened()
        report = self._tools.check(corpus.train, self._thresholds)
        overridden = not report.passed and self._job.job.train.accept_bad_data
        quality = report.to_json()
        data = data_record(
            corpus,
            quality,
            passed=report.passed,
            overridden_by=self._by if overridden else "",
        )
        self._folder.write_record(self._folder.record() | {"data": data})
        self.write(
            DataLoaded(
                source=corpus.source,
                samples=corpus.samples,
                dim=corpus.dim,
                articles=corpus.articles,
                quality=quality,
                alignment=corpus.alignment,
                passed=report.passed,
                overridden=overridden,
                seconds=self._clock.monotonic() - begun,
                notes=list(corpus.notes),
            )
        )
        if not report.passed and not overridden:
            raise RefusedError(
                f"the data fails its checks ({report.kind}): {report.words.removeprefix('flat: ')}",
                where=corpus.source,
                fix=f"{report.fix}; to train on it all the same, and have that recorded: "
                "--accept-bad-data",
            )
        if self._steering.must_end:
            raise Ended
        if self._job.job.train.forecast:
            self._forecast(corpus)
        return corpus

    def _forecast(self, corpus: Corpus) -> None:
        """What the data allows, kept for the other runs on it; whatever comes of it, training
        begins."""
        kept = self._project.folder / "forecasts"
        found = kept_forecast(kept, corpus, self._thresholds)
        if found is None:
            title = f"forecast of the gates for {self._folder.name}"
            with self._task(f"forecast-{self._job.id}", title) as work:
                found = new_forecast(
                    kept,
                    corpus,
                    self._thresholds,
                    self._tools.forecast,
                    clock=self._clock,
                    progress=work.progress,
                )
                work.ok, work.note = bool(found.forecast), found.note
        self._folder.write_record(self._folder.record() | {"forecast": found.forecast or None})
        self.write(found)

    def _write_record(self) -> None:
        now, job, before = self._clock.now(), self._job.job, self._folder.record()
        if before:
            record = resumed_record(
                before, job, self._thresholds, root=self._root, now=now, by=self._by
            )
        else:
            record = new_record(
                self._folder.name,
                job,
                self._thresholds,
                root=self._root,
                now=now,
                by=self._by,
                parent=self._job.parent,
            )
        self._folder.write_record(record)

    def _opened(self) -> Corpus:
        with self._task(f"data-{self._job.id}", f"opening the data of {self._folder.name}") as work:
            corpus = self._tools.open_corpus(
                self._job.job.data, root=self._root, seed=SPLIT_SEED, progress=work.progress
            )
            work.ok, work.note = True, corpus.source
        return corpus

    def _task(self, name: str, title: str) -> AbstractContextManager[Task]:
        return task(name, title, tell=self._tell, steering=self._steering, clock=self._clock)

    # ------------------------------------------------------------------ training

    def _train(self, corpus: Corpus) -> None:
        self._begun = self._clock.monotonic()
        events = self._tools.train(
            self._job.job.train,
            corpus,
            self._folder.path,
            thresholds=self._thresholds,
            control=self._steering.control,
            clock=self._clock,
            resume=self._folder.can_resume,
        )
        try:
            for event in events:
                self.write(event)
        finally:  # a generator that is left half-way lets go of its tensors now, not some day
            if isinstance(events, Generator):
                events.close()
        if self.finished is None:
            raise RunError("the trainer ended without saying how", where=self._folder.name)

    def write(self, event: Event) -> None:
        """Append an event to the run's logs. Raises LeaseError, DiskError."""
        self._steering.check_lease()
        said_by = self._steering.said_by
        match event:
            case Paused():
                event = dataclasses.replace(event, by=said_by.get("pause", ""))
                self._set_state("paused")
            case Resumed():
                event = dataclasses.replace(event, by=said_by.get("resume", ""))
                self._set_state("running")
            case RunFinished(outcome="stopped" | "cancelled"):
                event = dataclasses.replace(event, reason=self._why() or event.reason)
        self._listen(self._log.append(event))
        if isinstance(event, RunFinished):
            self.finished = event

    def _why(self) -> str:
        """Which command ended it, and whose; "" if none did."""
        ending = self._steering.ending
        if ending is None:
            return ""
        if ending == "asked":
            return "the runner was told to end; the next one goes on with this run"
        words = {"stop": "stopped", "skip": "skipped", "cancel": "cancelled"}[ending]
        return f"{words} by {self._steering.said_by.get(ending, 'the user')}"

    # ------------------------------------------------------------------ failure

    def _fail(self, error: Exception) -> None:
        """Tell of it. If the disk has no room for that, say so to the caller."""
        if isinstance(error, DiskError):
            self._on_disk_error()
        unexpected = not isinstance(error, LvmError)
        words = in_words(error)
        if unexpected:
            self._log.note("".join(traceback.format_exception(error)))
        cause, title = _cause(error)
        first = words.splitlines()[0] if words else title
        self.write(
            AlertRaised(
                alert=f"{cause}-{self._log.next_seq}",
                cause=cause,
                level="alarm",
                message=f"{title}  {first}",
                fix=error.fix
                if isinstance(error, LvmError)
                else "the traceback is in training.log",
            )
        )
        self._finish("failed", words)

    def _finish(self, outcome: str, reason: str) -> None:
        """The end that the trainer could not tell, with what its files say."""
        history: list[dict[str, Any]] = []
        try:
            history = self._folder.history()
        except RunError as error:
            reason = f"{reason}\n{error}" if reason else str(error)
        best, tested = best_entries(history)
        best, tested = best or {}, tested or {}
        self.write(
            RunFinished(
                outcome=outcome,
                epochs=len(history),
                seconds=self._trained_before + self._clock.monotonic() - self._begun,
                reason=reason,
                best_epoch=best.get("epoch", 0),
                best_val_loss=best.get("val_loss"),
                best_val_cosine=best.get("val_cosine"),
                best_5cat_epoch=tested.get("epoch", 0),
                summary=tested.get("5cat", {}),
            )
        )


def _cause(error: Exception) -> tuple[str, str]:
    """`AlertRaised.cause`, and the word that its message begins with."""
    causes: tuple[tuple[type[Exception], str, str], ...] = (
        (DivergedError, "diverged", "DIVERGED"),
        (DiskError, "disk_full", "DISK"),
        (RefusedError, "data_quality", "DATA REFUSED"),
    )
    for kind, cause, title in causes:
        if isinstance(error, kind):
            return cause, title
    return "failed", "FAILED"
