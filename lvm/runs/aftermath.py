"""What follows from a run that is not ready for production. Pure.

A gate failure is a run that ended by itself (completed or stopped early) and whose best 5CAT, with
the alerts of its whole history, is not ready for production; or one that was stopped for severe
backward bias. A run that people ended, that failed, or that no 5CAT has judged is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lvm.events import RunFinished
from lvm.settings import Job, Objective, OnGateFailure

FORWARD: Objective = "forward"
"""The objective that a run is tried again with."""


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What the queue does after a gate failure."""

    then: OnGateFailure
    what: str
    """What is missing most."""
    does: str = ""
    """What is done about it; "" if nothing."""
    retry: Job | None = None
    """With `retry_forward`: the job that tries again."""

    @property
    def words(self) -> str:
        return f"{self.what}; {self.does}" if self.does else self.what

    @property
    def note(self) -> str:
        """For the job; "" where nothing is done about it."""
        return self.words if self.does else ""

    def without_retry(self) -> Aftermath:
        """The run was tried again before: the queue goes on."""
        return replace(self, then="go_on", does="", retry=None)


def missing_of(
    finished: RunFinished, *, bias_alerts: int = 0, by_people: bool = False
) -> tuple[str, ...]:
    """What keeps a run from production, one sentence each; () if this is no gate failure.

    bias_alerts: of the run's whole history. by_people: a command ended it, not the run itself.
    """
    if finished.outcome == "stopped" and not by_people:
        return (finished.reason or "stopped for severe backward bias",)
    if finished.outcome not in ("completed", "early_stopped") or not finished.summary:
        return ()
    alerts = (
        [f"{bias_alerts} backward-bias alert{'s' * (bias_alerts > 1)} in the history, needs 0"]
        if bias_alerts
        else []
    )
    missing = finished.summary.get("missing")
    said = [str(each) for each in missing] if isinstance(missing, list) else []
    if finished.summary.get("ready"):
        return tuple(alerts)
    others = [each for each in said if "backward-bias alert" not in each]
    return (*others, *alerts) or ("not ready for production",)


def aftermath(job: Job, missing: Sequence[str]) -> Aftermath:
    """What the job says to a gate failure."""
    more = f", and {len(missing) - 1} more" if len(missing) > 1 else ""
    words = f"not ready: {missing[0]}{more}"
    wish = job.train.on_gate_failure
    if wish == "stop_queue":
        return Aftermath(wish, words, "the queue stops here, as this job says")
    if wish == "retry_forward" and job.train.objective != FORWARD:
        again = Job(train=job.train.changed(objective=FORWARD), data=job.data)
        return Aftermath(wish, words, "tried again with the forward objective", again)
    return Aftermath("go_on", words)
