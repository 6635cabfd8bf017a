"""Mode 2, the queue: every key, against the real store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from lvm_tui.screens.job_form import JobForm
from lvm_tui.widgets.choice import Choice
from lvm_tui.widgets.row_table import RowTable

from .disk import CONFIG, Disk
from .queue_scenes import DONE, FAILED, four_models
from .screens import LARGE, SMALL, app_on, notices, press, screen, settled, text_of, type_over

Compare = Callable[..., bool]


def order(disk: Disk) -> list[tuple[int, str]]:
    return [(row.id, row.state) for row in disk.store.jobs()]


def lines_with(text: str, word: str) -> list[str]:
    return [line for line in text.splitlines() if word in line]


async def test_every_job_shows_its_state_epochs_and_time(tmp_path: Path) -> None:
    async with screen(four_models(tmp_path), "2") as pilot:
        text = text_of(pilot)
    assert "1 training · 2 waiting · 1 done · 1 failed" in text
    assert "1 transformer ✓ done 20/20 3:22 margin +0.171 · 5/5" in text
    assert "2 gru ✗ failed 2/20 0:24 the loss became NaN" in text
    assert "3 lstm ▶ running 6/20 2:30 left margin +0.030 · 1/5" in text
    assert "amn · queued 20 — next" in text


@pytest.mark.parametrize("size", [SMALL, LARGE])
@pytest.mark.parametrize(
    ("watch", "who"), [(False, "space goes on"), (True, "lvm queue run goes on")]
)
async def test_a_job_whose_runner_was_killed_is_interrupted_wherever_it_is_shown(
    tmp_path: Path, watch: bool, who: str, size: tuple[int, int]
) -> None:
    disk = four_models(tmp_path)
    async with screen(disk, "2", size=size, watch=watch) as pilot:
        disk.clock.time += 31  # no sign of life for so long
        await settled(pilot)
        queue = text_of(pilot)
        await press(pilot, "1")
        dashboard = text_of(pilot)
    assert "1 interrupted · 2 waiting" in queue
    assert (who if size == SMALL else f"nobody trains: {who}") in lines_with(
        queue, "1 interrupted"
    )[0]
    assert "lstm ■ interrupted 6/20" in queue
    assert "next" not in lines_with(queue, "amn")[0]
    assert "its runner is gone; whoever trains next goes on from the last save" in queue
    assert f"not running: its runner is gone · {who} from the last save" in dashboard
    assert "■ lstm" in dashboard
    assert f"nobody trains: {who}" in dashboard
    for text in (queue, dashboard):
        keys = text.splitlines()[-1]
        assert ("space go on" in keys) != watch
        assert "pause" not in keys
        assert "stop" not in keys
        assert "▶" not in text.replace("▶ lstm_5cat", "")


async def test_the_time_of_a_waiting_job_is_what_its_model_was_measured_to_take(
    tmp_path: Path,
) -> None:
    async with screen(four_models(tmp_path), "2", "end") as pilot:
        text = text_of(pilot)
    # 40 epochs of 8 · 1.2 + 0.5 s and 8 batteries of 4.2 s
    assert lines_with(text, "≈ 7:18")
    assert "40 epochs of 0:10" in text
    assert DONE.run in text


async def test_the_time_of_a_model_that_never_ran_is_not_made_up(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    disk.store.add_job(disk.job(model="amn"))
    async with screen(disk, "2") as pilot:
        text = text_of(pilot)
    assert "amn · queued 20 — next" in text
    assert "not known: no amn has finished an epoch here yet" in text


async def test_details_say_why_a_job_failed_in_full(tmp_path: Path) -> None:
    async with screen(four_models(tmp_path), "2", "up") as pilot:
        text = text_of(pilot)
    assert "lower the learning rate, or look" in text
    assert FAILED.run in text


async def test_the_cursor_begins_at_the_job_that_trains(tmp_path: Path) -> None:
    async with screen(four_models(tmp_path), "2") as pilot:
        assert pilot.app.screen.query_one(RowTable).current == "3"


async def test_n_adds_the_job_of_the_dialog(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    disk.write_bank()
    async with screen(disk, "2", "n", "right", "right") as pilot:
        assert pilot.app.screen.query_one("#model", Choice).value == "lstm"
        await press(pilot, "tab")
        await type_over(pilot, "7")
        await press(pilot, "enter")
        text = text_of(pilot)
    (row,) = disk.store.jobs()
    assert (row.model, row.job.train.epochs, row.job.data.bank) == ("lstm", 7, "python_docs.npz")
    assert "lstm" in text


async def test_the_dialog_begins_with_the_settings_of_lvm_toml(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    (tmp_path / "lvm.toml").write_text(CONFIG + "[train]\nepochs = 33\nbatch_size = 64\n")
    async with screen(disk, "2", "n") as pilot:
        form = pilot.app.screen
        assert form.query_one("#epochs", Input).value == "33"
        assert form.query_one("#batch_size", Input).value == "64"


@pytest.mark.parametrize(
    ("field", "text", "error"),
    [
        ("epochs", "0", "✗ must be a whole number of at least 1"),
        ("epochs", "many", "✗ must be a whole number"),
        ("batch_size", "-1", "✗ must be a whole number of at least 1"),
        ("learning_rate", "2", "✗ must be in (0, 1]"),
        ("learning_rate", "", "✗ must be a number"),
        ("device", "tpu", "✗ must be one of auto, cpu, cuda, cuda:1, mps"),
        ("seed", "1.5", "✗ must be a whole number"),
    ],
)
async def test_a_wrong_value_is_refused_beside_its_field(
    tmp_path: Path, field: str, text: str, error: str
) -> None:
    disk = Disk(tmp_path)
    async with screen(disk, "2", "n") as pilot:
        pilot.app.screen.query_one(f"#{field}").focus()
        await type_over(pilot, text)
        label = {"batch_size": "batch size", "learning_rate": "learning rate"}.get(field, field)
        (line,) = [line for line in text_of(pilot).splitlines() if f"│ {label} " in line]
        assert error in line
        await press(pilot, "tab", "enter")
        assert isinstance(pilot.app.screen, JobForm)  # still open, nothing added
        assert pilot.app.focused is pilot.app.screen.query_one(f"#{field}")
    assert disk.store.jobs() == []


async def test_escape_leaves_the_dialog_and_adds_nothing(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    async with screen(disk, "2", "n", "escape") as pilot:
        assert pilot.app.screen.query_one(RowTable)
    assert disk.store.jobs() == []


async def test_nothing_can_be_added_without_data(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    (tmp_path / "lvm.toml").write_text("")
    async with screen(disk, "2", "A") as pilot:
        assert notices(pilot) == ["no training data say in lvm.toml where it is: [data]"]
        await press(pilot, "n", "enter")
        assert "✗ no data" in text_of(pilot)
        assert "→ name a bank, or all of train, val, ood and articles" in text_of(pilot)
    assert disk.store.jobs() == []


async def test_data_that_cannot_be_used_is_refused_before_it_is_queued(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    disk.store.add_job(disk.job(model="amn"))
    disk.ran("amn_5cat_20251030_231500", "failed", 1, "the bank is gone")
    async with screen(disk, "2", "A", "r") as pilot:
        missing = f"{tmp_path / 'python_docs.npz'}: "
        assert [missing in each for each in notices(pilot)] == [True, True]
    assert order(disk) == [(1, "failed")]


async def test_a_broken_lvm_toml_is_told_and_adds_nothing(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    (tmp_path / "lvm.toml").write_text("[train]\nepoch = 3\n")
    async with screen(disk, "2", "n") as pilot:
        (notice,) = notices(pilot)
        assert "unknown setting 'epoch'" in notice
    assert disk.store.jobs() == []


async def test_capital_a_adds_all_four_in_their_order(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    disk.write_bank()
    async with screen(disk, "2", "A") as pilot:
        assert notices(pilot) == ["jobs 1 to 4: all four · space begins"]
    assert [row.model for row in disk.store.jobs()] == ["transformer", "gru", "lstm", "amn"]


@pytest.mark.parametrize("key", ["e", "enter"])
async def test_a_waiting_job_can_be_edited(tmp_path: Path, key: str) -> None:
    disk = four_models(tmp_path)
    async with screen(disk, "2", "down", key, "tab") as pilot:
        await type_over(pilot, "12")
        await press(pilot, "ctrl+s")
        assert "12" in lines_with(text_of(pilot), "amn")[0]
    assert disk.store.job(4).job.train.epochs == 12


async def test_a_job_that_was_begun_keeps_what_its_run_is_made_of(tmp_path: Path) -> None:
    disk = four_models(tmp_path)
    disk.store.retry_job(2)
    async with screen(disk, "2", "end", "e") as pilot:
        form = pilot.app.screen
        locked = [node.id for node in form.query("Input, Choice") if node.disabled]
        assert locked == ["model", "batch_size", "learning_rate", "precision", "seed"]
        assert f"goes on with {FAILED.run}" in text_of(pilot)


async def test_a_job_that_trains_is_not_edited(tmp_path: Path) -> None:
    async with screen(four_models(tmp_path), "2", "e") as pilot:
        assert notices(pilot) == ["job 3 is running edit it once it has ended, or waits"]


@pytest.mark.parametrize("keys", ["KJ", ("shift+up", "shift+down")])
async def test_jobs_are_moved_and_the_cursor_goes_with_them(
    tmp_path: Path, keys: tuple[str, str]
) -> None:
    disk = four_models(tmp_path)
    async with screen(disk, "2", "end", keys[0]) as pilot:
        assert [number for number, _ in order(disk)] == [1, 2, 3, 5, 4]
        assert pilot.app.screen.query_one(RowTable).current == "5"
        await press(pilot, keys[1])
        assert [number for number, _ in order(disk)] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("key", ["x", "delete"])
async def test_a_job_is_removed_after_a_question(tmp_path: Path, key: str) -> None:
    disk = four_models(tmp_path)
    async with screen(disk, "2", "end", key) as pilot:
        assert "Remove job 5 (transformer, queued)" in text_of(pilot)
        await press(pilot, "n")
        assert len(order(disk)) == 5
        await press(pilot, key, "y")
        assert [number for number, _ in order(disk)] == [1, 2, 3, 4]
        assert pilot.app.screen.query_one(RowTable).current == "4"


async def test_the_job_that_trains_cannot_be_removed(tmp_path: Path) -> None:
    disk = four_models(tmp_path)
    async with screen(disk, "2", "x") as pilot:
        assert notices(pilot) == ["job 3 is training cancel or skip it first (c)"]
    assert len(order(disk)) == 5


async def test_r_queues_a_failed_job_again_at_the_end(tmp_path: Path) -> None:
    disk = four_models(tmp_path)
    async with screen(disk, "2", "up", "r"):
        pass
    assert order(disk)[-1] == (2, "queued")
    assert disk.store.job(2).run == FAILED.run


async def test_r_trains_a_done_job_anew_only_after_a_question(tmp_path: Path) -> None:
    disk = four_models(tmp_path)
    async with screen(disk, "2", "home", "r") as pilot:
        assert "is done. Train it again" in text_of(pilot)
        assert order(disk)[0] == (1, "done")
        await press(pilot, "y")
    row = disk.store.job(1)
    assert (row.state, row.run, row.parent) == ("queued", "", DONE.run)


async def test_r_on_a_waiting_job_says_that_there_is_nothing_to_retry(tmp_path: Path) -> None:
    async with screen(four_models(tmp_path), "2", "end", "r") as pilot:
        (notice,) = notices(pilot)
    assert notice.startswith("job 5 is queued only a failed, stopped or cancelled job")


@pytest.mark.parametrize(("key", "kind"), [("s", "skip"), ("c", "cancel")])
async def test_c_tells_the_runner_of_that_very_job(tmp_path: Path, key: str, kind: str) -> None:
    disk = four_models(tmp_path)
    async with screen(disk, "2", "end", "c", key):
        pass
    assert [(c.kind, c.job) for c in disk.store.take_commands()] == [(kind, 3)]


async def test_c_and_a_second_thought_sends_nothing(tmp_path: Path) -> None:
    disk = four_models(tmp_path)
    async with screen(disk, "2", "c", "escape"):
        pass
    assert disk.store.take_commands() == []


async def test_c_without_a_runner_says_so(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    disk.store.add_all(disk.job())
    async with screen(disk, "2", "c") as pilot:
        assert notices(pilot) == ["nothing trains at the moment"]


@pytest.mark.parametrize("key", ["n", "A", "e", "K", "J", "x", "r", "c"])
async def test_watching_is_look_only(tmp_path: Path, key: str) -> None:
    disk = four_models(tmp_path)
    before = disk.store.jobs()
    async with screen(disk, "2", "end", key, watch=True) as pilot:
        assert notices(pilot)[0].startswith("look only")
        assert not isinstance(pilot.app.screen, JobForm)
    assert disk.store.jobs() == before
    assert disk.store.take_commands() == []


async def test_what_another_terminal_changes_appears_under_an_unmoved_cursor(
    tmp_path: Path,
) -> None:
    disk = four_models(tmp_path)
    async with screen(disk, "2", "end") as pilot:
        disk.store.move_job(5, "top")
        disk.store.add_job(disk.job(model="gru", epochs=3))
        await settled(pilot)
        table = pilot.app.screen.query_one(RowTable)
        assert table.current == "5"
        assert table.row_count == 6


async def test_a_click_moves_the_cursor_and_a_double_click_opens(tmp_path: Path) -> None:
    async with screen(four_models(tmp_path), "2") as pilot:
        table = pilot.app.screen.query_one(RowTable)
        await pilot.click(table, offset=(10, 4))
        await settled(pilot)
        assert table.current == "4"
        assert not isinstance(pilot.app.screen, JobForm)
        await pilot.double_click(table, offset=(10, 5))
        await settled(pilot)
        assert isinstance(pilot.app.screen, JobForm)


async def test_a_click_on_a_key_of_the_hint_line_does_what_the_key_does(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    disk.write_bank()
    async with screen(disk, "2") as pilot:
        await pilot.click("#hints", offset=(8, 0))
        await settled(pilot)
    assert len(disk.store.jobs()) == 4


async def test_help_names_every_key(tmp_path: Path) -> None:
    async with screen(four_models(tmp_path), "2", "question_mark", size=LARGE) as pilot:
        text = text_of(pilot)
    for words in ("Add a job", "Add all four", "Edit", "Earlier", "Later", "Remove", "Retry"):
        assert words in text
    assert "one at a time; a failed one never" in text


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "120x40"])
@pytest.mark.parametrize("keys", [(), ("up",), ("n", "tab", "0")], ids=["jobs", "failed", "form"])
def test_looks(
    snap_compare: Compare, tmp_path: Path, size: tuple[int, int], keys: tuple[str, ...]
) -> None:
    async def before(pilot: Pilot[object]) -> None:
        await settled(pilot)
        await press(pilot, "2", *keys)

    app = app_on(four_models(tmp_path))
    assert snap_compare(app, terminal_size=size, run_before=before)


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "120x40"])
def test_an_empty_queue_looks(snap_compare: Compare, tmp_path: Path, size: tuple[int, int]) -> None:
    async def before(pilot: Pilot[object]) -> None:
        await press(pilot, "2")

    assert snap_compare(app_on(Disk(tmp_path)), terminal_size=size, run_before=before)
