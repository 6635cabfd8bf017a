"""The cache folder of an imported file: whole or absent, whoever kills or races the import.

`NAME.npz.lvm-cache/` lies beside its source. `manifest.json` is written last and names every
other file with its size: without it, nothing in the folder counts. Readers hold the folder's lock
shared while they map the files, an import holds it alone; the lock dies with its process.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event
from typing import Any, TypeVar

from lvm.data.progress import Progress
from lvm.errors import DataError, DiskError
from lvm.files import disk_errors, sync_folder, write_json

T = TypeVar("T")
Manifest = dict[str, Any]

FORMAT = 1
"""Rises when an old cache must not be read any more."""

SUFFIX = ".lvm-cache"
MANIFEST = "manifest.json"
_LOCK = "lock"
_TAG = "CACHEDIR.TAG"
_TAG_TEXT = "Signature: 8a477f597d28d172789f06886806bc55\n"
"""Tells backup programs to leave the folder out (https://bford.info/cachedir/)."""

_LOCK_POLL_SECONDS = 0.05
_LOCK_ATTEMPTS = 100
"""A folder can vanish between being made and being locked only while other imports fail."""
_HASH_BLOCK = 1 << 20


def default_cache_home() -> Path:
    """Where caches go whose source lies in a folder that cannot be written."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "lvm-tui"


def open_cached(
    source: Path,
    kind: str,
    build: Callable[[Path], Manifest],
    load: Callable[[Path, Manifest], T],
    *,
    progress: Progress,
    cache_home: Path | None = None,
    accept: Callable[[Manifest], bool] | None = None,
) -> T:
    """`load(folder, manifest)` of a cache that is whole and belongs to the source as it is now.

    If there is none, `build(folder)` first writes one there and returns its part of the manifest;
    what it leaves when it raises, or when `progress` does, is removed. A cache belongs to its
    source if size and modification time agree, or else size and SHA-256. Raises DataError when
    the source changes while it is read, DiskError when there is no room for the cache.
    """
    try:
        source = source.resolve(strict=True)
    except OSError as error:
        raise DataError(
            f"cannot be opened: {error.strerror}", where=str(source), fix="check the path"
        ) from error
    accepted = accept or bool
    beside = source.with_name(source.name + SUFFIX)
    home = cache_home or default_cache_home()
    key = hashlib.sha256(os.fsencode(source)).hexdigest()[:16]
    elsewhere = home / "imports" / f"{source.name}-{key}"
    for folder in (beside, elsewhere):
        if folder.is_dir():
            with _locked(folder, fcntl.LOCK_SH, source, progress):
                manifest = _whole_manifest(folder, kind)
                if manifest and accepted(manifest) and _same_stat(manifest, source):
                    return load(folder, manifest)
    folder = beside if _writable(beside) else elsewhere
    if folder is elsewhere and not _writable(elsewhere):
        raise DiskError(
            f"no place for the imported vectors: neither {beside} nor {elsewhere} can be written",
            where=str(source),
            fix="make one of the two folders writable, or set XDG_CACHE_HOME",
        )
    with _locked(folder, fcntl.LOCK_EX, source, progress):
        manifest = _whole_manifest(folder, kind)
        if manifest and accepted(manifest) and _same_source(folder, manifest, source, progress):
            return load(folder, manifest)
        try:
            manifest = _build(folder, kind, source, build)
        except BaseException:
            _remove(folder)
            raise
        if folder is elsewhere:
            progress(f"kept in {folder}, because {beside.parent} cannot be written", 1, 1)
        return load(folder, manifest)


def hash_file(path: Path, tick: Callable[[int], object] = bool) -> str:
    """SHA-256 of a file's bytes, hexadecimal. `tick(bytes done)` may raise to stop it."""
    digest = hashlib.sha256()
    done = 0
    with path.open("rb") as file:
        while block := file.read(_HASH_BLOCK):
            digest.update(block)
            done += len(block)
            tick(done)
    return digest.hexdigest()


def _build(folder: Path, kind: str, source: Path, build: Callable[[Path], Manifest]) -> Manifest:
    _empty(folder)
    before = source.stat()
    cancelled = Event()

    def stop_if_cancelled(_: int) -> None:
        if cancelled.is_set():
            raise CancelledError

    with ThreadPoolExecutor(
        1
    ) as pool:  # hashing releases the GIL: it costs little beside inflating
        content = pool.submit(hash_file, source, stop_if_cancelled)
        try:
            with disk_errors(folder):
                (folder / _TAG).write_text(_TAG_TEXT)
                document = build(folder)
        except BaseException:
            cancelled.set()
            raise
        sha256 = content.result()
    after = source.stat()
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise DataError(
            "changed while it was read",
            where=str(source),
            fix="wait until it is complete, then open it again",
        )
    files = [path for path in folder.iterdir() if path.name not in (_LOCK, _TAG)]
    manifest: Manifest = {
        "format": FORMAT,
        "kind": kind,
        "source": {
            "name": source.name,
            "size": before.st_size,
            "mtime_ns": before.st_mtime_ns,
            "sha256": sha256,
        },
        **document,
        "files": {path.name: path.stat().st_size for path in sorted(files)},
    }
    with disk_errors(folder):
        for path in files:
            _sync(path)
        sync_folder(folder)
    write_json(folder / MANIFEST, manifest)
    return manifest


def _whole_manifest(folder: Path, kind: str) -> Manifest | None:
    try:
        manifest: Manifest = json.loads((folder / MANIFEST).read_bytes())
        whole = (
            manifest["format"] == FORMAT
            and manifest["kind"] == kind
            and all((folder / n).stat().st_size == size for n, size in manifest["files"].items())
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return manifest if whole else None


def _same_stat(manifest: Manifest, source: Path) -> bool:
    state, known = source.stat(), manifest["source"]
    return bool((state.st_size, state.st_mtime_ns) == (known["size"], known["mtime_ns"]))


def _same_source(folder: Path, manifest: Manifest, source: Path, progress: Progress) -> bool:
    """Also true, and noted, where the file was only touched or copied."""
    if _same_stat(manifest, source):
        return True
    state, known = source.stat(), manifest["source"]
    if state.st_size != known["size"]:
        return False
    what = f"has {source.name} changed?"
    if hash_file(source, lambda done: progress(what, done, state.st_size)) != known["sha256"]:
        return False
    known["mtime_ns"] = state.st_mtime_ns
    write_json(folder / MANIFEST, manifest)
    return True


def _empty(folder: Path) -> None:
    """Remove what an older or killed import left, the manifest first."""
    (folder / MANIFEST).unlink(missing_ok=True)
    for path in folder.iterdir():
        if path.name != _LOCK:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _remove(folder: Path) -> None:
    """Remove the folder, the lock last: whoever waits for it then makes the folder anew."""
    _empty(folder)
    (folder / _LOCK).unlink(missing_ok=True)
    with suppress(OSError):  # another process was quicker: it is that one's folder now
        folder.rmdir()


def _writable(folder: Path) -> bool:
    """Whether a cache can be made in the folder, which is made if need be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:  # another import is at work: locks do work here
            return True
        finally:
            os.close(descriptor)
    except OSError:  # among them the file systems without locks
        return False
    return os.access(folder, os.W_OK)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _locked(folder: Path, how: int, source: Path, progress: Progress) -> Iterator[None]:
    """Hold the folder's lock. Without a lock file nobody can import there, so none is needed."""
    descriptor = _acquire(folder, how, source, progress)
    try:
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _acquire(folder: Path, how: int, source: Path, progress: Progress) -> int | None:
    while True:
        descriptor = _open_lock(folder, how)
        if descriptor is None:
            return None
        try:
            fcntl.flock(descriptor, how | fcntl.LOCK_NB)
            held = _is_current(descriptor, folder / _LOCK)
        except BlockingIOError:
            held = False
        except OSError as error:  # no locks here
            os.close(descriptor)
            if how == fcntl.LOCK_SH:
                return None
            raise DiskError(f"cannot be locked: {error.strerror}", where=str(folder)) from error
        except BaseException:
            os.close(descriptor)
            raise
        if held:
            return descriptor
        os.close(descriptor)
        progress(f"waiting for another import of {source.name}", 0, 0)
        time.sleep(_LOCK_POLL_SECONDS)


def _is_current(descriptor: int, path: Path) -> bool:
    """False where a failed import removed the folder, and its lock, since the file was opened."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _open_lock(folder: Path, how: int) -> int | None:
    if how == fcntl.LOCK_SH:
        with suppress(OSError):
            return os.open(folder / _LOCK, os.O_RDONLY)
        return None
    for attempt in range(_LOCK_ATTEMPTS):
        try:
            folder.mkdir(exist_ok=True)
            return os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        except FileNotFoundError:  # removed between the two steps
            if attempt == _LOCK_ATTEMPTS - 1:
                raise
    return None
