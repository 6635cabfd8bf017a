"""Mode 4: every key pressed in the real app; services that commands start and stop."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Protocol

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from lvm.config.services import PORTS
from lvm.service.manager import Manager
from lvm.service.own_commands import OwnCommands
from lvm.service.status import ServiceStatus
from lvm_tui.screens.dialogs import Ask
from lvm_tui.widgets.row_table import RowTable

from .disk import Disk
from .screens import LARGE, SMALL, app_on, notices, press, screen, settled, text_of
from .stub_service import Stub, chat_answer, stub_service

WEIGHTS = b"weights"


class Compare(Protocol):
    def __call__(self, app: object, **options: object) -> bool: ...


@pytest.fixture
def stub() -> Iterator[Stub]:
    with stub_service() as stub:
        stub.sha256 = sha256(WEIGHTS).hexdigest()
        yield stub


def with_services(root: Path, port: int, *, up: bool = False, model: bool = True) -> Disk:
    """GRU, whose port is the stub's, and AMN; a file named up is a GRU that runs."""
    disk = Disk(root)
    settings = root / "lvm.toml"
    settings.write_text(
        settings.read_text()
        + "[services]\nmanager = 'commands'\nstart_seconds = 5\n"
        + f"[services.gru]\nport = {port}\nstart = 'touch up'\nstop = 'rm up'\n"
        + "restart = 'touch again'\nstatus = 'test -e up'\nlogs = 'echo one; echo two'\n"
        + "[services.amn]\nport = 9006\nstart = 'echo no such unit; exit 5'\nstatus = 'false'\n"
        + "[services.transformer]\nenabled = false\n[services.lstm]\nenabled = false\n"
    )
    disk.desk.models.mkdir(parents=True, exist_ok=True)
    if model:
        (disk.desk.models / "gru_v0.pt").write_bytes(WEIGHTS)
    if up:
        (root / "up").touch()
    return disk


async def test_services_are_listed_with_what_answers(tmp_path: Path, stub: Stub) -> None:
    async with screen(with_services(tmp_path, stub.port, up=True), "4", size=LARGE) as pilot:
        text = text_of(pilot)
    assert "1 of 2 answer" in text
    assert f"✓ gru running {stub.port} 4711" in text
    assert "gru_5cat_20251030_223000" in text
    assert "■ amn stopped 9006" in text
    assert "no model: lvm promote CKPT --as amn" in text


async def test_another_file_than_the_one_that_answers_is_pointed_out(
    tmp_path: Path, stub: Stub
) -> None:
    stub.sha256 = "another"
    async with screen(with_services(tmp_path, stub.port, up=True), "4", size=LARGE) as pilot:
        assert "▲ r loads the new file; now gru_5cat" in text_of(pilot)


async def test_u_starts_and_x_stops_after_a_question(tmp_path: Path, stub: Stub) -> None:
    async with screen(with_services(tmp_path, stub.port), "4", "u") as pilot:
        assert (tmp_path / "up").exists()
        assert "gru answers" in notices(pilot)[-1]
        assert "✓ gru running" in text_of(pilot)
        await press(pilot, "x")
        assert isinstance(pilot.app.screen, Ask)
        assert "its port refuses" in text_of(pilot)
        await press(pilot, "n")
        assert (tmp_path / "up").exists()
        await press(pilot, "x", "y")
        assert not (tmp_path / "up").exists()
        assert "■ gru stopped" in text_of(pilot)


async def test_r_restarts_after_a_question_that_names_the_file(tmp_path: Path, stub: Stub) -> None:
    async with screen(with_services(tmp_path, stub.port, up=True), "4", "r") as pilot:
        assert "It loads models/gru_v0.pt." in text_of(pilot)
        await press(pilot, "y")
        assert (tmp_path / "again").exists()
        assert "gru answers again" in notices(pilot)[-1]


async def test_U_starts_all_that_have_a_model(tmp_path: Path, stub: Stub) -> None:
    async with screen(with_services(tmp_path, stub.port), "4", "U") as pilot:
        assert (tmp_path / "up").exists()
        assert not isinstance(pilot.app.screen, Ask)


async def test_U_without_a_model_says_what_to_do(tmp_path: Path, stub: Stub) -> None:
    disk = with_services(tmp_path, stub.port, model=False)
    async with screen(disk, "4", "U") as pilot:
        assert "promote one first (3)" in notices(pilot)[-1]


async def test_what_cannot_be_started_is_shown_with_the_reason(tmp_path: Path, stub: Stub) -> None:
    disk = with_services(tmp_path, stub.port)
    (disk.desk.models / "amn_v0.pt").write_bytes(WEIGHTS)
    async with screen(disk, "4", "down", "u", size=LARGE) as pilot:
        assert isinstance(pilot.app.screen, Ask)
        assert "exits with 5: no such unit" in text_of(pilot)
        await press(pilot, "c")
        assert "■ amn stopped" in text_of(pilot)


async def test_o_shows_what_a_service_said_and_the_chat_again(tmp_path: Path, stub: Stub) -> None:
    async with screen(with_services(tmp_path, stub.port), "4", "o") as pilot:
        assert "one\ntwo\nthat is what gru said last" in text_of(pilot)
        await press(pilot, "o")
        assert "say something" in text_of(pilot)


async def say(pilot: Pilot[object], text: str) -> None:
    await press(pilot, "c")
    pilot.app.screen.query_one("#message", Input).value = text
    await press(pilot, "enter")


async def test_a_message_is_answered_beside_what_copying_would_say(
    tmp_path: Path, stub: Stub
) -> None:
    disk = with_services(tmp_path, stub.port, up=True)
    async with screen(disk, "4", "t", "t", size=LARGE) as pilot:
        await say(pilot, "How do I read a file?")
        text = text_of(pilot)
        assert stub.asked == [{"messages": ["How do I read a file?"], "temperature": 0.7}]
        assert "How do I read a file? to gru, temperature 0.7" in text
        assert "gru says next 0.713 │ copying the last chunk 0.842" in text
        assert "✓ forward: +1 chunk from the last one" in text
        assert "encode 3.1 ms" in text
        assert pilot.app.screen.query_one("#message", Input).value == ""
        await press(pilot, "escape")
        assert isinstance(pilot.app.focused, RowTable)


async def test_a_model_that_goes_backward_is_called_so(tmp_path: Path, stub: Stub) -> None:
    stub.answer = chat_answer(offset=-2)
    async with screen(with_services(tmp_path, stub.port, up=True), "4") as pilot:
        await say(pilot, "hello")
        assert "▲ backward: −2 chunks from the last one" in text_of(pilot)


async def test_a_service_that_refuses_says_why_in_the_chat(tmp_path: Path, stub: Stub) -> None:
    stub.status, stub.answer = 422, {"error": "this service has no texts to answer with"}
    async with screen(with_services(tmp_path, stub.port, up=True), "4") as pilot:
        await say(pilot, "hello")
        assert "✗ this service has no texts to answer with" in text_of(pilot)


async def test_nobody_answers_at_a_stopped_service(tmp_path: Path, stub: Stub) -> None:
    async with screen(with_services(tmp_path, stub.port), "4", "down") as pilot:
        await say(pilot, "hello")
        assert "✗ no answer" in text_of(pilot)


@pytest.mark.parametrize("key", ["u", "U", "x", "r"])
async def test_who_only_looks_starts_and_stops_nothing(
    tmp_path: Path, stub: Stub, key: str
) -> None:
    disk = with_services(tmp_path, stub.port)
    async with screen(disk, "4", key, watch=True) as pilot:
        assert "look only" in notices(pilot)[-1]
        assert not isinstance(pilot.app.screen, Ask)
    assert not (tmp_path / "up").exists()


async def test_settings_that_cannot_be_read_are_told_once(tmp_path: Path, stub: Stub) -> None:
    disk = with_services(tmp_path, stub.port)
    async with screen(disk, "4") as pilot:
        (tmp_path / "lvm.toml").write_text("[services.gru]\nport = 99999\n")
        pilot.app.screen.look()  # type: ignore[attr-defined]
        await settled(pilot)
        assert "port must be from 1 to 65535" in text_of(pilot)
        await press(pilot, "c")
        pilot.app.screen.look()  # type: ignore[attr-defined]
        await settled(pilot)
        assert not isinstance(pilot.app.screen, Ask)


async def test_nothing_is_drawn_again_when_nothing_changed(tmp_path: Path, stub: Stub) -> None:
    disk = with_services(tmp_path, stub.port, up=True)
    async with screen(disk, "4") as pilot:
        before = pilot.app.screen._seen  # type: ignore[attr-defined]
        disk.clock.time += 3.0
        pilot.app.screen.look()  # type: ignore[attr-defined]
        await settled(pilot)
        assert pilot.app.screen._seen == before  # type: ignore[attr-defined]


class FixedPorts(Manager):
    """Shows the ports of the guide, whichever the stub has got."""

    def status(self, names: Sequence[str] = ()) -> list[ServiceStatus]:
        return [replace(each, port=PORTS[each.name]) for each in super().status(names)]


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "120x40"])
@pytest.mark.parametrize("chat", [False, True], ids=["list", "chat"])
def test_looks(
    snap_compare: Compare, tmp_path: Path, stub: Stub, size: tuple[int, int], chat: bool
) -> None:
    async def before(pilot: Pilot[object]) -> None:
        await settled(pilot)
        await press(pilot, "4")
        if chat:
            await say(pilot, "How do I read a file line by line?")

    disk = with_services(tmp_path, stub.port, up=True)
    settings = disk.desk.project.config().services
    control = OwnCommands(tmp_path, settings)
    disk.desk._services = FixedPorts(tmp_path, settings, control, disk.clock)
    assert snap_compare(app_on(disk), terminal_size=size, run_before=before)
