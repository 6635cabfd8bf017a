"""Latent semantic analysis: the encoder that is always there (TF-IDF + truncated SVD).

A chunk's vector depends on its own words and on the fitted statistics, never on its neighbours:

    x_w = (1 + ln tf_w) · ln((1 + N) / df_w)^1.5        words in at least 2 of the N fitted chunks
    v   = unit( unit(x) · V · Σ^(1/2) )                 X = U Σ Vᵀ over the fitted chunks

The two powers of 1.5 were chosen by next-chunk retrieval on the documentation of Python 3.11:
five folds of articles left out of the fit, 4,040 chunks, each looking for its successor among all
chunks of its fold (standard error of MRR 0.005); beside it coherence and signal of the corpus.

    ln((1+N)/df)^1.5, Σ^1.5     R@10 0.637   MRR 0.316   coherence 0.455   signal +0.179   this
    ln((1+N)/df)^1.5, Σ         R@10 0.636   MRR 0.316   coherence 0.370   signal +0.189
    ln((1+N)/df),     Σ         R@10 0.631   MRR 0.322   coherence 0.361   signal +0.171
    ln(…) + 1,        Σ         R@10 0.620   MRR 0.320   coherence 0.369   signal +0.158   plain
    ln(…) + 1,        Σ^1.5     R@10 0.566   MRR 0.297   coherence 0.563   signal +0.122
    ln((1+N)/df)^1.5, Σ²        R@10 0.605   MRR 0.306   coherence 0.589   signal +0.150
    with word pairs, (ln + 1)²  R@10 0.596   MRR 0.300   coherence 0.440   signal +0.203
    MiniLM, 384-D               R@10 0.678   MRR 0.346   coherence 0.541   signal +0.149

Down to the fourth row no difference in MRR is significant; of these the first finds the most
successors among ten, and is as coherent as data that trained well (spec/data.md, "Quality").
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from lvm.data.encoders.base import Float32Array
from lvm.data.progress import Progress, quiet
from lvm.errors import DataError, SettingsError
from lvm.files import write_whole

DEFAULT_DIM = 768
FORMAT = 1
"""Of the saved file; another number is refused."""

_EAST_ASIAN = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
TOKEN = rf"[{_EAST_ASIAN}]|[^\W_{_EAST_ASIAN}]{{2,}}"
"""Two letters or digits and more ("snake_case" is two words); East Asian by the character."""
IDF_POWER = 1.5
SINGULAR_VALUE_POWER = 1.5
"""Of Σ in the vectors of the fitted chunks; plain LSA has 1."""
FEWEST_CHUNKS_PER_WORD = 2
MOST_WORDS = 30_000
"""Vocabulary, the most frequent words: 768 floats each, 92 MB."""
MOST_FITTED_CHUNKS = 50_000
"""Of larger corpora so many chunks, evenly spread, are fitted; all are encoded."""
_POWER_ITERATIONS = 4
_SHORTEST = 1e-6
"""Length under which a projection is taken for zero; usual ones are 0.1 to 1."""


@dataclass(frozen=True, eq=False)
class LsaEncoder:
    """A fitted encoder. Make one with `fit`, or open a saved one with `load`."""

    vocabulary: tuple[str, ...]
    """V words."""
    word_weights: Float32Array
    """(V,) what a word's logarithmic frequency is multiplied with."""
    components: Float32Array
    """(V, rank), rank ≤ dim."""
    usual: Float32Array
    """(rank,) unit vector, the mean direction of the fitted chunks."""
    dim: int
    """Width of the vectors. Where the corpus gives a rank below that, the rest is zeros."""
    path: Path | None = None
    """Where it was saved."""

    @property
    def name(self) -> str:
        return f"lsa:{self.path}" if self.path else "lsa"

    @classmethod
    def fit(
        cls,
        texts: Sequence[str],
        dim: int = DEFAULT_DIM,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> Self:
        """Learn words and directions from the chunks of a corpus.

        A corpus of fewer chunks or words than `dim` has no `dim` directions: the vectors keep
        the width asked for, with zeros at the end, and all cosines are as they would be without.
        5,500 chunks take about 3 s. Raises DataError when no text has a word.
        """
        if dim < 1:
            raise SettingsError(f"dim = {dim}", fix="dim must be at least 1")
        from sklearn.utils.extmath import randomized_svd

        tell = progress or quiet
        stride = -(-len(texts) // MOST_FITTED_CHUNKS) or 1
        fitted = texts[::stride]
        tell("counting words", 0, len(fitted))
        counts, vocabulary = _count_words(fitted)
        tell("counting words", len(fitted), len(fitted))
        chunks_with = np.bincount(counts.indices, minlength=len(vocabulary))
        weights = np.log((1 + len(fitted)) / chunks_with) ** IDF_POWER
        rows = _weighted(counts, weights.astype(np.float32))
        rank = min(dim, *rows.shape)
        tell("finding directions", 0, 1)
        _, lengths, directions = randomized_svd(
            rows, n_components=rank, n_iter=_POWER_ITERATIONS, random_state=seed
        )
        tell("finding directions", 1, 1)
        kept = lengths > lengths[0] * np.finfo(np.float32).eps * max(rows.shape)
        scale = lengths[kept] ** (SINGULAR_VALUE_POWER - 1)
        components = np.ascontiguousarray((directions[kept] * scale[:, None]).T, np.float32)
        usual = _unit(rows @ components).mean(axis=0)
        return cls(
            vocabulary=vocabulary,
            word_weights=weights.astype(np.float32),
            components=components,
            usual=np.asarray(usual / np.linalg.norm(usual), np.float32),
            dim=dim,
        )

    def encode(self, texts: Sequence[str]) -> Float32Array:
        """(n, dim) unit rows; a text without a known word gets the usual direction."""
        return self.encode_known(texts)[0]

    def encode_known(self, texts: Sequence[str]) -> tuple[Float32Array, npt.NDArray[np.bool_]]:
        """The vectors, and (n,) whether the text has a word that was seen when fitting."""
        vectors = np.zeros((len(texts), self.dim), np.float32)
        if not texts:
            return vectors, np.zeros(0, np.bool_)
        rows = _weighted(self._vectorizer.transform(texts), self.word_weights)
        projected = np.asarray(rows @ self.components, np.float32)
        known = np.linalg.norm(projected, axis=1) > _SHORTEST
        projected[~known] = self.usual
        vectors[:, : projected.shape[1]] = _unit(projected)
        return vectors, known

    @cached_property
    def _vectorizer(self) -> Any:
        return _vectorizer(vocabulary=self.vocabulary)

    def save(self, path: Path) -> None:
        """Write it whole or not at all; an .npz in which nothing needs unpickling."""
        header = json.dumps({"format": FORMAT, "encoder": "lsa", "dim": self.dim})
        arrays: dict[str, npt.NDArray[np.generic]] = {
            "header": np.frombuffer(header.encode(), np.uint8),
            "vocabulary": np.frombuffer("\n".join(self.vocabulary).encode(), np.uint8),
            "word_weights": self.word_weights,
            "components": self.components,
            "usual": self.usual,
        }
        write_whole(path, lambda file: np.savez(file, allow_pickle=False, **arrays))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Open a saved encoder; it encodes to the same bits. Raises DataError."""
        fix = "give the .encoder.npz that lvm encode wrote beside a bank"
        try:
            with np.load(path, allow_pickle=False) as file:
                header = json.loads(file["header"].tobytes())
                if header["encoder"] != "lsa" or header["format"] != FORMAT:
                    raise DataError(
                        f"an encoder file of another kind: {header}", where=str(path), fix=fix
                    )
                encoder = cls(
                    vocabulary=tuple(file["vocabulary"].tobytes().decode().split("\n")),
                    word_weights=file["word_weights"],
                    components=file["components"],
                    usual=file["usual"],
                    dim=int(header["dim"]),
                    path=path,
                )
        except FileNotFoundError as error:
            raise DataError("no such file", where=str(path), fix=fix) from error
        except (OSError, BadZipFile, EOFError, KeyError, TypeError, ValueError) as error:
            raise DataError(
                f"not a saved LSA encoder: {error}", where=str(path), fix=fix
            ) from error
        encoder._check_shapes(path, fix)
        return encoder

    def _check_shapes(self, path: Path, fix: str) -> None:
        words, rank = len(self.vocabulary), len(self.usual)
        shapes = self.word_weights.shape, self.components.shape, self.usual.shape
        if shapes != ((words,), (words, rank), (rank,)) or not 1 <= rank <= self.dim:
            raise DataError(
                f"a damaged LSA encoder: {words} words, dim {self.dim}, arrays of {shapes}",
                where=str(path),
                fix=fix,
            )


def _vectorizer(**settings: Any) -> Any:
    from sklearn.feature_extraction.text import CountVectorizer

    return CountVectorizer(token_pattern=TOKEN, dtype=np.float32, **settings)


def _count_words(texts: Sequence[str]) -> tuple[Any, tuple[str, ...]]:
    """CSR (n, V) word counts and the V words; rare words only where there are no others."""
    for fewest in (FEWEST_CHUNKS_PER_WORD, 1):
        if len(texts) >= fewest:
            vectorizer = _vectorizer(min_df=fewest, max_features=MOST_WORDS)
            try:
                counts = vectorizer.fit_transform(texts)
            except ValueError:  # how scikit-learn says that no word is left
                continue
            return counts, tuple(vectorizer.get_feature_names_out())
    raise DataError(
        f"no words in {len(texts)} texts",
        fix="the lsa encoder needs texts with words of two letters or more",
    )


def _weighted(counts: Any, word_weights: Float32Array) -> Any:
    """CSR rows of unit length: logarithmic frequency × the word's weight."""
    from sklearn.preprocessing import normalize

    rows = counts.copy()
    rows.data = (1 + np.log(rows.data)) * word_weights[rows.indices]
    return normalize(rows)


def _unit(values: Float32Array) -> Float32Array:
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    return np.asarray(values / np.maximum(lengths, np.finfo(np.float32).tiny), np.float32)
