"""What the batcher promises: the same numbers, full use of a pass, a bounded queue."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lvm.errors import CheckpointError, RunError
from lvm.service.batching import Batcher, BusyError, FloatArray
from lvm.service.model import load_model, trial_contexts

from .conftest import five_vectors, write_checkpoint


class Gate:
    """A forward pass that waits to be let through and remembers how many rows each pass had."""

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.begun = threading.Semaphore(0)
        self.open = threading.Semaphore(0)

    def forward(self, contexts: FloatArray) -> FloatArray:
        self.rows.append(len(contexts))
        self.begun.release()
        assert self.open.acquire(timeout=20)
        return contexts[:, 0]


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.open.release(100)


def row(number: float) -> FloatArray:
    return np.full((5, 2), number, np.float32)


@pytest.mark.parametrize("model_type", ["transformer", "gru", "lstm", "amn"])
async def test_numbers_in_a_batch_are_those_of_one_at_a_time(
    tmp_path: Path, model_type: str
) -> None:
    model = load_model(write_checkpoint(tmp_path / "model.pt", model_type), "cpu")
    rows: list[int] = []
    batcher = Batcher(model.forward, batch=16, waiting=100, observe=rows.append)
    contexts = [np.asarray(five_vectors(seed), np.float32) for seed in range(40)]
    together = await asyncio.gather(*(batcher(item) for item in contexts))
    alone = [model.forward(item[None])[0] for item in contexts]
    np.testing.assert_allclose(np.stack(together), np.stack(alone), atol=2e-6)
    assert sum(rows) == 40
    assert max(rows) == 16


async def test_what_arrives_during_a_pass_goes_through_the_next_one_together(gate: Gate) -> None:
    batcher = Batcher(gate.forward, batch=4, waiting=100)
    first = asyncio.create_task(batcher(row(0)))
    await asyncio.to_thread(gate.begun.acquire)
    others = [asyncio.create_task(batcher(row(number))) for number in range(1, 7)]
    await asyncio.sleep(0)
    gate.open.release(3)
    answers = await asyncio.gather(first, *others)
    assert gate.rows == [1, 4, 2]
    assert [answer[0] for answer in answers] == [0, 1, 2, 3, 4, 5, 6]


async def test_more_than_may_wait_are_turned_away_at_once(gate: Gate) -> None:
    batcher = Batcher(gate.forward, batch=1, waiting=2)
    running = asyncio.create_task(batcher(row(0)))
    await asyncio.to_thread(gate.begun.acquire)
    waiting = [asyncio.create_task(batcher(row(number))) for number in (1, 2)]
    await asyncio.sleep(0)
    assert batcher.waiting == 2
    with pytest.raises(BusyError):
        await batcher(row(3))
    gate.open.release(3)
    await asyncio.gather(running, *waiting)


async def test_a_call_that_is_given_up_takes_no_room(gate: Gate) -> None:
    batcher = Batcher(gate.forward, batch=8, waiting=8)
    running = asyncio.create_task(batcher(row(0)))
    await asyncio.to_thread(gate.begun.acquire)
    kept, given_up = (asyncio.create_task(batcher(row(number))) for number in (1, 2))
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.gather(given_up, return_exceptions=True)
    assert batcher.waiting == 1
    gate.open.release(2)
    await asyncio.gather(running, kept)
    assert gate.rows == [1, 1]


async def test_a_pass_that_fails_fails_its_own_calls_and_no_others() -> None:
    def forward(contexts: FloatArray) -> FloatArray:
        if contexts[0, 0, 0] == 1:
            raise RunError("no")
        return contexts[:, 0]

    batcher = Batcher(forward, batch=1, waiting=8)
    answers = await asyncio.gather(
        *(batcher(row(number)) for number in (0, 1, 2)), return_exceptions=True
    )
    assert isinstance(answers[1], RunError)
    assert [answers[0][0], answers[2][0]] == [0, 2]  # type: ignore[index]


def test_a_model_that_predicts_nothing_usable_is_not_served(tmp_path: Path) -> None:
    import torch

    from lvm.models.checkpoint import load_checkpoint

    path = write_checkpoint(tmp_path / "zero.pt", "gru")
    document = torch.load(path, weights_only=True)
    weights = document["model_state_dict"]
    for name in ("output_proj.weight", "output_proj.bias"):
        weights[name].zero_()
    torch.save(document, path)
    load_checkpoint(path)  # nothing is wrong with the file
    with pytest.raises(CheckpointError, match="length 0, not 1"):
        load_model(path, "cpu")


def test_the_trial_is_the_same_every_time_and_of_length_1() -> None:
    np.testing.assert_array_equal(trial_contexts(8), trial_contexts(8))
    np.testing.assert_allclose(np.linalg.norm(trial_contexts(8), axis=1), 1, atol=1e-6)
