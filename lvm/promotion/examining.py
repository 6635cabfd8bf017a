"""Everything that is asked of a file before it may go live: it loads, predicts, passes 5CAT."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lvm.errors import CheckpointError, LvmError
from lvm.events import PromotionStep
from lvm.promotion.outcome import Tell
from lvm.promotion.policy import Judgement, Override, judge
from lvm.promotion.testing import FullTest, Progress, full_test, run_of
from lvm.promotion.trial import Trial
from lvm.runs.past import RUN_KEY, past_of
from lvm.runs.project import Project
from lvm.settings import MODEL_TYPES, DataSettings

if TYPE_CHECKING:
    from lvm.models.checkpoint import Checkpoint

Try = Callable[[Path, str], Trial]


@dataclass(frozen=True)
class Examiner:
    """Looks at one file; every step is told."""

    project: Project
    change: str
    tell: Tell
    progress: Progress
    device: str
    trial: Try

    def load(self, file: Path, name: str) -> tuple[Checkpoint, Trial]:
        """Read it, and try it as a service would. Raises CheckpointError."""
        from lvm.models.checkpoint import load_checkpoint
        from lvm.training.device import choose_device

        with self._step("load") as said:
            device, _ = choose_device(self.device)
            checkpoint = load_checkpoint(file, device)
            trial = self.trial(file, self.device)
            if trial.sha256 != checkpoint.sha256:
                raise CheckpointError(
                    "changes while it is read",
                    where=str(file),
                    fix="a run that goes on replaces its files: promote when it has ended",
                )
            if name in MODEL_TYPES and trial.model_type != name:
                raise CheckpointError(
                    f"is a {trial.model_type} model, not {name}",
                    where=str(file),
                    fix=f"promote it --as {trial.model_type}, or as a service of another name",
                )
            said.append(words_of(trial))
        return checkpoint, trial

    def retry(self, file: Path, expected: str | None) -> Trial:
        """Try a file that was in production before. Raises CheckpointError if it is another now."""
        with self._step("load") as said:
            trial = self.trial(file, self.device)
            if expected is not None and trial.sha256 != expected:
                raise CheckpointError(
                    "is no longer the file that was in production",
                    where=str(file),
                    fix="promote it like any other: lvm promote",
                )
            said.append(words_of(trial))
        return trial

    def test(self, checkpoint: Checkpoint, data: DataSettings | None) -> FullTest:
        from lvm.training.device import choose_device

        with self._step("fivecat") as said:
            device, _ = choose_device(self.device)
            test = full_test(
                self.project,
                checkpoint,
                data,
                str(device),
                tell=self.tell,
                progress=self.progress,
            )
            said.append(f"{test.document['passed']} of 5 gates")
            if test.reused:
                said.append(f"known from entry {test.entry}: the same file, data and settings")
        return test

    def judge(self, checkpoint: Checkpoint, test: FullTest, override: Override | None) -> Judgement:
        past = past_of(checkpoint.path, checkpoint.meta, self.project.models)
        judgement = judge(test.document, past, override)
        words = "ready for production"
        if judgement.override is not None:
            words = f"overridden: {judgement.override.reason}"
        elif not judgement.ready:
            words = "; ".join(judgement.missing)
        state = "done" if judgement.allowed else "failed"
        self.tell(PromotionStep(self.change, "policy", state, words))
        return judgement

    @contextmanager
    def _step(self, step: str) -> Iterator[list[str]]:
        self.tell(PromotionStep(self.change, step, "started"))
        clock = self.project.clock
        begun, said = clock.monotonic(), list[str]()
        try:
            yield said
        except LvmError as error:
            took = clock.monotonic() - begun
            self.tell(PromotionStep(self.change, step, "failed", error.what, took))
            raise
        took = clock.monotonic() - begun
        self.tell(PromotionStep(self.change, step, "done", "; ".join(said), took))


def words_of(trial: Trial) -> str:
    return f"{trial.model_type} of width {trial.dim}, {trial.sha256[:12]}; predicts a unit vector"


def facts_of(
    project: Project, checkpoint: Checkpoint, trial: Trial, test: FullTest, judgement: Judgement
) -> dict[str, Any]:
    """What metadata and ledger say of the file."""
    run = run_of(project, checkpoint.path, checkpoint.meta.get(RUN_KEY))
    said = judgement.override
    return {
        "model_type": trial.model_type,
        "dim": trial.dim,
        "run": run.name if run else "",
        "epoch": checkpoint.epoch,
        "test": {"entry": test.entry, "data": test.data},
        "ready": judgement.ready,
        "missing": judgement.missing,
        "override": {"reason": said.reason, "by": said.by} if said else None,
        "5cat": judgement.document,
    }
