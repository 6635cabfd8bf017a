"""What a battery found, and its document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lvm.fivecat import gates
from lvm.fivecat.gates import Verdict
from lvm.settings import FivecatSettings, Thresholds


@dataclass(frozen=True)
class BatteryResult:
    """The five tests on both splits. The same model, data and settings give the same numbers."""

    settings: FivecatSettings
    thresholds: Thresholds
    """Those that judged it."""
    samples: dict[str, dict[str, Any]]
    """VAL, OOD → asked, available, drawn, used (in the offset test), skipped (reason → count)."""
    val: dict[str, Any]
    ood: dict[str, Any]
    verdict: Verdict
    seconds: float

    @property
    def score(self) -> float:
        return gates.rounded(gates.score(self.val["margin"], self.val["rollout"]))

    def to_json(self) -> dict[str, Any]:
        """The document of `lvm 5cat --json`. What was not measured is null.

        `ready` knows nothing of the run's history: whoever does judges again with
        `gates.readiness(document, alerts_in_history)` (lvm.runs.past: `judged_with_past`).
        """
        origin = self.settings.offset_origin
        document: dict[str, Any] = {
            "origin": origin,
            "note": gates.origin_note(origin),
            "seed": self.settings.seed,
            "horizon": self.settings.horizon,
            "samples": self.samples,
            "VAL": self.val,
            "OOD": self.ood,
            **self.verdict.to_json(),
            "score": self.score,
            "order_blind": gates.is_order_blind(self.val, self.ood),
            "thresholds": self.thresholds.to_json(),
            "seconds": round(self.seconds, 3),
        }
        document["ready"], document["missing"] = gates.readiness(document, 0)
        return document
