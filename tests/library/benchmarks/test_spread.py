"""The table of means and spread over seeds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.spread import main
from lvm.settings import TrainSettings


def epoch(number: int, val_cosine: float, margin: float, score: float) -> dict[str, Any]:
    return {
        "epoch": number, "cos": val_cosine, "val_cosine": val_cosine, "margin": margin,
        "ood_cos": 0.5, "ood_margin": margin, "rollout": 0.5, "gates": ["rollout"], "score": score,
    }  # fmt: skip


def run(seed: int, objective: str, shift: float, **changes: Any) -> dict[str, Any]:
    settings = TrainSettings(model="gru", objective=objective, seed=seed).changed(**changes)
    key = {"bank": "some/docs.npz", "settings": settings.to_json(), "objective": objective}
    epochs = [epoch(2, 0.6 + shift, -0.1, 0.0), epoch(4, 0.5 + shift, -0.3, 0.1)]
    return {"key": key, "epochs": epochs, "ready": seed == 1, "seconds": 1.0}


def rows(
    runs: list[dict[str, Any]], folder: Path, capsys: pytest.CaptureFixture[str]
) -> list[dict[str, str]]:
    log = folder / "runs.jsonl"
    log.write_text("".join(json.dumps(one) + "\n" for one in runs))
    main([str(log), str(log)])
    head, _, *lines = capsys.readouterr().out.splitlines()
    names = [cell.strip() for cell in head.strip("|").split("|")]
    return [
        dict(zip(names, (cell.strip() for cell in line.strip("|").split("|")), strict=True))
        for line in lines
    ]


def test_runs_that_differ_in_their_seed_are_one_row_and_no_run_counts_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = [run(seed, "mse", shift) for seed, shift in ((0, 0.0), (2, 0.02), (1, 0.01))]
    (row,) = rows(runs, tmp_path, capsys)
    assert (row["bank"], row["seeds"], row["epoch"]) == ("docs", "0 1 2", "2 2 2")
    assert (row["cos"], row["margin"]) == ("0.610 ± 0.010", "-0.100 ± 0.000")
    assert row["ready"] == "1 of 3"


def test_mse_is_taken_at_its_best_cosine_and_forward_at_its_last_epoch(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    forward, mse = rows([run(0, "mse", 0.0), run(0, "forward", 0.0)], tmp_path, capsys)
    assert (mse["objective"], mse["epoch"], mse["cos"]) == ("mse", "2", "0.600")
    assert (forward["objective"], forward["epoch"], forward["cos"]) == ("forward", "4", "0.500")


def test_other_settings_are_another_row_that_names_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = [run(0, "mse", 0.0), run(0, "mse", 0.0, epochs=3), run(1, "mse", 0.0, precision="bf16")]
    found = [(row["precision"], row["changed"]) for row in rows(runs, tmp_path, capsys)]
    assert found == [("bf16", ""), ("fp32", ""), ("fp32", "epochs=3")]
