"""A screen whose content is no part of the logs: it looks by itself, in a thread, while shown."""

from __future__ import annotations

from typing import ClassVar, Generic, TypeVar

from textual import work

from lvm.errors import LvmError
from lvm_tui.messages import Problem
from lvm_tui.screens.base import FrameScreen

Found = TypeVar("Found")


class LookingScreen(FrameScreen, Generic[Found]):
    """Subclasses give `see`, `take` and TROUBLE, and call `start_looking` when they are mounted."""

    TROUBLE: ClassVar[str] = ""
    """Title of the dialog when a look fails."""

    def __init__(self) -> None:
        super().__init__()
        self._looks = self._shown_look = 0
        self._trouble = ""

    def see(self) -> Found:
        """In a thread: what there is now. Raises LvmError, OSError."""
        raise NotImplementedError

    def take(self, found: Found) -> None:
        """What a look has found; results come in the order of their looks."""
        raise NotImplementedError

    def start_looking(self, seconds: float) -> None:
        self.set_interval(seconds, self._look_if_shown)
        self.look()

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        if self.is_mounted:
            self.look()

    def look(self) -> None:
        """Now, though an earlier look may not have come back."""
        if not self.is_seen:
            return
        self._looks += 1
        self._look_in_thread(self._looks)

    def _look_if_shown(self) -> None:
        if self.is_current and self._shown_look == self._looks:  # the last look has ended
            self.look()

    @work(thread=True, group="look")
    def _look_in_thread(self, number: int) -> None:
        try:
            found = self.see()
        except (LvmError, OSError) as error:
            self.app.call_from_thread(self._failed, number, error)
        else:
            self.app.call_from_thread(self._found, number, found)

    def _found(self, number: int, found: Found) -> None:
        if number < self._shown_look:
            return  # a slow look that a later one has overtaken
        self._shown_look, self._trouble = number, ""
        if self.is_mounted:
            self.take(found)

    def _failed(self, number: int, error: Exception) -> None:
        self._shown_look = max(number, self._shown_look)
        self.tell_once(error)

    def tell_once(self, error: Exception) -> None:
        """Told once, tried again at every look."""
        if str(error) != self._trouble:
            self._trouble = str(error)
            self.app.post_message(Problem.of(self.TROUBLE, error))
