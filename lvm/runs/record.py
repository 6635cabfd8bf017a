"""What `run.json` says of a run: enough to know, years later, what was trained on what by whom."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import lvm
from lvm.runs.who import host
from lvm.settings import Job, Thresholds

_PACKAGES = ("torch", "numpy")


def new_record(
    name: str, job: Job, thresholds: Thresholds, *, root: Path, now: float, by: str, parent: str
) -> dict[str, Any]:
    """The record of a run that is about to begin; `data` is filled in when it is loaded."""
    return {
        "run": name,
        "model": job.train.model,
        "created": now,
        "seed": job.train.seed,
        "job": job.to_json(),
        "thresholds": thresholds.to_json(),
        "data": None,
        "forecast": None,
        **_here(root, by),
        "parent": parent or None,
        "resumed": [],
    }


def resumed_record(
    record: dict[str, Any], job: Job, thresholds: Thresholds, *, root: Path, now: float, by: str
) -> dict[str, Any]:
    """The record of a run that is taken up again: how and where it began stays."""
    again = {"time": now, **_here(root, by)}
    return record | {
        "job": job.to_json(),
        "thresholds": thresholds.to_json(),
        "resumed": [*record.get("resumed", []), again],
    }


def data_record(
    corpus: Any, quality: dict[str, Any], *, passed: bool, overridden_by: str
) -> dict[str, Any]:
    """What a run was trained on. corpus: a lvm.data.sources.Corpus."""
    return {
        "source": corpus.source,
        "samples": corpus.samples,
        "dim": corpus.dim,
        "articles": corpus.articles,
        "fingerprint": corpus.fingerprint,
        "fingerprints": corpus.fingerprints,
        "alignment": corpus.alignment,
        "notes": list(corpus.notes),
        "quality": quality,
        "passed": passed,
        "overridden_by": overridden_by or None,
    }


def _here(root: Path, by: str) -> dict[str, Any]:
    return {
        "versions": versions(),
        "commit": git_commit(root),
        "host": host(),
        "pid": os.getpid(),
        "by": by,
    }


def versions() -> dict[str, str | None]:
    """What is installed; found without importing it."""
    found: dict[str, str | None] = {
        "lvm": lvm.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
    }
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    return found


def git_commit(root: Path) -> str | None:
    """The commit that the project folder is at; None where there is no git."""
    try:
        done = subprocess.run(
            ["git", "-C", str(root), "rev-parse", "HEAD"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
