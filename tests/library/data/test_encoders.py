"""Encoders of other libraries, sentence-transformers at its seams, and how one is opened."""

from __future__ import annotations

import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lvm.data.encoders import (
    DEFAULT_MODEL,
    SentenceTransformerEncoder,
    open_encoder,
)
from lvm.errors import InputError, RunError, SettingsError

# -- LSA --------------------------------------------------------------------------------------
# -- HTTP -------------------------------------------------------------------------------------
# -- sentence-transformers --------------------------------------------------------------------


class Library(types.ModuleType):
    """Stands in for the package sentence-transformers, which the tests do not install."""

    def __init__(self, scale: float = 1.0) -> None:
        super().__init__("sentence_transformers")
        self.opened: list[tuple[str, Any, bool]] = []
        library = self

        class SentenceTransformer:
            def __init__(self, source: str, *, device: Any, local_files_only: bool) -> None:
                library.opened.append((source, device, local_files_only))
                if "broken" in source:
                    raise OSError("no file named model.safetensors\nlong traceback")

            def get_sentence_embedding_dimension(self) -> int:
                return 2

            def encode(self, texts: list[str], **settings: Any) -> np.ndarray:
                assert settings["normalize_embeddings"]
                assert not settings["show_progress_bar"]
                return np.array([[0.6, 0.8]] * len(texts)) * scale

        self.SentenceTransformer = SentenceTransformer


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    library = Library()
    monkeypatch.setitem(sys.modules, "sentence_transformers", library)
    return library


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)  # as if not installed

    with pytest.raises(InputError) as caught:
        open_encoder("st:some/model")

    assert caught.value.what == "the package sentence-transformers is not installed"
    assert caught.value.where == "encoder 'some/model'"
    assert caught.value.fix.startswith("pip install 'lvm-tui[encoders]'")


def test_a_folder_is_opened_without_the_network(library: Library, tmp_path: Path) -> None:
    encoder = open_encoder(str(tmp_path), device="cpu")

    assert library.opened == [(str(tmp_path.resolve()), "cpu", True)]
    assert encoder.name == f"st:{tmp_path.resolve()}"
    assert encoder.dim == 2
    assert encoder.encode(["a", "b"]).tolist() == [[pytest.approx(0.6), pytest.approx(0.8)]] * 2
    assert encoder.encode([]).shape == (0, 2)


@pytest.mark.parametrize(
    ("spec", "model"),
    [("st:org/model", "org/model"), ("org/model", "org/model"), ("st:", DEFAULT_MODEL)],
)
def test_a_name_is_left_to_the_library(library: Library, spec: str, model: str) -> None:
    open_encoder(spec)

    assert library.opened == [(model, None, False)]


def test_a_path_that_is_not_there_is_not_looked_for_on_the_network(library: Library) -> None:
    with pytest.raises(InputError, match="no such folder"):
        open_encoder("./models/gone")

    assert library.opened == []


def test_a_folder_without_a_model_is_refused_in_one_line(library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "broken"
    folder.mkdir()

    with pytest.raises(InputError) as caught:
        open_encoder(f"st:{folder}")

    assert caught.value.what == (
        "cannot open this sentence-transformers model: no file named model.safetensors"
    )
    assert "modules.json" in caught.value.fix


@pytest.mark.parametrize("scale", [0.5, float("nan")])
def test_vectors_that_are_not_of_length_1_are_refused(
    monkeypatch: pytest.MonkeyPatch, scale: float
) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", Library(scale))

    with pytest.raises(RunError, match="1 of 1 vectors are not of length 1"):
        SentenceTransformerEncoder("any").encode(["a"])


# -- opening ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("spec", "what"), [("lsa", "is fitted on a corpus"), ("", "no encoder")])
def test_what_cannot_be_opened_says_why(spec: str, what: str) -> None:
    with pytest.raises(SettingsError, match=what):
        open_encoder(spec)


def test_importing_the_encoders_imports_no_heavy_library() -> None:
    code = (
        "import sys, lvm.data.encoders, lvm.data.encode; "
        "print(*sorted({'torch', 'sklearn', 'scipy', 'sentence_transformers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "\n"
