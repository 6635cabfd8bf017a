"""Checkpoints that are refused: hostile, cut off, damaged, of another kind; each says why."""

from __future__ import annotations

import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from lvm.errors import CheckpointError
from lvm.models import MODEL_TYPES
from lvm.models.checkpoint import load_checkpoint


def refusal(path: Path) -> CheckpointError:
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(path)
    assert caught.value.where == str(path)
    assert caught.value.fix
    return caught.value


class Hostile:
    """Unpickled by an ordinary reader, it creates the file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return (os.system, (f"touch '{self.path}'",))


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_a_hostile_checkpoint_is_refused_and_runs_nothing(zipped, tmp_path):
    evidence, path = tmp_path / "evidence", tmp_path / "hostile.pt"
    document = {"model_state_dict": {}, "epoch": Hostile(evidence)}
    torch.save(document, path, _use_new_zipfile_serialization=zipped)
    assert "system" in refusal(path).what
    assert not evidence.exists()
    torch.load(path, weights_only=False)  # the same file does run code where code is let in
    assert evidence.exists()


def test_a_bare_hostile_pickle_is_refused_and_runs_nothing(tmp_path):
    evidence, path = tmp_path / "evidence", tmp_path / "hostile.pt"
    path.write_bytes(pickle.dumps(Hostile(evidence), protocol=2))
    refusal(path)
    assert not evidence.exists()


@pytest.mark.parametrize(
    "value",
    [np.arange(3), np.str_("text"), np.datetime64("2025-10-30"), np.dtype(object), Path("x")],
    ids=["array", "str_", "datetime64", "object", "path"],
)
def test_no_other_type_is_let_in_beside_numpys_numbers(value, saved):
    assert "neither tensor, number nor text" in refusal(saved(note=value)).what


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    assert "No such file" in refusal(tmp_path / "absent.pt").what
    assert "directory" in refusal(tmp_path).what


@pytest.mark.parametrize("content", [b"", b"not a zip at all", b"PK\x03\x04 torn", b"\x80\x02"])
def test_a_file_that_is_no_checkpoint_is_refused(content, tmp_path):
    path = tmp_path / "model.pt"
    path.write_bytes(content)
    assert "is not a checkpoint" in refusal(path).what


@pytest.mark.parametrize("share", [0.01, 0.3, 0.7, 0.99, 0.9999])
def test_a_truncated_checkpoint_is_refused(share, saved):
    path = saved()
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    error = refusal(path)
    assert "is not a checkpoint" in error.what
    assert f"cut off after {int(len(content) * share):,} bytes" in error.what
    assert "copy it again" in error.fix
    assert "miniz" not in str(error)  # nor any other word of torch's insides


def test_a_damaged_checkpoint_is_loaded_or_refused_and_never_crashes(saved):
    path = saved("amn", model_config={}, val_loss=np.float64(0.5))
    content, random = path.read_bytes(), np.random.default_rng(0)
    refused = 0
    for _ in range(300):
        damaged = bytearray(content)
        for place in random.integers(0, len(content), random.integers(1, 20)):
            damaged[place] = random.integers(0, 256)
        path.write_bytes(damaged)
        try:
            load_checkpoint(path)
        except CheckpointError:
            refused += 1
    assert refused > 50


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_a_damaged_pickle_inside_a_whole_zip_never_crashes(saved, tmp_path):
    path, damaged = saved("amn", val_loss=np.float64(0.5)), tmp_path / "damaged.pt"
    with zipfile.ZipFile(path) as file:
        entries = [(entry, file.read(entry)) for entry in file.infolist()]
    random, refused = np.random.default_rng(1), 0
    for _ in range(300):
        with zipfile.ZipFile(damaged, "w") as file:
            for entry, content in entries:
                changed = bytearray(content)
                if entry.filename.endswith("data.pkl"):
                    for place in random.integers(0, len(content), random.integers(1, 6)):
                        changed[place] = random.integers(0, 256)
                file.writestr(entry.filename, bytes(changed))
        try:
            load_checkpoint(damaged)
        except CheckpointError:
            refused += 1
    assert refused > 100


def test_another_document_is_refused_with_the_keys_that_it_has(tmp_path):
    path = tmp_path / "model.pt"
    torch.save([1, 2], path)
    assert refusal(path).what == "holds a list, not a checkpoint"
    torch.save({"weights": 1, "step": 2}, path)
    assert refusal(path).what == "no key 'model_state_dict'; it has 'weights', 'step'"


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_every_missing_weight_is_named(model_type, saved, formula_model):
    state = formula_model(model_type).state_dict()
    for name in state if len(state) < 40 else list(state)[-30:]:
        rest = {key: value for key, value in state.items() if key != name}
        what = refusal(saved(model_type, model_state_dict=rest)).what
        assert what == f"no weight {name!r}" or "unknown architecture" in what


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_every_weight_of_a_wrong_shape_is_refused(model_type, saved, formula_model):
    state = formula_model(model_type).state_dict()
    for name, value in list(state.items())[-30:]:
        wrong = state | {name: torch.zeros(*value.shape, 2)}
        assert name in refusal(saved(model_type, model_state_dict=wrong)).what


def test_a_shape_is_named_with_the_one_that_it_needs(saved, formula_model):
    state = formula_model("gru").state_dict() | {"blocks.2.norm.bias": torch.zeros(17)}
    what = refusal(saved("gru", model_state_dict=state)).what
    assert what == "'blocks.2.norm.bias' has shape (17,), needs (16,)"


def test_surplus_weights_are_named(saved, formula_model):
    state = formula_model("gru").state_dict() | {"blocks.4.norm.bias": torch.zeros(16)}
    what = refusal(saved("gru", model_state_dict=state)).what
    assert what == "'blocks.4.norm.bias' is no weight of 'gru'"


def test_weights_of_another_model_than_stated_are_refused(saved):
    what = refusal(saved("lstm", model_type="gru")).what
    assert what == "model_type says 'gru', but the weights are those of 'lstm'"


def test_an_unknown_architecture_is_refused_with_what_it_calls_itself(saved):
    state = {"encoder.weight": torch.zeros(2, 2)}
    what = refusal(saved(model_type="hierarchical_gru", model_state_dict=state)).what
    assert what == (
        "unknown architecture (model_type 'hierarchical_gru', first weight 'encoder.weight')"
    )


def test_nan_weights_are_refused_unless_asked_for(saved, formula_model):
    state = formula_model("gru").state_dict()
    state["blocks.1.norm.weight"][3] = float("nan")
    path = saved("gru", model_state_dict=state)
    assert refusal(path).what == "'blocks.1.norm.weight' holds NaN or infinite values"
    assert load_checkpoint(path, finite=False).epoch == 5


def test_weights_that_are_not_plain_tensors_are_refused(saved, formula_model):
    state = formula_model("gru").state_dict()
    for value, words in (
        (3.5, "'input_proj.bias'] is a float, not a tensor"),
        (torch.zeros(16, dtype=torch.int64), "no plain tensor"),
        (torch.zeros(1).expand(16), "no plain tensor"),
        (torch.zeros(16).to_sparse(), "no plain tensor"),
        (torch.zeros(16, device="meta"), "no plain tensor"),
    ):
        changed = state | {"input_proj.bias": value}
        assert words in refusal(saved("gru", model_state_dict=changed)).what


def test_a_small_file_cannot_ask_for_a_huge_model(saved):
    state = {
        "lstm.weight_ih_l0": torch.zeros(4, 8),
        "output_proj.weight": torch.zeros(1, 300_000),  # would be 360 billion recurrent weights
    }
    what = refusal(saved("lstm", model_state_dict=state)).what
    assert what == "'lstm.weight_ih_l0' and 'output_proj.weight' do not fit the other weights"
