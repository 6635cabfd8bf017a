"""lvm: train, test, check, promote and serve Latent Vector Models, without a screen.

    import lvm

    checkpoint = lvm.load_checkpoint("best_5cat_model.pt")
    val, ood = lvm.open_test_data(
        lvm.DataSettings(bank="bank.npz"), root=Path(), seed=lvm.SPLIT_SEED
    )
    lvm.run_battery(checkpoint.model, val, ood, lvm.FivecatSettings(), lvm.Thresholds())

Public names are resolved when first used, so that `import lvm` costs nothing: torch is imported
only by what needs it. What is not named here may change from one version to the next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lvm.clock import SystemClock
    from lvm.data.bank import VectorBank, open_bank, write_bank_npz
    from lvm.data.encode import encode_to_bank
    from lvm.data.reference import write_reference
    from lvm.data.sources import Corpus, open_corpus, open_test_data
    from lvm.data.text import read_articles
    from lvm.errors import LvmError
    from lvm.fivecat.battery import run_battery
    from lvm.fivecat.gates import readiness
    from lvm.fivecat.result import BatteryResult
    from lvm.models import build
    from lvm.models.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
    from lvm.quality.direction import DirectionReport, check_direction
    from lvm.quality.forecast import Forecast, forecast
    from lvm.runs.eventlog import EventReader, read_events
    from lvm.runs.past import judged_with_past, past_of
    from lvm.runs.project import Project
    from lvm.runs.runner import Runner
    from lvm.settings import (
        SPLIT_SEED,
        DataSettings,
        FivecatSettings,
        Job,
        Thresholds,
        TrainSettings,
    )
    from lvm.training.trainer import train

__version__ = "0.1.0"

__all__ = [
    "SPLIT_SEED",
    "BatteryResult",
    "Checkpoint",
    "Corpus",
    "DataSettings",
    "DirectionReport",
    "EventReader",
    "FivecatSettings",
    "Forecast",
    "Job",
    "LvmError",
    "Project",
    "Runner",
    "SystemClock",
    "Thresholds",
    "TrainSettings",
    "VectorBank",
    "__version__",
    "build",
    "check_direction",
    "encode_to_bank",
    "forecast",
    "judged_with_past",
    "load_checkpoint",
    "open_bank",
    "open_corpus",
    "open_test_data",
    "past_of",
    "read_articles",
    "read_events",
    "readiness",
    "run_battery",
    "save_checkpoint",
    "train",
    "write_bank_npz",
    "write_reference",
]

_NAMES_OF = {
    "lvm.clock": "SystemClock",
    "lvm.data.bank": "VectorBank open_bank write_bank_npz",
    "lvm.data.encode": "encode_to_bank",
    "lvm.data.reference": "write_reference",
    "lvm.data.sources": "Corpus open_corpus open_test_data",
    "lvm.data.text": "read_articles",
    "lvm.errors": "LvmError",
    "lvm.fivecat.battery": "run_battery",
    "lvm.fivecat.gates": "readiness",
    "lvm.fivecat.result": "BatteryResult",
    "lvm.models": "build",
    "lvm.models.checkpoint": "Checkpoint load_checkpoint save_checkpoint",
    "lvm.quality.direction": "DirectionReport check_direction",
    "lvm.quality.forecast": "Forecast forecast",
    "lvm.runs.eventlog": "EventReader read_events",
    "lvm.runs.past": "judged_with_past past_of",
    "lvm.runs.project": "Project",
    "lvm.runs.runner": "Runner",
    "lvm.settings": "SPLIT_SEED DataSettings FivecatSettings Job Thresholds TrainSettings",
    "lvm.training.trainer": "train",
}
_HOMES = {name: module for module, names in _NAMES_OF.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'lvm' has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value  # the next look finds it without coming here
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
