"""Ready for production or not (spec "Ready for production"), and what an override needs. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from lvm.errors import InputError
from lvm.fivecat.gates import rounded
from lvm.runs.past import Past, judged_with_past


@dataclass(frozen=True, slots=True)
class Criterion:
    name: str
    value: float | None
    """None: not measured or not known, which does not pass."""
    need: float
    op: Literal[">=", "<="]

    @property
    def passed(self) -> bool:
        if self.value is None:
            return False
        return self.value >= self.need if self.op == ">=" else self.value <= self.need

    @property
    def short_by(self) -> float | None:
        """How much is missing; None if it passed or is not known."""
        if self.passed or self.value is None:
            return None
        return rounded(abs(self.value - self.need))

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"passed": self.passed, "short_by": self.short_by}


@dataclass(frozen=True, slots=True)
class Override:
    """A person's decision to promote what falls short."""

    reason: str
    by: str

    def __post_init__(self) -> None:
        if not self.reason.strip():
            raise InputError("an override needs a reason", fix='--override "why it may go live"')


@dataclass(frozen=True, slots=True)
class Judgement:
    document: dict[str, Any]
    """The 5CAT document, judged with the history of the run."""
    criteria: tuple[Criterion, ...]
    override: Override | None
    """None where none was given, or none was needed."""

    @property
    def missing(self) -> list[str]:
        """What falls short and by how much, one sentence each."""
        return list(self.document["missing"])

    @property
    def ready(self) -> bool:
        return bool(self.document["ready"])

    @property
    def allowed(self) -> bool:
        return self.ready or self.override is not None


def judge(result: Mapping[str, Any], past: Past, override: Override | None = None) -> Judgement:
    """Hold a full 5CAT and the history of the run against the needs of production.

    result: the document of `lvm 5cat --json`; it is judged by the thresholds in it.
    """
    document = judged_with_past(result, past)
    return Judgement(
        document,
        criteria(document, past.bias_alerts),
        None if document["ready"] else override,
    )


def criteria(document: Mapping[str, Any], bias_alerts: int | None) -> tuple[Criterion, ...]:
    """The five needs, each with its number."""
    needs = document["thresholds"]
    return (
        Criterion("VAL margin", document["VAL"]["margin"], needs["ready_margin_val"], ">="),
        Criterion("OOD margin", document["OOD"]["margin"], needs["ready_margin_ood"], ">="),
        Criterion("VAL rollout", document["VAL"]["rollout"], needs["ready_rollout_val"], ">="),
        Criterion("gates", document["passed"], needs["ready_gates"], ">="),
        Criterion("backward-bias alerts", bias_alerts, 0, "<="),
    )
