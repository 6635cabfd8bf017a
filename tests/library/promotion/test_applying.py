"""What changes on disk, what is kept, and what is put back when a service does not come up."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from lvm.errors import CheckpointError, DiskError, InputError, LeaseError, RunError
from lvm.events import PromotionStep
from lvm.promotion.change import Change
from lvm.promotion.lock import promotion_lock
from lvm.promotion.places import Places, journal_path, lock_path
from lvm.promotion.planning import plan
from lvm.promotion.promoting import Promoter
from lvm.promotion.services import NoServices
from lvm.promotion.state import candidates, names, pending, production
from lvm.promotion.trial import Trial
from lvm.runs.lease import HeldLease
from lvm.settings import DataSettings, Job

from .conftest import NEW, NEWER, OLD, VECTOR, Bench, sha

RUN = "gru_5cat_20260101_000000/best_5cat_model.pt"


def test_the_first_promotion_makes_a_relative_link_and_its_metadata(bench: Bench) -> None:
    done = bench.promote(bench.checkpoint(NEW))
    assert (done.outcome, done.words) == ("promoted", f"gru promoted to {RUN}")
    assert bench.link.readlink() == Path(RUN)
    standing = production(bench.project, "gru")
    assert standing.trouble == ""
    assert standing.sha256 == sha(NEW)
    assert standing.run == "gru_5cat_20260101_000000"
    assert standing.metadata["by"] == "ann@mac"
    assert bench.services.calls == ["restart gru"]
    assert [(e.step, e.state) for e in bench.told if isinstance(e, PromotionStep)][-2:] == [
        ("service", "started"),
        ("service", "done"),
    ]
    assert not journal_path(bench.project).exists()


def test_the_users_old_model_is_kept_when_it_is_a_file(bench: Bench) -> None:
    bench.link.write_bytes(OLD)
    bench.promote(bench.checkpoint(NEW))
    assert (bench.models / "gru_v0_OLD.pt").read_bytes() == OLD
    bench.promote(bench.checkpoint(NEWER, "gru_5cat_20260201_000000"))
    assert (bench.models / "gru_v0_OLD.pt").read_bytes() == OLD, "a file is never written over"
    assert (bench.models / "gru_v0_OLD_2.pt").readlink() == Path(RUN)


def test_only_the_previous_backup_of_the_same_chain_gives_way(bench: Bench) -> None:
    bench.link.symlink_to("gone.pt")
    (bench.models / "gru_v0_OLD.pt").symlink_to("the users own.pt")
    bench.promote(bench.checkpoint(NEW))
    assert bench.tree()["gru_v0_OLD.pt"] == "-> the users own.pt"
    assert bench.tree()["gru_v0_OLD_2.pt"] == "-> gone.pt"
    bench.promote(bench.checkpoint(NEWER, "gru_5cat_20260201_000000"))
    assert bench.tree()["gru_v0_OLD.pt"] == "-> the users own.pt"
    assert bench.tree()["gru_v0_OLD_2.pt"] == f"-> {RUN}", "it was of this chain"
    assert "gru_v0_OLD_3.pt" not in bench.tree()


def test_the_metadata_that_stood_there_is_kept_beside_the_backup(bench: Bench) -> None:
    bench.link.write_bytes(OLD)
    (bench.models / "gru_v0.json").write_text("notes of the user")
    bench.promote(bench.checkpoint(NEW))
    assert (bench.models / "gru_v0_OLD.json").read_text() == "notes of the user"


def test_a_service_that_does_not_come_up_gets_the_old_file_back(bench: Bench) -> None:
    bench.link.write_bytes(OLD)
    before = bench.tree()
    inode = bench.link.stat().st_ino
    file = bench.checkpoint(NEW)
    bench.services.broken.add(sha(NEW))
    done = bench.promote(file)
    assert done.outcome == "failed"
    assert "connection refused; what stood before is back" in done.words
    assert not done.alarm
    assert bench.tree() == {**before, RUN: NEW.decode()}
    assert bench.link.stat().st_ino == inode, "the very file, not a copy"
    assert bench.services.health("gru")["sha256"] == sha(OLD)
    assert bench.kinds() == ["failed"]
    steps = [step["step"] for step in bench.entries()[0].document["steps"]]
    assert steps == ["backup", "link", "metadata", "put_back", "service_back"]


def test_a_service_that_predicts_another_vector_is_not_the_promoted_one(bench: Bench) -> None:
    bench.services.vector = [0.8, 0.6]
    done = bench.promote(bench.checkpoint(NEW))
    assert done.outcome == "failed"
    assert "predicts another vector" in done.words
    assert not bench.link.is_symlink()
    assert bench.services.calls == ["restart gru", "stop gru"], "it had nothing to load before"


def test_a_prediction_that_is_no_number_is_another_vector(bench: Bench) -> None:
    bench.services.vector = [float("nan"), 0.8]
    assert bench.promote(bench.checkpoint(NEW)).outcome == "failed"


def test_it_is_an_alarm_when_the_old_file_does_not_answer_either(bench: Bench) -> None:
    bench.link.write_bytes(OLD)
    bench.services.broken |= {sha(NEW), sha(OLD)}
    done = bench.promote(bench.checkpoint(NEW))
    assert (done.outcome, done.alarm) == ("failed", True)
    assert "could not be brought back" in done.words
    assert bench.link.read_bytes() == OLD


def test_a_service_that_did_not_run_is_started_and_stopped_again_if_it_fails(bench: Bench) -> None:
    bench.link.write_bytes(OLD)
    bench.services.up.clear()
    assert (
        "does not run and is started"
        in plan(bench.models, "gru", bench.checkpoint(NEW), bench.services).service
    )
    bench.services.broken.add(sha(NEW))
    bench.promote(bench.checkpoint(NEW))
    assert bench.services.calls == ["restart gru", "stop gru"]


def test_without_a_service_the_link_is_changed_and_the_plan_says_so(bench: Bench) -> None:
    file = bench.checkpoint(NEW)
    said = plan(bench.models, "gru", file, NoServices())
    assert said.service == "no service gru is configured: nothing is restarted or verified"
    done = bench.promote(file, restart=False)
    assert done.outcome == "promoted"
    assert bench.services.calls == []
    assert bench.entries()[0].document["service"] == "not restarted"


def test_a_service_that_loads_another_file_is_refused_before_anything(bench: Bench) -> None:
    bench.services.loads = lambda name: bench.models / "other.pt"  # type: ignore[method-assign]
    with pytest.raises(InputError, match=r"service gru loads .*other.pt, not gru_v0.pt"):
        plan(bench.models, "gru", bench.checkpoint(NEW), bench.services)


def test_the_plan_names_every_path_that_changes(bench: Bench) -> None:
    bench.link.write_bytes(OLD)
    file = bench.checkpoint(NEW)
    before = bench.tree()
    changes = plan(bench.models, "gru", file, bench.services).changes
    bench.promote(file)
    changed = {name for name, text in bench.tree().items() if before.get(name) != text}
    assert {change.path for change in changes} == changed


def test_a_file_that_a_run_replaced_since_its_test_never_gets_the_link(bench: Bench) -> None:
    bench.link.write_bytes(OLD)
    file = bench.checkpoint(NEW)
    change = bench.prepared(file)
    file.write_bytes(NEWER)
    done = bench.applier().begin(change)
    assert done.outcome == "failed"
    assert "is no longer the file that was tested" in done.words
    assert bench.link.read_bytes() == OLD


def test_what_somebody_else_put_at_the_link_is_left_alone(bench: Bench) -> None:
    bench.link.write_bytes(OLD)
    change = bench.prepared(bench.checkpoint(NEW))
    bench.link.unlink()
    bench.link.write_bytes(NEWER)
    done = bench.applier().begin(change)
    assert (done.outcome, bench.link.read_bytes()) == ("failed", NEWER)


def test_a_folder_at_the_link_is_refused(bench: Bench) -> None:
    bench.link.mkdir()
    with pytest.raises(InputError, match="neither a link nor a file"):
        bench.prepared(bench.checkpoint(NEW))


def test_the_production_file_itself_cannot_be_promoted(bench: Bench) -> None:
    bench.link.write_bytes(OLD)
    with pytest.raises(InputError, match="the file in production itself"):
        bench.prepared(bench.link)


def test_a_link_that_the_user_made_is_taken_over_as_it_is(bench: Bench) -> None:
    file = bench.checkpoint(NEW)
    bench.link.symlink_to(RUN)
    assert bench.promote(file).outcome == "promoted"
    assert set(bench.tree()) == {"gru_v0.pt", "gru_v0.json", RUN}


def test_a_full_disk_leaves_everything_as_it_was(bench: Bench) -> None:
    bench.link.write_bytes(OLD)
    change = bench.prepared(bench.checkpoint(NEW))
    before = bench.tree()

    def full(*given: object) -> list[list[float]]:
        raise DiskError("no space left on device")

    bench.services.restart = full  # type: ignore[assignment]
    done = bench.applier().begin(change)
    assert (done.outcome, done.alarm) == ("failed", True)
    assert bench.tree() == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_said(bench: Bench) -> None:
    change = bench.prepared(bench.checkpoint(NEW))
    bench.models.chmod(0o500)
    try:
        with pytest.raises(DiskError):
            bench.applier().begin(change)
    finally:
        bench.models.chmod(0o700)


def test_a_disk_that_knows_no_hard_links_gets_a_copy(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(self: Path, target: Path) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", none)
    bench.link.write_bytes(OLD)
    bench.services.broken.add(sha(NEW))
    assert bench.promote(bench.checkpoint(NEW)).outcome == "failed"
    assert bench.link.read_bytes() == OLD
    assert not bench.link.is_symlink()
    bench.services.broken.clear()
    assert bench.promote(bench.checkpoint(NEW)).outcome == "promoted"
    kept = [path for path in bench.models.glob("gru_v0_OLD*.pt") if path.read_bytes() == OLD]
    assert kept


# ------------------------------------------------------------------ roll back


def promoter(bench: Bench) -> Promoter:
    def trial(file: Path, device: str) -> Trial:
        if not file.is_file():
            raise CheckpointError("cannot be read", where=str(file))
        return Trial(sha(file.read_bytes()), "gru", 2, VECTOR, "cpu")

    return Promoter(
        bench.project,
        bench.services,
        by="ann@mac",
        tell=bench.told.append,
        seconds=0.0,
        trial=trial,
        contexts=lambda dim: [[1.0, 0.0]] * 5,
    )


def test_a_rollback_goes_to_what_stood_before_and_back_again(bench: Bench) -> None:
    bench.link.write_bytes(OLD)
    bench.promote(bench.checkpoint(NEW))
    done = promoter(bench).rollback("gru")
    assert done.outcome == "rolled_back"
    assert bench.link.read_bytes() == OLD
    assert bench.link.readlink() == Path("gru_v0_OLD.pt")
    promoter(bench).rollback("gru")
    assert bench.link.read_bytes() == NEW
    assert production(bench.project, "gru").metadata["run"] == "gru_5cat_20260101_000000"
    assert bench.kinds() == ["promoted", "rolled_back", "rolled_back"]


def test_a_rollback_goes_to_any_earlier_entry(bench: Bench) -> None:
    first = bench.promote(bench.checkpoint(OLD, "gru_5cat_1")).entry
    bench.promote(bench.checkpoint(NEW, "gru_5cat_2"))
    bench.promote(bench.checkpoint(NEWER, "gru_5cat_3"))
    done = promoter(bench).rollback("gru", to=first)
    assert bench.link.read_bytes() == OLD
    assert bench.entries()[-1].document["to"] == first
    assert bench.entries()[-1].id == done.entry
    with pytest.raises(InputError, match=r"entry 99 .*gru"):
        promoter(bench).rollback("gru", to=99)


def test_a_rollback_to_a_file_that_was_changed_is_refused_and_recorded(bench: Bench) -> None:
    old = bench.checkpoint(OLD, "gru_5cat_1")
    bench.promote(old)
    bench.promote(bench.checkpoint(NEW, "gru_5cat_2"))
    old.write_bytes(NEWER)
    with pytest.raises(CheckpointError, match="no longer the file that was in production"):
        promoter(bench).rollback("gru")
    assert bench.link.read_bytes() == NEW
    assert bench.kinds()[-1] == "refused"


def test_there_is_nothing_to_roll_back_to_before_anything_was_promoted(bench: Bench) -> None:
    with pytest.raises(InputError, match="nothing to roll gru back to"):
        promoter(bench).rollback("gru")
    bench.promote(bench.checkpoint(NEW))
    with pytest.raises(InputError, match="nothing to roll gru back to"):
        promoter(bench).rollback("gru")


def test_an_undone_change_is_not_what_stands(bench: Bench) -> None:
    """Killed after its entry was written and before the journal was gone."""
    bench.promote(bench.checkpoint(OLD, "gru_5cat_1"))
    change = bench.prepared(bench.checkpoint(NEW, "gru_5cat_2"))
    bench.applier().begin(change)
    change.changed(step="ledger", service_touched=True).write(journal_path(bench.project))
    assert promoter(bench).recover("undo").outcome == "undone"
    assert bench.kinds() == ["promoted", "promoted", "undone"]
    assert bench.link.read_bytes() == OLD
    with pytest.raises(InputError, match="nothing to roll gru back to"):
        promoter(bench).rollback("gru")


def test_a_run_that_goes_on_is_said_in_the_plan(bench: Bench) -> None:
    bench.promote(bench.checkpoint(OLD, "gru_5cat_1"))
    bench.promote(bench.checkpoint(NEW, "gru_5cat_2"))
    (bench.models / "gru_5cat_1" / "run.json").write_text("{}")
    store = bench.project.store()
    job = store.add_job(Job(data=DataSettings(bank="docs.npz")))
    with HeldLease(store, bench.project.clock, by="ann", heartbeat=60.0):
        store.take_next()
        store.assign_run(job, "gru_5cat_1")
        plan = promoter(bench).rollback("gru", dry_run=True).plan
    assert plan is not None
    assert "the run of this file goes on and may replace it: then promote again" in plan.notes


# ------------------------------------------------------------------ one at a time


def test_two_promotions_at_once_are_refused_by_name(bench: Bench) -> None:
    bench.promote(bench.checkpoint(OLD, "gru_5cat_1"))
    bench.promote(bench.checkpoint(NEW))
    with promotion_lock(lock_path(bench.project), "bob@mac", bench.project.clock):
        bench.prepared(bench.checkpoint(NEWER, "gru_5cat_9")).write(journal_path(bench.project))
        assert pending(bench.project) is None, "somebody is at it"
        with pytest.raises(LeaseError, match=r"another promotion is under way: process .*bob@mac"):
            promoter(bench).rollback("gru")
    left = pending(bench.project)
    assert left is not None
    assert left.words.endswith("gru_v0.pt leads still to the old file")


def test_what_was_interrupted_comes_first(bench: Bench) -> None:
    bench.promote(bench.checkpoint(OLD, "gru_5cat_1"))
    bench.promote(bench.checkpoint(NEW))
    bench.prepared(bench.checkpoint(NEWER, "gru_5cat_9")).write(journal_path(bench.project))
    with pytest.raises(RunError, match="was interrupted while keeping what stood there") as caught:
        promoter(bench).rollback("gru")
    assert "--recover finish" in caught.value.fix


def test_a_journal_that_cannot_be_read_is_said(bench: Bench) -> None:
    journal_path(bench.project).write_text("{}")
    with pytest.raises(RunError, match="the journal of a promotion cannot be read"):
        pending(bench.project)
    assert Change.read(bench.models / "none.json") is None


def test_a_name_that_could_leave_the_folder_is_refused(bench: Bench) -> None:
    for name in ("../gru", "", "a/b", ".gru"):
        with pytest.raises(InputError, match="no name of a service"):
            Places(bench.models, name)


# ------------------------------------------------------------------ what a screen reads


def test_production_tells_what_was_not_promoted_or_changed_since(bench: Bench) -> None:
    assert production(bench.project, "gru").kind == "nothing"
    bench.link.symlink_to("gone.pt")
    assert production(bench.project, "gru").trouble.startswith("leads nowhere")
    bench.link.unlink()
    file = bench.checkpoint(NEW)
    bench.promote(file)
    os.utime(file, ns=(1, 1))
    assert "changed since it was promoted" in production(bench.project, "gru").trouble
    bench.link.unlink()
    bench.link.symlink_to(bench.checkpoint(NEWER, "gru_5cat_2").relative_to(bench.models))
    assert "not put there by a promotion" in production(bench.project, "gru").trouble
    (bench.models / "mine_v0.pt").write_bytes(OLD)
    assert names(bench.project, ["other"]) == (
        "transformer", "gru", "lstm", "amn", "other", "mine",
    )  # fmt: skip


def test_candidates_are_the_checkpoints_of_runs_and_where_they_serve(bench: Bench) -> None:
    file = bench.checkpoint(NEW)
    (file.parent / "run.json").write_text("{}")
    (file.parent / "checkpoint_epoch5.pt").write_bytes(OLD)
    bench.promote(file)
    found = candidates(bench.project)
    assert [(each.path.name, each.epoch, each.in_production_as) for each in found] == [
        ("best_5cat_model.pt", 0, ("gru",)),
        ("checkpoint_epoch5.pt", 5, ()),
    ]
