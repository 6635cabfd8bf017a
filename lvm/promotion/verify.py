"""Whether a service answers with a certain file: its hash in /health, its prediction."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from lvm.clock import Clock
from lvm.errors import InputError, LvmError, ServiceError
from lvm.promotion.services import Services

SAME = 1e-3
"""Largest distance of two unit vectors that count as equal: the device of the service may round
in another way than that of the trial. Other weights give distances of about 1."""

LOOK_EVERY = 0.1
"""Seconds between two looks at a service that is not there yet."""

Contexts = Callable[[int], Sequence[Sequence[float]]]
"""The five vectors that a trial predicts from, for a width."""


def wait_for_file(services: Services, name: str, sha256: str, clock: Clock, seconds: float) -> str:
    """Until /health has the hash; returns words. Raises ServiceError that says what it answered
    last when `seconds` are over."""
    begun = clock.monotonic()
    while True:
        try:
            found = services.health(name)
            if found.get("sha256") == sha256 and found.get("status", "ok") == "ok":
                return f"answers with {sha256[:12]} after {clock.monotonic() - begun:.1f} s"
            last = f"it answers with file {str(found.get('sha256'))[:12]}, not {sha256[:12]}"
            if found.get("sha256") == sha256:
                last = f"it says {found.get('status')!r}"
        except (ServiceError, InputError) as error:
            last = error.what
        if clock.monotonic() - begun >= seconds:
            raise ServiceError(
                f"not verified within {seconds:g} s: {last}",
                where=f"service {name}",
                fix=f"lvm services logs {name}",
            )
        clock.sleep(LOOK_EVERY)


def check_prediction(
    services: Services,
    name: str,
    expected: Sequence[float],
    contexts: Contexts,
    clock: Clock,
    seconds: float,
) -> str:
    """One prediction of the service equals the one of the trial; returns words.

    Busy or not yet ready is asked again for `seconds`. Raises ServiceError.
    """
    begun = clock.monotonic()
    while True:
        try:
            found = services.predict(name, contexts(len(expected)))
            break
        except LvmError as error:
            if isinstance(error, InputError) or clock.monotonic() - begun >= seconds:
                raise ServiceError(
                    f"does not predict: {error.what}",
                    where=f"service {name}",
                    fix=f"lvm services logs {name}",
                ) from error
        clock.sleep(LOOK_EVERY)
    distance = math.dist(found, expected) if len(found) == len(expected) else math.inf
    if not distance <= SAME:  # NaN is not
        raise ServiceError(
            f"predicts another vector than the file does (distance {distance:.3g})",
            where=f"service {name}",
            fix="does it load the link, and not another file? see [services] in lvm.toml",
        )
    return f"predicts as the file does (distance {distance:.1e})"
