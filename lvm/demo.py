"""A small workspace of real text: the documentation inside the Python installation.

The language reference (`pydoc_data.topics`) and the docstrings of the standard library become
articles, are chunked and encoded by the built-in LSA encoder, and all four models are queued on the
bank. A fifth job trains a GRU on the reference corpus, whose forward signal is known, so that a
newcomer sees what "ready for production" looks like beside what little real text gives.
Everything is deterministic, nothing is downloaded, and what is there already is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lvm.clock import Clock
from lvm.config import CONFIG_NAME, render_template
from lvm.events import Event, TaskFinished, TaskProgress, TaskStarted
from lvm.files import write_text
from lvm.runs.project import Project
from lvm.settings import DataSettings, Job

BANK = "python_docs.npz"
"""The bank of real text, in the workspace."""

REFERENCE = "reference_forward.npz"
"""The synthetic bank of known forward signal."""

PROGRESS_INTERVAL = 0.1

Emit = Callable[[Event], None]


def make_folder(folder: Path) -> Path:
    """The workspace folder with its lvm.toml; what is there already is kept."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / CONFIG_NAME).exists():
        write_text(folder / CONFIG_NAME, render_template(DataSettings(bank=BANK)))
    return folder


def build(project: Project, emit: Emit, clock: Clock) -> None:
    """Make the bank and queue the four models, telling of it by Task events.

    Raises what the encoder raises; a bank is there whole or not at all.
    """
    bank = project.root / BANK
    if not bank.exists():
        _encode(bank, emit, clock)
    reference = _reference(project.root / REFERENCE, emit, clock)
    store = project.store()
    if not store.jobs():
        config = project.config()
        store.add_all(Job(train=config.train, data=config.data))
        store.add_job(Job(train=config.train.changed(model="gru"), data=reference))


def _reference(bank: Path, emit: Emit, clock: Clock) -> DataSettings:
    """Make the reference corpus; its splits are the ranges of articles that it was made with."""
    from lvm.data.reference import read_splits, write_reference

    if not bank.exists():
        begun = clock.monotonic()
        emit(TaskStarted("reference", "making the reference corpus (synthetic, forward)"))
        write_reference("forward", bank)
        emit(TaskFinished("reference", clock.monotonic() - begun, note=f"wrote {bank.name}"))
    val, ood = read_splits(bank)
    return DataSettings(bank=bank.name, val_articles=val, ood_articles=ood)


def _encode(bank: Path, emit: Emit, clock: Clock) -> None:
    from lvm.data.encode import encode_to_bank
    from lvm.data.pydocs import python_articles

    begun = clock.monotonic()
    emit(TaskStarted("text", "reading the documentation inside Python"))
    articles = python_articles()
    words = sum(len(article.text.split()) for article in articles)
    emit(
        TaskFinished(
            "text",
            clock.monotonic() - begun,
            note=f"{len(articles)} articles, {words:,} words",
        )
    )
    begun = told = clock.monotonic()
    emit(TaskStarted("encode", "encoding it to 768-D vectors (LSA)"))

    def progress(what: str, done: int, total: int) -> None:
        nonlocal told
        now = clock.monotonic()
        if now - told >= PROGRESS_INTERVAL or done >= total:
            told = now
            emit(TaskProgress("encode", done, total, what))

    encode_to_bank(articles, "lsa", bank, progress=progress)
    emit(TaskFinished("encode", clock.monotonic() - begun, note=f"wrote {bank.name}"))
