"""Reference corpora: made articles whose forward signal is known (spec/data.md, last section).

They calibrate the instrument. On `forward` the quality checks pass and a model learns to predict
forward. On `shuffled` and `flat` the quality checks must refuse. On `reversed` they cannot: a
bank's cosines are the same read from either end, whatever the text (coherence, signal and order
compare chunks by their distance only). There the models learn the backward step, and the
alerts of 5CAT must fire.

Chunk i of an article is a unit vector made of three unit parts, each in a subspace of its own of
one random orthonormal basis (at 768-D: 64 + 128 + 576 dimensions):

    v(i)    = √.33 · topic + √.33 · z(i) + √.34 · noise(i)
    topic   = unit(g / √64 ± 0.4·m),  g ~ N(0, I), m a fixed unit vector;  + in training and
              validation articles, − in OOD articles
    z(0)    = equally long in each of the 64 planes of its subspace, at random angles
    z(i+1)  = unit(R·z(i) + 0.1·u(i)),  u(i) a random unit vector
    R       : turns each plane by a fixed angle of its own

The angles are the 64 mid-quantiles of the absolute value of a Cauchy variable of scale
γ = 0.9 wrapped around the circle, so E cos(k·angle) = e^(−γk): the cosine of two chunks k steps
apart is .33 + .33·e^(−.9k), falling with every step. Hence, expected, coherence 0.46, signal
+0.13, and cos(position i, target) rises with i. (Randomly drawn angles clipped to π, the first
try of the spec, left ripples there that broke the order.)

Strength s is how much of this can be foreseen: at each step, each plane of each article turns by
its fixed angle with probability √s, and else by an angle drawn anew from the same wrapped Cauchy
distribution, of either sign. The sum of k such angles has E cos = e^(−γk) too, so coherence, signal
and order are the same at every strength. What falls is the margin. The best prediction has a
mean product with the chunk at k = +1 of .33 + .33·(s + (1 − s)·e^(−2γ)) and with k = 0 of
.33 + .33·e^(−γ), both over its own length: at s = 0 the last context wins, as on real text; from
about s = .3 the target does.

Blurred: the noise lies in the subspace of z, not in one of its own, so that one chunk shows its
state only dimly and a model must read all five to know it:

    v(i)    = unit(√.22 · topic + √.50 · z(i) + √.28 · noise(i)),    noise in the subspace of z

There the ablations of 5CAT bite as they should: whatever context is left out is missed. In the
plain corpus the last context alone tells nearly all, and leaving out an older one costs little.

OOD, the last tenth of the article ids, is a real shift: its topics lie around −m, where no
training topic lies. Dynamics and noise are the same, so a model that learned the dynamics, and
not the topics, still passes there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

import numpy as np
import numpy.typing as npt

from lvm.data.bank import VectorBank, encoder_record, write_bank_npz
from lvm.errors import DataError, SettingsError
from lvm.files import write_json
from lvm.settings import DataSettings

ReferenceKind = Literal["forward", "reversed", "shuffled", "flat"]
KINDS: tuple[ReferenceKind, ...] = get_args(ReferenceKind)

SHARES = (0.33, 0.33, 0.34)
"""Shares of topic, dynamics and noise in a chunk's squared length; together 1."""
BLURRED_SHARES = (0.22, 0.50, 0.28)
"""The same of a blurred corpus: less topic, so that the cosine hangs on the state, and more
dynamics, so that coherence stays above 0.40."""

ANGLE_SCALE = 0.9
"""γ: larger angles give larger margins and a lower coherence."""
STRENGTH = 1.0
"""s: at 1 all can be foreseen but drift and noise."""
DRIFT = 0.1
"""Length of the random step that z takes besides its turn."""
TOPIC_LEAN = 0.4
"""How far the topics of a split lean towards its side of topic space."""
SHORTEST, LONGEST = 14, 40
"""Chunks of an article, uniformly drawn."""
SPLIT_SHARE = 0.10
"""Share of the articles that is VAL, and that is OOD."""
FEWEST_PLANES = 10
"""From so many planes on, the mean of cos(k·angle) is e^(−γk) to a third digit up to k = 5."""
FEWEST_TOPIC_DIMS = 4
SMALLEST_DIM = 32
"""Leaves 8 dimensions for the noise."""
FEWEST_ARTICLES = 10
"""At least one article each in VAL and OOD."""
ENOUGH_ARTICLES = 40
"""From so many on, a GRU with the default settings learns the step within 20 epochs at 32-D and
48-D (with 20, just; with 10 not), and the alerts of `reversed` fire."""

Float32Array = npt.NDArray[np.float32]
Number = TypeVar("Number", bound=np.inexact)


@dataclass(frozen=True)
class Reference:
    """A made corpus, rows in the order of articles and chunks."""

    vectors: Float32Array
    """(M, dim) unit rows."""
    article_indices: npt.NDArray[np.int64]
    """(M,) 0 … articles − 1."""
    chunk_indices: npt.NDArray[np.int32]
    """(M,) 0, 1, 2, … within each article."""
    val_articles: str
    """Inclusive range of article ids, as DataSettings.val_articles wants it ("640-719")."""
    ood_articles: str
    """Likewise; the articles whose topics are shifted."""


def make_reference(
    kind: ReferenceKind,
    *,
    dim: int = 768,
    articles: int = 800,
    seed: int = 0,
    strength: float = STRENGTH,
    blurred: bool = False,
) -> Reference:
    """The corpus of that kind; equal arguments give equal bytes.

    forward:  as in the module's docstring.
    reversed: the training articles run from their end to their start; VAL and OOD run forward.
        (Turned round throughout, it would be another forward corpus: only the model's
        expectation against the truth of VAL and OOD can be backward.)
    shuffled: the same articles, the chunks of each in random order: coherent, but no direction.
    flat:     the same chunks dealt out at random over the articles of their split: neither
              coherence nor direction.

    strength: 0 to 1, how much of the forward step can be foreseen; cosines do not depend on it.
    blurred: the noise lies on the dynamics, not beside them.

    Raises SettingsError for an unknown kind, or sizes too small to measure anything on.
    """
    _check(kind, dim, articles, strength)
    generator = np.random.default_rng(seed)
    lengths = generator.integers(SHORTEST, LONGEST + 1, size=articles)
    vectors = _forward_chunks(lengths, dim, strength, blurred, generator)
    starts = np.concatenate(([0], np.cumsum(lengths)))
    vectors = vectors[_reading_order(kind, starts, generator)]
    val_start, ood_start = _split_starts(articles)
    return Reference(
        vectors=vectors,
        article_indices=np.repeat(np.arange(articles, dtype=np.int64), lengths),
        chunk_indices=np.concatenate([np.arange(n, dtype=np.int32) for n in lengths]),
        val_articles=f"{val_start}-{ood_start - 1}",
        ood_articles=f"{ood_start}-{articles - 1}",
    )


def read_splits(bank: Path) -> tuple[str, str]:
    """The ranges of article ids for VAL and OOD of a bank that `write_reference` wrote.

    Raises DataError when `NAME.reference.json` is not beside it or cannot be read.
    """
    document = _read(bank)
    return str(document["val_articles"]), str(document["ood_articles"])


def _read(bank: Path) -> dict[str, Any]:
    """What a reference corpus was made from, with its ranges for VAL and OOD."""
    path = splits_file(bank)
    try:
        document: dict[str, Any] = json.loads(path.read_text())
        _ = document["kind"], document["val_articles"], document["ood_articles"]
        return document
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"the splits of {bank.name} cannot be read: {error}",
            where=str(path),
            fix="make the corpus anew with lvm reference",
        ) from error


def splits_file(bank: Path) -> Path:
    """The file beside a reference corpus that says what it was made from."""
    return bank.with_name(f"{bank.stem}.reference.json")


def with_splits(data: DataSettings, bank: VectorBank) -> tuple[DataSettings, str]:
    """The settings with the ranges that a reference corpus was made for, and a sentence on it;
    unchanged and "" for any other bank, and where a range is given. Raises as `read_splits` does.

    A bank that was later written over a reference corpus is another bank.

    Without them a random split would take OOD from where training is, and the VAL of `reversed`
    from the articles that were turned round: no model could then be caught going backward.
    """
    path = Path(bank.source)
    if data.val_articles or data.ood_articles or not splits_file(path).exists():
        return data, ""
    document = _read(path)
    sizes = {"dim": bank.dim, "articles": len(bank.articles), "chunks": len(bank.article_ids)}
    if any(document.get(name, size) != size for name, size in sizes.items()):
        return data, f"{splits_file(path).name} is of another corpus: not used"
    kind, val, ood = (str(document[name]) for name in ("kind", "val_articles", "ood_articles"))
    note = f"{kind} reference corpus, with its own split: VAL {val}, OOD {ood}"
    if kind == "reversed":
        note += "; only training runs backward, which no cosine between chunks can show"
    return data.changed(val_articles=val, ood_articles=ood), note


def write_reference(
    kind: ReferenceKind,
    out: Path,
    *,
    dim: int = 768,
    articles: int = 800,
    seed: int = 0,
    strength: float = STRENGTH,
    blurred: bool = False,
) -> Path:
    """Write the corpus as an article bank, and beside it `NAME.reference.json`.

    The JSON holds what it was made from and the ranges of article ids for VAL and OOD, which are
    the split of whoever opens the bank and names no other.
    The texts only say where they stand, so that a chat shows where a model goes.
    Returns the path of the bank, which ends in .npz. Raises as `make_reference` does, and
    DiskError.
    """
    out = out if out.suffix == ".npz" else out.with_name(f"{out.name}.npz")
    made = make_reference(
        kind, dim=dim, articles=articles, seed=seed, strength=strength, blurred=blurred
    )
    document = {
        "kind": kind,
        "dim": dim,
        "articles": articles,
        "chunks": len(made.vectors),
        "seed": seed,
        "strength": strength,
        "blurred": blurred,
        "val_articles": made.val_articles,
        "ood_articles": made.ood_articles,
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    write_json(splits_file(out), document)
    names = [f"{kind} {number}" for number in range(articles)]
    chunks = zip(made.article_indices, made.chunk_indices, strict=True)
    write_bank_npz(
        out,
        made.vectors,
        made.article_indices,
        made.chunk_indices,
        texts=[f"Article {article}, chunk {chunk}." for article, chunk in chunks],
        article_names=names,
    )
    write_json(encoder_record(out), {"encoder": f"known:{out.name}"})
    return out


def _check(kind: str, dim: int, articles: int, strength: float) -> None:
    if kind not in KINDS:
        raise SettingsError(
            f"unknown reference corpus {kind!r}", fix="choose one of " + ", ".join(KINDS)
        )
    if dim < SMALLEST_DIM:
        raise SettingsError(f"dim = {dim}", fix=f"dim must be at least {SMALLEST_DIM}")
    if articles < FEWEST_ARTICLES:
        raise SettingsError(
            f"articles = {articles}", fix=f"articles must be at least {FEWEST_ARTICLES}"
        )
    if not 0.0 <= strength <= 1.0:
        raise SettingsError(f"strength = {strength}", fix="strength must be from 0 to 1")


def _split_starts(articles: int) -> tuple[int, int]:
    """First article of VAL and of OOD; both end the corpus, VAL before OOD."""
    share = max(1, round(SPLIT_SHARE * articles))
    return articles - 2 * share, articles - share


def _forward_chunks(
    lengths: npt.NDArray[np.int64],
    dim: int,
    strength: float,
    blurred: bool,
    generator: np.random.Generator,
) -> Float32Array:
    """(M, dim) chunks of all articles in reading order."""
    planes = max(FEWEST_PLANES, dim // 12)
    topic_dim = max(FEWEST_TOPIC_DIMS, dim // 12)
    beside = dim - topic_dim - 2 * planes
    topic, dynamics, noisy = np.sqrt(BLURRED_SHARES if blurred else SHARES)
    article_of = np.repeat(np.arange(len(lengths)), lengths)

    topics = _topics(len(lengths), topic_dim, generator)
    states = _rotating_states(lengths, planes, strength, generator)
    noise_dim = 2 * planes if blurred else beside
    noise = noisy * _unit(generator.standard_normal((len(article_of), noise_dim)))
    states = dynamics * states
    if blurred:
        states, noise = states + noise, np.zeros((len(article_of), beside))
    parts = np.concatenate((topic * topics[article_of], states, noise), axis=1, dtype=np.float32)
    basis, _ = np.linalg.qr(generator.standard_normal((dim, dim)))
    return _unit(parts @ basis.astype(np.float32))


def _topics(
    articles: int, topic_dim: int, generator: np.random.Generator
) -> npt.NDArray[np.float64]:
    _, ood_start = _split_starts(articles)
    side = np.where(np.arange(articles) < ood_start, TOPIC_LEAN, -TOPIC_LEAN)
    middle = _unit(generator.standard_normal(topic_dim))
    spread = generator.standard_normal((articles, topic_dim)) / np.sqrt(topic_dim)
    return _unit(spread + side[:, None] * middle)


def _rotating_states(
    lengths: npt.NDArray[np.int64], planes: int, strength: float, generator: np.random.Generator
) -> npt.NDArray[np.float64]:
    """(M, 2·planes): z of each chunk. All articles take their steps together."""
    turn = np.exp(1j * _angles(planes))
    articles, steps = len(lengths), int(lengths.max())
    walk = np.empty((articles, steps, planes), np.complex128)
    walk[:, 0] = np.exp(2j * np.pi * generator.random((articles, planes))) / np.sqrt(planes)
    for step in range(1, steps):
        push = _unit(_complex_normal(generator, (articles, planes)))
        turned = walk[:, step - 1] * _turns(turn, articles, strength, generator)
        walk[:, step] = _unit(turned + DRIFT * push)
    states = walk[np.arange(steps) < lengths[:, None]]
    return np.concatenate((states.real, states.imag), axis=1)


def _angles(planes: int) -> npt.NDArray[np.float64]:
    """Mid-quantiles of |wrapped Cauchy(γ)|, in (0, π): mean cos(k·angle) = e^(−γk)."""
    return _wrapped_cauchy(0.5 + (np.arange(planes) + 0.5) / (2 * planes))


def _turns(
    fixed: npt.NDArray[np.complex128],
    articles: int,
    strength: float,
    generator: np.random.Generator,
) -> npt.NDArray[np.complex128]:
    """(articles, planes) the turns of one step: the fixed ones with probability √strength."""
    if strength == 1.0:
        return np.broadcast_to(fixed, (articles, len(fixed)))
    shape = (articles, len(fixed))
    foreseen = generator.random(shape) < np.sqrt(strength)
    return np.where(foreseen, fixed, np.exp(1j * _wrapped_cauchy(generator.random(shape))))


def _wrapped_cauchy(quantiles: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    concentration = np.exp(-ANGLE_SCALE)
    scale = (1 - concentration) / (1 + concentration)
    return np.asarray(2 * np.arctan(scale * np.tan(np.pi * (quantiles - 0.5))), np.float64)


def _reading_order(
    kind: ReferenceKind, starts: npt.NDArray[np.int64], generator: np.random.Generator
) -> npt.NDArray[np.int64]:
    """For each row of the corpus, the row of the forward corpus that stands there."""
    articles = len(starts) - 1
    val_start, ood_start = _split_starts(articles)
    borders = starts[[0, val_start, ood_start, articles]] if kind == "flat" else starts
    pieces = [np.arange(low, high) for low, high in pairwise(borders)]
    if kind == "reversed":
        pieces[:val_start] = [piece[::-1] for piece in pieces[:val_start]]
    elif kind != "forward":
        pieces = [generator.permutation(piece) for piece in pieces]
    return np.concatenate(pieces)


def _complex_normal(
    generator: np.random.Generator, shape: tuple[int, ...]
) -> npt.NDArray[np.complex128]:
    return generator.standard_normal(shape) + 1j * generator.standard_normal(shape)


def _unit(values: npt.NDArray[Number]) -> npt.NDArray[Number]:
    """`values` scaled to length 1 along the last axis, in the same dtype."""
    lengths = np.linalg.norm(values, axis=-1, keepdims=True)
    return np.asarray(values / lengths, values.dtype)
