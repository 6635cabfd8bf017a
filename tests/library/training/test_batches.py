"""The order of an epoch and the seed of a step are functions of their numbers alone."""

from __future__ import annotations

import numpy as np
import torch

from lvm.data.sequences import SequenceSet
from lvm.training.batches import BatchSource, epoch_order, step_seed


def test_an_epoch_visits_every_sample_once() -> None:
    assert sorted(epoch_order(101, seed=3, epoch=2)) == list(range(101))


def test_epochs_and_seeds_have_orders_of_their_own_and_repeat_exactly() -> None:
    order = epoch_order(50, 3, 2)
    assert (order == epoch_order(50, 3, 2)).all()
    assert (order != epoch_order(50, 3, 1)).any()
    assert (order != epoch_order(50, 4, 2)).any()


def test_each_step_has_its_own_random_numbers_and_repeats_them() -> None:
    seeds = {step_seed(seed, step) for seed in (0, 1) for step in (1, 2)}
    assert len(seeds) == 4
    assert step_seed(1, 2) in seeds


def test_a_batch_holds_the_rows_that_its_samples_name_widened_to_float32() -> None:
    vectors = np.arange(40, dtype=np.float16).reshape(10, 4)
    vectors.setflags(write=False)
    sequences = SequenceSet(
        name="train",
        vectors=vectors,
        contexts=np.array([[0, 1, 2, 3, 4], [4, 5, 6, 7, 8]], np.int32),
        targets=np.array([5, 9], np.int32),
        article_ids=None,
        target_indices=None,
        fingerprint="",
    )
    window = BatchSource(sequences, torch.device("cpu")).fetch(np.array([1, 0]))
    contexts, targets = window.contexts, window.targets
    assert contexts.dtype == targets.dtype == torch.float32
    assert contexts.tolist()[0] == vectors[[4, 5, 6, 7, 8]].tolist()
    assert targets.tolist() == vectors[[9, 5]].tolist()
