"""What a person can tell a running trainer; polled between batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

Action = Literal["pause", "resume", "stop", "cancel"]
"""stop and cancel both finish the batch and write last.pt; they differ in the recorded outcome."""

Control = Callable[[], Action | None]
"""Returns the next action, once, or None."""
