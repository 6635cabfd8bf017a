"""What a job asks for, in a few words; pure."""

from __future__ import annotations

import dataclasses
from typing import Any

from lvm.settings import DATA_FILES, DataSettings, Job, TrainSettings


def data_words(data: DataSettings) -> str:
    """The bank, or the four files by their names; with what of the split is not the default."""
    files = (
        data.bank
        if data.bank
        else ", ".join(f"{name} {given}" for name in DATA_FILES if (given := getattr(data, name)))
    )
    split = _differing(data, DataSettings(), leave_out=DATA_FILES)
    return ", ".join(part for part in (files, split) if part)


def settings_words(job: Job) -> str:
    """The settings that are not the default, as `lvm.toml` would have them; "" if none."""
    return _differing(job.train, TrainSettings(), leave_out=("model",))


def _differing(settings: Any, default: Any, leave_out: tuple[str, ...]) -> str:
    names = [each.name for each in dataclasses.fields(settings) if each.name not in leave_out]
    return ", ".join(
        f"{name} = {shown(getattr(settings, name))}"
        for name in names
        if getattr(settings, name) != getattr(default, name)
    )


def shown(value: object) -> str:
    """A setting as `lvm.toml` would have it, without the quotes; – where there is none."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)
