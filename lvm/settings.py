"""Every number that decides something, with its home, its default and its reason.

Frozen dataclasses that cannot be built wrong: a value out of range raises SettingsError with
the name of the field. `lvm.toml` (config.py), flags (cli.py) and jobs (runs/store.py) all end
up here. Nothing in this file imports torch or numpy.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
from dataclasses import dataclass, field
from typing import Any, Literal, Self, get_args

from lvm.errors import SettingsError

ModelType = Literal["transformer", "gru", "lstm", "amn"]
MODEL_TYPES: tuple[ModelType, ...] = get_args(ModelType)
"""All four, in the order in which "queue all" trains them."""

Precision = Literal["fp32", "bf16"]
Objective = Literal["mse", "forward"]
OffsetOrigin = Literal["context", "target"]
OnSevere = Literal["stop", "alert"]
OnGateFailure = Literal["go_on", "stop_queue", "retry_forward"]

DATA_FILES = ("bank", "train", "val", "ood", "articles")
"""The settings of [data] that name files."""

CONTEXT_LENGTH = 5
"""Chunk vectors that a model reads before it predicts the next."""

SPLIT_SEED = 0
"""Of the article-wise split of a bank. Not the run's seed: runs of other seeds must be judged on
the same articles, and a later test must never draw articles that the model was trained on."""


def _require(condition: bool, name: str, value: object, need: str) -> None:
    if not condition:
        raise SettingsError(f"{name} = {value!r}", fix=f"{name} must be {need}")


def _require_one_of(name: str, value: object, choices: tuple[str, ...]) -> None:
    _require(value in choices, name, value, "one of " + ", ".join(choices))


def check_device_name(value: str) -> None:
    """Raises SettingsError for what names no device; whether it is there only torch knows."""
    named = re.fullmatch(r"auto|(cpu|cuda|mps)(:\d+)?", value) is not None
    _require(named, "device", value, "one of auto, cpu, cuda, cuda:1, mps")


def _check_names(document: dict[str, Any], known: list[str]) -> None:
    if not isinstance(document, dict):
        raise SettingsError(f"{document!r} are not settings", fix="give names with their values")
    for name in document:
        if name not in known:
            nearest = difflib.get_close_matches(name, known, n=1)
            guess = f"did you mean {nearest[0]}? " if nearest else ""
            raise SettingsError(
                f"unknown setting {name!r}", fix=f"{guess}known are: {', '.join(sorted(known))}"
            )


class _Settings:
    """Shared by all settings: to and from plain JSON, refusing unknown names."""

    __slots__ = ()

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)  # type: ignore[call-overload,no-any-return]

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        _check_names(document, [f.name for f in dataclasses.fields(cls)])  # type: ignore[arg-type]
        return cls(**document)

    def changed(self, **values: Any) -> Self:
        """A copy with some fields changed; the copy is checked like any other."""
        return dataclasses.replace(self, **values)  # type: ignore[type-var]

    def _check_types(self) -> None:
        """Refuse a value of another type, so that "no" is never taken for True nor 1.5 for 1."""
        for item in dataclasses.fields(self):  # type: ignore[arg-type]
            if item.type not in _TYPES:
                continue
            kinds, words = _TYPES[item.type]
            value = getattr(self, item.name)
            right = isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))
            _require(right, item.name, value, words)


_TYPES: dict[Any, tuple[tuple[type, ...], str]] = {
    "bool": ((bool,), "true or false"),
    "int": ((int,), "a whole number"),
    "float": ((float, int), "a number"),
    "str": ((str,), "a text"),
}
"""Annotation of a field, as written → the types that its value may have."""


@dataclass(frozen=True, slots=True)
class Thresholds(_Settings):
    """The gates of 5CAT and of production (spec/fivecat.md). A result stores those that judged it.

    Names ending in _val and _ood are the needs of the two splits.
    """

    cos_val: float = 0.50
    cos_ood: float = 0.48
    margin_val: float = 0.12
    margin_ood: float = 0.10
    r1_val: float = 0.60
    r1_ood: float = 0.55
    r5_val: float = 0.95
    r5_ood: float = 0.92
    mrr_val: float = 0.80
    mrr_ood: float = 0.75
    shuffled: float = -0.15
    reversed: float = -0.10
    leave_one_out: float = -0.08
    repeat_last: float = 0.05
    cross_article: float = 0.05
    rollout_val: float = 0.45
    rollout_ood: float = 0.42
    bins_difference: float = 0.05
    bin_low: float = 0.45
    """Context coherence below this is the bin "low"."""
    bin_normal: float = 0.55
    """Context coherence from bin_low up to this is the bin "normal"."""

    severe: float = -0.10
    """VAL or OOD margin below this: severe backward bias."""
    alarm: float = -0.05
    caution: float = 0.0
    good: float = 0.05

    ready_margin_val: float = 0.10
    ready_margin_ood: float = 0.08
    ready_rollout_val: float = 0.50
    ready_gates: int = 3
    """How many of the five gates a production model passes at least."""

    coherence: float = 0.40
    """Data: mean cosine of adjacent contexts must reach this."""
    signal: float = 0.08
    """Data: cos(last context, target) − cos(first context, target) must reach this."""

    def __post_init__(self) -> None:
        self._check_types()
        for item in dataclasses.fields(self):
            value = getattr(self, item.name)
            if item.name == "ready_gates":
                _require(isinstance(value, int) and 0 <= value <= 5, item.name, value, "0 to 5")
            else:
                _require(
                    isinstance(value, int | float) and -2.0 <= value <= 2.0,
                    item.name,
                    value,
                    "a number from -2 to 2",
                )


@dataclass(frozen=True, slots=True)
class FivecatSettings(_Settings):
    """How the battery is run (spec/fivecat.md, "Run in training" and "Full test")."""

    max_samples: int = 5000
    """Samples drawn per split; fewer if the split has fewer."""
    horizon: int = 5
    """Rollout steps H."""
    offset_origin: OffsetOrigin = "context"
    """Where k = 0 lies: "context" (the last context; the definition) or "target" (the old tool)."""
    seed: int = 0
    batch_size: int = 512
    """Rows per forward pass; does not change any number beyond float rounding."""

    def __post_init__(self) -> None:
        self._check_types()
        _require(self.max_samples >= 1, "max_samples", self.max_samples, "at least 1")
        _require(1 <= self.horizon <= 100, "horizon", self.horizon, "from 1 to 100")
        _require(self.batch_size >= 1, "batch_size", self.batch_size, "at least 1")
        _require_one_of("offset_origin", self.offset_origin, get_args(OffsetOrigin))


IN_TRAINING = FivecatSettings(max_samples=1000, horizon=3)
"""The short form that runs every five epochs."""


@dataclass(frozen=True, slots=True)
class DataSettings(_Settings):
    """Where a run's data comes from: three sequence files and their articles, or one bank.

    Either `bank`, or all of `train`, `val`, `ood`, `articles`. Paths as the user wrote them.
    """

    bank: str = ""
    train: str = ""
    val: str = ""
    ood: str = ""
    articles: str = ""
    val_articles: str = ""
    """Bank only: an inclusive range of article ids, "4000-4499", or "" for the fraction."""
    ood_articles: str = ""
    """Bank only: likewise for OOD, "1500-1999"."""
    val_fraction: float = 0.10
    """Bank only, where no range is given: share of articles kept for VAL."""
    ood_fraction: float = 0.10

    def __post_init__(self) -> None:
        self._check_types()
        four = (self.train, self.val, self.ood, self.articles)
        if self.bank and any(four):
            raise SettingsError(
                "both a bank and sequence files are given",
                fix="give either --bank, or --train, --val, --ood and --articles",
            )
        for name in ("val_fraction", "ood_fraction"):
            value = getattr(self, name)
            _require(0.0 < value < 0.5, name, value, "between 0 and 0.5")

    @property
    def complete(self) -> bool:
        """Whether there is enough to train on."""
        return bool(self.bank) or all((self.train, self.val, self.ood, self.articles))


@dataclass(frozen=True, slots=True)
class TrainSettings(_Settings):
    """One training run (spec/models.md "Training defaults", spec/runs.md)."""

    model: ModelType = "transformer"
    epochs: int = 20
    batch_size: int = 256
    """Effective batch, summed over ranks and accumulated micro-batches."""
    micro_batch: int = 0
    """Rows per forward pass; 0 = the whole batch."""
    learning_rate: float = 5e-4
    weight_decay: float = 0.01
    d_model: int = 256
    hidden_dim: int = 512
    context_noise: float = 0.0
    """Length of the Gaussian noise that is added to each context (of length 1) in training. The
    regulariser that ridge regression is: ridge at strength α equals noise of length √α."""
    weight_average: float = 0.0
    """Share of the steps so far over which the weights are averaged; the mean is what is validated,
    tested and saved (lvm/training/averaging.py). 0 = the weights as they are."""
    objective: Objective = "mse"
    """What is minimised: "mse", or "forward" (lvm/training/forward.py): near the target, and nearer
    to it than to the chunks around it."""
    forward_push: float = 2.0
    """How much a missing unit of margin counts beside a missing unit of cosine."""
    forward_goal: float = 0.15
    """Margin on the training data above which only the cosine is trained."""
    forward_temperature: float = 0.02
    """Cosine differences below this count as equal: rivals pushed together, a soft goal."""
    warmup_steps: int = 200
    """Steps of linear learning-rate warm-up: without it the post-norm Transformer stalls at a
    constant output for its first hundreds of steps."""
    plateau_factor: float = 0.5
    plateau_patience: int = 3
    early_stop: int = 0
    """Stop after so many epochs without a lower validation loss; 0 = never."""
    fivecat_every: int = 5
    """Run 5CAT every so many epochs and after the last."""
    checkpoint_every: int = 5
    fivecat_samples: int = IN_TRAINING.max_samples
    fivecat_horizon: int = IN_TRAINING.horizon
    save_every_seconds: float = 180.0
    """`last.pt` is written each epoch, and this often within one."""
    on_severe: OnSevere = "stop"
    """What severe backward bias does to the run."""
    on_gate_failure: OnGateFailure = "go_on"
    """What the queue does after a run whose best 5CAT is not ready for production. retry_forward:
    once, next, with the objective "forward"."""
    forecast: bool = True
    """Baselines and a forecast of the gates before the training: seconds, at most two minutes."""
    accept_bad_data: bool = False
    """Train although the data fails its quality checks; recorded in the run."""
    device: str = "auto"
    precision: Precision = "fp32"
    compile: bool = False
    """Train through torch.compile: minutes at the start, then fewer and larger kernels."""
    seed: int = 0

    def __post_init__(self) -> None:
        self._check_types()
        _require_one_of("model", self.model, MODEL_TYPES)
        _require_one_of("objective", self.objective, get_args(Objective))
        _require_one_of("precision", self.precision, get_args(Precision))
        _require_one_of("on_severe", self.on_severe, get_args(OnSevere))
        _require_one_of("on_gate_failure", self.on_gate_failure, get_args(OnGateFailure))
        for name, low in {
            "epochs": 1,
            "batch_size": 1,
            "micro_batch": 0,
            "d_model": 8,
            "hidden_dim": 8,
            "warmup_steps": 0,
            "plateau_patience": 0,
            "early_stop": 0,
            "fivecat_every": 1,
            "checkpoint_every": 1,
            "fivecat_samples": 1,
            "fivecat_horizon": 1,
            "seed": 0,
        }.items():
            value = getattr(self, name)
            _require(
                isinstance(value, int) and not isinstance(value, bool) and value >= low,
                name,
                value,
                f"a whole number of at least {low}",
            )
        _require(0.0 < self.learning_rate <= 1.0, "learning_rate", self.learning_rate, "in (0, 1]")
        _require(0.0 <= self.weight_decay < 1.0, "weight_decay", self.weight_decay, "in [0, 1)")
        _require(0.0 <= self.context_noise <= 10.0, "context_noise", self.context_noise, "0 to 10")
        _require(0.0 <= self.weight_average <= 1.0, "weight_average", self.weight_average, "0 to 1")
        _require(0.0 <= self.forward_push <= 100.0, "forward_push", self.forward_push, "0 to 100")
        _require(-1.0 <= self.forward_goal <= 1.0, "forward_goal", self.forward_goal, "-1 to 1")
        _require(
            0.001 <= self.forward_temperature <= 1.0,
            "forward_temperature",
            self.forward_temperature,
            "0.001 to 1",
        )
        _require(0.0 < self.plateau_factor < 1.0, "plateau_factor", self.plateau_factor, "in (0,1)")
        _require(self.d_model % 8 == 0, "d_model", self.d_model, "a multiple of 8 (8 heads)")
        _require(self.save_every_seconds > 0, "save_every_seconds", self.save_every_seconds, "> 0")
        check_device_name(self.device)


@dataclass(frozen=True, slots=True)
class Job(_Settings):
    """What a queue entry asks for: a model trained on some data."""

    train: TrainSettings = field(default_factory=TrainSettings)
    data: DataSettings = field(default_factory=DataSettings)

    def __post_init__(self) -> None:
        for name, kind in {"train": TrainSettings, "data": DataSettings}.items():
            _require(isinstance(getattr(self, name), kind), name, getattr(self, name), "settings")

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        _check_names(document, ["train", "data"])
        return cls(
            train=TrainSettings.from_json(document.get("train", {})),
            data=DataSettings.from_json(document.get("data", {})),
        )
