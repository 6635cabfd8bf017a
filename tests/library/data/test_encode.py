"""Articles become a bank with texts, and the bank's encoder stands beside it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from lvm.data.bank import open_bank
from lvm.data.encode import (
    chunk_articles,
    encode_articles,
    encode_to_bank,
    encoder_of_bank,
)
from lvm.data.encoders import LsaEncoder
from lvm.data.pydocs import python_articles
from lvm.data.text import Article
from lvm.errors import DataError, InputError, RunError

ARTICLES = [
    Article("sea", "The whale sings. " * 60),
    Article("empty", " \n\n "),
    Article("sky", "A cloud drifts over the island. " * 40),
    Article("short", "One sentence."),
]


class Lengths:
    """Encodes a text by its length."""

    name = "st:lengths"
    dim = 2

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        vectors = np.array([[len(text), 100.0] for text in texts], np.float32)
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def test_articles_without_a_word_leave_no_gap_in_the_numbering() -> None:
    chunks = chunk_articles(ARTICLES)

    assert chunks.article_names == ["sea", "sky", "short"]
    assert chunks.article_indices.tolist() == [0, 0, 0, 1, 1, 1, 1, 2]
    assert chunks.chunk_indices.tolist() == [0, 1, 2, 0, 1, 2, 3, 0]
    assert chunks.texts[-1] == "One sentence."


def test_each_vector_belongs_to_its_text_also_over_many_batches() -> None:
    articles = [Article(str(n), "word " * (n % 50 + 1)) for n in range(700)]
    told: list[tuple[str, int, int]] = []

    encoded = encode_articles(articles, Lengths(), lambda *step: told.append(step))

    np.testing.assert_array_equal(encoded.vectors, Lengths().encode(encoded.chunks.texts))
    assert told == [("encoding", done, 700) for done in (0, 256, 512, 700)]


def test_no_words_at_all_are_refused() -> None:
    with pytest.raises(DataError, match="no words in 1 articles"):
        encode_articles([Article("empty", "")], Lengths())


def test_a_bank_is_written_with_texts_names_and_its_encoder(tmp_path: Path) -> None:
    path = encode_to_bank(ARTICLES, "lsa", tmp_path / "new" / "docs.npz", dim=16)

    bank = open_bank(path)
    assert path == tmp_path / "new" / "docs.npz"
    assert bank.vectors.shape == (8, 16)
    assert bank.text(7) == "One sentence."
    assert bank.article_name(1) == "sky"
    assert json.loads((path.parent / "docs.encoder.json").read_text()) == {
        "encoder": "lsa:docs.encoder.npz",
        "dim": 16,
        "articles": 3,
        "chunks": 8,
        "words_per_chunk": 60,
        "unknown_chunks": 1,
    }


def test_the_encoder_of_a_bank_encodes_new_text_into_the_same_space(tmp_path: Path) -> None:
    path = encode_to_bank(ARTICLES, "lsa", tmp_path / "docs.npz", dim=16)
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for file in list(tmp_path.glob("docs.*")):
        if file.is_file():
            file.rename(moved / file.name)

    bank = open_bank(moved / "docs.npz")
    encoder = encoder_of_bank(moved / path.name)

    text = bank.text(0)
    assert text is not None
    np.testing.assert_allclose(encoder.encode([text])[0], bank.vectors[0], atol=1e-6)


def test_an_encoder_that_was_fitted_before_encodes_another_corpus(tmp_path: Path) -> None:
    first = encode_to_bank(ARTICLES, "lsa", tmp_path / "first.npz", dim=16)
    second = encode_to_bank(
        ARTICLES[:1], f"lsa:{tmp_path / 'first.encoder.npz'}", tmp_path / "second.npz"
    )

    np.testing.assert_allclose(open_bank(second).vectors, open_bank(first).vectors[:3], atol=1e-6)
    assert encoder_of_bank(second).dim == 16


def test_the_ending_npz_is_added_where_it_is_missing(tmp_path: Path) -> None:
    path = encode_to_bank(ARTICLES, "lsa", tmp_path / "docs.v2", dim=4)

    assert path == tmp_path / "docs.v2.npz"
    assert (tmp_path / "docs.v2.encoder.npz").is_file()
    assert encoder_of_bank(path).dim == 4


def test_the_words_of_a_chunk_can_be_chosen(tmp_path: Path) -> None:
    path = encode_to_bank(ARTICLES, "lsa", tmp_path / "docs.npz", dim=4, words=30)

    assert len(open_bank(path)) == 6 + 8 + 1


def test_an_encoder_that_fails_leaves_no_bank(tmp_path: Path) -> None:
    class Failing(Lengths):
        def encode(self, texts: Sequence[str]) -> np.ndarray:
            raise RunError("out of memory")

    with pytest.raises(RunError):
        encode_articles(ARTICLES, Failing())
    with pytest.raises(InputError):
        encode_to_bank(ARTICLES, f"lsa:{tmp_path / 'gone.npz'}", tmp_path / "docs.npz")

    assert list(tmp_path.iterdir()) == []


def test_cancelling_leaves_nothing_behind(tmp_path: Path) -> None:
    def cancel(what: str, done: int, total: int) -> None:
        if what == "encoding" and done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encode_to_bank(ARTICLES, "lsa", tmp_path / "docs.npz", cancel, dim=4)

    assert list(tmp_path.iterdir()) == []


def test_a_bank_from_elsewhere_says_that_its_encoder_is_unknown(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no docs\.encoder\.json beside it"):
        encoder_of_bank(tmp_path / "docs.npz")


@pytest.mark.parametrize("content", ["{", "[]", '{"dim": 4}'])
def test_a_damaged_record_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "docs.encoder.json").write_text(content)

    with pytest.raises(DataError, match="not an encoder's record"):
        encoder_of_bank(tmp_path / "docs.npz")


def test_pythons_documentation_becomes_data_that_passes_the_quality_checks(tmp_path: Path) -> None:
    """Of real text, with LSA, at the full width: the numbers that a demo builds on."""
    encoded_path = encode_to_bank(python_articles(), "lsa", tmp_path / "python.npz")

    bank = open_bank(encoded_path)
    starts = np.flatnonzero(bank.article_ids[5:] == bank.article_ids[:-5])
    chunks = [np.asarray(bank.vectors[starts + step]) for step in range(6)]
    to_target = [float(np.mean(np.sum(chunk * chunks[5], axis=1))) for chunk in chunks[:5]]
    coherence = np.mean([np.sum(chunks[i] * chunks[i + 1], axis=1) for i in range(4)])

    assert bank.dim == 768
    assert coherence >= 0.42
    assert to_target[4] - to_target[0] >= 0.15
    assert to_target == sorted(to_target)
    assert isinstance(encoder_of_bank(encoded_path), LsaEncoder)
