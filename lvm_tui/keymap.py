"""Keys that a person chose in lvm.toml: action → key."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

from textual.binding import Binding, BindingType

from lvm.config import CONFIG_NAME
from lvm.errors import SettingsError
from lvm_tui.modes import MODES


def checked(keys: Mapping[str, str], everywhere: Iterable[BindingType]) -> dict[str, str]:
    """For `App.set_keymap`. Raises SettingsError that names an action that there is not.

    everywhere: the bindings of the app; those of the screens are found here.
    """
    if not keys:
        return {}  # the screens need not be imported
    known = _ids(everywhere)
    for mode in MODES:
        for part in (mode.kind(), *mode.kind().PARTS):
            known |= _ids(part.BINDINGS)
    for action in keys:
        if action not in known:
            near = difflib.get_close_matches(action, known, n=1)
            raise SettingsError(
                f"unknown action {action!r}",
                where=f"{CONFIG_NAME} [dashboard.keys]",
                fix=f"did you mean {near[0]}?" if near else "known: " + ", ".join(sorted(known)),
            )
    return dict(keys)


def _ids(bindings: Iterable[BindingType]) -> set[str]:
    return {each.id for each in bindings if isinstance(each, Binding) and each.id}
