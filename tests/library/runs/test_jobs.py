"""The queue: order, edits, retries, what a runner takes."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from lvm.errors import InputError, SettingsError
from lvm.runs.jobs import JobState
from lvm.runs.store import Store
from lvm.settings import DataSettings, Job, TrainSettings

from .conftest import FakeClock

JOB = Job(data=DataSettings(bank="docs.npz"))


def job(epochs: int) -> Job:
    return Job(train=TrainSettings(epochs=epochs), data=JOB.data)


def order(store: Store) -> list[int]:
    return [row.id for row in store.jobs()]


def take(store: Store, run: str = "") -> int:
    row = store.take_next()
    assert row is not None
    if run:
        store.assign_run(row.id, run)
    return row.id


def test_a_job_is_what_was_added(store: Store, clock: FakeClock) -> None:
    number = store.add_job(job(3))
    row = store.job(number)
    assert (row.job, row.state, row.run, row.note, row.created) == (job(3), "queued", "", "", 1000)
    assert (row.started, row.finished, row.model) == (None, None, "transformer")


def test_all_four_come_in_the_order_of_the_guide(store: Store) -> None:
    numbers = store.add_all(JOB)
    assert [row.model for row in store.jobs()] == ["transformer", "gru", "lstm", "amn"]
    assert order(store) == numbers


def test_jobs_are_taken_in_order_and_once(store: Store) -> None:
    numbers = store.add_all(JOB)
    assert [take(store) for _ in numbers] == numbers
    assert store.take_next() is None
    assert {row.state for row in store.jobs()} == {"running"}


def test_one_job_can_be_taken_by_its_number(store: Store) -> None:
    _, second = store.add_job(JOB), store.add_job(JOB)
    row = store.take_next(only=second)
    assert row is not None
    assert row.id == second
    assert store.take_next(only=second) is None


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        ("up", [1, 3, 2, 4]),
        ("down", [1, 2, 4, 3]),
        ("top", [3, 1, 2, 4]),
        ("bottom", [1, 2, 4, 3]),
        (1, [3, 1, 2, 4]),
        (2, [1, 3, 2, 4]),
        (4, [1, 2, 4, 3]),
        (99, [1, 2, 4, 3]),
        (-5, [3, 1, 2, 4]),
    ],
)
def test_a_queued_job_can_be_moved(store: Store, to: int, expected: list[int]) -> None:
    store.add_all(JOB)
    store.move_job(3, to)
    assert order(store) == expected


def test_the_first_cannot_be_moved_up_nor_the_last_down(store: Store) -> None:
    store.add_all(JOB)
    store.move_job(1, "up")
    store.move_job(4, "down")
    assert order(store) == [1, 2, 3, 4]


def test_moving_passes_over_jobs_that_are_no_longer_queued(store: Store) -> None:
    store.add_all(JOB)
    store.set_state(take(store), "done")
    take(store)
    store.move_job(4, "up")
    assert order(store) == [1, 2, 4, 3]
    with pytest.raises(InputError, match="job 2 is running"):
        store.move_job(2, "down")


def test_an_unknown_direction_is_refused(store: Store) -> None:
    store.add_job(JOB)
    with pytest.raises(InputError, match="'sideways'"):
        store.move_job(1, "sideways")  # type: ignore[arg-type]


def test_only_a_queued_job_can_be_edited(store: Store) -> None:
    number = store.add_job(job(3))
    store.edit_job(number, job(5))
    assert store.job(number).job == job(5)
    take(store)
    with pytest.raises(InputError, match=f"job {number} is running"):
        store.edit_job(number, job(7))
    assert store.job(number).job == job(5)


def test_a_job_that_is_no_settings_is_refused_and_changes_nothing(store: Store) -> None:
    with pytest.raises(SettingsError):
        store.add_job(Job.from_json({"train": {"epochs": "many"}}))
    assert store.jobs() == []


def test_a_job_can_be_removed_but_not_while_it_trains(store: Store) -> None:
    first, second = store.add_job(JOB), store.add_job(JOB)
    assert store.take_lease("ann", instead_of=None) is not None
    take(store)
    store.remove_job(second)
    with pytest.raises(InputError, match=f"job {first} is training"):
        store.remove_job(first)
    assert order(store) == [first]


def test_what_a_dead_runner_left_as_running_can_be_removed(store: Store) -> None:
    number = store.add_job(JOB)
    take(store)
    store.remove_job(number)
    assert store.jobs() == []


def test_an_unknown_job_is_named(store: Store) -> None:
    for act in (store.remove_job, store.retry_job, store.job):
        with pytest.raises(InputError, match="there is no job 7"):
            act(7)


@pytest.mark.parametrize("state", ["failed", "stopped", "cancelled"])
def test_a_retried_job_comes_last_and_keeps_its_run(store: Store, state: JobState) -> None:
    first, second = store.add_job(JOB), store.add_job(JOB)
    take(store, "transformer_5cat_1")
    store.set_state(first, state, "no luck")
    assert store.job(first).finished == 1000
    store.retry_job(first)
    row = store.job(first)
    assert (row.state, row.run, row.note) == ("queued", "transformer_5cat_1", "")
    assert (row.started, row.finished) == (None, None)
    assert order(store) == [second, first]


def test_a_fresh_retry_begins_a_new_run_that_names_the_old_one(store: Store) -> None:
    number = store.add_job(JOB)
    take(store, "transformer_5cat_1")
    store.set_state(number, "done")
    with pytest.raises(InputError, match="is done"):
        store.retry_job(number)
    store.retry_job(number, fresh=True)
    assert (store.job(number).run, store.job(number).parent) == ("", "transformer_5cat_1")


def test_a_retry_may_ask_for_something_else(store: Store) -> None:
    number = store.add_job(JOB)
    take(store, "transformer_5cat_1")
    store.set_state(number, "failed", "no luck")
    other = Job(train=JOB.train.changed(model="gru", epochs=3), data=JOB.data)
    store.retry_job(number, fresh=True, job=other)
    row = store.job(number)
    assert (row.state, row.job, row.model) == ("queued", other, "gru")


@pytest.mark.parametrize("fresh", [True, False])
def test_a_job_that_has_not_ended_cannot_be_retried(store: Store, fresh: bool) -> None:
    number = store.add_job(JOB)
    with pytest.raises(InputError, match="is queued"):
        store.retry_job(number, fresh=fresh)
    take(store)
    with pytest.raises(InputError, match="is running"):
        store.retry_job(number, fresh=fresh)


def test_what_a_dead_runner_trained_goes_to_the_front_with_its_run(store: Store) -> None:
    store.add_all(JOB)
    take(store, "transformer_5cat_1")
    store.set_state(1, "paused")
    store.move_job(4, "top")
    assert store.requeue_active("its runner died") == [1]
    row = store.take_next()
    assert row is not None
    assert (row.id, row.run) == (1, "transformer_5cat_1")


def test_a_job_put_back_to_the_queue_is_the_next(store: Store) -> None:
    store.add_all(JOB)
    assert store.take_next(only=3) is not None
    store.set_state(3, "queued", "interrupted")
    assert order(store) == [3, 1, 2, 4]


def test_the_same_command_finds_the_job_that_was_cut_off(store: Store) -> None:
    number = store.add_job(job(3))
    assert store.find_unfinished(job(3)) is None
    take(store)
    for _ in ("cut off before its folder was made", "cut off later"):
        found = store.find_unfinished(job(3))
        assert found is not None
        assert found.id == number
        store.requeue_active("its runner died")
        take(store, "transformer_5cat_1")
    assert store.find_unfinished(job(4)) is None
    store.set_state(number, "stopped")
    assert store.find_unfinished(job(3)) is None


def test_a_job_can_go_on_with_a_run_that_is_there(store: Store) -> None:
    number = store.add_job(job(40), run="gru_5cat_1")
    assert store.job(number).run == "gru_5cat_1"


def test_a_job_that_cannot_be_read_is_named_and_does_not_stop_the_queue(
    store: Store, tmp_path: Path
) -> None:
    broken, good = store.add_job(JOB), store.add_job(JOB)
    with sqlite3.connect(tmp_path / "lvm.db") as connection:
        connection.execute('UPDATE jobs SET job = \'{"train": {"cups": 2}}\' WHERE id = 1')
    connection.close()
    with pytest.raises(SettingsError, match="job 1 cannot be read: unknown setting 'cups'"):
        store.jobs()
    assert take(store) == good
    store.remove_job(broken)
    assert order(store) == [good]
