"""The encoder that knows the texts of one bank."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lvm.data.bank import open_bank, write_bank_npz
from lvm.data.encode import encoder_of_bank
from lvm.data.encoders import open_encoder
from lvm.data.reference import write_reference
from lvm.errors import InputError


def test_a_reference_corpus_is_talked_to_by_the_place_of_a_chunk(tmp_path: Path) -> None:
    path = write_reference("forward", tmp_path / "forward", dim=768, articles=40)
    bank = open_bank(path)
    encoder = encoder_of_bank(path)
    assert encoder.dim == bank.dim
    row = int(np.flatnonzero((bank.article_ids == 3) & (bank.chunk_indices == 7))[0])
    found = encoder.encode(["Article 3, chunk 7.", "article 3 CHUNK 7"])
    assert np.array_equal(found, np.stack([bank.vectors[row]] * 2))
    assert encoder.name == f"known:{path}"


def test_another_text_is_refused_with_one_that_is_known(tmp_path: Path) -> None:
    vectors = np.eye(4, dtype=np.float32)
    write_bank_npz(tmp_path / "b.npz", vectors, [0] * 4, range(4), texts=["a b", "c", "d", "e"])
    encoder = open_encoder(f"known:{tmp_path / 'b.npz'}")
    with pytest.raises(InputError) as caught:
        encoder.encode(["c", "hello"])
    assert "'hello' is none of the texts" in caught.value.what
    assert "'a b'" in caught.value.fix


def test_a_bank_without_texts_knows_nothing(tmp_path: Path) -> None:
    write_bank_npz(tmp_path / "b.npz", np.eye(4, dtype=np.float32), [0] * 4, range(4))
    with pytest.raises(InputError, match="no texts"):
        open_encoder(f"known:{tmp_path / 'b.npz'}")
