"""The pictures of the README and the docs, from a real run: `make screenshots`.

    python docs/screenshots.py WORKSPACE [RUN]

Shows the workspace of `make demo` (or any other) in the real dashboard, without a terminal, and
writes docs/images/*.svg. Nothing is trained and nothing in the workspace is changed.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from lvm_tui.app import LvmApp
from lvm_tui.workspace import Workspace

IMAGES = Path(__file__).parent / "images"

PICTURES = (
    ("dashboard", ("1", "c"), (120, 40)),
    ("dashboard-80x24", ("1", "c"), (80, 24)),
    ("queue", ("2",), (120, 40)),
    ("promote", ("3",), (120, 40)),
    ("services", ("4",), (120, 40)),
    ("data", ("5",), (120, 40)),
    ("runs", ("6",), (120, 40)),
)
"""Name, keys to press, columns and rows."""


async def picture(
    root: Path, run: str, name: str, keys: tuple[str, ...], size: tuple[int, int]
) -> None:
    app = LvmApp(Workspace(root, watch=True), run=run, watch=True)
    async with app.run_test(size=size) as pilot:
        await pilot.pause(1.5)  # calm mode looks at the logs once a second
        for key in keys:
            await pilot.press(key)
        await pilot.pause(1.5)
        (IMAGES / f"{name}.svg").write_text(app.export_screenshot(title=f"lvm-tui {name}"))


def main(root: str, run: str = "") -> None:
    for name, keys, size in PICTURES:
        asyncio.run(picture(Path(root), run, name, keys, size))
        print(f"wrote {IMAGES / name}.svg")


if __name__ == "__main__":
    main(*sys.argv[1:3])
