"""A project folder with a bank and a queue, and its training without a screen."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from benchmarks.dashboard.program import TOP
from lvm.data.reference import write_reference
from lvm.runs.project import Project
from lvm.settings import Job

WARM_UP = 3.0
"""Seconds of training that are not counted."""

SETTINGS = """\
[data]
bank = "bank.npz"
[train]
forecast = false
epochs = {epochs}
batch_size = {batch_size}
fivecat_every = 1000
checkpoint_every = 1000
fivecat_samples = 200
on_severe = "alert"
device = "cpu"
"""


def make_project(
    root: Path, *, model: str = "gru", epochs: int = 1000, batch_size: int = 32, articles: int = 300
) -> Project:
    """A forward bank of 384 dimensions, and one job that trains `model` on it."""
    write_reference("forward", root / "bank.npz", dim=384, articles=articles)
    text = SETTINGS.format(epochs=epochs, batch_size=batch_size)
    (root / "lvm.toml").write_text(text, "utf-8")
    project = Project(root)
    queue(project, model)
    return project


def queue(project: Project, model: str) -> None:
    config = project.config()
    train = config.train.changed(model=model)
    project.store().add_job(Job(train=train, data=config.data))


def train_headless(root: Path, seconds: float, env: Mapping[str, str] | None = None) -> None:
    """`lvm queue run` in a project, killed after so many seconds."""
    process = subprocess.Popen(
        [sys.executable, "-m", "lvm", "queue", "run"],
        cwd=root,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": TOP, **(env or {})},
    )
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()


def batches_per_second(root: Path) -> float:
    """Of the only run in a project, from its log."""
    (log,) = root.glob("artifacts/lvm/models/*_5cat_*/events.jsonl")
    *lines, _ = log.read_text().split("\n")
    events = [json.loads(line) for line in lines]
    batches = [event for event in events if event["type"] == "batch"]
    counted = [event for event in batches if event["time"] > batches[0]["time"] + WARM_UP]
    first, last = counted[0], counted[-1]
    return float((last["step"] - first["step"]) / (last["time"] - first["time"]))
