"""The promote screen's way to disk: what there is, what would change, and the command that does it.

A promotion runs as a process of its own, `lvm promote`: it survives the screen, and a screen that
dies never leaves a change half-done. Whoever watches reads its event log.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from lvm.errors import LvmError
from lvm.promotion import ledger
from lvm.promotion.managed import services_of
from lvm.promotion.places import log_path
from lvm.promotion.planning import Plan, plan
from lvm.promotion.preparing import earlier
from lvm.promotion.state import candidates, names, pending, production
from lvm.runs.eventlog import EventReader
from lvm.runs.folder import RunFolder
from lvm.runs.project import Project
from lvm_tui.state.promotion import CandidateView, Numbers, Stock

COMMAND = (sys.executable, "-P", "-m", "lvm")
SAID = "promotion.out"
"""What the last command said, beside its event log: where it failed before it could log."""
_LAST_WORDS = 1500


class Promoting:
    """The promotions of a project, as a screen sees them."""

    def __init__(self, project: Project, command: Sequence[str] = COMMAND) -> None:
        """command: what runs `lvm`."""
        self._project, self._command = project, tuple(command)

    def log(self) -> EventReader:
        return EventReader(log_path(self._project))

    def stock(self) -> Stock:
        """Reads the links, their metadata, and a few kilobytes of each run; no checkpoint."""
        project = self._project
        configured = project.config().services.enabled
        return Stock(
            production=tuple(production(project, name) for name in names(project, configured)),
            candidates=tuple(
                CandidateView(each, _numbers(each.path, each.epoch)) for each in candidates(project)
            ),
            pending=pending(project),
            ledger=tuple(ledger.entries(project)),
        )

    def plan(self, file: Path, name: str) -> Plan:
        """What a promotion would change. Raises LvmError where it cannot be done."""
        project = self._project
        found = ledger.entries(project, name)
        return plan(project.models, name, file, services_of(project), found)

    def plan_back(self, name: str) -> Plan:
        """What a rollback would change. Raises LvmError where there is nothing to go back to."""
        file, _, _ = earlier(self._project, name, None)
        return self.plan(file, name)

    def run(self, *words: str) -> tuple[int, str]:
        """`lvm` with these words, to its end; its exit code and its last words."""
        said = self._project.folder / SAID
        said.parent.mkdir(parents=True, exist_ok=True)
        with said.open("wb") as file:
            process = subprocess.Popen(
                [*self._command, *words, "--root", str(self._project.root)],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        code = process.wait()
        return code, said.read_text("utf-8", "replace").strip()[-_LAST_WORDS:]


def _numbers(path: Path, epoch: int) -> Numbers:
    """Of the checkpoint's epoch, from the history of its run."""
    try:
        history = RunFolder(path.parent).history()
    except LvmError:
        return Numbers()
    for entry in history:
        if entry.get("epoch") == epoch and entry.get("5cat"):
            return Numbers(entry["5cat"])
    return Numbers()
