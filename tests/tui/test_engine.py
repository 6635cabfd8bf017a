"""The thread that works: begins, waits for jobs, ends when told, keeps its error."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from lvm.errors import DataError
from lvm_tui.engine import Engine, Reason

PATIENCE = 10.0


def nobody(error: BaseException) -> None:
    raise AssertionError(f"nobody expected {error!r}")


class Queue:
    """Stands in for the runner: each round waits until the test lets it end."""

    def __init__(self) -> None:
        self.rounds = threading.Semaphore(0)
        self.end = threading.Semaphore(0)
        self.reason: Reason = "empty"
        self.error: Exception | None = None
        self.jobs = False

    def run(self, stop: threading.Event) -> Reason:
        self.jobs = False
        self.rounds.release()
        while not self.end.acquire(timeout=0.01):
            if stop.is_set():
                return "asked"
        if self.error is not None:
            raise self.error
        return self.reason

    def began(self) -> None:
        assert self.rounds.acquire(timeout=PATIENCE), "no round has begun"


@pytest.fixture
def queue() -> Queue:
    return Queue()


@pytest.fixture
def engine(queue: Queue) -> Iterator[Engine]:
    engine = Engine(queue.run, lambda: queue.jobs)
    yield engine
    engine.be_alone()
    engine.wait(None)


def until(condition: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(int(PATIENCE / 0.01)):
        if condition():
            return
        pause.wait(0.01)
    raise AssertionError("it did not come to that")


def test_it_waits_for_jobs_after_the_queue_is_empty(engine: Engine, queue: Queue) -> None:
    engine.start(nobody)
    queue.began()
    queue.end.release()
    until(lambda: not engine.working)
    assert engine.running
    queue.jobs = True
    queue.began()
    assert engine.working


def test_without_a_screen_an_empty_queue_is_the_end(engine: Engine, queue: Queue) -> None:
    engine.start(nobody)
    queue.began()
    engine.be_alone()
    queue.end.release()
    assert engine.wait(PATIENCE)


def test_stopping_ends_the_work_and_the_thread(engine: Engine, queue: Queue) -> None:
    engine.start(nobody)
    queue.began()
    engine.stop()
    assert engine.wait(PATIENCE)
    assert engine.error is None


def test_a_queue_that_was_stopped_is_not_begun_again_by_itself(
    engine: Engine, queue: Queue
) -> None:
    queue.reason = "stopped"
    engine.start(nobody)
    queue.began()
    queue.jobs = True
    queue.end.release()
    assert engine.wait(PATIENCE)
    engine.start(nobody)
    queue.began()


def test_starting_twice_starts_once(engine: Engine, queue: Queue) -> None:
    engine.start(nobody)
    queue.began()
    engine.start(nobody)
    assert not queue.rounds.acquire(blocking=False)


def test_an_error_is_told_and_kept_until_the_next_start(engine: Engine, queue: Queue) -> None:
    told: list[BaseException] = []
    queue.error = DataError("no key 'targets'", where="x.npz")
    engine.start(told.append)
    queue.began()
    queue.end.release()
    assert engine.wait(PATIENCE)
    assert told == [queue.error]
    assert engine.error is queue.error
    assert not engine.working
    engine.start(nobody)
    assert engine.error is None
    queue.began()


def test_nobody_is_told_of_an_error_after_the_screen_is_gone(engine: Engine, queue: Queue) -> None:
    queue.error = DataError("no key 'targets'")
    engine.start(nobody)
    queue.began()
    engine.be_alone()
    queue.end.release()
    assert engine.wait(PATIENCE)
    assert engine.error is queue.error
