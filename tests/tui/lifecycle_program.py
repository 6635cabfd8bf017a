"""A dashboard over work that only waits, for the tests of what a terminal does to it.

    python lifecycle_program.py FOLDER

The work begins by writing FOLDER/started, ends when FOLDER/finish is there or when it is told to
stop, and says how in FOLDER/ended.
"""

from __future__ import annotations

import importlib
import sys
import time
from pathlib import Path
from threading import Event

sys.path.insert(0, str(Path(__file__).parents[2]))


def main() -> int:
    scripted = importlib.import_module("tests.tui.scripted")
    sources = importlib.import_module("tests.tui.sources")
    from lvm.config import DashboardSettings
    from lvm.events import CheckpointSaved
    from lvm_tui.app import LvmApp
    from lvm_tui.engine import Engine
    from lvm_tui.session import Session
    from lvm_tui.state.views import RunnerView

    folder = Path(sys.argv[1])
    script = scripted.training()
    desk = sources.MemoryWorkspace({scripted.Plan().run: script}, jobs=sources.FOUR)
    desk.holder = RunnerView()

    def work(stop: Event) -> str:
        desk.holder = RunnerView(alive=True, here=True)
        (folder / "started").write_text("")
        told = False
        while True:
            if stop.is_set():
                how = "asked"
                break
            if (folder / "finish").exists():
                how = "empty"
                break
            if (folder / "go").exists() and not told:
                told = True
                script.add(CheckpointSaved(7, 512, "checkpoint_epoch7.pt", 1_000_000))
            time.sleep(0.01)
        if (folder / "fail").exists():
            raise RuntimeError("the fuse blew")
        desk.holder = RunnerView()
        (folder / "ended").write_text(how)
        return how

    engine = Engine(work, lambda: False)
    app = LvmApp(desk, engine=engine, look=DashboardSettings(animations="none"))
    return Session(app, desk, engine).run()


if __name__ == "__main__":
    sys.exit(main())
