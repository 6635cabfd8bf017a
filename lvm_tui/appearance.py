"""How the app looks: its theme, its two greys, and characters that the terminal can show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from textual.filter import LineFilter, Monochrome
from textual.theme import Theme

from lvm_tui import themes
from lvm_tui.colourless import Colourless
from lvm_tui.glyphs import Ascii, needs_ascii

if TYPE_CHECKING:
    from textual.app import App

    Base = App[Any]
else:
    Base = object


class Appearance(Base):
    """Mixed into the app."""

    _ascii = False
    _colourless = Colourless()

    def dress(self, theme: str, environment: Mapping[str, str]) -> None:
        """theme: its name, or "" for ours. Raises SettingsError for one that there is not."""
        themes.register(self)
        self.theme = themes.chosen(theme, self.available_themes)
        self._ascii = needs_ascii(environment)

    def say_how_to_keep_themes(self) -> None:
        """From now on, whenever another theme is chosen."""
        self.theme_changed_signal.subscribe(self, self._tell_of)

    def _tell_of(self, theme: Theme) -> None:
        self.notify(f'to keep it: theme = "{theme.name}" in [dashboard] of lvm.toml', markup=False)

    def get_css_variables(self) -> dict[str, str]:
        variables = super().get_css_variables()
        themes.add_shades(variables)
        return variables

    def get_line_filters(self) -> Sequence[LineFilter]:
        filters = list(super().get_line_filters())
        if self.no_color:  # Textual would send greys
            filters = [each for each in filters if not isinstance(each, Monochrome)]
            filters.append(self._colourless)
        return [*filters, Ascii()] if self._ascii else filters
