"""The words that the app sends to its terminal for whoever looks elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from lvm.config import NotifySettings
from lvm.runs.notices import Notice, escape, is_wanted

if TYPE_CHECKING:
    from textual.app import App

    Base = App[Any]
else:
    Base = object


class Attention(Base):
    """Mixed into the app. Commands and webhooks are not its business: whoever trains sends them,
    and once, however many dashboards look on."""

    words: NotifySettings
    environment: Mapping[str, str]

    def tell_of(self, notices: Iterable[Notice]) -> None:
        for notice in notices:
            if is_wanted(notice, self.words):
                self.say(escape(notice, self.words.terminal, self.environment))

    def say(self, sequence: str) -> None:
        """Write an escape sequence to the terminal, between two pictures."""
        if sequence and self._driver is not None:
            self._driver.write(sequence)
