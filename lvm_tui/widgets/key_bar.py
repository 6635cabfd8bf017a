"""The last line: the screens with their keys, and the keys of the screen at hand. Clickable."""

from __future__ import annotations

from dataclasses import dataclass

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
        everywhere = [_key(key) for key in slice_.everywhere]
        own = [_key(key) for key in slice_.own]
        for count, short in ((len(own), False), *((n, True) for n in range(len(own), -1, -1))):
            modes = Content(" ").join([_mode(slice_.mode, i, short) for i in range(len(MODES))])
            keys = Content("  ").join([*own[:count], *everywhere])
            gap = size.width - modes.cell_length - keys.cell_length
            if gap >= 2:
                return modes + Content(" " * gap) + keys
        return modes.truncate(size.width)


def _mode(current: str, index: int, short: bool) -> Content:
    mode = MODES[index]
    label = mode.label if not short or mode.name == current else mode.short
    style = "bold reverse" if mode.name == current else ""
    return Content.assemble(
        (f" {mode.key} {label} ", f"{style} @click=app.switch_mode('{mode.name}')")
    )


def _key(key: Key) -> Content:
    click = f"@click={key.action}"
    return Content.assemble((key.key, f"bold $accent {click}"), (f" {key.words}", click))
