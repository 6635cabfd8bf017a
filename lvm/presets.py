"""Named settings for training: `lvm train --preset guide|best`.

A preset stands between lvm.toml and the flags: it wins over the file, a flag wins over it. The
settings that it led to are in the run's record; the name is only a way to say them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

GUIDE: Mapping[str, Any] = {
    "epochs": 20,
    "batch_size": 256,
    "learning_rate": 5e-4,
    "weight_decay": 0.01,
    "d_model": 256,
    "hidden_dim": 512,
    "objective": "mse",
    "plateau_factor": 0.5,
    "plateau_patience": 3,
}
"""The hyperparameters of the guide, whatever lvm.toml or later defaults say."""

BEST: Mapping[str, Any] = {
    **GUIDE,
    "context_noise": 1.0,
    "epochs": 40,
    "learning_rate": 1e-3,
}
"""What beat the guide's on real text (docs/direction.md)."""

PRESETS: Mapping[str, Mapping[str, Any]] = {"guide": GUIDE, "best": BEST}

PRESET_HELP = "guide: the guide's hyperparameters; best: what beat them (docs/direction.md)"
