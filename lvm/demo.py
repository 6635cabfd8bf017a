"""A small workspace of real text: the documentation inside the Python installation.

The language reference (`pydoc_data.topics`) and the docstrings of the standard library become
articles, are chunked and encoded by the built-in LSA encoder, and all four models are queued on the
bank. A fifth job trains a GRU on the reference corpus, whose forward signal is known, so that a
newcomer sees what "ready for production" looks like beside what little real text gives. When the
queue is through, the best model that is ready goes live: promoted, served, asked one question.
Everything is deterministic, nothing is downloaded, and what is there already is kept.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from lvm.clock import Clock
from lvm.config import CONFIG_NAME, load_config, render_template
from lvm.errors import LvmError, RefusedError
from lvm.events import AFTERWARDS, Event, TaskFinished, TaskProgress, TaskStarted
from lvm.files import write_text
from lvm.runs.folder import BEST_5CAT, RunFolder, RunSummary
from lvm.runs.project import Project
from lvm.settings import CONTEXT_LENGTH, MODEL_TYPES, DataSettings, Job

BANK = "python_docs.npz"
"""The bank of real text, in the workspace."""

REFERENCE = "reference_forward.npz"
"""The synthetic bank of known forward signal."""

HOST = "127.0.0.1"

PROGRESS_INTERVAL = 0.1

Emit = Callable[[Event], None]


def make_folder(folder: Path) -> Path:
    """The workspace folder with its lvm.toml; what is there already is kept."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / CONFIG_NAME).exists():
        text = render_template(DataSettings(bank=BANK))
        write_text(folder / CONFIG_NAME, text + _services())
    return folder


def _services() -> str:
    """The usual ports may be those of real services."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server((HOST, 0))) for _ in MODEL_TYPES]
        ports = [each.getsockname()[1] for each in sockets]
    tables = [
        f"[services.{name}]\nport = {port}\n" for name, port in zip(MODEL_TYPES, ports, strict=True)
    ]
    return "\n# Ports that were free when this was written.\n" + "\n".join(tables)


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


# ------------------------------------------------------------------ after the queue


def go_live(project: Project, emit: Emit, clock: Clock) -> None:
    """Promote the best model that is ready, and ask its service for what follows a chunk that it
    never trained on. What fails is told, and ends nothing."""
    ready = [run for run in project.runs() if run.ready and run.score is not None]
    if not ready:
        return
    best = max(ready, key=lambda run: run.score or 0.0)
    try:
        _promote(project, best, emit, clock)
        _ask(project, best, emit, clock)
    except LvmError:
        return  # its task has told


@contextmanager
def _task(name: str, title: str, emit: Emit, clock: Clock) -> Iterator[list[str]]:
    """A task that ends with the note that is put into the list, or with the error."""
    begun, notes = clock.monotonic(), list[str]()
    emit(TaskStarted(AFTERWARDS + name, title))
    try:
        yield notes
    except LvmError as error:
        seconds = clock.monotonic() - begun
        emit(TaskFinished(AFTERWARDS + name, seconds, ok=False, note=error.what))
        raise
    emit(TaskFinished(AFTERWARDS + name, clock.monotonic() - begun, note=notes[-1]))


def _promote(project: Project, run: RunSummary, emit: Emit, clock: Clock) -> None:
    from lvm.promotion.managed import services_of
    from lvm.promotion.promoting import Promoter

    told = clock.monotonic()

    def progress(what: str, done: int, total: int) -> None:
        nonlocal told
        if clock.monotonic() - told >= PROGRESS_INTERVAL:
            told = clock.monotonic()
            emit(TaskProgress(AFTERWARDS + "promote", done, total, what))

    seconds = project.config().services.start_seconds
    promoter = Promoter(project, services_of(project), progress=progress, seconds=seconds)
    with _task("promote", f"promoting {run.name}", emit, clock) as notes:
        outcome = promoter.promote(run.path / BEST_5CAT, run.model)
        if outcome.outcome != "promoted":
            raise RefusedError(f"{outcome.outcome}: {outcome.words}")
        port = project.config().services.service(run.model).port
        notes.append(f"tested in full, linked, served on {HOST}:{port}, verified")


def _ask(project: Project, run: RunSummary, emit: Emit, clock: Clock) -> None:
    from lvm.service.client import ServiceClient
    from lvm.service.wording import direction

    services = project.config().services
    with _task("chat", f"asking {run.model} what comes next", emit, clock) as notes:
        text = _held_out(project, run)
        with ServiceClient(
            HOST, services.service(run.model).port, services.start_seconds
        ) as client:
            answer = client.chat([text])
        copied = answer["copy_last"]["text"]
        way = direction(answer["offset"], answer["text"] == copied)
        notes.append(f"“{text}” → “{answer['text']}” {way}; copying the last gives “{copied}”")


def _held_out(project: Project, run: RunSummary) -> str:
    """A chunk of a VAL article, with four before it and more after it. Raises RefusedError."""
    from lvm.data.bank import open_bank

    data = DataSettings.from_json(RunFolder(run.path).record()["job"]["data"])
    first = int((data.val_articles or "0-0").partition("-")[0])
    if data.bank:
        bank = open_bank(project.root / data.bank)
        rows = bank.article_ids == first
        place = int(rows.argmax()) + CONTEXT_LENGTH + 1
        if text := bank.text(place):
            return text
    raise RefusedError("the data of this model has no texts to talk about")


def stop_services(root: Path) -> None:
    """The demo leaves nothing behind that runs."""
    from lvm.service.manager import open_manager

    open_manager(root, load_config(root).services).stop([])
