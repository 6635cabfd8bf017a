"""Our themes; Textual's own can be chosen as well."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from textual.app import App
from textual.color import Color, ColorParseError
from textual.theme import Theme

from lvm.config import CONFIG_NAME
from lvm.errors import SettingsError

DARK = Theme(
    name="lvm-dark",
    primary="#4fb3d9",
    secondary="#b48ef0",
    warning="#e8b04b",
    error="#e5484d",
    success="#5fc77d",
    accent="#f2a65a",
    foreground="#d7dde5",
    background="#0d1117",
    surface="#151b23",
    panel="#1f2733",
    dark=True,
)

LIGHT = Theme(
    name="lvm-light",
    primary="#0b6e99",
    secondary="#6b3fc4",
    warning="#a66300",
    error="#b3261e",
    success="#1f7a3d",
    accent="#b35900",
    foreground="#1c2530",
    background="#fbfcfd",
    surface="#f0f3f6",
    panel="#e2e8ee",
    dark=False,
)

COLOUR_BLIND = Theme(
    name="lvm-colour-blind",
    primary="#56b4e9",
    secondary="#cc79a7",
    warning="#f0c24b",
    error="#e8702a",
    success="#3cc6a8",
    accent="#f0e442",
    foreground="#dfe4ea",
    background="#0d1117",
    surface="#151b23",
    panel="#1f2733",
    dark=True,
)
"""Hues of Okabe and Ito (2008): good and bad are blue-green and orange, apart in lightness too."""

HIGH_CONTRAST = Theme(
    name="lvm-high-contrast",
    primary="#5fd7ff",
    secondary="#ffafff",
    warning="#ffff5f",
    error="#ff5f5f",
    success="#5fff87",
    accent="#ffd75f",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#1c1c1c",
    dark=True,
    variables={"dim": "#d0d0d0", "faint": "#8a8a8a"},
)

OURS = (DARK, LIGHT, COLOUR_BLIND, HIGH_CONTRAST)

DEFAULT = DARK.name

_SHADES = {"dim": 0.62, "faint": 0.28}
"""Our two greys: share of the foreground in the background."""


def chosen(name: str, available: Iterable[str]) -> str:
    """The theme of that name; ours if there is no name. Raises SettingsError."""
    if not name:
        return DEFAULT
    names = sorted(available)
    if name not in names:
        raise SettingsError(
            f"there is no theme {name!r}",
            where=f"{CONFIG_NAME} [dashboard]",
            fix="known: " + ", ".join(names),
        )
    return name


def register(app: App[Any]) -> None:
    for theme in OURS:
        app.register_theme(theme)


def add_shades(variables: dict[str, str]) -> None:
    """Put $dim and $faint into a theme's variables, for ours and for Textual's themes alike."""
    for name, share in _SHADES.items():
        if name in variables:
            continue  # the theme has its own
        try:
            background = Color.parse(variables["background"])
            foreground = Color.parse(variables["foreground"])
        except ColorParseError:
            variables[name] = "ansi_bright_black"
            continue
        if background.ansi is not None or foreground.ansi is not None:
            variables[name] = "ansi_bright_black"
        else:
            variables[name] = background.blend(foreground, share, 1.0).hex
