"""Import holds blocks, not files: what it takes does not grow with what the file inflates to."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

MEASURED = """
import json, re, sys
from pathlib import Path
from lvm.data.bank import open_bank
from lvm.data.importing import open_sequences
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024
before = peak()
if sys.argv[1] == "bank":
    opened = open_bank(Path(sys.argv[2]))
else:
    opened = open_sequences(Path(sys.argv[2]), "train")
print(json.dumps({"grown": peak() - before, "vectors": len(opened.vectors)}))
"""

ROOM_MIB = 60
"""A few blocks of 8 MiB and the table of row hashes."""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def measure(start_python, kind, path):
    process = start_python(MEASURED, kind, path)
    out, _ = process.communicate()
    assert process.returncode == 0
    return json.loads(out)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_sequence_file_is_never_inflated_in_memory(tmp_path, units, start_python, save):
    vectors = units(5000, dim=768)
    vectors[:, 64:] = 0  # so that it is quick to compress
    rows = np.arange(9000)[:, None] % 4994 + np.arange(6)
    save(tmp_path / "train.npz", contexts=vectors[rows[:, :5]], targets=vectors[rows[:, 5]])
    result = measure(start_python, "sequences", tmp_path / "train.npz")  # 158 MiB inflated
    assert result["vectors"] == 4999
    assert result["grown"] < ROOM_MIB


def test_an_unsorted_bank_is_never_held_in_memory(tmp_path, units, start_python):
    vectors = np.tile(units(3000, dim=768), (20, 1))  # 176 MiB
    order = np.random.default_rng(0).permutation(len(vectors))
    np.savez(tmp_path / "bank.npz", vectors=vectors, article_ids=order)
    result = measure(start_python, "bank", tmp_path / "bank.npz")
    assert result["vectors"] == 60_000
    assert result["grown"] < ROOM_MIB
