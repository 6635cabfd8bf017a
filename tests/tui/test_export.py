"""A run as files."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from lvm_tui.export import export, tables
from lvm_tui.state.fold import fold_all
from lvm_tui.state.views import RunView

from .scripted import Plan, Script, begin, epoch, fivecat

PLAN = Plan(epochs=4, batches=10)


def scripted() -> Script:
    script = Script()
    begin(script, PLAN)
    epoch(script, PLAN, 1)
    epoch(script, PLAN, 2)
    fivecat(script, PLAN, 2, -0.084)
    epoch(script, PLAN, 3, until=5)
    return script


def test_the_tables_have_a_row_a_batch_and_a_row_an_epoch() -> None:
    batches, epochs = tables(scripted().records)
    assert [row["step"] for row in batches] == list(range(1, 26))
    assert [row["epoch"] for row in epochs] == [1, 2]
    assert epochs[1]["val_margin"] == -0.084
    assert "val_margin" not in epochs[0]


def test_what_a_resume_made_void_is_not_exported() -> None:
    script = scripted()
    begin(script, PLAN, resumed_at=14)
    batches, epochs = tables(script.records)
    assert batches[-1]["step"] == 14
    assert [row["epoch"] for row in epochs] == [1]


def test_four_files_are_written_that_other_tools_can_read(tmp_path: Path) -> None:
    script = scripted()
    view = fold_all(RunView(), script.records)
    paths = export(tmp_path, view, script.records, "<svg/>")
    assert [path.name for path in paths] == [
        "batches.csv",
        "epochs.csv",
        "run.json",
        "dashboard.svg",
    ]
    with paths[0].open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 25
    assert float(rows[0]["loss"]) == view.loss.buckets[0].lows[0]
    with paths[1].open(newline="") as file:
        assert [row["val_margin"] for row in csv.DictReader(file)] == ["", "-0.084"]
    document = json.loads(paths[2].read_text())
    assert document["run"] == PLAN.run
    assert document["fivecat"][0]["VAL"]["margin"] == -0.084
    assert [alert["level"] for alert in document["alerts"]] == ["alarm", "alarm"]
    assert paths[3].read_text() == "<svg/>"


def test_exporting_again_replaces_the_files(tmp_path: Path) -> None:
    script = scripted()
    view = fold_all(RunView(), script.records)
    export(tmp_path, view, script.records, "<svg/>")
    export(tmp_path, view, script.records, "<svg></svg>")
    assert sorted(path.name for path in (tmp_path / "exports").iterdir()) == [
        "batches.csv",
        "dashboard.svg",
        "epochs.csv",
        "run.json",
    ]
    assert (tmp_path / "exports" / "dashboard.svg").read_text() == "<svg></svg>"
