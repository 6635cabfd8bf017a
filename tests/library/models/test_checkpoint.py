"""Checkpoints as they are written, and old ones as they are read."""

from __future__ import annotations

import hashlib
import pickle
import threading
import zipfile

import numpy as np
import pytest
import torch

from lvm.files import TEMPORARY_SUFFIX
from lvm.models import MODEL_TYPES, build
from lvm.models.checkpoint import load_checkpoint, save_checkpoint
from lvm.models.predict import Predictor

from .conftest import ABSENT, NUMBERS

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
