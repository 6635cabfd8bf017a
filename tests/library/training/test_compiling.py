"""`compile = true`: the same training through torch.compile."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from lvm.clock import SystemClock
from lvm.data.sources import Corpus
from lvm.errors import RunError
from lvm.events import EpochFinished
from lvm.settings import Thresholds, TrainSettings
from lvm.training.trainer import train

TINY = TrainSettings(
    model="amn", epochs=2, batch_size=32, d_model=16, hidden_dim=16, fivecat_every=2,
    fivecat_samples=20, fivecat_horizon=2, on_severe="alert", device="cpu",
)  # fmt: skip


def val_losses(corpus: Corpus, folder: Path, **changes: Any) -> list[float]:
    folder.mkdir()
    told = train(
        TINY.changed(**changes),
        corpus,
        folder,
        thresholds=Thresholds(),
        control=lambda: None,
        clock=SystemClock(),
    )
    return [event.val_loss for event in told if isinstance(event, EpochFinished)]


def test_a_missing_compiler_is_told_with_what_to_do(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch._inductor.config as inductor

    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "cache"))
    with (
        inductor.patch({"cpp.cxx": ("/nowhere/g++",), "fx_graph_cache": False}),
        pytest.raises(RunError, match=r"torch\.compile failed") as told,
    ):
        val_losses(corpus, tmp_path / "run", compile=True)
    assert "compile = true" in told.value.where
    assert "g++" in told.value.fix


def test_batches_that_are_cut_are_not_compiled(corpus: Corpus, tmp_path: Path) -> None:
    """Their random numbers are intercepted, so they train on as they are, to the same bits."""
    cut = {"micro_batch": 16, "model": "transformer"}
    plain = val_losses(corpus, tmp_path / "plain", **cut)
    assert val_losses(corpus, tmp_path / "compiled", compile=True, **cut) == plain


@pytest.mark.heavy
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs g++ on the CPU")
def test_it_trains_to_the_same_losses(corpus: Corpus, tmp_path: Path) -> None:
    plain = val_losses(corpus, tmp_path / "plain")
    compiled = val_losses(corpus, tmp_path / "compiled", compile=True)
    assert compiled == pytest.approx(plain, rel=1e-4)
