"""Sequence files: imported once, by blocks, into distinct vectors and row numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from lvm.data.cache import Manifest, open_cached
from lvm.data.formats import Member, NpzFile, SequenceMembers, open_npz, sequence_members
from lvm.data.progress import Progress, quiet
from lvm.data.rows import NpyWriter, RowTable, UnitRows, map_array, save_array
from lvm.data.sequences import SequenceSet

VECTORS, CONTEXTS, TARGETS = "vectors.npy", "contexts.npy", "targets.npy"
ARTICLE_IDS, TARGET_INDICES = "article_ids.npy", "target_indices.npy"


def open_sequences(
    path: Path,
    name: str,
    progress: Progress | None = None,
    *,
    cache_home: Path | None = None,
) -> SequenceSet:
    """The samples of a sequence file (spec/data.md), any of its dialects.

    The first time, each distinct vector is written once, at unit length, into a cache beside the
    file (or in `cache_home`, where that folder cannot be written) and samples become row numbers;
    never more than some MiB of the file are held. From then on this takes milliseconds.
    Raises DataError for whatever is wrong with the file, and then leaves no cache.
    """
    report = quiet if progress is None else progress

    def build(folder: Path) -> Manifest:
        file = open_npz(path)
        return _import(file, sequence_members(file), folder, report)

    def load(folder: Path, manifest: Manifest) -> SequenceSet:
        optional = (ARTICLE_IDS, TARGET_INDICES)
        ids, indices = (map_array(folder / n) if n in manifest["files"] else None for n in optional)
        return SequenceSet(
            name=name,
            vectors=map_array(folder / VECTORS),
            contexts=map_array(folder / CONTEXTS),
            targets=map_array(folder / TARGETS),
            article_ids=ids,
            target_indices=indices,
            fingerprint=manifest["source"]["sha256"],
            source=str(path),
            notes=tuple(manifest["notes"]),
        )

    return open_cached(path, "sequences", build, load, progress=report, cache_home=cache_home)


def _import(file: NpzFile, members: SequenceMembers, folder: Path, progress: Progress) -> Manifest:
    samples, length, dim = members.contexts.shape
    extras = {ARTICLE_IDS: members.article_ids, TARGET_INDICES: members.target_indices}
    for name, member in extras.items():
        if member is not None:
            save_array(folder / name, file.read_integers(member.key, samples))
    dtype = np.promote_types(members.contexts.dtype, members.targets.dtype)
    unit = UnitRows(dtype)
    table = RowTable()
    total = samples * (length + 1)
    what = f"importing {file.path.name}"
    progress(what, 0, total)
    done = 0
    numbers: list[npt.NDArray[np.int32]] = []
    with NpyWriter(folder / VECTORS, unit.dtype, (dim,)) as writer:
        for member in (members.contexts, members.targets):
            parts = []
            for block in file.iter_rows(member.key):
                rows = block.reshape(-1, dim).astype(dtype, copy=False)
                part, new = table.number(rows)
                writer.append(unit.add(rows[new]))
                parts.append(part)
                done += len(rows)
                progress(what, done, total)
            numbers.append(np.concatenate(parts))
    contexts, targets = numbers[0].reshape(samples, length), numbers[1]
    _refuse_bad_rows(file, unit, ((members.contexts, contexts), (members.targets, targets)))
    save_array(folder / CONTEXTS, contexts)
    save_array(folder / TARGETS, targets)
    skipped = [m for key in ("article_ids", "target_indices") if (m := file.find([key]))]
    return {
        "dim": dim,
        "dtype": unit.dtype.name,
        "samples": samples,
        "vectors": len(table),
        "keys": {"contexts": members.contexts.key, "targets": members.targets.key},
        "normalised": unit.to_json(),
        "notes": unit.notes(len(table))
        + [
            f"{m.key} was left out: an object array is never unpickled"
            for m in skipped
            if m.needs_unpickling
        ],
    }


def _refuse_bad_rows(
    file: NpzFile,
    unit: UnitRows,
    places: tuple[tuple[Member, npt.NDArray[np.int32]], ...],
) -> None:
    for bad, what in unit.unusable():
        for member, numbers in places:
            samples = np.asarray(bad[numbers].reshape(len(numbers), -1).any(axis=1), bool)
            if samples.any():
                raise file.bad_rows(member.key, samples, what)
