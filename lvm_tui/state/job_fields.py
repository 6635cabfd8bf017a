"""What can be set of a job in its dialog, and how texts become settings; pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lvm.errors import SettingsError
from lvm.settings import MODEL_TYPES, DataSettings, Job, TrainSettings


@dataclass(frozen=True, slots=True)
class Field:
    """One line of the dialog."""

    name: str
    """Of the TrainSettings."""
    label: str
    hint: str
    options: tuple[str, ...] = ()
    """All that it can be; none: free text."""
    of_run: bool = False
    """Set for good once the job has a run that it goes on with (last.pt holds it)."""


FIELDS = (
    Field("model", "model", "", tuple(MODEL_TYPES), of_run=True),
    Field("epochs", "epochs", "times through the training data"),
    Field("batch_size", "batch size", "sequences a step; 128 if memory runs out", of_run=True),
    Field("learning_rate", "learning rate", "0.0005 suits all four models", of_run=True),
    Field("device", "device", "auto, cpu, cuda, cuda:1, mps"),
    Field("precision", "precision", "", ("fp32", "bf16"), of_run=True),
    Field("seed", "seed", "the same seed, the same weights", of_run=True),
    Field("on_severe", "severe bias", "", ("stop", "alert")),
    Field("accept_bad_data", "bad data", "", ("refuse", "accept")),
)

BANK, FILES = "bank", "sequence files"

KINDS: dict[str, tuple[str, ...]] = {BANK: ("bank",), FILES: ("train", "val", "ood", "articles")}
"""The two ways to say where the data is, and the paths of each; names of the DataSettings."""


def kind_of(data: DataSettings) -> str:
    return FILES if any(getattr(data, name) for name in KINDS[FILES]) else BANK


def with_paths(data: DataSettings, kind: str, paths: Mapping[str, str]) -> DataSettings:
    """The data with the paths of one kind, and none of the other."""
    named = {name: "" for names in KINDS.values() for name in names}
    return data.changed(**{**named, **{name: paths[name].strip() for name in KINDS[kind]}})


def begins_anew(before: Job, after: Job) -> bool:
    """Whether what was changed makes it another run than the one that was begun."""
    fixed = [field.name for field in FIELDS if field.of_run]
    same = all(getattr(before.train, name) == getattr(after.train, name) for name in fixed)
    return not same or before.data != after.data


_FLAGS = {"accept_bad_data": {"refuse": False, "accept": True}}
"""Fields of true and false, in words."""


def text_of(settings: TrainSettings, name: str) -> str:
    """A setting as the dialog shows it."""
    value = getattr(settings, name)
    if name in _FLAGS:
        return next(word for word, flag in _FLAGS[name].items() if flag is value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def with_text(settings: TrainSettings, name: str, text: str) -> TrainSettings:
    """The settings with one of them changed. Raises SettingsError for what it cannot be."""
    text = text.strip()
    value: Any = text
    if name in _FLAGS:
        value = _FLAGS[name][text]
    elif name in _NUMBERS:
        value = _number(text, _NUMBERS[name])
    return settings.changed(**{name: value})


def reason(error: SettingsError) -> str:
    """Why a field cannot be so, without its name: the field stands beside it."""
    _, found, rest = (error.fix or error.what).partition(" must be ")
    return f"must be {rest}" if found else error.what


_NUMBERS: dict[str, Callable[[str], Any]] = {
    "epochs": int,
    "batch_size": int,
    "seed": int,
    "learning_rate": float,
}


def _number(text: str, kind: Callable[[str], Any]) -> Any:
    try:
        return kind(text)
    except ValueError:
        return text  # the settings say what is wrong with it
