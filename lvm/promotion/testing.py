"""The full 5CAT of a checkpoint: from the ledger if the same test was done, else run and kept."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lvm import __version__
from lvm.errors import InputError
from lvm.events import Event, FivecatProgress
from lvm.promotion import ledger
from lvm.runs.folder import RUN_JSON, RunFolder
from lvm.runs.past import RUN_KEY
from lvm.runs.project import Project
from lvm.settings import SPLIT_SEED, DataSettings, FivecatSettings, Thresholds

if TYPE_CHECKING:
    from lvm.models.checkpoint import Checkpoint

_MEASURING = ("bin_low", "bin_normal", "severe", "alarm", "caution", "good")
"""Thresholds that go into the numbers and words of a split; the others only judge, and a test that
is found in the ledger is judged anew by those of today."""

_TOLD_EVERY = 0.1
"""Seconds between two lines of progress in the log."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class FullTest:
    document: dict[str, Any]
    """As `lvm 5cat --json` prints it, the history of the run not yet considered."""
    data: str
    """SHA-256 of the test data."""
    entry: int
    """Of the ledger."""
    reused: bool

    @property
    def short_of_full(self) -> str:
        """What a person should know where lvm.toml asks for less than the full test, or ""."""
        full = FivecatSettings()
        asked, horizon = self.document["samples"]["VAL"]["asked"], self.document["horizon"]
        if asked >= full.max_samples and horizon >= full.horizon:
            return ""
        return (
            f"[fivecat] asks for {asked:,} samples and H = {horizon}; the full test has "
            f"{full.max_samples:,} and {full.horizon}"
        )


def run_of(project: Project, file: Path, stated: object = None) -> RunFolder | None:
    """The run that a checkpoint comes from; None if it is not known.

    stated: what the checkpoint says of its run.
    """
    named = project.models / stated if isinstance(stated, str) and stated else None
    for path in (file.resolve().parent, named):
        if path is not None and (path / RUN_JSON).is_file():
            return RunFolder(path)
    return None


def data_of_run(project: Project, file: Path, stated: object = None) -> DataSettings:
    """What the run of a checkpoint was tested on, else [data] of lvm.toml; not complete if neither
    says."""
    folder = run_of(project, file, stated)
    if folder is not None and folder.record().get("job") is not None:
        return folder.job().data
    return project.config().data


def full_settings(configured: FivecatSettings) -> FivecatSettings:
    """Production is judged by offsets from the last context, whatever else lvm.toml compares."""
    return configured.changed(offset_origin="context")


def full_test(
    project: Project,
    checkpoint: Checkpoint,
    data: DataSettings | None,
    device: str,
    *,
    tell: Callable[[Event], object],
    progress: Progress,
) -> FullTest:
    """Test `checkpoint`; a test that was run is in the ledger when this returns.

    data: None = the run's own. Raises InputError when there is no test data, and what opening it
    and running the battery raise.
    """
    from lvm.data.sources import open_test_data

    config = project.config()
    settings, thresholds = full_settings(config.fivecat), config.thresholds
    data = data or data_of_run(project, checkpoint.path, checkpoint.meta.get(RUN_KEY))
    if not (data.bank or (data.val and data.ood and data.articles)):
        raise InputError(
            "no test data: the file's run does not say what it was tested on",
            where=str(checkpoint.path),
            fix="give --val-npz, --ood-npz and --articles-npz, or --bank, or a [data] section",
        )
    val, ood = open_test_data(data, root=project.root, seed=SPLIT_SEED, progress=progress)
    fingerprint = hashlib.sha256(f"{val.fingerprint} {ood.fingerprint}".encode()).hexdigest()
    same = _what_must_be_same(settings, thresholds)
    found = ledger.find_test(ledger.entries(project), checkpoint.sha256, fingerprint, same)
    if found is not None:
        number = found.pop("entry")
        return FullTest(_judged_today(found, thresholds), fingerprint, number, reused=True)
    document = _run(project, checkpoint, val, ood, settings, thresholds, device, tell, progress)
    number = project.store().add_to_ledger(
        "tested",
        checkpoint.model_type,
        {
            "sha256": checkpoint.sha256,
            "data": fingerprint,
            "settings": same,
            "file": str(checkpoint.path),
            "source": data.to_json(),
            "result": document,
        },
    )
    return FullTest(document, fingerprint, number, reused=False)


def _what_must_be_same(settings: FivecatSettings, thresholds: Thresholds) -> dict[str, Any]:
    """All that the numbers depend on beside file and data; the batch size is none of it."""
    asked = settings.to_json()
    del asked["batch_size"]
    of_thresholds = {name: getattr(thresholds, name) for name in _MEASURING}
    return asked | of_thresholds | {"lvm": __version__}


def _judged_today(document: dict[str, Any], thresholds: Thresholds) -> dict[str, Any]:
    from lvm.fivecat import gates

    verdict = gates.judge(document["VAL"], document["OOD"], thresholds)
    return document | verdict.to_json() | {"thresholds": thresholds.to_json()}


def _run(
    project: Project,
    checkpoint: Checkpoint,
    val: Any,
    ood: Any,
    settings: FivecatSettings,
    thresholds: Thresholds,
    device: str,
    tell: Callable[[Event], object],
    progress: Progress,
) -> dict[str, Any]:
    from lvm.fivecat.battery import Progress as Step
    from lvm.fivecat.battery import run_battery

    clock = project.clock
    told = clock.monotonic() - _TOLD_EVERY

    def step(at: Step) -> None:
        nonlocal told
        progress(f"5CAT {at.split} {at.test}", at.done, at.total)
        if clock.monotonic() - told >= _TOLD_EVERY or at.done == at.total:
            told = clock.monotonic()
            tell(FivecatProgress(0, at.split, at.test, at.done, at.total))

    result = run_battery(
        checkpoint.model, val, ood, settings, thresholds, device, progress=step, clock=clock
    )
    return result.to_json()
