"""A workspace in memory: what the dashboard reads, without disk and without an engine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lvm.events import AlertAcknowledged, Batch
from lvm.records import Record
from lvm_tui.live import CHUNK
from lvm_tui.state.setup import Setup
from lvm_tui.state.views import Alert, Frame, JobRow, LogLine, RunnerView
from lvm_tui.state.wording import log_line

from .scripted import Script


class MemoryLog:
    """Gives out the records of a script up to `visible`, as a tailed file would."""

    restarts = 0
    at_end = False

    def __init__(self, script: Script, visible: int | None = None) -> None:
        self.script = script
        self.visible = visible
        self._at = 0

    def poll(self, max_records: int | None = None) -> Sequence[Record]:
        end = len(self.script.records) if self.visible is None else self.visible
        if max_records is not None:
            end = min(end, self._at + max_records)
        records = self.script.records[self._at : end]
        self._at += len(records)
        self.at_end = self._at == len(self.script.records) or self._at == self.visible
        return records

    def poll_in_bulk(self, *, batches: bool = True) -> Sequence[Record]:
        return [r for r in self.poll(CHUNK) if batches or not isinstance(r.event, Batch)]


class MemoryPages:
    """The telling lines of a script."""

    restarts = 0

    def __init__(self, script: Script) -> None:
        self._script = script
        self._lines: list[tuple[str, LogLine]] = []
        self._at = 0

    def read(self) -> bool:
        for record in self._script.records[self._at :]:
            line = log_line(record)
            if line is not None:
                self._lines.append((record.event.kind(), line))
        self._at = len(self._script.records)
        return False

    def __len__(self) -> int:
        return len(self._lines)

    def time(self, at: int) -> float:
        return self._lines[at][1].time

    def kind(self, at: int) -> str:
        return self._lines[at][0]

    def line(self, at: int) -> LogLine:
        return self._lines[at][1]


class MemoryWorkspace:
    """Stands in for lvm_tui.workspace.Workspace; remembers the commands that it was sent."""

    home = Path("artifacts/lvm/models")
    log_path = Path("artifacts/lvm/events.jsonl")

    def __init__(
        self,
        runs: dict[str, Script] | None = None,
        *,
        workspace: Script | None = None,
        jobs: Sequence[JobRow] = (),
        runner: RunnerView | None = None,
    ) -> None:
        self.runs = runs or {}
        self.workspace = workspace or Script()
        self.rows = tuple(jobs)
        self.holder = runner or RunnerView(alive=True, pid=4711, host="ada")
        self.sent: list[tuple[str, str]] = []
        self.slow_to_acknowledge = False
        """A runner in another process: what it is sent is in the log only after `settle`."""
        self._unsettled: list[Alert] = []

    def setup(self) -> Setup:
        return Setup(True, source="python_docs.npz")

    def folder(self, run: str) -> Path:
        return self.home / run

    def log_pages(self, run: str) -> list[MemoryPages]:
        scripts = [self.workspace, self.runs[run]] if run else [self.workspace]
        return [MemoryPages(script) for script in scripts]

    def jobs(self) -> tuple[JobRow, ...]:
        return self.rows

    def runner(self) -> RunnerView:
        return self.holder

    def newest_run(self) -> str:
        return next(reversed(self.runs), "")

    def workspace_log(self) -> MemoryLog:
        return MemoryLog(self.workspace)

    def run_log(self, run: str) -> MemoryLog:
        return MemoryLog(self.runs[run])

    def send(self, kind: str, argument: str = "") -> None:
        self.sent.append((kind, argument))

    def acknowledge(self, alert: Alert, frame: Frame) -> None:
        self.sent.append(("acknowledge", alert.id))
        self._unsettled.append(alert)
        if not self.slow_to_acknowledge:
            self.settle()

    def settle(self) -> None:
        for alert in self._unsettled:
            self.runs[alert.run].add(AlertAcknowledged(alert.id, "test"))
        self._unsettled.clear()


FOUR = (
    JobRow(1, "transformer", "running", "transformer_5cat_20251030_220000"),
    JobRow(2, "gru", "queued"),
    JobRow(3, "lstm", "queued"),
    JobRow(4, "amn", "queued"),
)
