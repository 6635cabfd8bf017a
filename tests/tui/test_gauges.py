"""The machine's gauges: read in a thread, shown where it trains, honest where it does not."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lvm.runs.who import host
from lvm_tui.gauging import elsewhere, trains_here
from lvm_tui.machine import GB, Gauges, Gpu, Meter, read_gpus
from lvm_tui.messages import Gauged
from lvm_tui.state.views import RunnerView
from lvm_tui.widgets.gauge_line import GaugeLine, in_short
from lvm_tui.widgets.queue_strip import QueueStrip

from . import scenes
from .conftest import Open, look, shown

GPU = Gpu("NVIDIA H100", 95.0, 60.1 * GB, 80 * GB, 71)
BUSY = Gauges(85.0, 5.1 * GB, 8 * GB, 41 * GB, (GPU,))


class ScriptedMeter(Meter):
    def __init__(self, gauges: Gauges) -> None:
        super().__init__(Path())
        self.gauges = gauges

    def read(self) -> Gauges:
        return self.gauges


class Nvml:
    """Two cards, of which one is lost; the other tells no temperature."""

    NVMLError = RuntimeError
    NVML_TEMPERATURE_GPU = 0

    def nvmlDeviceGetCount(self) -> int:
        return 2

    def nvmlDeviceGetHandleByIndex(self, at: int) -> int:
        if at == 1:
            raise RuntimeError("GPU is lost")
        return at

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> Any:
        return SimpleNamespace(used=60.12 * GB, total=80 * GB)

    def nvmlDeviceGetName(self, handle: int) -> bytes:
        return b"NVIDIA H100"

    def nvmlDeviceGetUtilizationRates(self, handle: int) -> Any:
        return SimpleNamespace(gpu=97)

    def nvmlDeviceGetTemperature(self, handle: int, which: int) -> int:
        raise RuntimeError("not supported")


def test_this_machine_can_be_read(tmp_path: Path) -> None:
    meter = Meter(tmp_path / "not" / "yet" / "there")
    gauges = meter.read()
    assert 0 <= gauges.cpu <= 100
    assert gauges.cpu % 5 == 0
    assert 0 < gauges.memory_used <= gauges.memory_total + GB
    assert gauges.disk_free is not None
    assert gauges.disk_free > 0


def test_the_load_is_measured_by_whatever_thread_asks(tmp_path: Path) -> None:
    """psutil's own count begins anew in each thread, and would say 0 for ever."""
    meter = Meter(tmp_path)
    read: list[float] = []

    def work() -> None:
        read.append(meter.read().cpu)

    for _ in range(2):
        end = time.monotonic() + 0.3
        asking = threading.Thread(target=work)
        while time.monotonic() < end:
            sum(range(1000))  # one core at least is busy
        asking.start()
        asking.join()
    assert read[-1] > 0


def test_a_card_that_does_not_answer_is_left_out() -> None:
    assert read_gpus(Nvml()) == (Gpu("NVIDIA H100", 95.0, 60.1 * GB, 80 * GB, None),)


@pytest.mark.parametrize(
    ("runner", "here", "name"),
    [
        (RunnerView(), False, ""),
        (RunnerView(alive=True, here=True, host="ada"), True, ""),
        (RunnerView(alive=True, host=host()), True, ""),
        (RunnerView(alive=True, host="far-away"), False, "far-away"),
    ],
)
def test_gauges_are_of_the_machine_that_trains(runner: RunnerView, here: bool, name: str) -> None:
    assert trains_here(runner) is here
    assert elsewhere(runner) == name


async def test_the_line_shows_cpu_memory_gpu_run_and_disk(opened: Open) -> None:
    desk = scenes.going_well()
    desk.holder = RunnerView(alive=True, here=True)
    async with opened(desk, meter=ScriptedMeter(BUSY)) as (app, pilot):
        assert not app.screen.query_one(GaugeLine).display
        app.look_at_gauges()
        await read(app, pilot)
        text = shown(app, GaugeLine)
        for part in ("85%", "5.1/8.0 GB", "gpu0", "95% 60.1/80.0 GB 71°C", "run 0.8 GB", "41 GB"):
            assert part in text
        desk.holder = RunnerView()
        await look(app, pilot)
        app.look_at_gauges()
        await pilot.pause()
        assert not app.screen.query_one(GaugeLine).display


async def read(app: Any, pilot: Any) -> None:
    while app.gauges is None:
        await pilot.pause(0.01)
    await pilot.pause()


async def test_what_runs_full_is_said_with_a_sign(opened: Open) -> None:
    desk = scenes.going_well()
    desk.holder = RunnerView(alive=True, here=True)
    full = Gauges(100.0, 7.6 * GB, 8 * GB, 1.2 * GB)
    async with opened(desk) as (app, pilot):
        app.post_message(Gauged(full))
        await pilot.pause()
        text = shown(app, GaugeLine)
        assert "7.6/8.0 GB !" in text
        assert "1.2 GB free !" in text


async def test_of_another_machine_it_says_that_its_gauges_are_not_here(opened: Open) -> None:
    async with opened(scenes.going_well()) as (app, _):
        assert "trains on ada: its gauges are not to be seen" in shown(app, GaugeLine)


async def test_at_80x24_the_queue_line_has_the_load_where_it_fits(opened: Open) -> None:
    desk = scenes.going_well()
    desk.holder = RunnerView(alive=True, here=True)
    done = replace(desk.rows[0], state="done")
    desk.rows = (done, done, *desk.rows)  # what is over gives way to the load
    async with opened(desk, size=(80, 24)) as (app, pilot):
        app.post_message(Gauged(replace(BUSY, gpus=())))
        await pilot.pause()
        assert not app.screen.query_one(GaugeLine).display
        strip = shown(app, QueueStrip)
        assert strip.startswith("queue  … ▶ transformer   · gru   · lstm   · amn")
        assert strip.endswith("cpu 85% mem 64% · trains here")


def test_nothing_measured_is_nothing_said() -> None:
    assert in_short(None) == ""
