"""The reference corpora are the instrument's calibration: each trips the checks it should."""

from __future__ import annotations

from pathlib import Path

import pytest

from lvm.clock import SystemClock
from lvm.data.reference import ReferenceKind, read_splits, write_reference
from lvm.data.sources import Corpus, open_corpus
from lvm.events import AlertRaised
from lvm.quality.direction import check_direction
from lvm.settings import DataSettings, Thresholds, TrainSettings
from lvm.training.trainer import train


def opened(kind: ReferenceKind, folder: Path) -> Corpus:
    bank = write_reference(kind, folder / kind, dim=48, articles=120)
    val, ood = read_splits(bank)
    data = DataSettings(bank=bank.name, val_articles=val, ood_articles=ood)
    return open_corpus(data, root=folder, seed=0)


def failed_checks(kind: ReferenceKind, folder: Path) -> set[str]:
    report = check_direction(opened(kind, folder).train, Thresholds())
    return {check.name for check in report.checks if not check.passed}


def alerts_of(kind: ReferenceKind, folder: Path) -> dict[str, str]:
    """Split → level, of the backward-bias alerts of a short training of a GRU."""
    settings = TrainSettings(
        model="gru",
        epochs=6,
        fivecat_every=6,
        batch_size=64,
        d_model=64,
        learning_rate=4e-3,
        fivecat_samples=300,
        device="cpu",
    )
    (folder / "run").mkdir()
    told = train(
        settings,
        opened(kind, folder),
        folder / "run",
        thresholds=Thresholds(),
        control=lambda: None,
        clock=SystemClock(),
    )
    return {
        event.split: event.level
        for event in told
        if isinstance(event, AlertRaised) and event.cause == "backward_bias"
    }


@pytest.mark.parametrize(
    ("kind", "failed"),
    [
        ("forward", set()),
        ("reversed", set()),  # a cosine is the same read from either end: 5CAT must see it
        ("shuffled", {"coherence", "signal", "order"}),
        ("flat", {"coherence", "signal", "order"}),
    ],
)
def test_each_kind_fails_exactly_its_quality_checks(
    kind: ReferenceKind, failed: set[str], tmp_path: Path
) -> None:
    assert failed_checks(kind, tmp_path) == failed


def test_a_model_of_the_forward_corpus_raises_no_alert(tmp_path: Path) -> None:
    assert alerts_of("forward", tmp_path) == {}


def test_a_model_of_the_reversed_corpus_raises_severe_alerts_on_both_splits(tmp_path: Path) -> None:
    assert alerts_of("reversed", tmp_path) == {"VAL": "severe", "OOD": "severe"}
