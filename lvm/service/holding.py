"""Inside supervisord: holds the listening sockets, counts the ends. No part of lvm's own process.

supervisord opens the socket of an fcgi-program for its first process and closes it when the last
one has ended, so that a restart or a crash would refuse connections meanwhile. An rpcinterface, the
extension point that supervisord has, takes one more reference for as long as the service is meant
to run: then connections wait. A service that is given up lets go, so that clients are refused.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from supervisor import events

NAMESPACE = "lvm"
"""Of the methods, as in `lvm.hold`."""


class Holding:
    """Its public methods can be called through supervisord's XML-RPC."""

    def __init__(self, supervisord: Any) -> None:
        self._supervisord = supervisord
        self._sockets: dict[str, Any] = {}
        self._exits: Counter[str] = Counter()
        events.subscribe(events.ProcessStateExitedEvent, self._ended)
        events.subscribe(events.ProcessStateBackoffEvent, self._ended)
        events.subscribe(events.ProcessStateFatalEvent, self._given_up)
        self.hold()

    def hold(self) -> bool:
        """Hold the socket of every service that there is, of no other."""
        groups = self._supervisord.process_groups
        for name in set(self._sockets) - set(groups):
            del self._sockets[name]
        for name, group in groups.items():
            if name not in self._sockets:
                self._sockets[name] = group.socket_manager.get_socket()
        return True

    def release(self, name: str) -> bool:
        """Let go of a service's socket; it closes with its process."""
        self._sockets.pop(name, None)
        return True

    def exits(self) -> dict[str, int]:
        """Service → how often it ended by itself."""
        return dict(self._exits)

    def _ended(self, event: Any) -> None:
        self._exits[event.process.config.name] += 1

    def _given_up(self, event: Any) -> None:
        self.release(event.process.config.name)


def make(supervisord: Any, **_: str) -> Holding:
    """The factory that the configuration names."""
    return Holding(supervisord)
