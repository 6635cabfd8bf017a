"""Mode 3: every key pressed in the real app; `lvm` is a program of the test that tells a story."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Protocol

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from lvm.events import Event, FivecatProgress, PromotionFinished, PromotionStarted, PromotionStep
from lvm.promotion.change import Backup, Change
from lvm.promotion.links import standing
from lvm.promotion.places import journal_path
from lvm.records import Record
from lvm_tui.promoting import Promoting
from lvm_tui.screens.dialogs import Ask
from lvm_tui.screens.promote import Promote
from lvm_tui.screens.promote_dialog import ConfirmChange
from lvm_tui.state.promotion import ChangeView, fold_all
from lvm_tui.widgets.row_table import RowTable

from .disk import Disk
from .queue_scenes import DONE, TRAINS, four_models
from .screens import LARGE, SMALL, app_on, notices, press, screen, settled, text_of


class Compare(Protocol):
    def __call__(self, app: object, **options: object) -> bool: ...


LVM = """\
import json, sys
from pathlib import Path
from lvm.clock import SystemClock
from lvm.records import record_of
from lvm.runs.eventlog import EventWriter

root = Path(sys.argv[sys.argv.index("--root") + 1])
with (root / "called").open("a") as file:
    file.write(json.dumps(sys.argv[1:-2]) + "\\n")
story = json.loads((root / "story.json").read_text())
with EventWriter(root / "artifacts/lvm/promotion.jsonl", SystemClock()) as log:
    for document in story["events"]:
        log.append(record_of({"seq": 0, "time": 0.0, **document}).event)
print(story["said"])
sys.exit(story["code"])
"""
"""Remembers how it was called and logs the events of the story."""

CHANGE = "c1"
FILE = f"{DONE.run}/best_5cat_model.pt"


def begun(action: str = "promote") -> list[Event]:
    return [
        PromotionStarted(CHANGE, action, "transformer", FILE, "ada@host:tty1"),
        PromotionStep(CHANGE, "load", "done", "transformer of width 768", 0.5),
    ]


REFUSED = [
    *begun(),
    PromotionStep(CHANGE, "fivecat", "done", "2 of 5 gates", 71.0),
    PromotionStep(CHANGE, "policy", "failed", "VAL margin +0.061, needs ≥ +0.10"),
    PromotionFinished(
        CHANGE,
        "transformer",
        "refused",
        "not ready for production",
        ["VAL margin +0.061, needs ≥ +0.10: short by 0.039"],
    ),
]
PROMOTED = [
    *begun(),
    PromotionStep(CHANGE, "fivecat", "done", "4 of 5 gates", 71.0),
    PromotionStep(CHANGE, "policy", "done", "ready for production"),
    PromotionStep(CHANGE, "backup", "done", "transformer_v0_OLD.pt"),
    PromotionStep(CHANGE, "link", "done", "transformer_v0.pt leads to it"),
    PromotionStep(CHANGE, "metadata", "done"),
    PromotionStep(CHANGE, "service", "done", "answers with 0123456789ab", 3.1),
    PromotionFinished(CHANGE, "transformer", "promoted", "transformer promoted", [], 7),
]
PUT_BACK = [
    *begun(),
    PromotionStep(CHANGE, "service", "failed", "does not answer within 30 s", 30.0),
    PromotionStep(CHANGE, "put_back", "done", "the old link"),
    PromotionFinished(CHANGE, "transformer", "failed", "the old one answers again", [], 8, True),
]


class Stage:
    """A project with runs and a transformer in production, and an `lvm` that tells a story."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.disk = four_models(root)
        settings = root / "lvm.toml"
        services = "[services]\nmanager = 'commands'\n"
        for name in ("transformer", "gru", "lstm", "amn"):
            services += f"[services.{name}]\nstatus = 'false'\n"
        settings.write_text(settings.read_text() + services)
        for run in (DONE.run, TRAINS.run):
            for name in ("best_5cat_model.pt", "best_model.pt", "checkpoint_epoch5.pt"):
                (self.models / run / name).write_bytes(run.encode())
        old = self.models / "transformer_old"
        old.mkdir()
        (old / "best_5cat_model.pt").write_bytes(b"old")
        (self.models / "transformer_v0.pt").symlink_to("transformer_old/best_5cat_model.pt")
        script = root / "lvm_of_the_test.py"
        script.write_text(LVM)
        promoting = Promoting(self.disk.desk.project, (sys.executable, str(script)))
        self.disk.desk.promoting = lambda: promoting  # type: ignore[method-assign]

    @property
    def models(self) -> Path:
        return self.disk.desk.models

    def will(self, events: list[Event], code: int = 0, said: str = "") -> None:
        documents = [document_of(event) for event in events]
        story = {"events": documents, "code": code, "said": said}
        (self.root / "story.json").write_text(json.dumps(story))

    @property
    def called(self) -> list[list[str]]:
        try:
            return [json.loads(line) for line in (self.root / "called").read_text().splitlines()]
        except FileNotFoundError:
            return []

    def left_behind(self) -> None:
        """As a promotion that was killed after it had put its link."""
        link = self.models / "transformer_v0.pt"
        before = standing(link)
        link.unlink()
        link.symlink_to(FILE)
        Change(
            change=CHANGE,
            action="promote",
            name="transformer",
            by="ada@host:tty1",
            started=0.0,
            target=FILE,
            sha256="00",
            dim=768,
            prediction=[],
            before=before,
            before_sha256="11",
            backup=Backup("transformer_v0_OLD.pt"),
            metadata={},
            metadata_before=None,
            restart=True,
            was_running=True,
            step="metadata",
        ).write(journal_path(self.disk.desk.project))


def document_of(event: Event) -> dict[str, Any]:
    fields = {name: getattr(event, name) for name in type(event).__dataclass_fields__}
    return {"type": event.kind(), **fields}


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


async def shown(pilot: Pilot[object]) -> str:
    """After the log of promotions was read."""
    await settled(pilot)
    promote = pilot.app.screen_stack[0]
    assert isinstance(promote, Promote)
    promote._follow()
    await settled(pilot)
    return text_of(pilot)


async def test_production_and_candidates_stand_side_by_side(stage: Stage) -> None:
    async with screen(stage.disk, "3", size=LARGE) as pilot:
        text = text_of(pilot)
    assert "1 of 4 in production" in text
    assert "not promoted by lvm: transformer_old/best_5cat" in text
    assert "■ gru – – – – – nothing yet" in text
    assert "best_5cat_model" in text
    assert TRAINS.run in text
    assert "candidate lstm change need" in text
    assert "VAL margin" in text


async def test_p_asks_with_exactly_what_will_change_and_n_changes_nothing(stage: Stage) -> None:
    async with screen(stage.disk, "3", "p", size=LARGE) as pilot:
        assert isinstance(pilot.app.screen, ConfirmChange)
        text = text_of(pilot)
        assert f"file {TRAINS.run}/best_5cat_model.pt" in text
        assert "lstm_v0.pt" in text
        assert f"then link to {TRAINS.run}/best_5cat_model.pt" in text
        assert "service lstm (http://127.0.0.1:9004) does not run and is started" in text
        await press(pilot, "n")
    assert stage.called == []


async def test_the_name_can_be_chosen_and_the_plan_follows(stage: Stage) -> None:
    stage.will(PROMOTED)
    async with screen(stage.disk, "3", "p", "shift+tab", "right", size=LARGE) as pilot:
        text = text_of(pilot)
        assert "● transformer" in text
        assert "transformer_v0_OLD.pt" in text
        await press(pilot, "y")
        assert "✓ transformer promoted" in await shown(pilot)
    (call,) = stage.called
    path = str(stage.models / TRAINS.run / "best_5cat_model.pt")
    assert call == ["promote", path, "--as", "transformer", "--yes"]


async def test_a_refusal_says_what_is_missing_and_O_overrides_it_for_a_typed_reason(
    stage: Stage,
) -> None:
    refused = [*REFUSED]
    file = str(stage.models / DONE.run / "best_5cat_model.pt")
    refused[0] = PromotionStarted(CHANGE, "promote", "transformer", file, "ada@host:tty1")
    stage.will(refused, code=1)
    async with screen(stage.disk, "3", "p", "y", size=LARGE) as pilot:
        text = await shown(pilot)
        assert "✗ ready for production?" in text
        assert "missing: VAL margin +0.061, needs ≥ +0.10: short by 0.039" in text
        assert not isinstance(pilot.app.screen, Ask)
        stage.will(PROMOTED)
        await press(pilot, "O", "enter")
        assert isinstance(pilot.app.screen, ConfirmChange), "without a reason it goes no further"
        pilot.app.screen.query_one("#reason", Input).value = "a trial"
        await press(pilot, "enter")
        assert "✓ transformer promoted" in await shown(pilot)
    assert stage.called[-1][-2:] == ["--override", "a trial"]
    assert stage.called[-1][1] == file


async def test_a_service_that_does_not_come_up_is_an_alarm_with_what_was_put_back(
    stage: Stage,
) -> None:
    stage.will(PUT_BACK, code=3)
    async with screen(stage.disk, "3", "p", "y", size=LARGE) as pilot:
        text = await shown(pilot)
    assert "▲▲ ALARM: a person must look now" in text
    assert "✗ the old one answers again" in text
    assert "✓ put the old one back" in text


async def test_a_command_that_ends_before_it_could_log_shows_its_words(stage: Stage) -> None:
    stage.will([], code=2, said="lvm: no such thing")
    async with screen(stage.disk, "3", "p", "y", size=LARGE) as pilot:
        await settled(pilot)
        assert isinstance(pilot.app.screen, Ask)
        assert "lvm: no such thing" in text_of(pilot)


async def test_b_without_anything_to_go_back_to_says_so(stage: Stage) -> None:
    async with screen(stage.disk, "3", "tab", "b", size=LARGE) as pilot:
        assert isinstance(pilot.app.screen, ConfirmChange)
        assert "there is nothing to roll transformer back to" in text_of(pilot)
        await press(pilot, "y")
        assert isinstance(pilot.app.screen, ConfirmChange), "what cannot be done is not begun"
    assert stage.called == []


async def test_b_rolls_back_after_a_question(stage: Stage) -> None:
    before = {"kind": "link", "target": FILE, "sha256": "22"}
    stage.disk.store.add_to_ledger(
        "promoted",
        "transformer",
        {"change": "c0", "sha256": "33", "file": "transformer_old/x.pt", "before": before},
    )
    stage.will([*begun("rollback"), *PROMOTED[-1:]])
    async with screen(stage.disk, "3", "tab", "b", size=LARGE) as pilot:
        assert f"then link to {FILE}" in text_of(pilot)
        await press(pilot, "y")
        assert "Roll back transformer" in await shown(pilot)
    assert stage.called == [["rollback", "transformer", "--yes"]]


@pytest.mark.parametrize(("key", "how"), [("f", "finish"), ("z", "undo")])
async def test_what_a_killed_promotion_left_is_told_and_ended_by_key(
    stage: Stage, key: str, how: str
) -> None:
    stage.left_behind()
    stage.will([*begun(how), *PROMOTED[-1:]])
    async with screen(stage.disk, "3", size=LARGE) as pilot:
        text = text_of(pilot)
        assert "was interrupted while writing the" in text
        assert "f finish it z undo it" in text
        await press(pilot, key)
        await shown(pilot)
    assert stage.called == [["promote", "--recover", how, "--yes"]]


async def test_what_is_missing_is_in_sight_at_80_by_24(stage: Stage) -> None:
    async with screen(stage.disk, "3") as pilot:
        text = text_of(pilot)
        assert "gates 1/5" in text
        assert "missing: VAL margin" in text
        await press(pilot, "down")
        assert "no 5CAT ran at this epoch: the full one will tell" in text_of(pilot)


async def test_an_empty_ledger_says_so_instead_of_an_empty_table(tmp_path: Path) -> None:
    async with screen(four_models(tmp_path), "3", "g") as pilot:
        assert notices(pilot) == ["the ledger is empty: nothing was tested or promoted yet"]
        assert "by whom" not in text_of(pilot)


async def test_a_run_is_told_from_the_others_where_there_is_little_room(stage: Stage) -> None:
    async with screen(stage.disk, "3") as pilot:
        text = text_of(pilot)
    assert "best_5cat_model 5 +0.030 +0.024 1/5 lstm 22:40:00" in text
    assert "VAL rollout 0.440 – – ✗ ≥ 0.50" in text


async def test_g_shows_the_ledger_and_the_comparison_again(stage: Stage) -> None:
    stage.disk.store.add_to_ledger(
        "refused", "amn", {"file": "a.pt", "by": "ada@host:tty1", "missing": ["VAL margin −0.03"]}
    )
    async with screen(stage.disk, "3", "g", size=LARGE) as pilot:
        assert "✗ 1" in text_of(pilot)
        assert "refused amn a.pt, ada@host:tty1: VAL margin −0.03" in text_of(pilot)
        await press(pilot, "g")
        assert "candidate lstm change need" in text_of(pilot)
        assert pilot.app.focused is pilot.app.screen.query_one("#candidates", RowTable)


async def test_v_shows_the_steps_of_the_last_change_whoever_made_it(stage: Stage) -> None:
    stage.will(PROMOTED)
    Promoting.run(stage.disk.desk.promoting(), "promote")
    async with screen(stage.disk, "3", size=LARGE) as pilot:
        assert "full 5CAT of this very file" not in text_of(pilot), "it is over"
        await press(pilot, "v")
        assert "✓ full 5CAT of this very file" in await shown(pilot)
        await press(pilot, "v")
        assert "candidate lstm change need" in text_of(pilot)


@pytest.mark.parametrize("key", ["p", "b", "f", "z"])
async def test_who_only_looks_changes_nothing(stage: Stage, key: str) -> None:
    stage.left_behind()
    async with screen(stage.disk, "3", key, watch=True) as pilot:
        assert "look only" in notices(pilot)[-1]
        assert isinstance(pilot.app.screen, Promote)
    assert stage.called == []


@pytest.mark.parametrize(("key", "words"), [("O", "nothing was refused"), ("v", "nothing was")])
async def test_keys_that_have_nothing_to_do_say_so(stage: Stage, key: str, words: str) -> None:
    async with screen(stage.disk, "3", key) as pilot:
        assert words in notices(pilot)[-1]


async def test_without_a_run_the_screen_says_what_to_do(tmp_path: Path) -> None:
    async with screen(Disk(tmp_path), "3", "p") as pilot:
        assert "No run has a checkpoint yet." in text_of(pilot)
        assert isinstance(pilot.app.screen, Promote)


def folded(*events: Event) -> ChangeView:
    view = fold_all(None, [Record(at, 0.0, event) for at, event in enumerate(events)])
    assert view is not None
    return view


def test_a_step_that_ends_takes_the_place_of_its_beginning_and_a_new_change_of_the_old() -> None:
    progress = FivecatProgress(0, "VAL", "offset", 10, 40)
    view = folded(*begun(), PromotionStep(CHANGE, "fivecat", "started"), progress)
    assert [step.state for step in view.steps] == ["done", "started"]
    assert (view.done, view.total, view.good) == (10, 40, None)
    view = folded(*begun(), PromotionStep(CHANGE, "fivecat", "started"), *PROMOTED[2:])
    assert [step.step for step in view.steps].count("fivecat") == 1
    assert view.good is True
    again = folded(*PROMOTED, PromotionStarted("c2", "rollback", "gru", "x.pt", "ada"))
    assert (again.change, again.steps, again.finished) == ("c2", (), None)
    other = PromotionStep("another", "link", "done")
    assert folded(*begun(), other) == folded(*begun())


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "120x40"])
@pytest.mark.parametrize("scene", ["list", "question", "refused", "promoted", "interrupted"])
def test_looks(snap_compare: Compare, stage: Stage, size: tuple[int, int], scene: str) -> None:
    async def before(pilot: Pilot[object]) -> None:
        await settled(pilot)
        await press(pilot, "3")
        if scene == "question":
            await press(pilot, "p")
        elif scene in ("refused", "promoted"):
            await press(pilot, "p", "y")
            await shown(pilot)

    if scene == "interrupted":
        stage.left_behind()
    stage.will(REFUSED if scene == "refused" else PROMOTED, code=int(scene == "refused"))
    assert snap_compare(app_on(stage.disk), terminal_size=size, run_before=before)
