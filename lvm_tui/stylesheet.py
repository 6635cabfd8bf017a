"""A style sheet that is parsed again only where something in it changed.

Textual parses every rule anew, twice or three times, when a screen is shown for the first time:
most of the time between the key and the screen.
"""

from __future__ import annotations

from textual.css.stylesheet import Stylesheet


class LastingStylesheet(Stylesheet):
    """Keeps parsed rules while the variables of the theme stay the same."""

    def __init__(self, *, variables: dict[str, str] | None = None) -> None:
        super().__init__(variables=variables)
        self._parsed_with = variables

    def set_variables(self, variables: dict[str, str]) -> None:
        if variables != self._parsed_with:
            self._parsed_with = dict(variables)
            super().set_variables(variables)  # this forgets what was parsed

    def reparse(self) -> None:
        self.parse()
