"""Does the data run forwards? Three numbers, one verdict, one remedy (spec/data.md "Quality").

    coherence   mean cos of adjacent contexts                    must reach thresholds.coherence
    signal      cos(last context, target) − cos(first, target)   must reach thresholds.signal
    order       cos(context i, target) rises at every step i     strictly, noise or not

Cosine is symmetric: a text that is read backwards throughout, contexts and target alike, has the
same three numbers. "Reversed" here means that the target lies at the wrong end of its window.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from lvm.data.sequences import IntArray, SequenceSet
from lvm.errors import DataError
from lvm.settings import CONTEXT_LENGTH, Thresholds

Kind = Literal["forward", "weak", "reversed", "disordered", "shuffled", "detached", "flat"]
Floats = npt.NDArray[np.float64]

FLAT_SIGNAL = 0.02
"""A signal nearer to zero than this is none: the known bad 340k set has +0.015."""
NEAR = 0.05
"""Chunks this much more alike than chunks of two random samples belong together."""
STANDARD_ERRORS = 2.0
"""A difference within so many standard errors of its mean may be chance."""
FLAT_STEP = FLAT_SIGNAL / (CONTEXT_LENGTH - 1)
"""The same for one of the four steps that make up the signal."""
WIDTH = 80
"""Columns of a rendered report."""
BINS = 20
"""Of the distribution of coherence: each 0.05 wide, so that the need of 0.40 is an edge."""
BLOCK_ROWS = 2048
"""Samples gathered at once: 2,048 × 5 × 768 float32 is 31 MB."""


@dataclass(frozen=True, slots=True)
class Check:
    """One number against its need."""

    name: str
    """coherence | signal | order."""
    value: float
    """For order: the smallest of the four steps of the profile."""
    need: float
    """Reached by being equal; for order the value must be greater."""
    passed: bool

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "value": self.value, "need": self.need, "passed": self.passed}


@dataclass(frozen=True, slots=True)
class DirectionReport:
    """What the data is, in numbers and in words."""

    samples: int
    """How many were measured."""
    coherence: float
    position_to_target: tuple[float, float, float, float, float]
    """Mean cos of each context with the target, oldest first."""
    signal: float
    monotonic: bool
    background: float | None
    """Mean cos of contexts with the target of another sample (of another article, where the
    articles are known); None if there is no such pair."""
    kind: Kind
    checks: tuple[Check, ...]
    passed: bool
    words: str
    """What the numbers say, one sentence."""
    fix: str
    """The remedy, or "" if the data passed."""
    distribution: tuple[int, ...] = ()
    """Samples by their own coherence, in BINS equal bins from 0 to 1; below 0 is in the first."""

    def to_json(self) -> dict[str, Any]:
        return {
            "samples": self.samples,
            "coherence": self.coherence,
            "position_to_target": list(self.position_to_target),
            "signal": self.signal,
            "monotonic": self.monotonic,
            "background": self.background,
            "kind": self.kind,
            "checks": [check.to_json() for check in self.checks],
            "passed": self.passed,
            "words": self.words,
            "fix": self.fix,
            "distribution": list(self.distribution),
        }


@dataclass(frozen=True, slots=True)
class _Measured:
    """Per-sample cosines, so that a mean and its standard error can be had of any difference."""

    to_target: Floats  # (n, 5)
    adjacent: Floats  # (n,) mean over the four neighbouring pairs
    to_other: Floats  # (pairs,) mean cos of the five contexts with a foreign target

    @property
    def profile(self) -> Floats:
        return np.asarray(self.to_target.mean(axis=0))

    @property
    def steps(self) -> Floats:
        return np.diff(self.profile)

    def noise(self, differences: Floats) -> Floats:
        """What a mean of `differences` over the samples may be off by, by chance; 0 for one."""
        count = len(differences)
        if count < 2:
            return np.zeros(differences.shape[1:])
        return np.asarray(STANDARD_ERRORS * differences.std(axis=0, ddof=1) / np.sqrt(count))


def check_direction(
    sequences: SequenceSet,
    thresholds: Thresholds,
    *,
    seed: int = 0,
    max_samples: int = 20_000,
) -> DirectionReport:
    """Measure at most `max_samples` samples, drawn without replacement by `seed`.

    Raises DataError if there is none to measure.
    """
    if len(sequences) == 0 or max_samples < 1:
        raise DataError(
            f"no samples to check in {sequences.name!r}",
            where=sequences.source,
            fix="windows need articles of at least six chunks; give a file that holds some",
        )
    measured = _measure(sequences, np.random.default_rng(seed), max_samples)
    profile, steps = measured.profile, measured.steps
    coherence = float(measured.adjacent.mean())
    signal = float(profile[-1] - profile[0])
    checks = (
        Check("coherence", coherence, thresholds.coherence, coherence >= thresholds.coherence),
        Check("signal", signal, thresholds.signal, signal >= thresholds.signal),
        Check("order", float(steps.min()), 0.0, bool(steps.min() > 0.0)),
    )
    passed = all(check.passed for check in checks)
    background = float(measured.to_other.mean()) if len(measured.to_other) else None
    kind = "forward" if passed else _kind(measured, background, thresholds)
    words, fix = _words(kind, checks, measured, background)
    return DirectionReport(
        samples=len(measured.to_target),
        coherence=coherence,
        position_to_target=tuple(float(value) for value in profile),  # type: ignore[arg-type]
        signal=signal,
        monotonic=checks[2].passed,
        background=background,
        kind=kind,
        checks=checks,
        passed=passed,
        words=words,
        fix=fix,
        distribution=_distribution(measured.adjacent),
    )


def _distribution(coherence: Floats) -> tuple[int, ...]:
    """How the mean came about: one hump, or connected text mixed with unconnected."""
    counts, _ = np.histogram(np.clip(coherence, 0.0, 1.0), bins=BINS, range=(0.0, 1.0))
    return tuple(int(count) for count in counts)


def render_report(report: DirectionReport) -> list[str]:
    """The report as lines for a terminal of 80 columns, without colour."""
    needs = {
        "coherence": ("coherence", f"{report.coherence:6.3f}", "≥ "),
        "signal": ("signal", f"{report.signal:+6.3f}", "≥ "),
        "order": ("order", "rises" if report.monotonic else "no rise", ""),
    }
    lines = [f"direction: {report.kind}   ({report.samples:,} samples)"]
    for check in report.checks:
        name, value, sign = needs[check.name]
        need = "cos(context, target) rises at every step" if not sign else f"{sign}{check.need:.2f}"
        lines.append(f"  {'✓' if check.passed else '✗'} {name:<10}{value:>7}   needs {need}")
    profile = "  ".join(f"{value:.3f}" for value in report.position_to_target)
    lines.append(f"    context → target, oldest first   {profile}")
    lines += wrapped(report.words, "  ")
    if report.fix:
        lines += wrapped(report.fix, "  → ")
    return lines


def wrapped(text: str, head: str) -> list[str]:
    """Lines of 80 columns, the first after `head`, the others as far in."""
    return textwrap.wrap(
        text, WIDTH, initial_indent=head, subsequent_indent=" " * len(head), break_long_words=False
    )


def _measure(sequences: SequenceSet, rng: np.random.Generator, max_samples: int) -> _Measured:
    chosen = np.arange(len(sequences))
    if len(chosen) > max_samples:
        chosen = np.sort(rng.choice(len(chosen), max_samples, replace=False))
    foreign, is_foreign = _foreign_targets(sequences, chosen, rng)
    to_target = np.empty((len(chosen), CONTEXT_LENGTH))
    adjacent = np.empty(len(chosen))
    to_other = np.empty(len(chosen))
    for start in range(0, len(chosen), BLOCK_ROWS):
        part = slice(start, start + BLOCK_ROWS)
        contexts, targets = sequences.gather(chosen[part])
        others = np.asarray(sequences.vectors[foreign[part]], np.float32)
        to_target[part] = np.einsum("nid,nd->ni", contexts, targets)
        adjacent[part] = np.einsum("nid,nid->n", contexts[:, 1:], contexts[:, :-1]) / (
            CONTEXT_LENGTH - 1
        )
        to_other[part] = np.einsum("nid,nd->n", contexts, others) / CONTEXT_LENGTH
    return _Measured(to_target, adjacent, to_other[is_foreign])


def _foreign_targets(
    sequences: SequenceSet, chosen: IntArray, rng: np.random.Generator
) -> tuple[IntArray, npt.NDArray[np.bool_]]:
    """For each chosen sample the target row of another one, and whether that is truly foreign."""
    partners = chosen[rng.permutation(len(chosen))]
    if sequences.article_ids is not None:
        is_foreign = sequences.article_ids[partners] != sequences.article_ids[chosen]
    else:
        is_foreign = partners != chosen
    return sequences.targets[partners], np.asarray(is_foreign, np.bool_)


def _kind(measured: _Measured, background: float | None, thresholds: Thresholds) -> Kind:
    profile = measured.profile
    signal = profile[-1] - profile[0]
    ends = measured.to_target[:, -1] - measured.to_target[:, 0]
    flat = max(FLAT_SIGNAL, float(measured.noise(ends)))
    if signal < -flat:
        return "reversed"
    uneven = bool(np.any(measured.steps < -np.maximum(_step_noise(measured), FLAT_STEP)))
    if signal > flat:
        return "disordered" if uneven else "weak"
    if np.ptp(profile) > flat and uneven and _peak_stands_out(measured, flat):
        return "disordered"
    coherence = float(measured.adjacent.mean())
    if not _near(coherence, background, thresholds):
        return "flat"
    return "shuffled" if _near(float(profile.mean()), background, thresholds) else "detached"


def _near(cosine: float, background: float | None, thresholds: Thresholds) -> bool:
    if background is None:
        return cosine >= thresholds.coherence
    return cosine - background >= NEAR


def _step_noise(measured: _Measured) -> Floats:
    return measured.noise(np.diff(measured.to_target, axis=1))


def _peak_stands_out(measured: _Measured, flat: float) -> bool:
    """Whether a context in the middle is clearly nearer to the target than the last one is."""
    best = int(np.argmax(measured.profile))
    lead = measured.to_target[:, best] - measured.to_target[:, -1]
    return best < CONTEXT_LENGTH - 1 and lead.mean() > max(flat, float(measured.noise(lead)))


_FIXES: dict[Kind, str] = {
    "forward": "",
    "reversed": "the articles run backwards: make the windows again with chunk_indices ascending, "
    "contexts t−4 … t oldest first and chunk t+1 as the target",
    "disordered": "the five columns of the contexts are not in the order of time: store them "
    "oldest first, the chunk just before the target last",
    "shuffled": "the rows of each article are in no order: sort them by chunk_indices, then make "
    "the windows again",
    "detached": "targets and contexts were shuffled apart: save both with one and the same "
    "permutation, or make the windows again",
    "flat": "windows were made across articles or rows were shuffled: group the rows by article, "
    "sort by chunk_indices, and make windows within articles only",
    "weak": "use longer runs of connected text, chunks that follow one another without gaps, and "
    "leave out lists, tables and other articles without a thread",
}


def _words(
    kind: Kind, checks: tuple[Check, ...], measured: _Measured, background: float | None
) -> tuple[str, str]:
    profile = measured.profile
    level = "" if background is None else f", {background:.3f} for targets of other samples"
    words = {
        "forward": "the nearer a context is in time, the nearer it is to the target",
        "reversed": "the target is nearest to the oldest context: the windows run backwards "
        f"(first {profile[0]:.3f}, last {profile[-1]:.3f})",
        "disordered": "the similarity to the target goes up and down along the window",
        "shuffled": "flat: all five contexts are equally near to the target "
        f"({profile.mean():.3f}{level}): related chunks in no order",
        "detached": "flat: the contexts belong together, but the target is no nearer to them "
        f"than any other ({profile.mean():.3f}{level})",
        "flat": f"flat: the chunks of a window are hardly related ({profile.mean():.3f}{level}): "
        "mixed articles",
        "weak": "the similarity rises towards the target, but "
        + " and ".join(_shortfall(check, measured) for check in checks if not check.passed),
    }[kind]
    return words, _FIXES[kind]


def _shortfall(check: Check, measured: _Measured) -> str:
    if check.name != "order":
        return f"{check.name} is short by {check.need - check.value:.3f}"
    step = int(np.argmin(measured.steps))
    chance = abs(check.value) <= _step_noise(measured)[step]
    doubt = f" (within the noise of {len(measured.to_target):,} samples)" if chance else ""
    return f"not from context {step + 1} to {step + 2}: {check.value:+.4f}{doubt}"
