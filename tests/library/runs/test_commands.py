"""Commands reach one runner, once; the ledger keeps everything."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from lvm.errors import InputError
from lvm.runs.commands import LedgerEntry
from lvm.runs.store import Store


def test_a_command_is_taken_exactly_once_and_in_order(store: Store) -> None:
    store.send("pause", by="ann@mac:ttys001", job=3)
    store.send("acknowledge", "collapse-5", run="gru_5cat_1")
    pause, acknowledge = store.take_commands()
    assert (pause.kind, pause.by, pause.job, pause.run) == ("pause", "ann@mac:ttys001", 3, "")
    assert (acknowledge.argument, acknowledge.job, acknowledge.run) == (
        "collapse-5",
        None,
        "gru_5cat_1",
    )
    assert store.take_commands() == []


def test_a_command_says_who_sent_it(store: Store) -> None:
    store.send("stop")
    (command,) = store.take_commands()
    user, _, rest = command.by.partition("@")
    assert user
    assert ":" in rest


def test_an_unknown_command_is_refused(store: Store) -> None:
    with pytest.raises(InputError, match="unknown command 'explode'"):
        store.send("explode")
    assert store.take_commands() == []


def test_two_that_take_at_once_never_get_the_same_command(store: Store, tmp_path: Path) -> None:
    for number in range(200):
        store.send("pause", str(number))
    taken: list[str] = []
    begin = threading.Barrier(4)

    def take() -> None:
        mine = Store(tmp_path / "lvm.db")
        begin.wait()
        taken.extend(command.argument for command in mine.take_commands())
        mine.close()

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(int, taken)) == list(range(200))


def test_the_ledger_keeps_entries_in_order_and_by_model(store: Store) -> None:
    store.add_to_ledger("promotion", "gru", {"margin": 0.14, "by": "ann"})
    store.add_to_ledger("refusal", "amn", {"missing": ["ablations ✗"]})
    assert store.ledger() == [
        LedgerEntry(1, 1000, "promotion", "gru", {"margin": 0.14, "by": "ann"}),
        LedgerEntry(2, 1000, "refusal", "amn", {"missing": ["ablations ✗"]}),
    ]
    assert [entry.id for entry in store.ledger("amn")] == [2]
