"""lvm.toml: what it sets, how it is refused, how it is written."""

from __future__ import annotations

import dataclasses
import os
import re
from pathlib import Path

import numpy as np
import pytest

from lvm.config import (
    Config,
    DashboardSettings,
    find_data,
    finding,
    load_config,
    parse_config,
    render_template,
)
from lvm.data import formats
from lvm.errors import InputError, SettingsError
from lvm.settings import DataSettings, FivecatSettings, Thresholds, TrainSettings


def config_of(tmp_path: Path, text: str) -> Config:
    (tmp_path / "lvm.toml").write_text(text)
    return load_config(tmp_path)


# ------------------------------------------------------------------ reading


def test_a_project_without_a_file_has_the_defaults(tmp_path: Path) -> None:
    assert load_config(tmp_path) == Config()


def test_a_file_sets_what_it_names_and_leaves_the_rest(tmp_path: Path) -> None:
    config = config_of(tmp_path, "[train]\nepochs = 3\n[thresholds]\nmargin_val = 0.2\n")
    assert config.train == TrainSettings(epochs=3)
    assert config.thresholds == Thresholds(margin_val=0.2)


def test_the_dashboard_has_its_section_and_its_keys() -> None:
    text = '[dashboard]\ntheme = "nord"\nanimations = "none"\n[dashboard.keys]\npause = "space,p"\n'
    assert parse_config(text, "lvm.toml").dashboard == DashboardSettings(
        theme="nord", animations="none", keys={"pause": "space,p"}
    )


def test_a_whole_number_will_do_for_a_number() -> None:
    assert parse_config("[train]\nsave_every_seconds = 60\n", "").train.save_every_seconds == 60


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("[train]\n\nepoch = 3\n", 3, ["unknown setting 'epoch'", "did you mean 'epochs'?"]),
        ("[train]\ncups = 3\n", 2, ["unknown setting 'cups'", "known are: accept_bad_data, "]),
        ("[train]\nmargin_val = 0.2\n", 2, ["margin_val belongs into [thresholds]"]),
        ("[trian]\nepochs = 3\n", 1, ["unknown section [trian]", "did you mean 'train'?"]),
        ("epochs = 3\n", 1, ["outside of any section", "epochs belongs into [train]"]),
        ("\ntrain = 3\n", 2, ["train = 3", "[train] is a section"]),
        ('[train]\nepochs = "3"\n', 2, ["epochs = '3'", "a whole number"]),
        ("[train]\nepochs = true\n", 2, ["epochs = True", "a whole number"]),
        ("[train]\nepochs = [3]\n", 2, ["epochs = [3]", "a whole number"]),
        ("[train]\naccept_bad_data = 1\n", 2, ["accept_bad_data = 1", "true or false"]),
        ("[train]\ndevice = 2025-10-30\n", 2, ["device = ", "a text"]),
        ("[data]\n[train]\nepochs = 0\n", 3, ["epochs = 0", "at least 1"]),
        ('[train]\n"epochs" = 0\n', 2, ["epochs = 0"]),
        ("train.epochs = 0\n", 1, ["epochs = 0"]),
        ("[train]  # of all\n  epochs=0 # none\n", 2, ["epochs = 0"]),
        ("train = {lr = 3}\n", 1, ["unknown setting 'lr'"]),
        ('[train]\nprecision = "fp8"\n', 2, ["'fp8'", "fp32, bf16"]),
        ("[thresholds]\nmargin_val = 12\n", 2, ["margin_val = 12", "from -2 to 2"]),
        ("[thresholds]\nmargin_val = nan\n", 2, ["margin_val = nan", "from -2 to 2"]),
        ('[fivecat]\noffset_origin = "here"\n', 2, ["'here'", "context, target"]),
        ('[dashboard]\nanimations = "some"\n', 2, ["'some'", "auto, full, none"]),
        ("[dashboard]\ntheme = 5\n", 2, ["theme = 5", "a text"]),
        ("[dashboard]\nkeys = 5\n", 2, ["keys = 5", "action = key"]),
        ("[dashboard]\n[dashboard.keys]\npause = 5\n", 2, ["pause = 5", "name of a key"]),
        ('[dashboard.keys]\npause = " "\n', 1, ["pause = ' '", "name of a key"]),
        ('\n[data]\nbank = "a"\ntrain = "b"\n', 2, ["both a bank and sequence files"]),
    ],
)
def test_a_wrong_line_is_named_with_what_to_do(
    tmp_path: Path, text: str, line: int, words: list[str]
) -> None:
    with pytest.raises(SettingsError) as caught:
        config_of(tmp_path, text)
    assert caught.value.where == f"{tmp_path / 'lvm.toml'}:{line}"
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_what_is_not_toml_is_said_with_the_line() -> None:
    with pytest.raises(SettingsError, match=r"^lvm.toml:2: is not TOML: ") as caught:
        parse_config("[train]\nepochs 3\n", "lvm.toml")
    assert "at line" not in str(caught.value)


def test_what_ends_too_early_is_not_toml_either() -> None:
    with pytest.raises(SettingsError, match="is not TOML"):
        parse_config("[train", "lvm.toml")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lvm.toml").write_bytes(b"\xff\xfe[train]")
    with pytest.raises(SettingsError, match="cannot be read"):
        load_config(tmp_path)


def test_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lvm.toml").mkdir()
    with pytest.raises(SettingsError, match="cannot be read"):
        load_config(tmp_path)


# ------------------------------------------------------------------ writing


@pytest.mark.parametrize(
    "data",
    [
        DataSettings(),
        DataSettings(bank='a "quoted" \\ \t\n\x7f näme.npz', val_articles="4000-4499"),
        DataSettings(train="t", val="v", ood="o", articles="a", val_fraction=0.25),
    ],
)
def test_the_template_loads_back_to_what_it_was_made_from(
    tmp_path: Path, data: DataSettings
) -> None:
    assert config_of(tmp_path, render_template(data)) == Config(data=data)


def test_the_template_can_have_settings_of_its_own(tmp_path: Path) -> None:
    config = config_of(tmp_path, render_template(DataSettings(), on_severe="alert"))
    assert config.train == TrainSettings(on_severe="alert")


def test_the_template_shows_every_setting_with_its_default(tmp_path: Path) -> None:
    text = render_template(DataSettings())
    bare = re.sub(r"^# (?=\w+ = )", "", text, flags=re.MULTILINE).replace('pause = "space"', "")
    assert config_of(tmp_path, bare) == Config()
    settings = (DataSettings, TrainSettings, Thresholds, FivecatSettings)
    names = [item.name for kind in settings for item in dataclasses.fields(kind)]
    assert [name for name in names if f"\n{name} = " not in bare] == []
    assert max(map(len, text.splitlines())) <= 100


def test_every_remark_of_the_template_is_taken_away_with_its_line(tmp_path: Path) -> None:
    text = render_template(DataSettings()).replace("# [dashboard.keys]", "[dashboard.keys]")
    config = config_of(tmp_path, text.replace('# pause = "space"', 'pause = "space"'))
    assert config.dashboard == DashboardSettings(keys={"pause": "space"})


# ------------------------------------------------------------------ finding


def write_arrays(path: Path, *keys: str, age: float = 0.0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **{key: np.zeros(1) for key in keys})
    os.utime(path, (1e9 - age, 1e9 - age))


def test_the_files_of_the_existing_stack_are_found(tmp_path: Path) -> None:
    names = {
        "train": "artifacts/lvm/training_sequences_ctx5_584k_clean_splits.npz",
        "val": "artifacts/lvm/validation_sequences_ctx5_articles4000-4499_compat.npz",
        "ood": "artifacts/lvm/ood_sequences_ctx5_articles1500-1999.npz",
        "articles": "artifacts/wikipedia_584k_fresh.npz",
    }
    write_arrays(tmp_path / names["train"], "train_context_sequences", "train_target_vectors")
    write_arrays(tmp_path / names["val"], "contexts", "targets", "article_ids")
    write_arrays(tmp_path / names["ood"], "contexts", "targets")
    write_arrays(tmp_path / names["articles"], "vectors", "article_indices")
    write_arrays(
        tmp_path / "artifacts/lvm/training_sequences_ctx5_340k.npz", "contexts", "targets", age=9e6
    )
    assert find_data(tmp_path) == DataSettings(**names)


def test_a_bank_alone_is_enough_and_the_latest_wins(tmp_path: Path) -> None:
    write_arrays(tmp_path / "old.npz", "vectors", "article_ids", age=60)
    write_arrays(tmp_path / "data" / "new.npz", "embeddings", "article_indices")
    write_arrays(tmp_path / "train.npz", "contexts", "targets")
    write_arrays(tmp_path / "weights.npz", "w")
    (tmp_path / "broken.npz").write_text("not a zip")
    os.mkfifo(tmp_path / "pipe.npz")  # opening it would wait for ever
    assert find_data(tmp_path) == DataSettings(bank="data/new.npz")


def test_what_is_there_is_named_though_it_is_not_enough(tmp_path: Path) -> None:
    write_arrays(tmp_path / "train.npz", "contexts", "targets")
    assert find_data(tmp_path) == DataSettings(train="train.npz")
    assert find_data(tmp_path / "nowhere") == DataSettings()


def test_files_are_known_by_the_same_keys_as_when_they_are_opened() -> None:
    assert set(formats.CONTEXT_KEYS) == finding.CONTEXTS
    assert set(formats.TARGET_KEYS) == finding.TARGETS
    assert set(formats.VECTOR_KEYS) == finding.VECTORS
    assert set(formats.ARTICLE_KEYS) == finding.ARTICLES


# ------------------------------------------------------------------ services


def test_without_a_word_there_are_the_four_services_of_the_guide(tmp_path: Path) -> None:
    services = Config().services
    ports = {name: service.port for name, service in services.enabled.items()}
    assert ports == {"transformer": 9002, "gru": 9003, "lstm": 9004, "amn": 9006}
    expected = tmp_path / "artifacts/lvm/models/gru_v0.pt"
    assert services.model_file(tmp_path, "gru") == expected


def test_services_are_changed_added_and_taken_away(tmp_path: Path) -> None:
    text = """
        [services]
        host = "0.0.0.0"
        [services.transformer]
        port = 9106
        [services.amn]
        enabled = false
        [services.old-transformer]
        port = 9006
        model = "models/old.pt"
    """
    services = config_of(tmp_path, text).services
    assert list(services.enabled) == ["transformer", "gru", "lstm", "old-transformer"]
    assert services.host == "0.0.0.0"
    assert services.service("transformer").port == 9106
    assert services.model_file(tmp_path, "old-transformer") == tmp_path / "models/old.pt"
    with pytest.raises(InputError, match="there is no service 'amn'"):
        services.service("amn")


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("[services]\nhost = 3", 2, "host = 3"),
        ("[services]\nmanager = 'systemd'", 2, "manager = 'systemd'"),
        ("[services]\nstart_seconds = 0", 2, "start_seconds = 0"),
        ("[services]\nprot = 1", 2, "unknown setting 'prot'"),
        ("[services.gru]\nport = 70000", 2, "port = 70000"),
        ("[services.gru]\n\nport = '9'", 3, "port = '9'"),
        ("[services.gru]\nprot = 1", 2, "unknown setting 'prot' in [services.gru]"),
        ("[services.gru]\nport = 9002", 1, "port = 9002 of service 'gru' is that of service"),
        ("[services.mine]\nmodel = 'a.pt'", 1, "service 'mine' has no port"),
        ("[services.'a/b']\nport = 1", 1, "'a/b' cannot be the name of a service"),
        ("[services.gru]\nport = true", 2, "port = True"),
        ("[services.gru]\ndevice = 'tpu'", 2, "device = 'tpu'"),
    ],
)
def test_a_wrong_service_is_refused_with_its_line(
    tmp_path: Path, text: str, line: int, words: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        config_of(tmp_path, text)
    assert words in caught.value.what
    assert caught.value.where.endswith(f"lvm.toml:{line}")
