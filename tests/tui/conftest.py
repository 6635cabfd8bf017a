"""The app over a workspace in memory, calm, with a clock of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC
from typing import Any

import pytest

from lvm.config import DashboardSettings
from lvm_tui.app import LvmApp

from .sources import MemoryWorkspace

CALM = DashboardSettings(animations="none")

MakeApp = Callable[..., LvmApp]


@pytest.fixture
def make_app() -> MakeApp:
    """make_app(desk, **options of LvmApp); nothing flashes, times are UTC."""

    def make(desk: MemoryWorkspace, **options: Any) -> LvmApp:
        environment: Mapping[str, str] = options.pop("environment", {})
        look = options.pop("look", CALM)
        return LvmApp(desk, look=look, environment=environment, zone=UTC, **options)

    return make
