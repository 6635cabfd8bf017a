"""lvm.toml: what it sets, and how it is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from lvm.config import Config, find_data, load_config, render_template
from lvm.errors import SettingsError
from lvm.settings import DataSettings, Thresholds


def config_of(tmp_path: Path, text: str) -> Config:
    (tmp_path / "lvm.toml").write_text(text)
    return load_config(tmp_path)


def test_a_project_without_a_file_has_the_defaults(tmp_path: Path) -> None:
    assert load_config(tmp_path) == Config()


def test_a_file_sets_what_it_names_and_leaves_the_rest(tmp_path: Path) -> None:
    config = config_of(tmp_path, "[train]\nepochs = 3\n[thresholds]\nmargin_val = 0.2\n")
    assert config.train.epochs == 3
    assert config.train.batch_size == 256
    assert config.thresholds == Thresholds(margin_val=0.2)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("[train]\n\nepoch = 3\n", 3, ["unknown setting 'epoch'", "did you mean 'epochs'?"]),
        ("[trian]\nepochs = 3\n", 1, ["unknown section [trian]", "did you mean 'train'?"]),
        ("epochs = 3\n", 1, ["outside of any section"]),
        ('[train]\nepochs = "3"\n', 2, ["epochs = '3'", "a whole number"]),
        ("[train]\nepochs = true\n", 2, ["epochs = True", "a whole number"]),
        ("[data]\n[train]\nepochs = 0\n", 3, ["epochs = 0", "at least 1"]),
        ('[train]\nprecision = "fp8"\n', 2, ["'fp8'", "fp32, bf16"]),
        ("[thresholds]\nmargin_val = 12\n", 2, ["margin_val = 12", "from -2 to 2"]),
        ('[dashboard]\nanimations = "some"\n', 2, ["'some'", "auto, full, none"]),
    ],
)
def test_a_wrong_line_is_named_with_what_to_do(
    tmp_path: Path, text: str, line: int, words: list[str]
) -> None:
    with pytest.raises(SettingsError) as caught:
        config_of(tmp_path, text)
    assert caught.value.where == f"{tmp_path / 'lvm.toml'}:{line}"
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_settings_that_exclude_each_other_name_their_section(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="both a bank and sequence files") as caught:
        config_of(tmp_path, '\n[data]\nbank = "a.npz"\ntrain = "b.npz"\n')
    assert caught.value.where.endswith("lvm.toml:2 [data]")


def test_what_is_not_toml_is_said_with_the_place(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"is not TOML: .*line 2"):
        config_of(tmp_path, "[train]\nepochs 3\n")


def test_the_template_loads_back_to_what_it_was_made_from(tmp_path: Path) -> None:
    data = DataSettings(bank='a "quoted" \\ name.npz', val_articles="4000-4499")
    config = config_of(tmp_path, render_template(data, on_severe="alert"))
    assert config.data == data
    assert config.train.on_severe == "alert"
    assert config.thresholds == Thresholds()


def test_every_line_of_the_template_is_a_setting_once_its_comment_is_taken_away(
    tmp_path: Path,
) -> None:
    lines = render_template(DataSettings()).splitlines()
    bare = [line.removeprefix("# ") if " = " in line else line for line in lines]
    assert config_of(tmp_path, "\n".join(bare)) == Config()


def test_the_files_of_the_existing_stack_are_found_by_their_names(tmp_path: Path) -> None:
    lvm = tmp_path / "artifacts" / "lvm"
    lvm.mkdir(parents=True)
    names = {
        "train": "artifacts/lvm/training_sequences_ctx5_584k_clean_splits.npz",
        "val": "artifacts/lvm/validation_sequences_ctx5_articles4000-4499_compat.npz",
        "ood": "artifacts/lvm/ood_sequences_ctx5_articles1500-1999.npz",
        "articles": "artifacts/wikipedia_584k_fresh.npz",
    }
    for name in names.values():
        (tmp_path / name).touch()
    assert find_data(tmp_path) == DataSettings(**names)


def test_a_single_other_npz_is_taken_for_a_bank_and_several_for_nothing(tmp_path: Path) -> None:
    (tmp_path / "one.npz").touch()
    assert find_data(tmp_path) == DataSettings(bank="one.npz")
    (tmp_path / "two.npz").touch()
    assert find_data(tmp_path) == DataSettings()
