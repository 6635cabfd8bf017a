"""The table that `make bench` writes, and the parts that it is made of."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest
import torch

from benchmarks import __main__ as bench
from benchmarks.figures import Figure, Note, number, report
from benchmarks.parts import ALONE, MEASURED, WITH_ARGUMENTS, listing, measure_of
from benchmarks.startup import imports_note
from benchmarks.table import BEGIN, END, Machine, render, replaced

MACHINE = Machine("A processor", 2, 24, "Linux x86_64", {"Python": "3.11.7", "torch": "2.13.0"})
FIGURES = [
    Figure("training gru, fast", 2.9, "×", 2.5, at_least=True, beside="plain | loop", n="5 × 4"),
    Figure("first paint", 0.71, "s", 0.6),
    Figure("share of the peak", 83.2, "%"),
]


def table(notes=()) -> str:
    date = datetime(2026, 11, 25)
    return render(FIGURES, notes, machine=MACHINE, date=date, threads=2, seconds=600, load=0.25)


def test_only_what_is_between_the_markers_is_replaced():
    before, after = "# Performance\n\nhand-written\n", "\n\n## More\n| a | table |\n"
    text = f"{before}{BEGIN}\nold\n| table |\n{END}{after}"
    assert replaced(text, "new") == f"{before}{BEGIN}\nnew\n{END}{after}"
    assert replaced(replaced(text, "new"), "newer") == f"{before}{BEGIN}\nnewer\n{END}{after}"


@pytest.mark.parametrize("text", ["no markers", BEGIN, END + BEGIN, BEGIN + BEGIN + END])
def test_a_document_without_its_two_markers_is_refused(text):
    with pytest.raises(ValueError, match="bench:begin"):
        replaced(text, "new")


def test_the_document_of_this_repository_has_its_markers():
    assert "new" in replaced(bench.DOCUMENT.read_text(), "new")


def test_a_miss_is_marked_and_named():
    written = table()
    assert "| first paint | 0.710 s | ≤ 0.6 | ✗ |" in written
    assert "1 of 2 targets met. ✗ missed: first paint." in written


def test_a_row_has_target_reference_and_count_and_no_cell_too_many():
    row = next(line for line in table().splitlines() if "gru" in line)
    assert row == r"| training gru, fast | 2.90 × | ≥ 2.5 | ✓ | plain \| loop | 5 × 4 |"


def test_what_has_no_target_is_told_and_not_judged():
    assert "| share of the peak | 83.2 % |  |  |" in table()


def test_the_table_says_when_and_where_it_was_measured():
    first = table().splitlines()[0]
    for part in (
        "2026-11-25",
        "10 minutes",
        "2 threads",
        "load average before it 0.2",
        "A processor",
        "Python 3.11.7",
        "torch",
    ):
        assert part in first


def test_notes_come_below_the_table():
    written = table([Note("CUDA: not run", ("No CUDA device.",))])
    assert written.index("CUDA: not run") > written.index("targets met")
    assert written.endswith("No CUDA device.")


@pytest.mark.parametrize(
    ("value", "written"),
    [(0, "0.00"), (1.006, "1.01"), (83.25, "83.2"), (999.9, "1,000"), (1900.4, "1,900"),
     (2.5e-5, "2.5e-05"), (0.00345, "0.00345")],
)  # fmt: skip
def test_numbers_have_three_digits(value, written):
    assert number(value) == written


def test_a_report_fails_when_a_limit_is_missed(capsys):
    assert report(iter(FIGURES)) == 1
    assert report(iter([FIGURES[0], FIGURES[2]])) == 0
    assert "1 of 1 limits kept" in capsys.readouterr().out


def test_every_script_of_the_folder_is_listed_once():
    folder = Path(bench.__file__).parent
    packages = [path.parent.name for path in folder.glob("*/__main__.py")]
    files = [path.stem for path in folder.glob("[!_]*.py") if "__main__" in path.read_text()]
    listed = [*MEASURED, *ALONE, *WITH_ARGUMENTS]
    assert sorted(listed) == sorted(packages + files)
    for name in listed:
        assert f"  {name:12} " in listing()


@pytest.mark.parametrize("name", MEASURED)
def test_every_measured_part_can_be_measured_without_arguments(name):
    assert callable(measure_of(name))


def test_a_part_that_is_not_there_is_refused(capsys):
    with pytest.raises(SystemExit):
        bench.main(["trainign"])
    assert "no such part: trainign" in capsys.readouterr().err


@pytest.mark.skipif(torch.cuda.is_available(), reason="would take minutes")
def test_a_part_by_name_is_told_and_kept_and_leaves_the_document_alone(tmp_path, capfd):
    before = bench.DOCUMENT.read_bytes()
    assert bench.main(["cuda", "--raw", str(tmp_path)]) == 0
    assert "No CUDA device" in capfd.readouterr().out
    (kept,) = tmp_path.iterdir()
    part = json.loads(kept.read_text())["parts"]["cuda"]
    assert part["whole"]
    assert part["figures"] == []
    assert "not run" in part["notes"][0]["title"]
    assert bench.DOCUMENT.read_bytes() == before


def test_a_part_that_breaks_is_a_failure_with_its_name(capfd):
    broken = bench.measured("no_such_part")
    assert not broken["whole"]
    assert broken["notes"][0]["title"] == "✗ no_such_part broke off"
    assert "no_such_part" in capfd.readouterr().err


def test_imports_are_added_up_by_package():
    log = "\n".join(
        ["import time: self [us] | cumulative | imported package",
         "import time:       200 |        200 |     rich.text",
         "import time:      1300 |       1500 |   rich",
         "import time:       700 |        700 | json"]
    )  # fmt: skip
    lines = imports_note("title", log).lines
    assert lines[2:4] == ("| rich | 1.5 | 2 | `rich` 1.3 |", "| json | 0.7 | 1 | `json` 0.7 |")
    assert lines[-1] == "| all | 2.2 | 3 | |"
