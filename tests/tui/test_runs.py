"""Mode 6, the runs: listed from their folders, searched, sorted, compared, exported, opened."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from lvm_tui.screens.run_page import RunPage
from lvm_tui.screens.runs import Runs
from lvm_tui.widgets.overlay_chart import OverlayChart
from lvm_tui.widgets.row_table import RowTable

from .disk import Disk
from .queue_scenes import AMN, DONE, FAILED, OTHER_TOOL, TRAINS, many_runs
from .screens import LARGE, SMALL, app_on, notices, press, screen, settled, text_of
from .scripted import START, Script, whole_run

Compare = Callable[..., bool]

NEWEST_FIRST = [AMN.run, TRAINS.run, FAILED.run, DONE.run, OTHER_TOOL]


def listed(pilot: Pilot[object]) -> list[str]:
    table = pilot.app.screen.query_one(RowTable)
    return [str(row.key.value) for row in table.ordered_rows]


def charts(pilot: Pilot[object]) -> dict[str, int]:
    """Title → number of lines, of the charts in sight."""
    shown = [chart for chart in pilot.app.screen.query(OverlayChart) if chart.display]
    overlays = [chart._overlay for chart in shown if chart.parent and chart.parent.display]
    return {o.title: sum(bool(s.points) for s in o.series) for o in overlays if o is not None}


async def test_every_run_is_listed_newest_first_with_its_numbers(tmp_path: Path) -> None:
    async with screen(many_runs(tmp_path), "6") as pilot:
        assert listed(pilot) == NEWEST_FIRST
        text = text_of(pilot)
    assert "✓ amn_5cat_20251030_231500 20/20 0.537 +0.070 2/5" in text
    assert "▶ lstm_5cat_20251030_224000 6/20 0.478 +0.030 1/5" in text
    assert "✗ gru_5cat_20251030_223000 2/20" in text
    assert "✓ transformer_5cat_20251030_220000 20/20 0.597 +0.171 5/5 ✓" in text
    assert "· gru_5cat_20251028_101500 3 0.530 – –" in text


@pytest.mark.parametrize(
    ("presses", "sort", "first"),
    [
        (1, "score", DONE.run),
        (2, "margin", DONE.run),
        (3, "val cosine", DONE.run),
        (4, "name", AMN.run),
        (5, "newest", AMN.run),
    ],
)
async def test_o_sorts_another_way(tmp_path: Path, presses: int, sort: str, first: str) -> None:
    async with screen(many_runs(tmp_path), "6", *"o" * presses) as pilot:
        assert f"sorted by {sort}" in text_of(pilot)
        assert listed(pilot)[0] == first


async def test_what_was_not_measured_is_sorted_last(tmp_path: Path) -> None:
    async with screen(many_runs(tmp_path), "6", "o") as pilot:
        assert listed(pilot)[-2:] == [FAILED.run, OTHER_TOOL]


async def test_slash_searches_in_name_model_and_state(tmp_path: Path) -> None:
    async with screen(many_runs(tmp_path), "6", "slash", *"gru") as pilot:
        assert listed(pilot) == [FAILED.run, OTHER_TOOL]
        await press(pilot, "enter")
        assert pilot.app.focused is pilot.app.screen.query_one(RowTable)
        assert "5 runs, 2 with “gru”" in text_of(pilot)
        await press(pilot, "slash", *" fai")
        assert listed(pilot) == [FAILED.run]
        await press(pilot, "escape")
        assert listed(pilot) == NEWEST_FIRST
        assert not pilot.app.screen.query_one(Input).display


async def test_a_search_that_finds_nothing_says_so_and_how_to_clear_it(tmp_path: Path) -> None:
    async with screen(many_runs(tmp_path), "6", "slash", *"xyz", "enter", "space") as pilot:
        assert listed(pilot) == []
        assert "5 runs, 0 with “xyz”" in text_of(pilot)
        assert "no run matches “xyz” · esc clears" in text_of(pilot)
        await press(pilot, "escape")
        assert listed(pilot) == NEWEST_FIRST
        assert "no run matches" not in text_of(pilot)


async def test_without_marks_the_run_under_the_cursor_is_shown(tmp_path: Path) -> None:
    async with screen(many_runs(tmp_path), "6") as pilot:
        assert f"1 {AMN.run}" in text_of(pilot)
        await press(pilot, "down")
        assert f"val loss (1/5) 1 {TRAINS.run}" in text_of(pilot)
        assert charts(pilot) == {"val loss": 1}


async def test_space_marks_runs_whose_curves_are_laid_over_one_another(tmp_path: Path) -> None:
    async with screen(many_runs(tmp_path), "6", "space", "end", "space") as pilot:
        text = text_of(pilot)
        assert "5 runs · 2 compared" in text
        assert "val loss (1/5) 1 amn 2 gru" in text
        assert charts(pilot) == {"val loss": 2}
        await press(pilot, "v")
        assert charts(pilot) == {"val cosine": 2}
        await press(pilot, "v")
        assert charts(pilot) == {"VAL margin": 1}  # the other tool measured none
        await press(pilot, "V", "space")
        assert charts(pilot) == {"val cosine": 1}


async def test_u_compares_none(tmp_path: Path) -> None:
    async with screen(many_runs(tmp_path), "6", "space", "down", "space", "u") as pilot:
        assert "compared" not in text_of(pilot)


async def test_at_most_six_runs_are_compared(tmp_path: Path) -> None:
    disk = many_runs(tmp_path)
    for n in range(2):
        (disk.desk.models / f"gru_5cat_20251027_10150{n}").mkdir()
        (disk.desk.models / f"gru_5cat_20251027_10150{n}" / "training_history.json").write_text(
            "[]"
        )
    async with screen(disk, "6", *(["space", "down"] * 7)) as pilot:
        assert "7 runs · 6 compared" in text_of(pilot)
        assert notices(pilot) == ["at most 6 runs at once: space takes one away"]


async def test_5cat_stands_side_by_side_with_verdicts(tmp_path: Path) -> None:
    keys = ["space", "down", "down", "down", "space", "v", "v", "v"]
    async with screen(many_runs(tmp_path), "6", *keys) as pilot:
        text = text_of(pilot)
    assert "5CAT (4/5)" in text
    assert "1 amn 2 transformer" in text
    assert "margin +0.070 ✗ +0.064 ✗ +0.171 ✓ +0.165 ✓" in text


async def test_settings_that_differ_and_no_others(tmp_path: Path) -> None:
    keys = ["space", "down", "down", "down", "space", "V"]
    async with screen(many_runs(tmp_path), "6", *keys) as pilot:
        text = text_of(pilot)
    assert "settings (5/5)" in text
    assert "batch_size 64 256" in text
    assert "learning_rate 1.0e-3 5.0e-4" in text
    assert "epochs 20" not in text


async def test_a_long_name_of_a_setting_keeps_a_gap_to_its_value(tmp_path: Path) -> None:
    disk = many_runs(tmp_path)
    record = disk.desk.folder(AMN.run) / "run.json"
    document = json.loads(record.read_text())
    document["job"]["train"] |= {"accept_bad_data": True, "forward_temperature": 0.5}
    record.write_text(json.dumps(document))
    keys = ["space", "down", "down", "down", "space", "V"]
    async with screen(disk, "6", *keys) as pilot:
        text = text_of(pilot)
    assert "accept_bad_data yes no" in text
    assert "forward_temperature 0.5 0.02" in text


async def test_runs_of_one_model_are_told_apart_by_when_they_began(tmp_path: Path) -> None:
    keys = ["down", "down", "space", "end", "space", "v", "v", "v"]
    async with screen(many_runs(tmp_path), "6", *keys) as pilot:
        assert "1 gru 22:30:00 2 gru 10:15:00" in text_of(pilot)


async def test_of_one_run_all_settings_are_told(tmp_path: Path) -> None:
    async with screen(many_runs(tmp_path), "6", "V", size=LARGE) as pilot:
        text = text_of(pilot)
    assert "batch_size 64" in text
    assert "data.bank python_docs.npz" in text


async def test_a_run_without_a_record_says_that_its_settings_are_not_known(
    tmp_path: Path,
) -> None:
    async with screen(many_runs(tmp_path), "6", "end", "V") as pilot:
        assert "its settings are not known" in text_of(pilot)


async def test_a_large_screen_shows_all_curves_and_5cat_at_once(tmp_path: Path) -> None:
    async with screen(many_runs(tmp_path), "6", "space", size=LARGE) as pilot:
        assert charts(pilot) == {"val loss": 1, "val cosine": 1, "VAL margin": 1}
        text = text_of(pilot)
        assert "5CAT (1/2)" in text
        assert "✓ completed" in text
        await press(pilot, "v")
        assert "settings (2/2)" in text_of(pilot)


async def test_a_run_that_begins_appears_by_itself(tmp_path: Path) -> None:
    disk = many_runs(tmp_path)
    async with screen(disk, "6", "down") as pilot:
        script = Script(now=START + 86_400)
        whole_run(script, AMN, until_epoch=1)
        disk.write_run("amn_5cat_20251031_080000", script)
        disk.store.add_job(disk.job())
        await settled(pilot)
        await settled(pilot)
        assert listed(pilot)[0] == "amn_5cat_20251031_080000"
        assert pilot.app.screen.query_one(RowTable).current == TRAINS.run


async def test_a_broken_history_is_told_and_spoils_no_other_run(tmp_path: Path) -> None:
    disk = many_runs(tmp_path)
    (disk.desk.models / OTHER_TOOL / "training_history.json").write_text("{")
    async with screen(disk, "6", "end", "V") as pilot:
        await settled(pilot)
        assert listed(pilot) == NEWEST_FIRST
        assert "cannot be read" in " ".join(text_of(pilot).split())  # wherever it wraps


async def test_enter_opens_a_run_and_escape_comes_back(tmp_path: Path) -> None:
    async with screen(many_runs(tmp_path), "6", "end", "up", "enter", size=LARGE) as pilot:
        await settled(pilot)
        assert isinstance(pilot.app.screen, RunPage)
        text = text_of(pilot)
        assert "transformer_5cat_20251030_220000" in text.splitlines()[0]
        assert "5CAT gates epoch 20" in text
        assert text.count("log scale") == 1, "its keys stand there once"
        assert "esc back to the runs l log scale [ ] smooth + - zoom" in text
        await press(pilot, "l")
        assert "loss (log)" in text_of(pilot)
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, Runs)


async def test_an_opened_run_does_not_steer_what_trains(tmp_path: Path) -> None:
    disk = many_runs(tmp_path)
    async with screen(disk, "6", "end", "up", "enter", "space", "s") as pilot:
        assert isinstance(pilot.app.screen, RunPage)
        assert len(notices(pilot)) == 2
    assert disk.store.take_commands() == []


async def test_an_opened_run_acknowledges_its_own_alert(tmp_path: Path) -> None:
    disk = many_runs(tmp_path)
    async with screen(disk, "6", "enter") as pilot:  # the AMN is in no job
        await settled(pilot)
        assert "slight backward tendency" in text_of(pilot)
        await press(pilot, "a")
    (command,) = disk.store.take_commands()
    assert (command.kind, command.run) == ("acknowledge", AMN.run)
    assert command.argument.startswith("backward_bias-5")


async def test_e_exports_the_opened_run(tmp_path: Path) -> None:
    disk = many_runs(tmp_path)
    async with screen(disk, "6", "end", "up", "enter") as pilot:
        await settled(pilot)
        await press(pilot, "e")
    document = json.loads((disk.desk.folder(DONE.run) / "exports" / "run.json").read_text())
    assert document["run"] == DONE.run


async def test_e_asks_which_runs_are_meant(tmp_path: Path) -> None:
    async with screen(many_runs(tmp_path), "6", "space", "end", "up", "space", "e") as pilot:
        text = text_of(pilot)
        assert "Export as CSV, JSON and SVG" in text
        assert f"This run is {DONE.run}" in text
        for answer in ("[t] this run", "[m] the 2 compared", "[a] all 5 listed"):
            assert answer in text
        await press(pilot, "escape")
        assert notices(pilot) == []


async def test_this_run_goes_into_its_own_folder_batch_by_batch(tmp_path: Path) -> None:
    disk = many_runs(tmp_path)
    async with screen(disk, "6", "space", "end", "up", "e", "enter"):
        pass
    folder = disk.desk.folder(DONE.run) / "exports"
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["batches.csv", "epochs.csv", "run.json", "runs.svg"]
    assert len(list(csv.DictReader((folder / "epochs.csv").open()))) == 20
    assert json.loads((folder / "run.json").read_text())["run"] == DONE.run
    assert "sorted" in (folder / "runs.svg").read_text()  # the list, not the question over it


async def test_this_run_without_a_log_is_written_as_the_list_knows_it(tmp_path: Path) -> None:
    disk = many_runs(tmp_path)
    async with screen(disk, "6", "end", "e", "t"):
        pass
    rows = list(csv.DictReader((disk.desk.folder(OTHER_TOOL) / "exports" / "runs.csv").open()))
    assert [row["name"] for row in rows] == [OTHER_TOOL]


async def test_the_compared_runs_are_written_as_one_list(tmp_path: Path) -> None:
    disk = many_runs(tmp_path)
    async with screen(disk, "6", "space", "end", "space", "e", "m"):
        pass
    folder = disk.desk.log_path.parent / "exports"
    rows = list(csv.DictReader((folder / "runs.csv").open()))
    assert [row["name"] for row in rows] == [AMN.run, OTHER_TOOL]
    assert rows[0]["val_margin"] == "0.07"
    assert rows[1]["val_margin"] == ""
    document = json.loads((folder / "runs.json").read_text())
    assert document["runs"][0]["settings"]["batch_size"] == 64
    assert len(document["runs"][0]["history"]) == 20


async def test_all_means_all_that_are_listed(tmp_path: Path) -> None:
    disk = many_runs(tmp_path)
    async with screen(disk, "6", "slash", *"gru", "enter", "e", "a"):
        pass
    rows = list(csv.DictReader((disk.desk.log_path.parent / "exports" / "runs.csv").open()))
    assert [row["name"] for row in rows] == [FAILED.run, OTHER_TOOL]


async def test_a_project_without_runs_says_what_to_do(tmp_path: Path) -> None:
    async with screen(Disk(tmp_path), "6", "space", "enter", "e") as pilot:
        assert "There are no runs yet" in text_of(pilot)
        assert notices(pilot) == ["no run to export"]


async def test_help_names_the_keys_and_the_signs(tmp_path: Path) -> None:
    async with screen(many_runs(tmp_path), "6", "question_mark", size=LARGE) as pilot:
        text = text_of(pilot)
    for words in ("Compare", "Next view", "Search", "Another order", "Export", "made by another"):
        assert words in text


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "120x40"])
@pytest.mark.parametrize(
    "keys",
    [(), ("v", "v", "v"), ("V",)],
    ids=["curves", "gates", "settings"],
)
def test_looks(
    snap_compare: Compare, tmp_path: Path, size: tuple[int, int], keys: tuple[str, ...]
) -> None:
    async def before(pilot: Pilot[object]) -> None:
        await settled(pilot)
        await press(pilot, "6", "space", "down", "space", "end", "up", "space", *keys)

    app = app_on(many_runs(tmp_path))
    assert snap_compare(app, terminal_size=size, run_before=before)
