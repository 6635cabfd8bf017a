"""A project folder with a bank and a queue, for the parts that need a real training."""

from __future__ import annotations

from pathlib import Path

from lvm.data.reference import write_reference
from lvm.runs.project import Project
from lvm.settings import Job

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
