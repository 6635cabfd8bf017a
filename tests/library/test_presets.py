"""Presets: names for settings, between lvm.toml and the flags."""

from __future__ import annotations

from pathlib import Path

import pytest

from lvm.cli.parser import build_parser
from lvm.cli.training import job_of
from lvm.errors import UsageError
from lvm.presets import PRESETS
from lvm.runs.project import Project
from lvm.settings import TrainSettings


def settings_of(folder: Path, *flags: str) -> TrainSettings:
    (folder / "lvm.toml").write_text('[train]\nlearning_rate = 0.1\n[data]\nbank = "b.npz"\n')
    return job_of(build_parser().parse_args(["train", "gru", *flags]), Project(folder)).train


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_wins_over_the_file_and_a_flag_over_the_preset(name: str, tmp_path: Path) -> None:
    preset = PRESETS[name]

    assert settings_of(tmp_path).learning_rate == 0.1
    chosen = settings_of(tmp_path, "--preset", name)
    assert {key: getattr(chosen, key) for key in preset} == dict(preset)
    assert settings_of(tmp_path, "--preset", name, "--learning-rate", "0.2").learning_rate == 0.2


def test_the_guide_is_what_the_guide_says(tmp_path: Path) -> None:
    chosen = settings_of(tmp_path, "--preset", "guide")

    assert chosen == TrainSettings(model="gru")


def test_a_preset_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UsageError, match="'magic' is no value of --preset"):
        build_parser().parse_args(["train", "gru", "--preset", "magic"])
