"""Gathers the data map: who is in production, who stood there before, each with its full 5CAT."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lvm.errors import LvmError
from lvm.events import Event
from lvm.promotion import ledger
from lvm.promotion.report import Mapped, Measured
from lvm.promotion.state import Production, names, production
from lvm.promotion.testing import Progress, full_test
from lvm.runs.commands import LedgerEntry
from lvm.runs.past import judged_with_past, past_of
from lvm.runs.project import Project
from lvm.settings import DataSettings


@dataclass(frozen=True)
class Mapper:
    """A predecessor is tested on the data of the model that replaced it: the two compare."""

    project: Project
    data: DataSettings | None
    """What to test on; None: what the model in production was tested on, else the run's own."""
    device: str
    progress: Progress
    test: bool = True
    """False: only what is known already; nothing is tested."""

    def production(self) -> list[Mapped]:
        """The four models, and every other name that has something in production."""
        found = ledger.entries(self.project)
        each = [production(self.project, name) for name in names(self.project)]
        return [self._mapped(it, found) for it in each]

    def others(self, files: Sequence[Path]) -> list[Measured]:
        """More checkpoints; on the data of the model of their type that is in production."""
        found = ledger.entries(self.project)
        return [self._tested(file, self.data or self._any_data(found)) for file in files]

    def _mapped(self, it: Production, found: list[LedgerEntry]) -> Mapped:
        if it.file is None:
            return Mapped(
                it.name, replace(_named(it), note=it.trouble) if it.trouble else None, None
            )
        known = it.metadata if not it.trouble else {}
        data = self.data or _data_of(known, found)
        if known.get("5cat") and self.data is None:
            now = replace(
                _named(it),
                model=known.get("model_type", ""),
                sha256=known["sha256"],
                epoch=known.get("epoch"),
                fivecat=known["5cat"],
                data=(known.get("test") or {}).get("data", ""),
            )
        else:
            now = replace(self._tested(it.file, data), file=_named(it).file)
        if it.trouble:
            now = replace(now, note="; ".join(filter(None, [it.trouble, now.note])))
        override = (known.get("override") or {}).get("reason", "")
        before = self._before(it.name, data, found)
        return Mapped(it.name, now, before, known.get("at", ""), known.get("by", ""), override)

    def _before(
        self, name: str, data: DataSettings | None, found: list[LedgerEntry]
    ) -> Measured | None:
        last = ledger.current(found, name)
        if last is None or last.document["before"]["sha256"] is None:
            return None
        before = last.document["before"]
        kept = before["target"] if before["kind"] == "link" else last.document["backup"]["file"]
        tested = self._tested(self.project.models / kept, data)
        if tested.sha256 and tested.sha256 != before["sha256"]:
            return Measured(
                kept, note="the file was changed since: its numbers would be of another"
            )
        return replace(tested, file=kept)

    def _tested(self, file: Path, data: DataSettings | None) -> Measured:
        """A file that cannot be tested is listed with the reason: the map is of all of them."""
        if not self.test:
            return Measured(str(file), note="not tested")
        from lvm.models.checkpoint import load_checkpoint
        from lvm.training.device import choose_device

        try:
            device, _ = choose_device(self.device)
            checkpoint = load_checkpoint(file, device)
            test = full_test(
                self.project, checkpoint, data, str(device), tell=_nobody, progress=self.progress
            )
        except LvmError as error:
            return Measured(str(file), note=f"not tested: {error.what}")
        past = past_of(file, checkpoint.meta, self.project.models)
        return Measured(
            file=str(file),
            model=checkpoint.model_type,
            sha256=checkpoint.sha256,
            epoch=checkpoint.epoch,
            fivecat=judged_with_past(test.document, past),
            data=test.data,
        )

    def _any_data(self, found: list[LedgerEntry]) -> DataSettings | None:
        for name in names(self.project):
            data = _data_of(production(self.project, name).metadata, found)
            if data is not None:
                return data
        return None


def _nobody(event: Event) -> None:
    """The map is no promotion: nothing is logged."""


def _named(it: Production) -> Measured:
    return Measured(f"{it.run}/{it.file.name}" if it.run and it.file else it.link.name)


def _data_of(metadata: dict[str, Any], found: list[LedgerEntry]) -> DataSettings | None:
    """What the test of a promoted file was run on, as the ledger says."""
    number = (metadata.get("test") or {}).get("entry")
    for entry in found:
        if entry.id == number and entry.kind == "tested":
            return DataSettings.from_json(entry.document["source"])
    return None
