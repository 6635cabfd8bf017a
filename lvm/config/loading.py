"""`lvm.toml` → typed settings. What is wrong is refused with its file, line and value."""

from __future__ import annotations

import dataclasses
import difflib
import re
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from lvm.config.notify import NotifySettings
from lvm.config.services import ServiceSettings, ServicesSettings, check_name, with_named
from lvm.errors import SettingsError
from lvm.settings import DataSettings, FivecatSettings, Thresholds, TrainSettings

CONFIG_NAME = "lvm.toml"

Animations = Literal["auto", "full", "none"]


@dataclass(frozen=True, slots=True)
class DashboardSettings:
    """How the dashboard looks and which keys it listens to."""

    theme: str = ""
    """Name of a theme; "" = the dashboard's own."""
    animations: Animations = "auto"
    """auto: calm over a slow line, and where LVM_TUI_ANIMATIONS says so."""
    keys: dict[str, str] = field(default_factory=dict)
    """Action → key, or several with commas: {"pause": "space,p"}."""

    def __post_init__(self) -> None:
        if not isinstance(self.theme, str):
            raise SettingsError(f"theme = {self.theme!r}", fix="theme must be a text")
        if self.animations not in get_args(Animations):
            raise SettingsError(
                f"animations = {self.animations!r}",
                fix=f"animations must be one of {', '.join(get_args(Animations))}",
            )
        if not isinstance(self.keys, dict):
            raise SettingsError(f"keys = {self.keys!r}", fix="keys must be a table: action = key")
        for action, key in self.keys.items():
            if not isinstance(key, str) or not key.strip():
                raise SettingsError(
                    f"{action} = {key!r}", fix=f"{action} must be the name of a key"
                )


@dataclass(frozen=True, slots=True)
class Config:
    """All sections of `lvm.toml`; what it leaves out has its default."""

    train: TrainSettings = field(default_factory=TrainSettings)
    data: DataSettings = field(default_factory=DataSettings)
    thresholds: Thresholds = field(default_factory=Thresholds)
    fivecat: FivecatSettings = field(default_factory=FivecatSettings)
    dashboard: DashboardSettings = field(default_factory=DashboardSettings)
    notify: NotifySettings = field(default_factory=NotifySettings)
    services: ServicesSettings = field(default_factory=ServicesSettings)


_SECTIONS: dict[str, type[Any]] = {
    "train": TrainSettings,
    "data": DataSettings,
    "thresholds": Thresholds,
    "fivecat": FivecatSettings,
    "dashboard": DashboardSettings,
    "notify": NotifySettings,
    "services": ServicesSettings,
}


def load_config(root: Path) -> Config:
    """The settings of a project folder; the defaults if it has no `lvm.toml`.

    Raises SettingsError that names file, line and value.
    """
    path = root / CONFIG_NAME
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Config()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"cannot be read: {error}", where=str(path), fix="it must be a text file in UTF-8"
        ) from error
    return parse_config(text, str(path))


def parse_config(text: str, where: str) -> Config:
    """The settings in the text of an `lvm.toml`; `where` names it in errors."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r" \(at line (\d+), column \d+\)", str(error))
        raise SettingsError(
            f"is not TOML: {str(error).replace(at[0], '') if at else error}",
            where=f"{where}:{at[1]}" if at else where,
            fix="texts need quotes; a section begins with its name in brackets, as in [train]",
        ) from error
    lines = _Lines(text, where)
    return Config(**{name: _section(name, value, lines) for name, value in document.items()})


def _section(name: str, values: Any, lines: _Lines) -> Any:
    kind = _SECTIONS.get(name)
    if kind is None:
        raise SettingsError(
            f"unknown section [{name}]"
            if isinstance(values, dict)
            else f"{name} stands outside of any section",
            where=lines.where(name),
            fix=_home(name) or _guess(name, _SECTIONS),
        )
    if not isinstance(values, dict):
        raise SettingsError(
            f"{name} = {values!r}", where=lines.where(name), fix=f"[{name}] is a section"
        )
    if kind is ServicesSettings:
        return _services(values, lines)
    _check_each(kind, values, lines, name)
    return _checked(kind, values, name, lines.where(name))


def _services(values: dict[str, Any], lines: _Lines) -> ServicesSettings:
    """[services] holds what all have in common, and a table a service."""
    named = {key: value for key, value in values.items() if isinstance(value, dict)}
    general = {key: value for key, value in values.items() if key not in named}
    _check_each(ServicesSettings, general, lines, "services")
    for name, settings in named.items():
        with _placed("services", lines.where("services", name)):
            check_name(name)
        _check_each(ServiceSettings, settings, lines, "services", name)
    with _placed("services", lines.where("services")):
        return with_named(general, named)


def _check_each(kind: type[Any], values: dict[str, Any], lines: _Lines, *path: str) -> None:
    """Each setting of a section by itself, so that the error names its line."""
    known = [item.name for item in dataclasses.fields(kind) if item.name != "named"]
    section = ".".join(path)
    for key, value in values.items():
        if key not in known:
            raise SettingsError(
                f"unknown setting {key!r} in [{section}]",
                where=lines.where(*path, key),
                fix=_home(key) or _guess(key, known),
            )
        _checked(kind, {key: value}, section, lines.where(*path, key))


def _checked(kind: type[Any], values: dict[str, Any], section: str, where: str) -> Any:
    with _placed(section, where):
        return kind(**values)


@contextmanager
def _placed(section: str, where: str) -> Iterator[None]:
    """An error says in which section and line."""
    try:
        yield
    except SettingsError as error:
        raise SettingsError(f"[{section}] {error.what}", where=where, fix=error.fix) from error


def _home(key: str) -> str:
    """Where a known setting that stands in a wrong place belongs, or ""."""
    homes = [
        f"[{name}]"
        for name, kind in _SECTIONS.items()
        if key in (item.name for item in dataclasses.fields(kind))
    ]
    return f"{key} belongs into {' or '.join(homes)}" if homes else ""


def _guess(word: str, known: Iterable[str]) -> str:
    names = sorted(known)
    nearest = difflib.get_close_matches(word, names, n=1)
    return f"did you mean {nearest[0]!r}?" if nearest else "known are: " + ", ".join(names)


class _Lines:
    """Finds the line of a setting: the parser that comes with Python does not tell it."""

    def __init__(self, text: str, where: str) -> None:
        self._where = where
        self._found: dict[tuple[str, ...], int] = {}
        section: tuple[str, ...] = ()
        for number, line in enumerate(text.splitlines(), start=1):
            if header := re.match(r"\s*\[\s*([^\[\]]+?)\s*\]", line):
                section = _path(header[1])
                for end in range(1, len(section) + 1):
                    self._found.setdefault(section[:end], number)
            elif key := re.match(r"\s*([^#=\[\]{}]+?)\s*=", line):
                path = section + _path(key[1])
                self._found.setdefault(path, number)

    def where(self, *path: str) -> str:
        """file:line of a setting, of its section if it stands in none of its own, or the file."""
        for end in range(len(path), 0, -1):
            if path[:end] in self._found:
                return f"{self._where}:{self._found[path[:end]]}"
        return self._where


def _path(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))
