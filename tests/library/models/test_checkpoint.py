from __future__ import annotations

import hashlib
import os
import pickle
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from lvm.errors import CheckpointError
from lvm.files import TEMPORARY_SUFFIX
from lvm.models import MODEL_TYPES, build
from lvm.models.checkpoint import load_checkpoint, save_checkpoint
from lvm.models.predict import Predictor

ABSENT = object()
NUMBERS = {
    "epoch": 5,
    "train_loss": 0.0012,
    "train_cosine": 0.55,
    "val_loss": 0.0013,
    "val_cosine": 0.54,
}


@pytest.fixture
def saved(tmp_path, formula_model):
    """saved(kind, **changes to the document) → the path of such a checkpoint."""

    def make(kind: str = "gru", *, position: bool = False, **changes: object) -> Path:
        model = formula_model(kind, position=position)
        document = {
            "model_state_dict": model.state_dict(),
            "model_type": kind,
            "model_config": model.config.to_json(),
            **NUMBERS,
            **changes,
        }
        path = tmp_path / "old.pt"
        torch.save({key: value for key, value in document.items() if value is not ABSENT}, path)
        return path

    return make


def refusal(path: Path) -> CheckpointError:
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(path)
    assert caught.value.where == str(path)
    assert caught.value.fix
    return caught.value


# ------------------------------------------------------------------ writing


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_what_is_saved_is_loaded_with_equal_predictions(
    model_type, tmp_path, formula_model, contexts
):
    model = formula_model(model_type)
    path = tmp_path / "best_model.pt"
    size = save_checkpoint(
        path, model_type=model_type, config=model.config, state_dict=model.state_dict(), **NUMBERS
    )
    found = load_checkpoint(path)
    assert size == path.stat().st_size
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (found.model_type, found.epoch, found.config.dim) == (model_type, 5, 16)
    assert not found.model.training
    assert torch.equal(Predictor(found.model)(contexts), Predictor(model)(contexts))


def test_the_file_is_the_dictionary_of_the_users_stack(tmp_path, formula_model):
    model, path = formula_model("lstm"), tmp_path / "checkpoint_epoch5.pt"
    optimizer = torch.optim.AdamW(model.parameters())
    save_checkpoint(
        path,
        model_type="lstm",
        config=model.config,
        state_dict={f"module.{name}": value for name, value in model.state_dict().items()},
        optimizer_state_dict=optimizer.state_dict(),
        **NUMBERS,
    )
    document = torch.load(path, weights_only=True)
    assert document["model_state_dict"].keys() == model.state_dict().keys()
    assert document["model_config"] == {"input_dim": 16, "d_model": 16, "hidden_dim": 24}
    assert {key: document[key] for key in NUMBERS} == NUMBERS
    assert document["optimizer_state_dict"]["param_groups"][0]["lr"] == 1e-3
    assert document.keys() == {
        "model_state_dict", "model_type", "model_config", "optimizer_state_dict", *NUMBERS,
    }  # fmt: skip


def test_the_best_5cat_model_carries_its_battery_as_plain_numbers(tmp_path, formula_model):
    model, path = formula_model("amn"), tmp_path / "best_5cat_model.pt"
    battery = {
        "VAL": {"margin": np.float64(0.145), "rollout": np.float32(0.5)},
        "OOD": {"margin": 0.138, "rollout": torch.tensor(0.25)},
        "score": 0.216,
        "samples": [np.int64(3)],
    }
    save_checkpoint(
        path,
        model_type="amn",
        config=model.config,
        state_dict=model.state_dict(),
        fivecat=battery,
        note=np.bool_(True),
        **NUMBERS,
    )
    document = torch.load(path, weights_only=True)  # no NumPy type left, or this would refuse
    assert document["5cat_val_margin"] == 0.145
    assert document["5cat_ood_margin"] == 0.138
    assert document["5cat_val_rollout"] == 0.5
    assert document["5cat_ood_rollout"] == 0.25
    assert document["5cat_score"] == 0.216
    assert document["5cat"]["samples"] == [3]
    assert document["note"] is True


def test_a_write_that_fails_leaves_the_old_checkpoint_and_no_litter(tmp_path, formula_model):
    model, path = formula_model("amn"), tmp_path / "best_model.pt"
    path.write_bytes(b"the old one")
    with pytest.raises((pickle.PicklingError, AttributeError)):
        save_checkpoint(
            path,
            model_type="amn",
            config=model.config,
            state_dict=model.state_dict(),
            note=lambda: None,
            **NUMBERS,
        )
    assert path.read_bytes() == b"the old one"
    assert not list(tmp_path.glob(f"*{TEMPORARY_SUFFIX}"))


# ------------------------------------------------------------------ reading old files


def test_sizes_come_from_the_weights_when_model_config_is_missing_or_wrong(saved):
    for config in (ABSENT, {}, {"input_dim": 999, "d_model": "big", "hidden_dim": -1}, [3]):
        for model_type, d_model, hidden in (
            ("lstm", 256, 24),
            ("gru", 16, 512),
            ("transformer", 16, 512),
            ("amn", 16, 24),
        ):
            found = load_checkpoint(saved(model_type, model_config=config)).config
            assert (found.input_dim, found.dim) == (16, 16)
            assert (found.d_model, found.hidden_dim) == (d_model, hidden)


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_a_missing_model_type_is_inferred_from_the_names_of_the_weights(model_type, saved):
    assert load_checkpoint(saved(model_type, model_type=ABSENT)).model_type == model_type


@pytest.mark.parametrize("stated", ["GRU", "gru_v2", None, 7])
def test_an_unfamiliar_model_type_does_no_harm_when_the_weights_are_clear(stated, saved):
    assert load_checkpoint(saved("gru", model_type=stated)).model_type == "gru"


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "module._orig_mod."])
def test_prefixes_of_wrappers_are_stripped(prefix, saved, formula_model):
    state = {f"{prefix}{k}": v for k, v in formula_model("transformer").state_dict().items()}
    assert load_checkpoint(saved("transformer", model_state_dict=state)).epoch == 5


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_an_input_of_one_more_is_a_position_scalar(model_type, saved, formula_model, contexts):
    found = load_checkpoint(saved(model_type, position=True))
    assert (found.config.input_dim, found.config.dim) == (17, 16)
    expected = Predictor(formula_model(model_type, position=True))(contexts)
    assert torch.equal(Predictor(found.model)(contexts), expected)


def test_half_precision_weights_become_float32(saved, formula_model):
    state = {name: value.half() for name, value in formula_model("gru").state_dict().items()}
    found = load_checkpoint(saved("gru", model_state_dict=state)).model
    assert all(value.dtype == torch.float32 for value in found.state_dict().values())


def test_numpy_scalars_are_read_as_python_numbers(saved):
    given = {
        "epoch": np.int64(7),
        "train_loss": np.float64(0.1),
        "val_loss": np.float32(0.5),
        "val_cosine": np.float16(0.25),
        "train_cosine": np.array(2.5, ">f8")[()],
        "best": np.bool_(True),
        "counts": [np.int32(-3), np.uint8(200), {"deep": np.float64("inf")}],
    }
    found = load_checkpoint(saved(**given)).meta
    assert {key: found[key] for key in given} == {
        "epoch": 7,
        "train_loss": 0.1,
        "val_loss": 0.5,
        "val_cosine": 0.25,
        "train_cosine": 2.5,
        "best": True,
        "counts": [-3, 200, {"deep": float("inf")}],
    }
    assert all(type(found[key]) in (int, float, bool, list) for key in given)


@pytest.mark.parametrize("package", ["numpy.core", "numpy._core"])
def test_scalars_pickled_by_numpy_1_and_by_numpy_2_are_read(package, saved, tmp_path):
    path = saved(val_loss=np.float64(0.375))
    renamed = tmp_path / "renamed.pt"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(renamed, "w") as new:
        for entry in old.infolist():
            content = old.read(entry)
            for name in (b"numpy.core.multiarray", b"numpy._core.multiarray"):
                content = content.replace(b"c" + name, b"c" + package.encode() + b".multiarray")
            new.writestr(entry, content)
    with zipfile.ZipFile(renamed) as file:
        (inside,) = (name for name in file.namelist() if name.endswith("data.pkl"))
        assert f"c{package}.multiarray\nscalar\n".encode() in file.read(inside)
    assert load_checkpoint(renamed).meta["val_loss"] == 0.375


def test_the_old_format_without_a_zip_is_read(saved):
    path = saved()
    document = torch.load(path, weights_only=True)
    torch.save(document, path, _use_new_zipfile_serialization=False)
    assert load_checkpoint(path).epoch == 5


def test_loading_leaves_torchs_random_state_and_allow_list_alone(saved):
    path = saved("transformer", epoch=np.int64(3))
    state, allowed = torch.get_rng_state(), set(torch.serialization.get_safe_globals())
    load_checkpoint(path)
    assert torch.equal(torch.get_rng_state(), state)
    assert set(torch.serialization.get_safe_globals()) == allowed


def test_checkpoints_can_be_loaded_from_several_threads_at_once(saved):
    path, epochs = saved(epoch=np.int64(3)), []

    def load() -> None:
        for _ in range(10):
            epochs.append(load_checkpoint(path).epoch)

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert epochs == [3] * 40


# ------------------------------------------------------------------ what is refused


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


def test_a_full_size_model_of_768_is_loaded_as_it_was_saved(tmp_path):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = build("transformer", 768)
    path = tmp_path / "best_model.pt"
    save_checkpoint(
        path,
        model_type="transformer",
        config=model.config,
        state_dict=model.state_dict(),
        **NUMBERS,
    )
    found = load_checkpoint(path).model.state_dict()
    assert all(torch.equal(found[name], value) for name, value in model.state_dict().items())
