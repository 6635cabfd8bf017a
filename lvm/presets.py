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
    "context_noise": 0.0,
    "weight_average": 0.0,
    "objective": "mse",
    "warmup_steps": 200,
    "plateau_factor": 0.5,
    "plateau_patience": 3,
}
"""The hyperparameters of the guide, whatever lvm.toml or later defaults say."""

BEST: Mapping[str, Any] = {
    **GUIDE,
    "learning_rate": 1e-3,
    "weight_decay": 0.9,
    "d_model": 512,
    "weight_average": 0.2,
}
"""What beat the guide's on real text, and ridge with it (docs/direction.md). AdamW shrinks the
weights by rate × decay a step: the guide's 5e-6 takes 1 % off in a whole run of 2,000 steps, which
regularises nothing. The mean of the weights over-fits less than the last ones, and what it saves
can be spent on width."""

PRESETS: Mapping[str, Mapping[str, Any]] = {"guide": GUIDE, "best": BEST}

PRESET_HELP = "guide: the guide's hyperparameters; best: what beat them (docs/direction.md)"
