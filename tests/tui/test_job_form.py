"""The dialog of a job: its data, what was changed and not saved, and a job edited to be retried."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from textual.widgets import Input

from lvm_tui.screens.job_form import JobForm
from lvm_tui.widgets.choice import Choice
from lvm_tui.widgets.row_table import RowTable

from .queue_scenes import DONE, FAILED, four_models
from .screens import SMALL, app_on, press, screen, settled, text_of, type_over

PATHS = ("bank", "train", "val", "ood", "articles")


async def test_the_data_of_a_waiting_job_can_be_changed(tmp_path: Path) -> None:
    disk = four_models(tmp_path)
    disk.write_bank("other.npz")
    async with screen(disk, "2", "down", "e") as pilot:
        pilot.app.screen.query_one("#bank").focus()
        await type_over(pilot, "other.npz")
        await press(pilot, "enter")
        assert "other.npz" in text_of(pilot)
    assert disk.store.job(4).job.data.bank == "other.npz"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("gone.npz", "gone.npz: "),
        ("", "✗ no data → name a bank"),
        ("sequences.npz", "is a file of sequences, not an article bank"),
    ],
)
async def test_a_wrong_path_is_told_while_it_is_typed_and_not_saved(
    tmp_path: Path, text: str, error: str
) -> None:
    disk = four_models(tmp_path)
    one = np.ones((4, 8), np.float32)
    np.savez(tmp_path / "sequences.npz", contexts=np.ones((4, 5, 8), np.float32), targets=one)
    async with screen(disk, "2", "down", "e") as pilot:
        pilot.app.screen.query_one("#bank").focus()
        await type_over(pilot, text)
        words = "".join(text_of(pilot).replace("│", " ").split())  # a long path is wrapped
        assert error.replace(" ", "") in words
        await press(pilot, "tab", "enter")
        assert isinstance(pilot.app.screen, JobForm)
        assert pilot.app.focused is pilot.app.screen.query_one("#bank")
    assert disk.store.job(4).job.data.bank == "python_docs.npz"


async def test_words_that_come_and_go_leave_the_keys_in_sight(tmp_path: Path) -> None:
    app = app_on(four_models(tmp_path))
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await settled(pilot)
        await press(pilot, "2", "e")  # of the job that trains: refused
        lines = text_of(pilot).splitlines()
    assert any("edit it once it has ended" in line for line in lines)
    assert lines[-2].startswith("n add A add all four e edit")
    assert lines[-2].endswith("c cancel, skip")
    assert lines[-1].endswith("q leave")


async def test_sequence_files_take_the_place_of_a_bank(tmp_path: Path) -> None:
    async with screen(four_models(tmp_path), "2", "down", "e") as pilot:
        form = pilot.app.screen
        assert [name for name in PATHS if form.query_one(f"#row-{name}").display] == ["bank"]
        form.query_one("#data_kind", Choice).focus()
        await press(pilot, "right", "tab")
        assert [name for name in PATHS if form.query_one(f"#row-{name}").display] == [*PATHS[1:]]
        assert pilot.app.focused is form.query_one("#train")
        await type_over(pilot, "train.npz")
        assert "✗ not named: val, ood, articles" in text_of(pilot)


async def test_what_was_changed_is_not_lost_by_one_esc(tmp_path: Path) -> None:
    disk = four_models(tmp_path)
    async with screen(disk, "2", "down", "e", "tab") as pilot:
        form = pilot.app.screen
        await type_over(pilot, "12")
        await press(pilot, "escape")
        assert pilot.app.screen is form
        assert "changed: esc again discards it" in text_of(pilot)
        await type_over(pilot, "13")
        assert "esc again" not in text_of(pilot)
        await press(pilot, "escape", "escape")
        assert pilot.app.screen.query_one(RowTable)
    assert disk.store.job(4).job.train.epochs == 20


async def test_a_failed_job_is_retried_as_it_was_edited_from_its_last_save(tmp_path: Path) -> None:
    disk = four_models(tmp_path)
    async with screen(disk, "2", "up", "e") as pilot:
        assert "Job 2, failed" in text_of(pilot)
        pilot.app.screen.query_one("#epochs").focus()
        await type_over(pilot, "30")
        assert f"goes on with {FAILED.run}" in text_of(pilot)
        await press(pilot, "enter")
    job = disk.store.job(2)
    assert (job.state, job.run, job.job.train.epochs) == ("queued", FAILED.run, 30)


async def test_a_failed_job_with_another_learning_rate_is_trained_anew(tmp_path: Path) -> None:
    disk = four_models(tmp_path)
    async with screen(disk, "2", "up", "e") as pilot:
        field = pilot.app.screen.query_one("#learning_rate", Input)
        assert not field.disabled
        field.focus()
        await type_over(pilot, "0.0001")
        assert f"trained from the beginning; stays: {FAILED.run}" in text_of(pilot)
        await press(pilot, "enter")
    job = disk.store.job(2)
    assert (job.state, job.run, job.parent) == ("queued", "", FAILED.run)
    assert job.job.train.learning_rate == 1e-4


async def test_a_done_job_can_be_trained_again_with_other_settings(tmp_path: Path) -> None:
    disk = four_models(tmp_path)
    async with screen(disk, "2", "home", "e", "tab") as pilot:
        await type_over(pilot, "40")
        await press(pilot, "enter")
    job = disk.store.job(1)
    assert (job.state, job.parent, job.job.train.epochs) == ("queued", DONE.run, 40)
