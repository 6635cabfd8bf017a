"""The objective "forward": the gradient of the margin of means, whatever the batch is cut into."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from lvm import events
from lvm.data.bank import write_bank_npz
from lvm.data.sources import Corpus, open_corpus
from lvm.settings import DataSettings
from lvm.training.forward import Forward
from lvm.training.objectives import Window
from tests.library.training.running import assert_same_run, of_kind, run, settings, weights
from tests.library.training.test_distributed import same_history, torchrun

PUSH, GOAL, TEMPERATURE = 3.0, 0.1, 0.05


def unit_rows(*shape: int) -> Tensor:
    return functional.normalize(torch.randn(*shape), dim=-1)


def some_window(samples: int = 24, dim: int = 6) -> Window:
    torch.manual_seed(3)
    known = torch.ones(samples, 2)
    known[::3, 1] = 0
    known[::6, 0] = 0
    beyond = unit_rows(samples, 2, dim) * known[:, :, None]
    return Window(unit_rows(samples, 5, dim), unit_rows(samples, dim), beyond, known)


def part(window: Window, rows: slice) -> Window:
    assert window.beyond is not None
    assert window.known is not None
    return Window(
        window.contexts[rows], window.targets[rows], window.beyond[rows], window.known[rows]
    )


def margin_objective(predictions: Tensor, window: Window) -> Tensor:
    """L as the module states it, straight from the means."""
    assert window.beyond is not None
    assert window.known is not None
    contexts = torch.einsum("nd,nkd->nk", predictions, window.contexts[:, 1:]).mean(dim=0)
    ahead = torch.einsum("nd,nkd->nk", predictions, window.beyond).sum(dim=0)
    rivals = torch.cat([contexts, ahead / window.known.sum(dim=0)])
    target = (predictions * window.targets).sum(dim=1).mean()
    rival = torch.softmax(rivals.detach() / TEMPERATURE, dim=0) @ rivals
    hinge = functional.softplus((GOAL - target + rival) / TEMPERATURE)
    return 1 - target + PUSH * TEMPERATURE * hinge


def taught(predictions: Tensor, window: Window) -> Forward:
    """The objective, its running mean at the means of these predictions."""
    objective = Forward(PUSH, GOAL, TEMPERATURE)
    objective.learn(objective.tally(predictions, window))
    return objective


def test_its_gradient_is_that_of_the_margin_of_means() -> None:
    window = some_window()
    predictions = unit_rows(24, 6).requires_grad_()
    objective = taught(predictions.detach(), window)
    (ours,) = torch.autograd.grad(objective.loss(predictions, window), predictions)
    (theirs,) = torch.autograd.grad(margin_objective(predictions, window), predictions)
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)


def test_over_a_split_it_is_the_margin_objective_itself() -> None:
    window, predictions = some_window(), unit_rows(24, 6)
    objective = Forward(PUSH, GOAL, TEMPERATURE)
    tally = sum(
        (objective.tally(predictions[rows], part(window, rows)) for rows in (np.s_[:7], np.s_[7:])),
        torch.zeros(objective.tally_size),
    )
    expected = float(margin_objective(predictions, window))
    assert objective.of_split(tally) == pytest.approx(expected, rel=1e-5)


def test_the_loss_of_a_batch_is_the_mean_over_its_pieces() -> None:
    window, predictions = some_window(), unit_rows(24, 6)
    objective = taught(predictions, window)
    whole = float(objective.loss(predictions, window))
    pieces = (np.s_[:4], np.s_[4:24])
    losses = [float(objective.loss(predictions[rows], part(window, rows))) for rows in pieces]
    assert (4 * losses[0] + 20 * losses[1]) / 24 == pytest.approx(whole, rel=1e-5)


def test_well_above_the_goal_only_the_cosine_is_trained() -> None:
    window = some_window()
    predictions = window.targets.clone().requires_grad_()
    objective = taught(window.targets, window)
    (ours,) = torch.autograd.grad(objective.loss(predictions, window), predictions)
    torch.testing.assert_close(ours, -window.targets / 24, rtol=1e-3, atol=1e-4)


def test_without_the_chunks_after_the_target_only_the_contexts_are_rivals() -> None:
    whole = some_window()
    window = dataclasses.replace(whole, beyond=torch.zeros(24, 2, 6), known=torch.zeros(24, 2))
    predictions = unit_rows(24, 6)
    objective = taught(predictions, window)
    unseen = dataclasses.replace(window, beyond=unit_rows(24, 2, 6))
    assert torch.equal(objective.loss(predictions, unseen), objective.loss(predictions, window))


def test_a_run_stopped_within_an_epoch_goes_on_to_the_same_bits(
    corpus: Corpus, tmp_path: Path
) -> None:
    what = settings(objective="forward")
    list(run(corpus, tmp_path / "whole", what))
    polls = iter(range(1_000_000))
    list(
        run(
            corpus,
            tmp_path / "stopped",
            what,
            control=lambda: "stop" if next(polls) == 17 else None,
        )
    )
    list(run(corpus, tmp_path / "stopped", what, resume=True))
    assert_same_run(tmp_path / "whole", tmp_path / "stopped")


def test_accumulated_micro_batches_train_as_the_whole_batch(corpus: Corpus, tmp_path: Path) -> None:
    for name, rows in (("whole", 0), ("pieces", 8)):
        what = settings(objective="forward", epochs=2, micro_batch=rows)
        list(run(corpus, tmp_path / name, what))
    ours, theirs = weights(tmp_path / "pieces"), weights(tmp_path / "whole")
    for name in ours:
        torch.testing.assert_close(ours[name], theirs[name], rtol=1e-3, atol=1e-4)


@pytest.mark.heavy
def test_two_ranks_train_as_one(bank_path: Path, tmp_path: Path) -> None:
    for name, ranks in (("one", 1), ("two", 2)):
        done = torchrun(bank_path, tmp_path / name, "gru/forward", ranks=ranks)
        assert done.returncode == 0, done.stderr
    same_history(tmp_path / "two", tmp_path / "one")


def test_it_brings_a_larger_margin_than_mse_where_the_last_context_is_the_best_guess(
    tmp_path: Path,
) -> None:
    """Chunks that fade into one another at random: all that MSE can do is to copy what it read."""
    corpus = open_corpus(DataSettings(bank=str(write_fading(tmp_path))), root=tmp_path, seed=0)
    margins = {}
    for objective in ("mse", "forward"):
        what = settings(objective=objective, epochs=6, fivecat_every=6, learning_rate=3e-3)
        told = list(run(corpus, tmp_path / objective, what))
        margins[objective] = of_kind(told, events.FivecatFinished)[-1].result["VAL"]["margin"]
    assert margins["mse"] < -0.1
    assert margins["forward"] > margins["mse"] + 0.08


def write_fading(folder: Path) -> Path:
    random = np.random.default_rng(5)
    chunks = random.normal(size=(60, 14, 16))
    for step in range(1, 14):
        chunks[:, step] = 0.7 * chunks[:, step - 1] + 0.71 * chunks[:, step]
    vectors = chunks.reshape(-1, 16).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    path = folder / "fading.npz"
    write_bank_npz(path, vectors, np.repeat(np.arange(60), 14), np.tile(np.arange(14), 60))
    return path


def test_it_says_when_no_chunk_after_a_target_is_known(corpus: Corpus, tmp_path: Path) -> None:
    lone = dataclasses.replace(
        corpus.train,
        contexts=corpus.train.contexts[::9],
        targets=corpus.train.targets[::9],
    )
    cut = dataclasses.replace(corpus, train=lone)
    what = settings(objective="forward", epochs=1, fivecat_every=1)
    causes = [a.cause for a in of_kind(list(run(cut, tmp_path / "r", what)), events.AlertRaised)]
    assert "nothing_beyond" in causes


def test_a_run_from_before_these_settings_existed_goes_on(corpus: Corpus, tmp_path: Path) -> None:
    list(run(corpus, tmp_path / "run", settings(epochs=1, fivecat_every=1)))
    last = tmp_path / "run" / "last.pt"
    document = torch.load(last, weights_only=True)
    for name in ("forward_push", "forward_goal", "forward_temperature"):
        del document["settings"][name]
    del document["state"]["objective"]
    torch.save(document, last)
    what = settings(epochs=2, fivecat_every=1)
    told = list(run(corpus, tmp_path / "run", what, resume=True))
    assert [event.epoch for event in of_kind(told, events.EpochFinished)] == [2]
