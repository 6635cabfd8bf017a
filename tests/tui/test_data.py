"""Mode 5, the data: from the event log alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from lvm.events import DataLoaded, TaskFinished
from lvm_tui.screens.data import DataScreen

from .disk import Disk
from .screens import LARGE, SMALL, app_on, press, screen, settled, text_of
from .scripted import Plan, Script, begin, epoch, loaded, preparation

Compare = Callable[..., bool]

PLAN = Plan(epochs=2, batches=4)

ALIGNED = {
    "val": {"known": True, "shift": 0, "matched": 1.0, "words": "VAL targets stand where they say"},
    "ood": {"known": True, "shift": -1, "matched": 0.997, "words": ""},
}


def with_data(root: Path, *, good: bool = True, **changes: object) -> Disk:
    disk = Disk(root)
    script = Script()
    begin(script, PLAN)
    loaded(script, replace(PLAN, good_data=good))
    last = script.records[-1]
    event = last.event
    assert isinstance(event, DataLoaded)
    changes = {"alignment": ALIGNED, **changes}
    script.records[-1] = replace(last, event=replace(event, **changes))  # type: ignore[arg-type]
    epoch(script, PLAN, 1)
    disk.write_run(PLAN.run, script)
    return disk


async def test_good_data_shows_every_check_with_its_need(tmp_path: Path) -> None:
    async with screen(with_data(tmp_path), "5", size=LARGE) as pilot:
        text = text_of(pilot)
    assert "python_docs.npz ✓ good enough to train on" in text
    assert "train 1,024 · val 2,560 · ood 2,560 · 2,310 articles · 768-D" in text
    assert "forward: the data runs forward" in text
    assert "coherence 0.457 ✓ needs ≥ .40" in text
    assert "signal +0.117 ✓ needs ≥ +.08" in text
    assert "order +0.011 ✓ needs > 0" in text


async def test_the_profile_shows_each_step_towards_the_target(tmp_path: Path) -> None:
    async with screen(with_data(tmp_path), "5", size=LARGE) as pilot:
        text = text_of(pilot)
    assert "mean of 20,000 sequences" in text
    assert "oldest −5 0.340 █" in text
    assert "last −1 0.457 █" in text
    assert "+0.056 ✓" in text
    assert "foreign 0.110 █" in text


async def test_bad_data_says_what_is_wrong_and_what_to_do(tmp_path: Path) -> None:
    async with screen(with_data(tmp_path, good=False), "5", size=LARGE) as pilot:
        text = text_of(pilot)
    assert "✗ FAILED, trained on all the same" in text
    assert "flat: the data has no direction" in text
    assert "→ make the sequences again from articles in order" in text
    assert "coherence 0.353 ✗" in text
    assert "signal +0.015 ✗" in text
    assert "−0.002 ✗" in text


async def test_bad_data_that_was_refused_says_so(tmp_path: Path) -> None:
    disk = with_data(tmp_path, good=False, overridden=False)
    async with screen(disk, "5", size=LARGE) as pilot:
        assert "✗ FAILED: not trained on" in text_of(pilot)


async def test_the_alignment_of_each_split_and_the_notes(tmp_path: Path) -> None:
    disk = with_data(tmp_path, notes=["3 articles are in both train and val"])
    async with screen(disk, "5", size=LARGE) as pilot:
        text = text_of(pilot)
    assert "val VAL targets stand where they say" in text
    assert "ood shift −1 · 99.7% match" in text
    assert "note 3 articles are in both train and val" in text


@pytest.mark.parametrize("key", ["down", "j"])
async def test_what_does_not_fit_is_reached_by_scrolling(tmp_path: Path, key: str) -> None:
    disk = with_data(tmp_path, notes=["the last line"])
    async with screen(disk, "5") as pilot:
        assert "the last line" not in text_of(pilot)
        await press(pilot, *[key] * 12)
        assert "the last line" in text_of(pilot)


async def test_before_any_run_the_preparation_is_told(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    script = Script()
    preparation(script)
    script.add(TaskFinished("encode", 4.4, note="wrote python_docs.npz"))
    disk.write_workspace(script)
    async with screen(disk, "5", size=LARGE) as pilot:
        text = text_of(pilot)
    assert "✓ encoding it to 768-D vectors (LSA) 4.4 s wrote python_docs.npz" in text
    assert "No data has been looked at yet." in text


async def test_a_run_that_has_not_loaded_yet_shows_the_data_of_the_one_before(
    tmp_path: Path,
) -> None:
    disk = with_data(tmp_path)
    disk.store.add_job(disk.job())
    disk.ran(PLAN.run, "done", 10)
    script = Script(now=disk.clock.time)
    begin(script, replace(PLAN, run="gru_5cat_20251031_010000", model="gru"))
    disk.write_run("gru_5cat_20251031_010000", script)
    async with screen(disk, "5", size=LARGE) as pilot:
        assert "coherence 0.457 ✓" in text_of(pilot)


async def test_an_untouched_project_says_where_the_numbers_come_from(tmp_path: Path) -> None:
    async with screen(Disk(tmp_path), "5") as pilot:
        assert isinstance(pilot.app.screen, DataScreen)
        assert "lvm diagnose FILE" in text_of(pilot)


async def test_help_explains_every_number(tmp_path: Path) -> None:
    async with screen(with_data(tmp_path), "5", "question_mark", size=LARGE) as pilot:
        text = text_of(pilot)
    for word in ("coherence", "signal", "order", "foreign", "alignment"):
        assert word in text


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "120x40"])
@pytest.mark.parametrize("good", [True, False], ids=["good", "bad"])
def test_looks(snap_compare: Compare, tmp_path: Path, size: tuple[int, int], good: bool) -> None:
    async def before(pilot: Pilot[object]) -> None:
        await settled(pilot)
        await press(pilot, "5")

    app = app_on(with_data(tmp_path, good=good))
    assert snap_compare(app, terminal_size=size, run_before=before)
