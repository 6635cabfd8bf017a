"""Any sentence-transformers model, by its name or in a local folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from lvm.data.encoders.base import Float32Array
from lvm.errors import InputError, RunError

DEFAULT_MODEL = "sentence-transformers/gtr-t5-base"
"""The 768-D encoder of the existing stack."""
_BATCH = 64
_PATH_STARTS = ("/", "./", "../", "~", ".\\", "..\\")
"""A name that begins so means a folder, and is not looked for on the network."""
_FOLDER_FIX = "give a folder with a complete model (modules.json, config.json, weights)"
_NAME_FIX = "check the name and the network, or give a folder with the model"
_UNIT_TOLERANCE = 1e-3


class SentenceTransformerEncoder:
    """Needs the extra: pip install 'lvm-tui[encoders]'.

    name_or_folder: a folder that exists is opened as it is, without the network; anything else
        is a name, fetched once into the library's own cache.
    device: "cpu", "cuda", "mps"; "auto" leaves it to the library.

    Raises InputError when the library is missing or the model cannot be opened.
    """

    def __init__(self, name_or_folder: str = DEFAULT_MODEL, device: str = "auto") -> None:
        where = f"encoder {name_or_folder!r}"
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            raise InputError(
                "the package sentence-transformers is not installed",
                where=where,
                fix="pip install 'lvm-tui[encoders]', or use --encoder lsa, which needs nothing",
            ) from error
        folder = Path(name_or_folder).expanduser()
        if name_or_folder.startswith(_PATH_STARTS) and not folder.is_dir():
            raise InputError("no such folder", where=where, fix=_FOLDER_FIX)
        source = str(folder.resolve()) if folder.is_dir() else name_or_folder
        try:
            with _no_progress_bars():
                self._model: Any = SentenceTransformer(
                    source,
                    device=None if device == "auto" else device,
                    local_files_only=folder.is_dir(),
                )
        except (OSError, ValueError, RuntimeError, KeyError) as error:
            raise InputError(
                f"cannot open this sentence-transformers model: {_first_line(error)}",
                where=where,
                fix=_FOLDER_FIX if folder.is_dir() else _NAME_FIX,
            ) from error
        self.name = f"st:{source}"

    @property
    def dim(self) -> int:
        model = self._model
        renamed = getattr(model, "get_embedding_dimension", None)  # since 6.0
        return int(renamed() if renamed else model.get_sentence_embedding_dimension())

    def encode(self, texts: Sequence[str]) -> Float32Array:
        if not texts:
            return np.zeros((0, self.dim), np.float32)
        vectors = np.asarray(
            self._model.encode(
                list(texts),
                batch_size=_BATCH,
                normalize_embeddings=True,
                convert_to_numpy=True,
                show_progress_bar=False,
            ),
            np.float32,
        )
        lengths = np.linalg.norm(vectors, axis=1)
        wrong = np.flatnonzero(~(np.abs(lengths - 1) < _UNIT_TOLERANCE))
        if len(wrong):
            raise RunError(
                f"{len(wrong)} of {len(texts)} vectors are not of length 1, "
                f"the first for text {texts[wrong[0]][:60]!r}: {lengths[wrong[0]]}",
                where=f"encoder {self.name!r}",
                fix="try --device cpu",
            )
        return vectors


@contextmanager
def _no_progress_bars() -> Iterator[None]:
    """Keep the library's own bars off the terminal, which may be showing a dashboard."""
    try:
        logging = import_module("transformers.utils.logging")
    except ImportError:
        yield
        return
    was_enabled = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if was_enabled:
            logging.enable_progress_bar()


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
