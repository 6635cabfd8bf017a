"""`lvm.toml`: the settings of a project folder, read, found and written."""

from __future__ import annotations

from lvm.config.finding import find_data, left_out
from lvm.config.loading import CONFIG_NAME, Config, DashboardSettings, load_config, parse_config
from lvm.config.notify import NotifySettings
from lvm.config.services import ServiceSettings, ServicesSettings
from lvm.config.template import render_template

__all__ = [
    "CONFIG_NAME",
    "Config",
    "DashboardSettings",
    "NotifySettings",
    "ServiceSettings",
    "ServicesSettings",
    "find_data",
    "left_out",
    "load_config",
    "parse_config",
    "render_template",
]
