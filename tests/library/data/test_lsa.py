"""The encoder that needs nothing but the texts: LSA, fitted, saved, opened."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lvm.data.encoders import (
    LsaEncoder,
    open_encoder,
)
from lvm.errors import DataError, SettingsError

SUBJECTS = ["whale", "harbour", "sailor", "storm", "anchor", "compass", "island", "captain"]
VERBS = ["follows", "fears", "forgets", "finds", "paints", "counts"]
TEXTS = [f"The {a} {verb} the {b}." for a in SUBJECTS for b in SUBJECTS for verb in VERBS if a != b]


@pytest.fixture(scope="module")
def lsa() -> LsaEncoder:
    return LsaEncoder.fit(TEXTS, dim=12, seed=0)


def test_lsa_gives_unit_vectors_of_the_width_asked_for(lsa: LsaEncoder) -> None:
    vectors = lsa.encode(TEXTS)

    assert vectors.shape == (len(TEXTS), 12)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-6)


def test_texts_that_share_words_are_nearer_than_texts_that_do_not(lsa: LsaEncoder) -> None:
    a, b, c = lsa.encode(["The whale fears the storm.", "A storm! A whale!", "Captain, anchor."])

    assert a @ b > 0.7
    assert a @ b > a @ c + 0.4


def test_a_vector_depends_on_its_own_text_only(lsa: LsaEncoder) -> None:
    alone = lsa.encode([TEXTS[40]])[0]

    np.testing.assert_allclose(lsa.encode(TEXTS)[40], alone, atol=1e-6)
    np.testing.assert_allclose(lsa.encode(TEXTS[::-1])[len(TEXTS) - 41], alone, atol=1e-6)


def test_the_same_seed_fits_the_same_encoder() -> None:
    first, again = (LsaEncoder.fit(TEXTS, dim=8, seed=5).encode(TEXTS) for _ in range(2))

    assert first.tobytes() == again.tobytes()


def test_a_corpus_of_low_rank_keeps_the_width_with_zeros_at_the_end() -> None:
    texts = ["red apple", "green pear", "red pear", "green apple"]
    wide = LsaEncoder.fit(texts, dim=768).encode(texts)
    narrow = LsaEncoder.fit(texts, dim=4).encode(texts)

    assert wide.shape == (4, 768)
    assert not wide[:, 4:].any()
    np.testing.assert_allclose(wide @ wide.T, narrow @ narrow.T, atol=1e-5)


def test_a_text_without_a_known_word_gets_the_usual_direction_and_is_counted(
    lsa: LsaEncoder,
) -> None:
    vectors, known = lsa.encode_known(["Xylophone qwerty?", "", "The whale."])
    mean = lsa.encode(TEXTS).mean(axis=0)

    assert known.tolist() == [False, False, True]
    np.testing.assert_allclose(vectors[0], mean / np.linalg.norm(mean), atol=1e-5)
    np.testing.assert_array_equal(vectors[0], vectors[1])


def test_no_texts_give_no_vectors(lsa: LsaEncoder) -> None:
    assert lsa.encode([]).shape == (0, 12)


def test_one_text_is_enough_to_fit() -> None:
    encoder = LsaEncoder.fit(["A single chunk of text."], dim=16)

    assert encoder.encode(["single"])[0] == pytest.approx([1.0] + [0.0] * 15, abs=1e-6)


@pytest.mark.parametrize("texts", [[], [""], ["- ! ?", "a b c"]])
def test_fitting_on_no_words_is_refused(texts: list[str]) -> None:
    with pytest.raises(DataError, match=f"no words in {len(texts)} texts"):
        LsaEncoder.fit(texts, dim=4)


def test_a_width_below_one_is_refused() -> None:
    with pytest.raises(SettingsError, match="dim = 0"):
        LsaEncoder.fit(TEXTS, dim=0)


def test_text_without_spaces_is_read_by_the_character() -> None:
    encoder = LsaEncoder.fit(["猫が好き", "犬が好き", "鳥を見る", "猫を見る"], dim=4)

    _, known = encoder.encode_known(["猫", "象"])

    assert known.tolist() == [True, False]


def test_fitting_tells_how_far_it_is() -> None:
    told: list[tuple[str, int, int]] = []

    LsaEncoder.fit(TEXTS, dim=4, progress=lambda *step: told.append(step))

    assert told == [
        ("counting words", 0, len(TEXTS)),
        ("counting words", len(TEXTS), len(TEXTS)),
        ("finding directions", 0, 1),
        ("finding directions", 1, 1),
    ]


def test_of_a_large_corpus_evenly_spread_chunks_are_fitted_and_all_encoded() -> None:
    texts = [f"chunk {'even' if number % 2 == 0 else 'odd'}" for number in range(60_000)]
    told: list[tuple[str, int, int]] = []

    encoder = LsaEncoder.fit(texts, dim=2, progress=lambda *step: told.append(step))

    assert told[1] == ("counting words", 30_000, 30_000)
    assert encoder.vocabulary == ("chunk", "even")
    assert encoder.encode(texts).shape == (60_000, 2)


def test_a_saved_encoder_encodes_new_text_to_the_same_bits(lsa: LsaEncoder, tmp_path: Path) -> None:
    path = tmp_path / "sea.encoder.npz"
    lsa.save(path)
    new = ["Storm over the island", "nothing known"]

    for opened in (LsaEncoder.load(path), open_encoder(f"lsa:{path}"), open_encoder(str(path))):
        assert opened.dim == 12
        assert opened.name == f"lsa:{path}"
        assert opened.encode(new).tobytes() == lsa.encode(new).tobytes()


def test_a_saved_encoder_holds_nothing_to_unpickle(lsa: LsaEncoder, tmp_path: Path) -> None:
    path = tmp_path / "sea.npz"
    lsa.save(path)

    with np.load(path, allow_pickle=False) as file:
        assert {key: file[key].dtype.kind for key in file.files} == {
            "header": "u",
            "vocabulary": "u",
            "word_weights": "f",
            "components": "f",
            "usual": "f",
        }


def saved_with(path: Path, lsa: LsaEncoder, **changes: Any) -> Path:
    lsa.save(path)
    with np.load(path) as file:
        arrays = {key: file[key] for key in file.files}
    arrays |= changes
    np.savez(path, **{key: value for key, value in arrays.items() if value is not None})
    return path


def header(**fields: Any) -> np.ndarray:
    return np.frombuffer(json.dumps(fields).encode(), np.uint8)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"components": None}, "not a saved LSA encoder"),
        ({"components": np.zeros((3, 12), np.float32)}, "a damaged LSA encoder"),
        ({"header": header(format=2, encoder="lsa", dim=12)}, "an encoder file of another kind"),
        ({"header": header(format=1, encoder="lsa", dim=5)}, "a damaged LSA encoder"),
        ({"header": np.frombuffer(b"{", np.uint8)}, "not a saved LSA encoder"),
        ({"usual": np.array([object()])}, "not a saved LSA encoder"),
    ],
)
def test_a_damaged_encoder_file_is_refused(
    lsa: LsaEncoder, tmp_path: Path, changes: dict[str, Any], what: str
) -> None:
    path = saved_with(tmp_path / "bad.npz", lsa, **changes)

    with pytest.raises(DataError, match=what) as caught:
        LsaEncoder.load(path)

    assert caught.value.where == str(path)


def test_a_file_that_is_no_zip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "text.npz"
    path.write_text("not a zip")

    with pytest.raises(DataError, match="not a saved LSA encoder"):
        open_encoder(f"lsa:{path}")


def test_a_missing_encoder_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        open_encoder(f"lsa:{tmp_path / 'gone.npz'}")
