"""Train some models with some objectives on one bank, and print the table of what came out.

    python -m benchmarks.objectives BANK --models gru amn --objectives mse forward
    python -m benchmarks.objectives forward.npz --models gru --seeds 0 1 2
    python -m benchmarks.objectives BANK --models amn --objectives offset-infonce-0.2 sample-hinge
    python -m benchmarks.objectives BANK --set forward_push=6 --set learning_rate=0.001

BANK is an article bank (.npz); a file made by `lvm reference` is split as it says of itself.
Every row is one run: the epoch with the best 5CAT score, and the one with the highest VAL cosine.
Each finished run is added to --log (JSON lines, .benchmarks/objectives.jsonl of this repository)
at once, so a long table can be interrupted; runs that the log has already are not run again. These
are the commands behind docs/direction.md.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.candidates import CANDIDATES
from lvm.clock import SystemClock
from lvm.data.sources import Corpus, open_corpus
from lvm.events import EpochFinished, FivecatFinished, RunFinished
from lvm.settings import MODEL_TYPES, SPLIT_SEED, DataSettings, Thresholds, TrainSettings
from lvm.training.objectives import Objective
from lvm.training.trainer import train

LOG = Path(__file__).parent.parent / ".benchmarks" / "objectives.jsonl"
"""Where the runs go, beside the raw numbers of the other benchmarks; git ignores it."""

NUMBERS = ("epoch", "cos", "margin", "ood_cos", "ood_margin", "rollout", "gates")


def main(argv: list[str] | None = None) -> int:
    options = _options(argv)
    log: Path = options.log
    log.parent.mkdir(parents=True, exist_ok=True)
    known = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    changes = dict(_change(text) for text in options.set)
    corpus: Corpus | None = None
    rows = []
    for seed in options.seeds:
        for model in options.models:
            for objective in options.objectives:
                settings = TrainSettings(
                    model=model,
                    objective="mse" if objective in CANDIDATES else objective,
                    seed=seed,
                    on_severe="alert",
                    device="cpu",
                ).changed(epochs=options.epochs, fivecat_every=options.fivecat_every, **changes)
                key = {"bank": options.bank, "settings": settings.to_json()}
                key |= {"objective": objective}
                row = next((one for one in known if one["key"] == key), None)
                if row is None:
                    corpus = corpus or open_bank_as_it_says(options.bank)
                    row = {"key": key} | _run(settings, corpus, CANDIDATES.get(objective))
                    with log.open("a") as file:
                        file.write(json.dumps(row) + "\n")
                rows.append(row)
                print(_line(row), flush=True)
    print("\n".join(_table(rows)))
    return 0


def _run(settings: TrainSettings, corpus: Corpus, objective: Objective | None) -> dict[str, Any]:
    epochs: list[dict[str, Any]] = []
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        for event in train(
            settings,
            corpus,
            Path(folder),
            thresholds=Thresholds(),
            control=lambda: None,
            clock=SystemClock(),
            objective=objective,
        ):
            if isinstance(event, EpochFinished):
                last = event
            elif isinstance(event, FivecatFinished):
                epochs.append(_numbers(last, event))
                print(" ", json.dumps(epochs[-1]), file=sys.stderr, flush=True)
            elif isinstance(event, RunFinished):
                ready, missing = event.summary.get("ready"), event.summary.get("missing")
    return {
        "epochs": epochs,
        "ready": ready,
        "missing": missing,
        "seconds": round(time.monotonic() - began, 1),
    }


def _numbers(epoch: EpochFinished, fivecat: FivecatFinished) -> dict[str, Any]:
    val, ood = fivecat.result["VAL"], fivecat.result["OOD"]
    return {
        "epoch": epoch.epoch,
        "cos": val["cos"]["1"],
        "margin": val["margin"],
        "best_offset": val["best_offset"],
        "ood_cos": ood["cos"]["1"],
        "ood_margin": ood["margin"],
        "rollout": val["rollout"],
        "gates": [name for name, passed in fivecat.result["gates"].items() if passed],
        "train_cosine": round(epoch.train_cosine, 4),
        "val_cosine": round(epoch.val_cosine, 4),
        "score": fivecat.score,
        "numbers": {
            split: {
                name: fivecat.result[split][name]
                for name in ("r1", "r5", "mrr", "shuffled", "reversed", "leave_one_out",
                             "repeat_last", "cross_article")
            }
            for split in ("VAL", "OOD")
        },
    }  # fmt: skip


def open_bank_as_it_says(bank: str) -> Corpus:
    """With the splits that a made corpus was made with, or the default ones."""
    return open_corpus(DataSettings(bank=bank), root=Path.cwd(), seed=SPLIT_SEED)


def _change(text: str) -> tuple[str, Any]:
    name, _, value = text.partition("=")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _line(row: dict[str, Any]) -> str:
    return "  ".join(_cells(row))


def _cells(row: dict[str, Any]) -> Iterator[str]:
    settings = row["key"]["settings"]
    yield f"{settings['model']:<11} {row['key']['objective']:<7} seed {settings['seed']}"
    for label, name in (("best 5CAT", "score"), ("best cos", "val_cosine")):
        best = max(row["epochs"], key=lambda one: one[name])
        yield (
            f"{label}: epoch {best['epoch']:>2} cos {best['cos']:.3f} margin {best['margin']:+.3f} "
            f"OOD {best['ood_margin']:+.3f} rollout {best['rollout']:.3f} {len(best['gates'])}/5"
        )
    yield "ready" if row["ready"] else "not ready"
    yield f"{row['seconds']:.0f} s"


def _table(rows: list[dict[str, Any]]) -> Iterator[str]:
    yield ""
    heads = ("model", "objective", "seed", "epoch", "cos", "margin", "OOD", "rollout", "gates")
    yield f"| {' | '.join(heads)} |"
    yield "|---" * len(heads) + "|"
    for row in rows:
        settings = row["key"]["settings"]
        best = max(row["epochs"], key=lambda one: one["score"])
        yield (
            f"| {settings['model']} | {row['key']['objective']} | {settings['seed']} "
            f"| {best['epoch']} | {best['cos']:.3f} | {best['margin']:+.3f} "
            f"| {best['ood_margin']:+.3f} | {best['rollout']:.3f} | {len(best['gates'])}/5 |"
        )


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("bank")
    parser.add_argument("--models", nargs="+", choices=MODEL_TYPES, default=list(MODEL_TYPES))
    parser.add_argument("--objectives", nargs="+", default=["mse", "forward"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--fivecat-every", type=int, default=5)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--log", type=Path, default=LOG)
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
