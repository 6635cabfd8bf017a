"""The alert history of the run that a checkpoint comes from: does any backward-bias alert bar it?

"Ready for production" asks for the whole history of the run, not for the numbers of one file. So
every judgement of a bare file, by `lvm 5cat` and by a promotion, looks here. Needs no torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from lvm.errors import RunError
from lvm.fivecat.gates import readiness
from lvm.runs.folder import RUN_JSON, RunFolder
from lvm.runs.runlog import count_bias_alerts

Source = Literal["events", "history", "checkpoint", "unknown"]

RUN_KEY, ALERTS_KEY = "run", "backward_bias_alerts"
"""What the trainer writes into a checkpoint: its run's name, the alerts until it was written."""

_NO_RUN = "the file lies in no run folder and does not say which run it comes from"
_FOREIGN = "the run was made by another tool, whose margins may count from another chunk"


@dataclass(frozen=True, slots=True)
class Past:
    """What is known of the run that a checkpoint comes from."""

    run: str
    """Name of its folder; "" if not known."""
    source: Source
    """events: the run's event log, the whole truth. history: its training_history.json.
    checkpoint: what the file itself says, true until it was written."""
    bias_alerts: int | None
    """Backward-bias alerts (alarm or severe); None: not known."""
    why: str = ""
    """Why it is not known."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def words(self) -> str:
        """One line for people."""
        if self.bias_alerts is None:
            return f"the run's alerts are not known: {self.why}"
        count = f"{self.bias_alerts} backward-bias alert{'' if self.bias_alerts == 1 else 's'}"
        until = ", until this file was written" if self.source == "checkpoint" else ""
        return f"run {self.run}: {count}{until}"


def past_of(checkpoint: Path, meta: Mapping[str, Any], models: Path) -> Past:
    """The past of a checkpoint, from the best source there is.

    checkpoint: the file, or a link to it. meta: `Checkpoint.meta`, {} if the file was not read.
    models: the folder of the project's run folders, where a copied file's run is looked for.
    """
    stated = meta.get(RUN_KEY)
    named = stated if isinstance(stated, str) and Path(stated).name == stated else ""
    for path in (models / named if named else None, checkpoint.resolve().parent):
        if path is not None and (found := _past_of_run(RunFolder(path))) is not None:
            return found
    alerts = meta.get(ALERTS_KEY)
    if named and type(alerts) is int:
        return Past(named, "checkpoint", alerts)
    return Past(named, "unknown", None, _NO_RUN)


def judged_with_past(document: Mapping[str, Any], past: Past) -> dict[str, Any]:
    """A 5CAT document judged with the history of its run: "history", "ready" and "missing" set.

    A history that is not known does not pass, like any number that was not measured.
    """
    ready, missing = readiness(document, past.bias_alerts)
    return {**document, "history": past.to_json(), "ready": ready, "missing": missing}


def _past_of_run(folder: RunFolder) -> Past | None:
    """None if the folder is not that of a run."""
    if folder.events.exists() and (folder.path / RUN_JSON).exists():
        return Past(folder.name, "events", count_bias_alerts(folder.events))
    try:
        history = folder.history()
    except RunError as error:
        return Past(folder.name, "unknown", None, f"{error.where}: {error.what}")
    if not history:
        return None
    tested = [entry["5cat"] for entry in history if isinstance(entry.get("5cat"), dict)]
    if not tested:
        return Past(folder.name, "unknown", None, _FOREIGN)
    against = sum(_is_backward(each.get(split)) for each in tested for split in ("VAL", "OOD"))
    return Past(folder.name, "history", against)


def _is_backward(split: Any) -> bool:
    if not isinstance(split, dict) or split.get("collapsed"):
        return False
    best = split.get("best_offset")
    return split.get("level") in ("severe", "alarm") and (best is None or best <= 1)
