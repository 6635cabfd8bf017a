"""The first screen of a workspace without runs: what is missing, and what comes next."""

from __future__ import annotations

from pathlib import Path

import pytest

from .disk import CONFIG, Disk
from .screens import screen, settled, text_of


async def test_without_lvm_toml_it_says_what_writes_one(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    (tmp_path / "lvm.toml").unlink()
    async with screen(disk) as pilot:
        text = text_of(pilot)
    assert "There is no lvm.toml that says where the data is." in text
    assert "lvm init finds the data in this folder and writes lvm.toml" in text
    assert "then A" not in text


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("", "✗ lvm.toml: no data"),
        ('[data]\ntrain = "a.npz"\n', "not named: val, ood, articles"),
        ("[train]\nepoch = 3\n", "unknown setting 'epoch'"),
        (CONFIG, "✗ the data of lvm.toml cannot be used"),
    ],
    ids=["names no data", "not all of it", "a wrong line", "no such file"],
)
async def test_an_lvm_toml_that_is_there_is_not_to_be_written(
    tmp_path: Path, config: str, words: str
) -> None:
    disk = Disk(tmp_path)
    (tmp_path / "lvm.toml").write_text(config)
    async with screen(disk) as pilot:
        text = text_of(pilot)
    assert words in text
    assert "lvm init" not in text
    assert "lvm.toml edit its [data]" in text


async def test_where_all_is_there_it_names_the_keys_that_queue(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    async with screen(disk) as pilot:
        assert "then A" not in text_of(pilot)
        disk.write_bank()  # in another terminal
        pilot.app.screen._look_at_setup()  # type: ignore[attr-defined]
        await settled(pilot)
        text = text_of(pilot)
    assert "✓ the data is there: python_docs.npz" in text
    assert "2 then A queues all four models" in text
    assert "lvm init" not in text


async def test_who_only_looks_is_told_of_the_command(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    disk.write_bank()
    async with screen(disk, watch=True) as pilot:
        text = text_of(pilot)
    assert "lvm queue all" in text
    assert "then A" not in text
