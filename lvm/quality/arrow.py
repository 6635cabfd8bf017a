"""Does the data have an arrow of time? How well five chunks can be told from the same, reversed.

The three numbers of direction.py are symmetric in time: text read backwards throughout has the
same ones. This probe looks for what is not. Each feature of a window changes sign when the window
is reversed, so a logistic regression without intercept gives the reverse the opposite answer, and
chance is exactly 0.5:

    drift     last − first context, fourth − second                 where the text is going
    balance   differences of cosines of mirrored pairs              whether it gets denser
    turning   Σ a(i)·b(i+1) − b(i)·a(i+1) in 32 principal axes      in which sense it rotates

It says how much of an arrow these features see, not which way it points.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lvm.data.sequences import IntArray, SequenceSet
from lvm.errors import DataError
from lvm.quality.ridge import TINY, Float32, draw, split_for_tuning

CHANCE = 0.5
AXES = 32
"""Principal axes for the turning: 496 pairs of them."""
AXES_ROWS = 5_000
"""Vectors that the axes are found on."""
PENALTY = 0.01
"""scikit-learn's C: on real text 0.01 to 1 differ by 0.01 in accuracy, the smallest is best."""
ITERATIONS = 200
STANDARD_ERRORS = 2.0


@dataclass(frozen=True, slots=True)
class ArrowReport:
    """What the probe found."""

    accuracy: float
    """Share of held-out windows told from their reverse; chance is 0.5."""
    noise: float
    """Two standard errors of the accuracy, between articles where those are known."""
    found: bool
    """Whether the accuracy is above chance by more than the noise."""
    train_samples: int
    test_samples: int
    words: str

    def to_json(self) -> dict[str, Any]:
        return {
            "accuracy": self.accuracy,
            "chance": CHANCE,
            "noise": self.noise,
            "found": self.found,
            "train_samples": self.train_samples,
            "test_samples": self.test_samples,
            "words": self.words,
        }


def probe_arrow(sequences: SequenceSet, *, seed: int = 0, max_samples: int = 20_000) -> ArrowReport:
    """Train on nine tenths of the articles, test on the rest.

    Raises DataError for fewer than 20 samples. Takes a few seconds for 20,000 samples of 768-D.
    """
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(seed)
    fit, test = split_for_tuning(sequences, rng, max_samples)
    features = _Features.fitted(sequences, fit, rng)
    seen = features(sequences.gather(fit)[0])
    scale = np.sqrt(np.maximum((seen**2).mean(axis=0), TINY))
    # half of the windows are shown reversed, which is the same as the opposite sign
    signs = np.where(np.arange(len(fit)) % 2, 1.0, -1.0).astype(np.float32)
    model = LogisticRegression(C=PENALTY, fit_intercept=False, max_iter=ITERATIONS)
    model.fit(seen / scale * signs[:, None], signs)
    scores = features(sequences.gather(test)[0]) / scale @ model.coef_[0]
    right = np.where(scores == 0.0, CHANCE, scores > 0.0)
    articles = None if sequences.article_ids is None else sequences.article_ids[test]
    accuracy, noise = float(right.mean()), _noise(right, articles)
    found = accuracy - CHANCE > noise
    return ArrowReport(
        accuracy=accuracy,
        noise=noise,
        found=found,
        train_samples=len(fit),
        test_samples=len(test),
        words=_words(accuracy, found),
    )


@dataclass(frozen=True)
class _Features:
    mean: Float32
    axes: Float32  # (D, up to AXES)

    @classmethod
    def fitted(cls, sequences: SequenceSet, fit: IntArray, rng: np.random.Generator) -> _Features:
        rows = np.unique(np.asarray(sequences.contexts)[fit])
        chunks = np.asarray(sequences.vectors[draw(rows, AXES_ROWS, rng)], np.float32)
        mean = chunks.mean(axis=0)
        covariance = np.cov(chunks, rowvar=False)
        if not np.isfinite(covariance).all():
            raise DataError(
                "NaN or infinite values in the contexts",
                where=sequences.source,
                fix="encode the chunks again; all vectors must be finite",
            )
        axes = np.linalg.eigh(np.atleast_2d(covariance))[1][:, ::-1][:, :AXES]
        return cls(mean, np.ascontiguousarray(axes, np.float32))

    def __call__(self, contexts: Float32) -> Float32:
        """(n, 5, D) → (n, F), each changing sign when the five are reversed."""
        drift = [contexts[:, 4] - contexts[:, 0], contexts[:, 3] - contexts[:, 1]]
        cos = contexts @ contexts.transpose(0, 2, 1)
        balance = np.stack(
            [
                cos[:, 0, 1] - cos[:, 3, 4],
                cos[:, 1, 2] - cos[:, 2, 3],
                cos[:, 0, 2] - cos[:, 2, 4],
                cos[:, 0, 3] - cos[:, 1, 4],
            ],
            axis=1,
        )
        inner = (contexts - self.mean) @ self.axes
        one, other = np.triu_indices(self.axes.shape[1], 1)
        before, after = inner[:, :-1], inner[:, 1:]
        turning = np.zeros((len(contexts), len(one)), np.float32)
        for step in range(before.shape[1]):
            turning += before[:, step, one] * after[:, step, other]
            turning -= before[:, step, other] * after[:, step, one]
        return np.concatenate([*drift, balance, turning], axis=1, dtype=np.float32)


def _noise(right: npt.NDArray[np.float64], articles: IntArray | None) -> float:
    """Windows of one article overlap: its windows count together, not each for itself."""
    centred = right - right.mean()
    if articles is None:
        groups = np.arange(len(right)) // 5  # at least: neighbours share all but one chunk
    else:
        groups = np.unique(articles, return_inverse=True)[1]
    sums = np.bincount(groups, weights=centred)
    return float(STANDARD_ERRORS * np.sqrt((sums**2).sum()) / len(right))


def _words(accuracy: float, found: bool) -> str:
    if not found:
        return "no arrow of time found: a window and its reverse look alike"
    strength = "a clear" if accuracy >= 0.75 else "a weak"
    return f"{strength} arrow of time: {accuracy:.0%} of windows told from their reverse"


def render_arrow(report: ArrowReport) -> list[str]:
    """The report as a line for a terminal."""
    return [
        f"arrow of time: {report.accuracy:.3f} ± {report.noise:.3f}, chance {CHANCE:.1f}"
        f"   ({report.test_samples:,} held-out windows)",
        f"  {report.words}",
    ]
