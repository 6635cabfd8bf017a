"""A small corpus to run the benchmarks' own parts on."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from benchmarks.corpora import reference_corpus
from lvm.data.sources import Corpus

torch.set_num_threads(1)  # matrices this small only wait for other threads


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    folder: Path = tmp_path_factory.mktemp("corpus")
    return reference_corpus(folder, dim=32, articles=20)
