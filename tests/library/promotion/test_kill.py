"""kill −9 between any two system calls that change the disk; then finish, or undo."""

from __future__ import annotations

import contextlib
import os
import platform
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from _pytest.mark.structures import ParameterSet

from lvm.errors import LvmError
from lvm.promotion.change import STEPS, Change
from lvm.promotion.places import journal_path
from lvm.promotion.state import pending

from .conftest import NEW, NEWER, OLD, Bench, make_bench
from .tracing import can_trace, full_from, killed_at

pytestmark = pytest.mark.skipif(not can_trace(), reason="needs ptrace(2) on Linux")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """In memory where there is such a place: a disk takes its time for thousands of fsyncs."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory, prefix="lvm-kill-") as name:
        yield Path(name)


def nothing(bench: Bench) -> None:
    """Nothing stands there."""


def a_file(bench: Bench) -> None:
    bench.link.write_bytes(OLD)
    bench.link.with_suffix(".json").write_text("the user's own notes")


def a_link(bench: Bench) -> None:
    bench.link.symlink_to(
        bench.checkpoint(OLD, "gru_5cat_20250101_000000").relative_to(bench.models)
    )


def a_promoted_link(bench: Bench) -> None:
    """The second promotion: the backup of the first gives way to that of this one."""
    a_link(bench)
    assert bench.promote(bench.checkpoint(NEWER, "gru_5cat_20250601_000000")).outcome == "promoted"


Before = Callable[[Bench], None]


def long(*values: object) -> ParameterSet:
    """The same with what another thing stood there: minutes in all, so only by `make bench`."""
    return pytest.param(*values, marks=pytest.mark.heavy)


def every_kill(
    folder: Path,
    before: Before,
    begin: Callable[[Bench], Callable[[], object]],
    stop: Callable[[int, Callable[[], object]], str] = killed_at,
) -> list[tuple[int, str, Bench, dict[str, str]]]:
    """A bench for every n, killed at the n-th call; the last one completed."""
    found = []
    number = 0
    while not found or found[-1][1] != "completed":
        number += 1
        bench = make_bench(folder / str(number))
        before(bench)
        bench.checkpoint(NEW)
        tree = bench.tree()
        work = begin(bench)
        bench.close()
        found.append((number, stop(number, work), bench, tree))
    return found


def promotion(bench: Bench) -> Callable[[], object]:
    change = bench.prepared(bench.models / "gru_5cat_20260101_000000" / "best_5cat_model.pt")
    return lambda: bench.applier().begin(change)


def content_at_link(bench: Bench) -> bytes | None:
    return bench.link.read_bytes() if bench.link.is_file() else None


def old_content(before: Before) -> bytes | None:
    return {nothing: None, a_file: OLD, a_link: OLD, a_promoted_link: NEWER}[before]


def assert_whole(bench: Bench, before: Before) -> None:
    """What must hold after a kill at any moment."""
    assert content_at_link(bench) in (old_content(before), NEW)
    left = pending(bench.project)
    ours = [e.kind for e in bench.entries() if e.document["change"] == expected_change(before)]
    if left is None:
        done = content_at_link(bench) == NEW
        assert ours == (["promoted"] if done else [])
    else:
        assert left.change.step in STEPS
        assert left.now == ("new" if content_at_link(bench) == NEW else "old")
        assert left.words.startswith("a promotion of gru to gru_5cat_20260101_000000/best_5cat")
        assert ours == [] or left.change.step == "ledger"
    kept = [path.read_bytes() for path in bench.models.rglob("*.pt") if path.is_file()]
    assert old_content(before) is None or old_content(before) in kept


def expected_change(before: Before) -> str:
    return "change-2" if before is a_promoted_link else "change-1"


def interrupted(bench: Bench) -> Change:
    change = Change.read(journal_path(bench.project))
    assert change is not None
    return change


@pytest.mark.parametrize("before", [long(nothing), long(a_file), long(a_link), a_promoted_link])
def test_a_promotion_killed_anywhere_can_be_finished(folder: Path, before: Before) -> None:
    kills = every_kill(folder, before, promotion)
    completed = kills[-1][2]
    assert len(kills) > 40
    for _, call, bench, tree in kills:
        assert_whole(bench, before)
        if pending(bench.project) is None:
            assert bench.tree() in (tree, {**completed.tree(), **without_times(bench)})
        else:
            assert bench.applier().go_on(interrupted(bench)).outcome == "promoted", call
            assert pending(bench.project) is None
            assert bench.tree().keys() == completed.tree().keys()
            assert content_at_link(bench) == NEW
            mine = [e for e in bench.entries() if e.document["change"] == expected_change(before)]
            assert [entry.kind for entry in mine] == ["promoted"]
            assert bench.services.calls[-1:] == ["restart gru"]
        bench.close()


def without_times(bench: Bench) -> dict[str, str]:
    """The metadata has times and inodes in it that differ between benches."""
    return {name: text for name, text in bench.tree().items() if name.endswith(".json")}


@pytest.mark.parametrize("before", [long(nothing), a_file, long(a_link), long(a_promoted_link)])
def test_a_promotion_killed_anywhere_can_be_undone(folder: Path, before: Before) -> None:
    for _, call, bench, tree in every_kill(folder, before, promotion):
        if pending(bench.project) is not None:
            assert bench.applier().take_back(interrupted(bench), "no").outcome == "undone", call
            assert bench.tree() == tree, call
            assert pending(bench.project) is None
            mine = [e for e in bench.entries() if e.document["change"] == expected_change(before)]
            assert mine[-1].kind == "undone"
        bench.close()


@pytest.mark.parametrize(
    ("before", "then"),
    [
        (a_file, "undo"),
        long(a_file, "finish"),
        long(a_promoted_link, "undo"),
        long(a_promoted_link, "finish"),
    ],
)
def test_what_was_killed_while_it_was_being_undone_is_still_recovered(
    folder: Path, before: Before, then: str
) -> None:
    trees = {}

    def undoing(bench: Bench) -> Callable[[], object]:
        change = bench.prepared(bench.models / "gru_5cat_20260101_000000" / "best_5cat_model.pt")
        trees[bench.project.root] = bench.tree()
        bench.services.broken.add(change.sha256)  # the service dies of it: taken back by itself
        return lambda: bench.applier().begin(change)

    for _, call, bench, _ in every_kill(folder, before, undoing):
        assert content_at_link(bench) in (old_content(before), NEW)
        bench.services.broken.clear()
        if pending(bench.project) is not None:
            change = interrupted(bench)
            if then == "undo":
                assert bench.applier().take_back(change, "no").outcome == "undone", call
                assert bench.tree() == trees[bench.project.root], call
            else:
                assert bench.applier().go_on(change).outcome == "promoted", call
                assert content_at_link(bench) == NEW
            assert pending(bench.project) is None
        bench.close()


def on_a_full_disk(bench: Bench) -> Callable[[], object]:
    change = bench.prepared(bench.models / "gru_5cat_20260101_000000" / "best_5cat_model.pt")

    def work() -> None:
        with contextlib.suppress(LvmError):  # nothing else may come of it
            bench.applier().begin(change)

    return work


@pytest.mark.skipif(platform.machine() != "x86_64", reason="answers of calls are forged there only")
@pytest.mark.parametrize("before", [a_file, long(a_promoted_link)])
@pytest.mark.parametrize("then", [long("finish"), "undo"])
def test_a_disk_that_is_full_from_any_moment_on_loses_nothing(
    folder: Path, before: Before, then: str
) -> None:
    for _, call, bench, tree in every_kill(folder, before, on_a_full_disk, full_from):
        assert content_at_link(bench) in (old_content(before), NEW), call
        kept = [path.read_bytes() for path in bench.models.rglob("*.pt") if path.is_file()]
        assert old_content(before) in kept, call
        if pending(bench.project) is None:
            ours = [
                e.kind for e in bench.entries() if e.document["change"] == expected_change(before)
            ]
            assert ours in ([], ["promoted"], ["failed"]), call
            assert (bench.tree() == tree) == (ours != ["promoted"]), call
        elif then == "undo":
            assert bench.applier().take_back(interrupted(bench), "no").outcome == "undone", call
            assert bench.tree() == tree, call
        else:
            assert bench.applier().go_on(interrupted(bench)).outcome == "promoted", call
            assert content_at_link(bench) == NEW
        assert pending(bench.project) is None
        bench.close()
