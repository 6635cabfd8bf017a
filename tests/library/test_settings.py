"""Settings that cannot be built wrong."""

from __future__ import annotations

from typing import Any

import pytest

from lvm.errors import SettingsError
from lvm.settings import (
    DataSettings,
    FivecatSettings,
    Job,
    Thresholds,
    TrainSettings,
)


def test_the_defaults_are_those_of_the_guide() -> None:
    train = TrainSettings()
    assert (train.epochs, train.batch_size, train.learning_rate) == (20, 256, 5e-4)
    assert (train.weight_decay, train.plateau_factor, train.plateau_patience) == (0.01, 0.5, 3)
    assert (train.fivecat_every, train.fivecat_samples, train.fivecat_horizon) == (5, 1000, 3)
    thresholds = Thresholds()
    assert (thresholds.margin_val, thresholds.margin_ood) == (0.12, 0.10)
    assert (thresholds.ready_margin_val, thresholds.ready_margin_ood) == (0.10, 0.08)
    assert (thresholds.coherence, thresholds.signal) == (0.40, 0.08)


@pytest.mark.parametrize(
    "settings",
    [
        Thresholds(margin_val=0.2, ready_gates=5),
        FivecatSettings(max_samples=10, offset_origin="target"),
        DataSettings(bank="docs.npz", val_articles="4000-4499"),
        TrainSettings(model="amn", epochs=3, accept_bad_data=True),
        Job(train=TrainSettings(model="gru"), data=DataSettings(bank="b.npz")),
    ],
)
def test_settings_survive_json(settings: Any) -> None:
    assert type(settings).from_json(settings.to_json()) == settings


@pytest.mark.parametrize(
    ("values", "need"),
    [
        ({"model": "bert"}, "one of transformer, gru, lstm, amn"),
        ({"epochs": 0}, "a whole number of at least 1"),
        ({"epochs": 2.5}, "a whole number"),
        ({"epochs": "20"}, "a whole number"),
        ({"epochs": True}, "a whole number"),
        ({"learning_rate": 0.0}, "in (0, 1]"),
        ({"learning_rate": float("nan")}, "in (0, 1]"),
        ({"learning_rate": "fast"}, "a number"),
        ({"weight_decay": -0.1}, "in [0, 1)"),
        ({"plateau_factor": 1.0}, "in (0,1)"),
        ({"d_model": 100}, "a multiple of 8 (8 heads)"),
        ({"save_every_seconds": 0}, "> 0"),
        ({"device": "tpu"}, "one of auto, cpu, cuda, cuda:1, mps"),
        ({"device": "cuda:x"}, "one of auto, cpu, cuda, cuda:1, mps"),
        ({"precision": "fp16"}, "one of fp32, bf16"),
        ({"on_severe": "ignore"}, "one of stop, alert"),
        ({"accept_bad_data": "no"}, "true or false"),
        ({"accept_bad_data": 1}, "true or false"),
        ({"device": 0}, "a text"),
        ({"seed": -1}, "a whole number of at least 0"),
    ],
)
def test_a_wrong_value_is_refused_with_its_name_and_what_it_must_be(
    values: dict[str, Any], need: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        TrainSettings(**values)
    ((name, value),) = values.items()
    assert caught.value.what == f"{name} = {value!r}"
    assert caught.value.fix == f"{name} must be {need}"


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (Thresholds, {"margin_val": 3.0}),
        (Thresholds, {"margin_val": "high"}),
        (Thresholds, {"margin_val": True}),
        (Thresholds, {"margin_val": float("nan")}),
        (Thresholds, {"ready_gates": 6}),
        (Thresholds, {"ready_gates": 2.5}),
        (FivecatSettings, {"max_samples": 0}),
        (FivecatSettings, {"max_samples": 10.5}),
        (FivecatSettings, {"horizon": 101}),
        (FivecatSettings, {"offset_origin": "here"}),
        (DataSettings, {"val_fraction": 0.5}),
        (DataSettings, {"bank": 7}),
        (DataSettings, {"bank": "a.npz", "train": "b.npz"}),
        (Job, {"train": {"model": "gru"}}),
    ],
)
def test_wrong_values_are_refused_everywhere(kind: Any, values: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        kind(**values)


def test_an_unknown_name_is_refused_with_the_nearest_known_one() -> None:
    with pytest.raises(SettingsError, match="unknown setting 'epoch'") as caught:
        TrainSettings.from_json({"epoch": 3})
    assert caught.value.fix.startswith("did you mean epochs? known are: ")


@pytest.mark.parametrize(
    "document",
    ["text", [], {"trian": {}}, {"train": []}, {"train": {"epochs": "3"}}, {"data": {"bnak": ""}}],
)
def test_a_broken_job_document_is_refused(document: Any) -> None:
    with pytest.raises(SettingsError):
        Job.from_json(document)


def test_a_changed_copy_is_checked_too() -> None:
    assert TrainSettings().changed(epochs=3).epochs == 3
    with pytest.raises(SettingsError):
        TrainSettings().changed(epochs=0)


@pytest.mark.parametrize(
    ("data", "complete"),
    [
        (DataSettings(), False),
        (DataSettings(bank="b.npz"), True),
        (DataSettings(train="t", val="v", ood="o"), False),
        (DataSettings(train="t", val="v", ood="o", articles="a"), True),
    ],
)
def test_data_is_complete_with_a_bank_or_all_four_files(data: DataSettings, complete: bool) -> None:
    assert data.complete is complete


@pytest.mark.parametrize("device", ["auto", "cpu", "cuda", "cuda:1", "mps"])
def test_devices_may_be_numbered(device: str) -> None:
    assert TrainSettings(device=device).device == device
