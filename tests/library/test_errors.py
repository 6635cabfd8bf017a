"""Errors say what, where, and what to do."""

from __future__ import annotations

import pickle

import pytest

from lvm import errors
from lvm.errors import (
    DataError,
    DiskError,
    InputError,
    Interrupted,
    LeaseError,
    LvmError,
    RefusedError,
    RunError,
    SettingsError,
)


def test_the_message_has_where_what_and_the_remedy() -> None:
    error = DataError("no key 'targets'", where="train.npz", fix="found: contexts, ids")
    assert str(error) == "train.npz: no key 'targets'\n  → found: contexts, ids"
    assert str(LvmError("no more to say")) == "no more to say"


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (InputError, 2),
        (SettingsError, 2),
        (DataError, 2),
        (RefusedError, 1),
        (RunError, 3),
        (DiskError, 3),
        (LeaseError, 3),
        (Interrupted, 130),
    ],
)
def test_each_kind_has_its_exit_code(kind: type[LvmError], code: int) -> None:
    assert kind("x").exit_code == code


@pytest.mark.parametrize(
    "kind", [kind for kind in vars(errors).values() if isinstance(kind, type)], ids=str
)
def test_every_kind_survives_the_way_between_processes(kind: type[LvmError]) -> None:
    found = pickle.loads(pickle.dumps(kind("what", where="where", fix="fix")))
    assert type(found) is kind
    assert (found.what, found.where, found.fix) == ("what", "where", "fix")
