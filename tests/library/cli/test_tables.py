"""Tables that stay tables, whatever stands in their cells and however narrow the screen is."""

from __future__ import annotations

import json
from pathlib import Path

from lvm.cli.job_words import data_words, settings_words
from lvm.cli.tables import columns, lay_out
from lvm.runs.project import Project
from lvm.settings import DataSettings, Job, TrainSettings

from .conftest import Call

HEAD = ["job", "state", "run", "note"]
NOTE = "bank.npz: no such file\n  → check the path"
ROWS = [["1", "failed", "gru_5cat_20261126_013552", NOTE], ["22", "queued", "", ""]]


def test_a_cell_of_several_lines_stays_in_its_row() -> None:
    assert list(lay_out(HEAD, ROWS)) == [
        "job  state   run                       note",
        "1    failed  gru_5cat_20261126_013552  bank.npz: no such file → check the path",
        "22   queued",
    ]


def test_what_finds_no_room_stands_beneath_its_row_with_its_name() -> None:
    lines = list(lay_out(HEAD, ROWS, width=60))
    assert lines == [
        "job  state   run",
        "1    failed  gru_5cat_20261126_013552",
        "     note bank.npz: no such file → check the path",
        "22   queued",
    ]
    narrow = list(lay_out(HEAD, ROWS, width=40))
    assert all(columns(line) <= 40 for line in narrow)
    assert "note" in " ".join(narrow)
    assert narrow[-1].startswith("22")


def test_columns_that_fit_stay_beside_each_other() -> None:
    wide = list(lay_out(HEAD, ROWS, width=120))
    assert wide == list(lay_out(HEAD, ROWS))


def test_characters_that_move_the_cursor_are_left_out_and_wide_ones_counted() -> None:
    lines = list(lay_out(["a", "b"], [["\x1b[31mred\x07", "x"], ["日本", "y"]]))
    assert lines == ["a        b", "[31mred  x", "日本     y"]
    assert columns(lines[1]) == columns(lines[2])


def test_a_job_is_told_by_its_data_and_what_is_not_the_default() -> None:
    assert data_words(DataSettings(bank="b.npz", val_articles="1-9")) == "b.npz, val_articles = 1-9"
    four = DataSettings(train="t.npz", val="v.npz", ood="o.npz", articles="a.npz")
    assert data_words(four) == "train t.npz, val v.npz, ood o.npz, articles a.npz"
    assert settings_words(Job()) == ""
    job = Job(train=TrainSettings(model="gru", epochs=3, compile=True, learning_rate=1e-4))
    assert settings_words(job) == "epochs = 3, learning_rate = 0.0001, compile = true"


def test_the_queue_shows_data_settings_and_why_a_job_failed(lvm: Call, project: Path) -> None:
    assert lvm("queue", "add", "gru", "--seed", "7")[0] == 0
    store = Project(project).store()
    store.set_state(1, "failed", NOTE)
    lvm("queue", "add", "amn")
    head, first, second = lvm("queue", "list")[1].splitlines()
    assert head.split() == ["job", "model", "state", "run", "data", "settings", "note"]
    assert "bank.npz" in first
    assert "seed = 7" in first
    assert first.endswith("bank.npz: no such file → check the path")
    assert "seed" not in second


def test_a_job_that_was_begun_and_that_nobody_trains_is_interrupted(
    lvm: Call, project: Path
) -> None:
    assert lvm("queue", "add", "gru")[0] == 0
    store = Project(project).store()
    lease = store.take_lease("ann", instead_of=None)
    assert lease is not None
    store.set_state(1, "running")

    def states() -> tuple[str, str]:
        told = json.loads(lvm("queue", "list", "--json")[1])["jobs"][0]["state"]
        return lvm("queue", "list")[1].splitlines()[1].split()[2], told

    assert states() == ("running", "running")
    store.release_lease(lease.token)
    assert states() == ("interrupted", "interrupted")
