"""Articles → chunks → vectors → an article bank with texts, and its encoder beside it."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lvm.data.bank import encoder_record, write_bank_npz
from lvm.data.encoders import Encoder, LsaEncoder, open_encoder
from lvm.data.encoders.lsa import DEFAULT_DIM
from lvm.data.progress import Progress, quiet
from lvm.data.text import WORDS_PER_CHUNK, Article, chunk_text
from lvm.errors import DataError
from lvm.files import write_json

_BATCH = 256
"""Chunks between two words to the progress."""


@dataclass(frozen=True)
class Chunks:
    """The chunks of a corpus in reading order; articles without a word have none."""

    texts: list[str]
    """M chunks."""
    article_indices: npt.NDArray[np.int64]
    """(M,) 0 … A − 1."""
    chunk_indices: npt.NDArray[np.int32]
    """(M,) 0, 1, 2, … within each article."""
    article_names: list[str]
    """A names."""


@dataclass(frozen=True)
class EncodedArticles:
    """What `write_bank_npz` takes."""

    chunks: Chunks
    vectors: npt.NDArray[np.float32]
    """(M, dim) unit rows."""
    unknown: int
    """Chunks in which the encoder knew no word, and which got its usual direction (LSA only)."""


def chunk_articles(articles: Sequence[Article], words: int = WORDS_PER_CHUNK) -> Chunks:
    """Cut all articles. Raises DataError when none has a word."""
    pieces = [(article.name, chunk_text(article.text, words)) for article in articles]
    pieces = [(name, texts) for name, texts in pieces if texts]
    if not pieces:
        raise DataError(f"no words in {len(articles)} articles", fix="give files with text")
    lengths = [len(texts) for _, texts in pieces]
    return Chunks(
        texts=[text for _, texts in pieces for text in texts],
        article_indices=np.repeat(np.arange(len(pieces), dtype=np.int64), lengths),
        chunk_indices=np.concatenate([np.arange(n, dtype=np.int32) for n in lengths]),
        article_names=[name for name, _ in pieces],
    )


def encode_articles(
    articles: Sequence[Article],
    encoder: Encoder,
    progress: Progress | None = None,
    *,
    words: int = WORDS_PER_CHUNK,
) -> EncodedArticles:
    """Chunk and encode. Raises DataError without any word, RunError when the encoder fails."""
    return encode_chunks(chunk_articles(articles, words), encoder, progress)


def encode_chunks(
    chunks: Chunks, encoder: Encoder, progress: Progress | None = None
) -> EncodedArticles:
    """Encode chunk by chunk, in batches, telling how far it is."""
    tell = progress or quiet
    total = len(chunks.texts)
    tell("encoding", 0, total)
    vectors = np.empty((total, encoder.dim), np.float32)
    unknown = 0
    for start in range(0, total, _BATCH):
        batch = chunks.texts[start : start + _BATCH]
        if isinstance(encoder, LsaEncoder):
            vectors[start : start + len(batch)], known = encoder.encode_known(batch)
            unknown += int((~known).sum())
        else:
            vectors[start : start + len(batch)] = encoder.encode(batch)
        tell("encoding", start + len(batch), total)
    return EncodedArticles(chunks, vectors, unknown)


def encode_to_bank(
    articles: Sequence[Article],
    encoder_spec: str,
    out: Path,
    progress: Progress | None = None,
    *,
    dim: int = DEFAULT_DIM,
    words: int = WORDS_PER_CHUNK,
    seed: int = 0,
    device: str = "auto",
) -> Path:
    """Write the bank `out` (.npz) with the texts, and `NAME.encoder.json`, its encoder, beside.

    encoder_spec: as `open_encoder` takes it, or "lsa": fitted here on all chunks, `dim` wide,
    seeded, and saved as `NAME.encoder.npz`. `dim` and `seed` matter to "lsa" only.

    The bank is written last: where it is, its encoder is. Returns its path. Raises DataError,
    InputError for the encoder, RunError while encoding, DiskError; then no bank was written.
    """
    out = out if out.suffix == ".npz" else out.with_name(f"{out.name}.npz")
    is_fitted_here = encoder_spec == "lsa"
    encoder = None if is_fitted_here else open_encoder(encoder_spec, device=device)
    chunks = chunk_articles(articles, words)
    if encoder is None:
        encoder = LsaEncoder.fit(chunks.texts, dim, seed, progress)
    encoded = encode_chunks(chunks, encoder, progress)

    out.parent.mkdir(parents=True, exist_ok=True)
    name = encoder.name
    if isinstance(encoder, LsaEncoder):
        saved = out.with_name(f"{out.stem}.encoder.npz")
        encoder.save(saved)
        name = f"lsa:{saved.name}"
    document = {
        "encoder": name,
        "dim": encoder.dim,
        "articles": len(chunks.article_names),
        "chunks": len(chunks.texts),
        "words_per_chunk": words,
        "unknown_chunks": encoded.unknown,
    }
    write_json(encoder_record(out), document)
    write_bank_npz(
        out,
        encoded.vectors,
        chunks.article_indices,
        chunks.chunk_indices,
        texts=chunks.texts,
        article_names=chunks.article_names,
    )
    return out


def encoder_of_bank(bank: Path, *, device: str = "auto") -> Encoder:
    """Open the encoder that made a bank, by the record beside it.

    Raises DataError where there is none (banks from elsewhere), InputError as `open_encoder`.
    """
    record = encoder_record(bank)
    fix = "say which encoder made this bank: lsa:FILE, st:NAME or http://…"
    try:
        document = json.loads(record.read_text("utf-8"))
        spec = str(document["encoder"])
    except FileNotFoundError as error:
        raise DataError(f"no {record.name} beside it", where=str(bank), fix=fix) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"not an encoder's record: {error}", where=str(record), fix=fix) from error
    kind, _, name = spec.partition(":")
    if kind in ("lsa", "known"):  # a file beside the bank
        spec = f"{kind}:{os.fspath(bank.parent / name)}"
    return open_encoder(spec, device=device)
