"""Inside supervisord: holds the listening sockets, counts the ends. No part of lvm's own process.

supervisord opens the socket of an fcgi-program for its first process and closes it when the last
one has ended, so that a crash would refuse connections until the service runs again. An
rpcinterface, the extension point that supervisord has, takes one more reference for as long as the
service is meant to run: then connections wait. A service that is given up lets go, so that clients
are refused.
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
        """Service → reference to its socket."""
        self._exits: Counter[str] = Counter()
        events.subscribe(events.ProcessStateExitedEvent, self._ended)
        events.subscribe(events.ProcessStateBackoffEvent, self._ended)
        events.subscribe(events.ProcessStateFatalEvent, self._given_up)

    def hold(self, name: str) -> bool:
        """Keep the socket of a service open, and open it if it is not. A fault, if the port was
        taken by another program meanwhile."""
        if name not in self._sockets:
            group = self._supervisord.process_groups[name]
            self._sockets[name] = group.socket_manager.get_socket()
        return True

    def held(self) -> list[str]:
        """The services whose sockets are held."""
        return sorted(self._sockets)

    def release(self, name: str) -> bool:
        """Let go of a service's socket; it closes with its last process."""
        self._sockets.pop(name, None)
        return True

    def exits(self) -> dict[str, int]:
        """Service → how often it ended by itself."""
        return dict(self._exits)

    def _ended(self, event: Any) -> None:
        self._exits[event.process.group.config.name] += 1

    def _given_up(self, event: Any) -> None:
        group = event.process.group
        if not group.get_unstopped_processes():  # else another of its processes still serves
            self.release(group.config.name)


def make(supervisord: Any, **_: str) -> Holding:
    """The factory that the configuration names."""
    return Holding(supervisord)
