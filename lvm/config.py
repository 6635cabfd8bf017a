"""`lvm.toml` → settings. What is not known, or not of its kind, is refused with its line."""

from __future__ import annotations

import dataclasses
import difflib
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast, get_args, get_type_hints

from lvm.errors import SettingsError
from lvm.settings import DataSettings, FivecatSettings, Thresholds, TrainSettings

CONFIG_NAME = "lvm.toml"

Animations = Literal["auto", "full", "none"]


@dataclass(frozen=True, slots=True)
class DashboardSettings:
    """How lvm-tui looks; nothing here changes a result."""

    theme: str = ""
    """A theme of the palette (ctrl+p), or "" for the default."""
    animations: Animations = "auto"
    """none: calm, nothing flashes, one redraw a second."""

    def __post_init__(self) -> None:
        if self.animations not in get_args(Animations):
            raise SettingsError(
                f"animations = {self.animations!r}",
                fix="animations must be one of " + ", ".join(get_args(Animations)),
            )


@dataclass(frozen=True, slots=True)
class Config:
    """All of lvm.toml; what it leaves out has its default."""

    train: TrainSettings = field(default_factory=TrainSettings)
    data: DataSettings = field(default_factory=DataSettings)
    thresholds: Thresholds = field(default_factory=Thresholds)
    fivecat: FivecatSettings = field(default_factory=FivecatSettings)
    dashboard: DashboardSettings = field(default_factory=DashboardSettings)


_SECTIONS = {
    item.name: cast("type", get_type_hints(Config)[item.name])
    for item in dataclasses.fields(Config)
}


def load_config(root: Path) -> Config:
    """The settings of the project in `root`; the defaults where it has no lvm.toml.

    Raises SettingsError with file and line for what is not TOML, an unknown section or name, and
    a value of the wrong kind or out of its range.
    """
    path = root / CONFIG_NAME
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Config()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"cannot be read: {error}", where=str(path)) from error
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(
            f"is not TOML: {error}", where=str(path), fix="mend that line, or begin with lvm init"
        ) from error
    parts: dict[str, Any] = {}
    for section, values in document.items():
        if section not in _SECTIONS or not isinstance(values, dict):
            raise SettingsError(
                f"unknown section [{section}]"
                if isinstance(values, dict)
                else f"{section} stands outside of any section",
                where=f"{path}:{_line_of(text, '', section)}",
                fix=_suggestion(section, list(_SECTIONS)),
            )
        parts[section] = _section(_SECTIONS[section], section, values, text, path)
    return Config(**parts)


def _section(kind: type, section: str, values: dict[str, Any], text: str, path: Path) -> Any:
    hints = get_type_hints(kind)
    known = [item.name for item in dataclasses.fields(kind)]
    checked: dict[str, Any] = {}
    for name, value in values.items():
        where = f"{path}:{_line_of(text, section, name)}"
        if name not in known:
            raise SettingsError(
                f"unknown setting {name!r} in [{section}]",
                where=where,
                fix=_suggestion(name, known),
            )
        if not _fits(value, hints[name]):
            raise SettingsError(
                f"{name} = {value!r}", where=where, fix=f"{name} must be {_in_words(hints[name])}"
            )
        checked[name] = value
        try:
            kind(**{name: value})  # a value that is wrong by itself is told with its line
        except SettingsError as error:
            raise SettingsError(error.what, where=where, fix=error.fix) from error
    try:
        return kind(**checked)
    except SettingsError as error:
        where = f"{path}:{_line_of(text, '', section)}"
        raise SettingsError(error.what, where=f"{where} [{section}]", fix=error.fix) from error


def _fits(value: object, hint: Any) -> bool:
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if hint is bool:
        return isinstance(value, bool)
    return isinstance(value, str)


def _in_words(hint: Any) -> str:
    names = {float: "a number", int: "a whole number", bool: "true or false", str: "a string"}
    return names.get(hint) or "one of " + ", ".join(map(str, get_args(hint)))


def _suggestion(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    return f"did you mean {near[0]!r}?" if near else "known are: " + ", ".join(known)


def _line_of(text: str, section: str, name: str) -> int:
    """The line, from 1, on which `name` is set in `section` (or the section itself, if "")."""
    current = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[\s*\"?([^\]\"]+?)\"?\s*\]", line):
            current = header[1]
            if not section and current == name:
                return number
        elif current == section and re.match(rf"\s*\"?{re.escape(name)}\"?\s*[=.]", line):
            return number
    return 1


_HEAD = """\
# Settings of this project. Everything is optional: what is left out, or commented out, has the
# default that is shown. Flags of a command go before this file.
"""

_INTRODUCTIONS = {
    "data": "Either one bank, or all of train, val, ood and articles. Paths are from this folder.",
    "train": "One training run.",
    "thresholds": "The gates of 5CAT, the levels of the margin, production and data.",
    "fivecat": "The full battery (`lvm 5cat`); in training it runs with fivecat_samples.",
    "dashboard": "How lvm-tui looks.",
}


def render_template(data: DataSettings, **train: Any) -> str:
    """A commented lvm.toml with this data, and `train` settings that differ from the defaults."""
    given = {
        "data": {name: value for name, value in data.to_json().items() if value},
        "train": train,
    }
    lines = [_HEAD]
    for section, introduction in _INTRODUCTIONS.items():
        lines += [f"# {introduction}", f"[{section}]"]
        defaults = dataclasses.asdict(_SECTIONS[section]())
        for name, default in defaults.items():
            value = given.get(section, {}).get(name, default)
            lines.append(f"{'' if value != default else '# '}{name} = {_toml(value)}")
        lines.append("")
    return "\n".join(lines)


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return repr(value)


_PATTERNS = {
    "train": ("train*sequences*ctx5*.npz", "*train*.npz"),
    "val": ("val*sequences*ctx5*.npz", "*val*.npz"),
    "ood": ("ood*sequences*ctx5*.npz", "*ood*.npz"),
    "articles": ("*584k*fresh*.npz", "*articles*.npz", "wikipedia*.npz"),
}
"""File names of the existing stack first, then any that say what they are."""


def find_data(root: Path) -> DataSettings:
    """The data files of the existing stack, as far as all four are found in `root`.

    Looks in the folder, in `artifacts/` and in `artifacts/lvm/`; a single other .npz is a bank.
    """
    folders = [root, root / "artifacts" / "lvm", root / "artifacts", root / "data"]
    files = [path for folder in folders for path in sorted(folder.glob("*.npz"))]
    found: dict[str, str] = {}
    for name, patterns in _PATTERNS.items():
        free = [path for path in files if str(path.relative_to(root)) not in found.values()]
        match = next((p for pattern in patterns for p in free if p.match(pattern)), None)
        if match is not None:
            found[name] = str(match.relative_to(root))
    if len(found) == len(_PATTERNS):
        return DataSettings.from_json(found)
    return DataSettings(bank=str(files[0].relative_to(root))) if len(files) == 1 else DataSettings()
