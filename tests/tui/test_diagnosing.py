"""Mode 5: any data file, diagnosed in a process of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest
from textual.pilot import Pilot

from .data_scenes import with_forecast
from .disk import Disk
from .screens import LARGE, SMALL, app_on, notices, press, screen, settled, text_of

Compare = Callable[..., bool]

ONE = (100, 40)
"""One column: all of one view."""


def bank(path: Path, articles: int = 30, chunks: int = 12) -> None:
    """Articles that wander: little direction, but enough to be measured."""
    random = np.random.default_rng(3)
    walk = random.normal(size=(articles, chunks, 16)).cumsum(axis=1)
    vectors = (walk / np.linalg.norm(walk, axis=2, keepdims=True)).reshape(-1, 16)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(
        path,
        vectors=vectors.astype(np.float32),
        article_indices=np.repeat(np.arange(articles), chunks),
        chunk_indices=np.tile(np.arange(chunks), articles),
    )


async def test_d_offers_the_data_files_of_the_project(tmp_path: Path) -> None:
    bank(tmp_path / "docs.npz")
    bank(tmp_path / "old" / "other.npz")
    bank(tmp_path / "docs.npz.lvm-cache" / "hidden.npz")
    bank(tmp_path / "artifacts" / "lvm" / "hidden.npz")
    async with screen(Disk(tmp_path), "5", "d") as pilot:
        text = text_of(pilot)
        assert "docs.npz 0.0 MB" in text
        assert "old/other.npz" in text
        assert "hidden" not in text
        await press(pilot, *"oth")
        assert "1 of 2 .npz files here" in text_of(pilot)
        await press(pilot, *"x")
        assert "enter takes it as a path" in text_of(pilot)
        await press(pilot, "escape")
        assert "No data has been looked at yet" in text_of(pilot)


async def test_a_file_is_diagnosed_in_a_process_of_its_own_and_escape_goes_back(
    tmp_path: Path,
) -> None:
    disk = with_forecast(tmp_path)
    bank(tmp_path / "walk.npz")
    async with screen(disk, "5", "d", "down", "enter", size=ONE) as pilot:
        text = text_of(pilot)
        assert "walk.npz ✓ good enough" in text
        assert "esc the run's data" in text
        await press(pilot, "v")
        assert "r ridge" in text_of(pilot)
        await press(pilot, "escape", "V")
        assert "python_docs.npz ✓ good enough to train on" in text_of(pilot)


async def test_a_file_that_cannot_be_read_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "broken.npz").write_bytes(b"no zip")
    async with screen(Disk(tmp_path), "5", "d", "enter") as pilot:
        text = text_of(pilot)
        assert "broken.npz could not be diagnosed" in text
        await press(pilot, "escape")
        assert "No data has been looked at yet" in text_of(pilot)


async def test_escape_ends_a_diagnosis_and_its_process(tmp_path: Path) -> None:
    bank(tmp_path / "walk.npz")
    async with app_on(Disk(tmp_path)).run_test(size=SMALL) as pilot:
        await settled(pilot)
        await press(pilot, "5", "d")
        await pilot.press("enter")
        await pilot.pause()
        assert "diagnosing walk.npz" in text_of(pilot)
        await pilot.press("d")
        assert notices(pilot) == ["one diagnosis at a time: esc ends this one"]
        await press(pilot, "escape")
        assert "diagnosing" not in text_of(pilot)
        assert [
            child for child in psutil.Process().children() if "diagnose" in child.cmdline()
        ] == []


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "120x40"])
def test_the_choice_of_a_file_looks(
    snap_compare: Compare, tmp_path: Path, size: tuple[int, int]
) -> None:
    for name in ("docs.npz", "old/train.npz", "old/val.npz"):
        bank(tmp_path / name)

    async def before(pilot: Pilot[object]) -> None:
        await settled(pilot)
        await press(pilot, "5", "d")

    assert snap_compare(app_on(Disk(tmp_path)), terminal_size=size, run_before=before)
