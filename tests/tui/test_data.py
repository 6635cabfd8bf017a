"""Mode 5, the data: from the event log alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from lvm.events import ForecastMade, TaskFinished, TaskStarted
from lvm_tui.screens.data import DataScreen
from lvm_tui.widgets.frontier_chart import FrontierChart

from .data_scenes import PLAN, with_data, with_forecast
from .disk import Disk
from .screens import LARGE, SMALL, app_on, notices, press, screen, settled, text_of
from .scripted import START, Script, begin, loaded, preparation

Compare = Callable[..., bool]

ONE = (100, 40)
"""One column: all of one view."""


async def test_good_data_shows_every_check_with_its_need(tmp_path: Path) -> None:
    async with screen(with_data(tmp_path), "5", size=ONE) as pilot:
        text = text_of(pilot)
    assert "python_docs.npz ✓ good enough to train on" in text
    assert "train 1,024 · val 2,560 · ood 2,560 · 2,310 articles · 768-D" in text
    assert "forward: the data runs forward" in text
    assert "coherence 0.457 ✓ needs ≥ .40" in text
    assert "signal +0.117 ✓ needs ≥ +.08" in text
    assert "order +0.011 ✓ needs > 0" in text


async def test_the_profile_shows_each_step_towards_the_target(tmp_path: Path) -> None:
    async with screen(with_data(tmp_path), "5", size=ONE) as pilot:
        text = text_of(pilot)
    assert "mean of 20,000 sequences" in text
    assert "oldest −5 0.340 █" in text
    assert "last −1 0.457 █" in text
    assert "+0.056 ✓" in text
    assert "foreign 0.110 █" in text


async def test_bad_data_says_what_is_wrong_and_what_to_do(tmp_path: Path) -> None:
    async with screen(with_data(tmp_path, good=False), "5", size=ONE) as pilot:
        text = text_of(pilot)
    assert "✗ FAILED, trained on all the same" in text
    assert "flat: the data has no direction" in text
    assert "→ make the sequences again from articles in order" in text
    assert "coherence 0.353 ✗" in text
    assert "signal +0.015 ✗" in text
    assert "−0.002 ✗" in text


async def test_bad_data_that_was_refused_says_so(tmp_path: Path) -> None:
    disk = with_data(tmp_path, good=False, overridden=False)
    async with screen(disk, "5", size=ONE) as pilot:
        assert "✗ FAILED: not trained on" in text_of(pilot)


async def test_the_alignment_of_each_split_and_the_notes(tmp_path: Path) -> None:
    disk = with_data(tmp_path, notes=["3 articles are in both train and val"])
    async with screen(disk, "5", size=ONE) as pilot:
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
    async with screen(disk, "5", size=ONE) as pilot:
        text = text_of(pilot)
    assert "✓ encoding it to 768-D vectors (LSA) 4.4 s wrote python_docs.npz" in text
    assert "No data has been looked at yet." in text


async def test_tasks_that_are_done_leave_the_room_to_the_data(tmp_path: Path) -> None:
    disk = with_data(tmp_path)
    script = Script()
    preparation(script)
    script.add(TaskStarted("promote", "promoting the best model"))
    script.add(TaskFinished("promote", 3.0, ok=False, note="the service did not answer"))
    script.add(TaskStarted("encode", "encoding another bank"))
    disk.write_workspace(script)
    async with screen(disk, "5") as pilot:
        text = text_of(pilot)
    assert "✓ reading" not in text
    assert "✗ promoting the best model" in text
    assert "▶ encoding another bank" in text
    assert "oldest −5" in text


async def test_of_several_finished_tasks_the_last_is_told_until_there_is_data(
    tmp_path: Path,
) -> None:
    disk = Disk(tmp_path)
    script = Script()
    preparation(script)
    disk.write_workspace(script)
    async with screen(disk, "5") as pilot:
        text = text_of(pilot)
        assert "✓ reading" not in text
        assert "✓ encoding it" in text
        assert "v forecast" not in text  # there is nothing to look at yet


async def test_counts_that_do_not_fit_one_line_take_two(tmp_path: Path) -> None:
    samples = {"train": 12_345, "val": 2_560, "ood": 2_560}
    disk = with_data(tmp_path, samples=samples, articles=123_456)
    async with screen(disk, "5", size=LARGE) as pilot:
        text = text_of(pilot)
    assert "val 2,560 · ood 2,560" in text
    assert "768-D" in text


async def test_a_run_that_has_not_loaded_yet_shows_the_data_of_the_one_before(
    tmp_path: Path,
) -> None:
    disk = with_data(tmp_path)
    disk.store.add_job(disk.job())
    disk.ran(PLAN.run, "done", 10)
    script = Script(now=disk.clock.time)
    begin(script, replace(PLAN, run="gru_5cat_20251031_010000", model="gru"))
    disk.write_run("gru_5cat_20251031_010000", script)
    async with screen(disk, "5", size=ONE) as pilot:
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


# ------------------------------------------------------------------ forecast and frontier


async def test_every_gate_has_its_verdict_and_how_far_it_is(tmp_path: Path) -> None:
    async with screen(with_forecast(tmp_path), "5", "v") as pilot:
        text = text_of(pilot)
    assert "what the data allows, before any training in 12 s" in text
    assert "✗ offset out of reach short by .182" in text
    assert "best margin −0.062 with cos ≥ 0.50 on VAL, needs ≥ +0.12" in text
    assert "✓ retrieval within reach" in text
    assert "? ablations unknown short by .021" in text
    assert "? bins unknown not measured" in text
    assert "a weak arrow of time: 67% of windows" in text


async def test_models_stand_beside_the_baselines_the_newest_first(tmp_path: Path) -> None:
    async with screen(with_forecast(tmp_path), "5", "v", size=ONE) as pilot:
        text = text_of(pilot)
    assert "r ridge 0.605 −0.190 0.595 −0.200 2/5" in text
    assert "G gru 22:30 0.560 −0.084 0.548 −0.090 1/5 ✗ −0.045" in text
    assert "T transformer 22:00 0.560 +0.014" in text
    assert text.index("G gru") < text.index("T transformer")


async def test_the_frontier_is_drawn_with_the_gate_and_the_models(tmp_path: Path) -> None:
    async with screen(with_forecast(tmp_path, within=True), "5", "v", "v") as pilot:
        text = text_of(pilot)
        assert "margin by cosine, VAL ┄ needs cos ≥ .50, margin ≥ +.12" in text
        plot = pilot.app.screen.query_one(FrontierChart).render().plain.split("\n")
    letters = {
        sign: (row, line.index(sign))
        for row, line in enumerate(plot[1:-1])
        for sign in "TGr"
        if sign in line
    }
    assert letters["T"][0] < letters["G"][0]  # the greater margin is higher
    assert letters["T"][1] == letters["G"][1]
    assert letters["r"][1] > letters["T"][1]  # the greater cosine is further right
    assert any("c↓" in line for line in plot)  # far below: at the edge, and told so


async def test_v_shows_one_after_the_other_where_there_is_no_room(tmp_path: Path) -> None:
    async with screen(with_forecast(tmp_path), "5") as pilot:
        for words in ("quality (1/3)", "forecast (2/3)", "frontier (3/3)", "quality (1/3)"):
            assert words in text_of(pilot)
            await press(pilot, "v")
        await press(pilot, "V")
        assert "quality (1/3)" in text_of(pilot)
        await press(pilot, "V")
        assert "frontier (3/3)" in text_of(pilot)


async def test_a_large_screen_shows_all_at_once(tmp_path: Path) -> None:
    async with screen(with_forecast(tmp_path), "5", size=LARGE) as pilot:
        text = text_of(pilot)
        await press(pilot, "v")
        assert notices(pilot) == ["everything is in sight: there is no other view"]
    for words in ("coherence of each window 9% below .40", "✗ offset", "margin by cosine"):
        assert words in text


async def test_the_forecast_scrolls(tmp_path: Path) -> None:
    async with screen(with_forecast(tmp_path), "5", "v", size=(80, 16)) as pilot:
        assert "T transformer" not in text_of(pilot)
        await press(pilot, *["down"] * 14)
        assert "T transformer" in text_of(pilot)


async def test_a_forecast_that_failed_says_why(tmp_path: Path) -> None:
    disk = with_data(tmp_path)
    script = Script(now=START + 100)
    begin(script, replace(PLAN, run="amn_5cat_20251031_020000", model="amn"))
    loaded(script, replace(PLAN))
    script.add(ForecastMade({}, 1.0, note="given up after 120 s"))
    disk.write_run("amn_5cat_20251031_020000", script)
    async with screen(disk, "5", "v") as pilot:
        assert "given up after 120 s" in text_of(pilot)
        await press(pilot, "v")
        assert "not measured yet" in text_of(pilot)


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "120x40"])
@pytest.mark.parametrize("keys", [("v",), ("v", "v")], ids=["forecast", "frontier"])
@pytest.mark.parametrize("within", [True, False], ids=["within", "out_of_reach"])
def test_the_forecast_looks(
    snap_compare: Compare,
    tmp_path: Path,
    size: tuple[int, int],
    keys: tuple[str, ...],
    within: bool,
) -> None:
    async def before(pilot: Pilot[object]) -> None:
        await settled(pilot)
        await press(pilot, "5", *(keys if size == SMALL else ()))

    app = app_on(with_forecast(tmp_path, within=within))
    assert snap_compare(app, terminal_size=size, run_before=before)


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "120x40"])
@pytest.mark.parametrize("good", [True, False], ids=["good", "bad"])
def test_looks(snap_compare: Compare, tmp_path: Path, size: tuple[int, int], good: bool) -> None:
    async def before(pilot: Pilot[object]) -> None:
        await settled(pilot)
        await press(pilot, "5")

    app = app_on(with_data(tmp_path, good=good))
    assert snap_compare(app, terminal_size=size, run_before=before)
