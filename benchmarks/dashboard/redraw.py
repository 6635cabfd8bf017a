"""Both charts drawn anew with ten million logged points, at once and not paced; time of the core,
which is the time on the clock where nothing else runs."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from textual.app import App, ComposeResult

from benchmarks.figures import Figure
from lvm_tui.state import bulk
from lvm_tui.state.curves import Curve
from lvm_tui.widgets.loss_chart import LineChart, Look, Plot

LIMIT = 12.0
POINTS, QUICK_POINTS = 10_000_000, 1_000_000
FEW = 1_000
SIZES = ((59, 13), (114, 40))
"""Of one chart, at 120 × 40 and about 300 × 100 in the terminal."""
EPOCHS = 20
TIMES = 40
_CHUNK = 500_000


class Stage(App[None]):
    CSS = "LineChart { width: 59; height: 13; }"

    def compose(self) -> ComposeResult:
        yield LineChart(id="loss")
        yield LineChart(id="cosine")


def measure(*, quick: bool) -> Iterator[Figure]:
    points = QUICK_POINTS if quick else POINTS
    many, few = (_plot(count) for count in (points, FEW))
    for index, size in enumerate(SIZES):
        milliseconds, base = (asyncio.run(_redraw(plot, size)) for plot in (many, few))
        name = f"redraw of both charts of {size[0]} × {size[1]}, {points:,} points"
        beside = f"{milliseconds / base:.2f} × {FEW:,} points"
        yield Figure(name, milliseconds, "ms", None if index else LIMIT, beside=beside)


async def _redraw(plot: Plot, size: tuple[int, int]) -> float:
    """Median milliseconds to draw both charts once."""
    app = Stage()
    async with app.run_test(size=(max(size[0], 80), 2 * size[1])) as pilot:
        charts = list(app.query(LineChart))
        for chart in charts:
            chart.styles.width, chart.styles.height = size
        await pilot.pause()
        spent = []
        for turn in range(TIMES):
            newer = replace(plot, look=Look(level=turn % 2 + 1))
            begun = time.thread_time()
            for chart in charts:
                chart.show(newer)
                chart.render_lines(chart.size.region)
            spent.append(time.thread_time() - begun)
            await pilot.pause()
    return statistics.median(spent) * 1e3


def _plot(points: int) -> Plot:
    generator = np.random.default_rng(0)
    curve = Curve()
    for start in range(0, points, _CHUNK):
        count = min(_CHUNK, points - start)
        steps = np.arange(start + 1, start + count + 1)
        values = 0.001 + 0.003 * np.exp(-6 * steps / points)
        values += generator.normal(0, 0.0003, count)
        curve = bulk.extended(curve, steps.tolist(), values.tolist())
    batches = points // EPOCHS
    validation = tuple((batches * n, 0.001 + 0.002 / n) for n in range(1, EPOCHS + 1))
    return Plot("loss", curve, validation, points, batches, Look())
