"""The last line: the screens with their keys, and the keys of the screen at hand. Clickable."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from textual.content import Content
from textual.geometry import Size

from lvm_tui.modes import MODES
from lvm_tui.widgets.board import Board


@dataclass(frozen=True, slots=True)
class Key:
    key: str
    words: str
    action: str


@dataclass(frozen=True, slots=True)
class Keys:
    mode: str
    own: tuple[Key, ...]
    """Of the screen."""
    everywhere: tuple[Key, ...]
    """Of the app."""


class KeyBar(Board[Keys]):
    def show_keys(self, mode: str, own: tuple[Key, ...], everywhere: tuple[Key, ...]) -> None:
        self.show(Keys(mode, own, everywhere))

    def draw(self, slice_: Keys, size: Size) -> Content:
        """The keys of the app always; names and the screen's own keys as there is room."""
        everywhere = [_key(key) for key in slice_.everywhere]
        own = [_key(key) for key in slice_.own]
        for count, form in _forms(len(own)):
            modes = _modes(slice_.mode, form)
            keys = Content("  ").join([*own[:count], *everywhere])
            gap = size.width - modes.cell_length - keys.cell_length
            if gap >= 2:
                return modes + Content(" " * gap) + keys
        return _modes(slice_.mode, "short").truncate(size.width)


Form = Literal["long", "close", "short"]
"""Of the screens' names: in full, in full without space around them, short."""


def _forms(own: int) -> Iterator[tuple[int, Form]]:
    """Names in full are worth more than a screen's own keys, which `?` tells as well."""
    yield from ((count, "long") for count in range(own, min(own, 1) - 1, -1))
    yield from ((count, "close") for count in range(own, -1, -1))
    yield from ((count, "short") for count in range(own, -1, -1))


def _modes(current: str, form: Form) -> Content:
    drawn = [_mode(current, index, form) for index in range(len(MODES))]
    return Content(" ").join(drawn)


def _mode(current: str, index: int, form: Form) -> Content:
    mode = MODES[index]
    here = mode.name == current
    text = f"{mode.key} {mode.short if form == 'short' else mode.label}"
    text = f" {text} " if form == "long" else text
    style = "bold reverse" if here else ""
    return Content.assemble((text, f"{style} @click=app.switch_mode('{mode.name}')"))


def _key(key: Key) -> Content:
    click = f"@click={key.action}"
    return Content.assemble((key.key, f"bold $accent {click}"), (f" {key.words}", click))
