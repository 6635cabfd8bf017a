"""The loop: `train(…)` yields frozen events of plain numbers; who runs it writes the log.

Files of the run folder that are written here (keeper.py), each whole or not at all: `last.pt`,
`best_model.pt`, `best_5cat_model.pt`, `checkpoint_epoch<n>.pt`, `training_history.json`.
All that happens after a `last.pt` is a function of it and the data, so a run that is killed
anywhere goes on to the same bits (spec/runs.md "Resume").
"""

from __future__ import annotations

import math
import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import torch
from torch.optim.lr_scheduler import ReduceLROnPlateau

from lvm import events
from lvm.clock import Clock
from lvm.control import Action, Control
from lvm.data.sources import Corpus
from lvm.errors import DivergedError, LvmError
from lvm.fivecat.gates import is_collapsed
from lvm.models import build
from lvm.models.gemm import use_fastest_float32
from lvm.settings import Thresholds, TrainSettings
from lvm.training import alerts, judge
from lvm.training.averaging import Averaging
from lvm.training.batches import BatchSource, epoch_order
from lvm.training.device import choose_device, memory_mb
from lvm.training.distributed import ALONE, World, lost_ranks
from lvm.training.events_of_run import BatchReport, run_finished, run_started
from lvm.training.keeper import BEST, BEST_5CAT, Keeper
from lvm.training.objectives import Objective, make_objective
from lvm.training.state import TrainState
from lvm.training.stepper import Stepper, warmup_steps
from lvm.training.validation import Validation, validate

PAUSE_POLL = 0.1
"""Seconds between two looks at the commands while paused."""

_Steps = Generator[events.Event, None, Action | None]
"""Yields events; returns the action that ends the run, or None to go on."""


def train(
    settings: TrainSettings,
    corpus: Corpus,
    folder: Path,
    *,
    thresholds: Thresholds,
    control: Control,
    clock: Clock,
    resume: bool = False,
    world: World = ALONE,
    objective: Objective | None = None,
) -> Iterator[events.Event]:
    """Train one model into `folder` and yield what happens.

    resume: go on from the folder's `last.pt`. objective: instead of the one that the settings
    name. Only the main rank of `world` yields and writes; the others must be drained all the same.
    While it runs it owns torch's global random state, which it seeds anew before each step.

    Raises DivergedError when the loss is no longer finite, DiskError when a file cannot be
    written, RunError when memory does not suffice or another rank is gone, and what
    `state.load_last` raises.
    """
    trainer = _Trainer(settings, corpus, folder, thresholds, control, clock, world, objective)
    with lost_ranks(world):
        for event in trainer.run(resume):
            if world.is_main:
                yield event


class _Trainer:
    def __init__(
        self,
        settings: TrainSettings,
        corpus: Corpus,
        folder: Path,
        thresholds: Thresholds,
        control: Control,
        clock: Clock,
        world: World,
        objective: Objective | None,
    ) -> None:
        self.settings, self.corpus, self.run_name = settings, corpus, folder.name
        self.thresholds, self.control, self.clock, self.world = thresholds, control, clock, world
        self.objective = objective or make_objective(settings)
        self.device, self.device_warning = choose_device(settings.device)
        use_fastest_float32()
        torch.manual_seed(settings.seed)
        built = build(
            settings.model, corpus.dim, d_model=settings.d_model, hidden_dim=settings.hidden_dim
        )
        self.model = built.to(self.device)
        self.averaging = Averaging(self.model, settings.weight_average)
        beyond = self.objective.looks_beyond
        self.train_source = BatchSource(corpus.train, self.device, looks_beyond=beyond)
        self.val_source = BatchSource(corpus.val, self.device, looks_beyond=beyond)
        self.stepper = Stepper(
            self.model, self.train_source, self.objective, settings, self.device, world
        )
        self.scheduler = ReduceLROnPlateau(
            self.stepper.optimizer,
            factor=settings.plateau_factor,
            patience=settings.plateau_patience,
        )
        self.keeper = Keeper(
            folder,
            settings,
            corpus.fingerprint,
            model=self.model,
            averaging=self.averaging,
            config=built.config,
            stepper=self.stepper,
            objective=self.objective,
            scheduler=self.scheduler,
            clock=clock,
            world=world,
        )
        self.batches = math.ceil(len(corpus.train) / settings.batch_size)
        self.warmup = warmup_steps(settings, self.batches)
        self.state = TrainState(rate=settings.learning_rate, micro_batch=self.stepper.micro_batch)
        self.report = BatchReport(clock.monotonic())

    # -------------------------------------------------------------- the run

    def run(self, resume: bool) -> Iterator[events.Event]:
        if resume:
            self.state = self.keeper.restore()
        yield run_started(
            self.settings,
            self.corpus,
            self.state,
            run=self.run_name,
            parameters=sum(parameter.numel() for parameter in self.model.parameters()),
            batches=self.batches,
            device=str(self.device),
            resumed=resume,
        )
        if self.device_warning:
            yield self._remembered(alerts.device_fallback(self.device_warning))
        if self.objective.looks_beyond and not self.train_source.knows_beyond:
            yield self._remembered(alerts.nothing_beyond())
        action: Action | None = None
        severe = ""
        while self.state.epoch < self.settings.epochs and not self._out_of_patience():
            action = yield from self._epoch(self.state.epoch + 1)
            if action is not None:
                break
            severe = self._severe()
            if severe:
                break
        if self.state.summary:  # alerts that were raised after its best score count as well
            self.state.summary |= judge.verdict(self.state.summary, self.state)
        yield run_finished(self.state, *self._outcome(action, severe))

    def _epoch(self, epoch: int) -> _Steps:
        begun = self.clock.monotonic()
        action = yield from self._batches(epoch)
        if action is not None:
            yield self.keeper.save_last(self.state)
            return action
        due = epoch % self.settings.fivecat_every == 0 or epoch == self.settings.epochs
        if due:  # whatever happens to 5CAT, the epoch's training is not lost
            yield self.keeper.save_last(self.state)
        entry = yield from self._validated(epoch, begun)
        if due:
            action = yield from self._fivecat(epoch, entry)
            if action is not None:
                return action
        self.state.history.append(entry)
        self.state.epoch, self.state.batch = epoch, 0
        self.stepper.sums.zero_()
        if epoch % self.settings.checkpoint_every == 0:
            yield self.keeper.save_checkpoint(
                f"checkpoint_epoch{epoch}.pt", entry, self.state, with_optimizer=True
            )
        self.keeper.write_history(self.state)
        yield self.keeper.save_last(self.state)
        return None

    def _outcome(self, action: Action | None, severe: str) -> tuple[str, str]:
        if action == "cancel":
            return "cancelled", "cancelled by the user"
        if action == "stop":
            return "stopped", "stopped by the user"
        if severe:
            return "stopped", severe
        if self.state.epoch < self.settings.epochs:
            patience = self.settings.early_stop
            return "early_stopped", f"no lower validation loss for {patience} epochs"
        return "completed", ""

    def _out_of_patience(self) -> bool:
        patience = self.settings.early_stop
        return patience > 0 and self.state.epoch - self.state.best_epoch >= patience

    # -------------------------------------------------------------- batches

    def _batches(self, epoch: int) -> _Steps:
        order = epoch_order(len(self.train_source), self.settings.seed, epoch)
        size = self.settings.batch_size
        self.model.train()
        self.report = BatchReport(self.clock.monotonic())
        while self.state.batch < self.batches:
            action = yield from self._controlled()
            if action is not None:
                return action
            start, step = self.state.batch * size, self.state.step + 1
            self.stepper.set_rate(self._rate(step))
            for halved in self.stepper.step(order[start : start + size], step):
                self.state.micro_batch = halved.micro_batch
                yield halved
                yield self._remembered(alerts.out_of_memory(halved))
            self.averaging.update(step)
            self.state.step, self.state.batch = step, self.state.batch + 1
            now = self.clock.monotonic()
            if self.report.due(now) or self.state.batch == self.batches:
                yield self.report.event(
                    self.state,
                    self._finite_sums(),
                    now,
                    batches=self.batches,
                    rate=self._rate(step),
                    ranks=self.world.size,
                    memory_mb=memory_mb(self.device),
                )
            if self.keeper.due():
                self._finite_sums()  # what is not finite is never saved
                yield self.keeper.save_last(self.state)
        return None

    def _rate(self, step: int) -> float:
        return self.state.rate * min(1.0, step / self.warmup if self.warmup else 1.0)

    def _finite_sums(self) -> list[float]:
        """Loss·n, cosine and n over the epoch so far, of this rank."""
        sums: list[float] = self.stepper.sums.tolist()
        if not all(map(math.isfinite, sums)):
            raise self._diverged("the loss", f"step {self.state.step}")
        return sums

    def _diverged(self, what: str, where: str) -> DivergedError:
        return DivergedError(
            f"{what} is no longer a finite number",
            where=f"{self.settings.model}, {where}",
            fix="lower learning_rate or lengthen warmup_steps; the last good checkpoint stands",
        )

    def _controlled(self) -> _Steps:
        """Obey what a person said; returns the action that ends the run, if any."""
        action = self._told()
        if action != "pause":
            return action if action in ("stop", "cancel") else None
        begun = self.clock.monotonic()
        yield events.Paused(step=self.state.step)
        while action not in ("resume", "stop", "cancel"):
            self.clock.sleep(PAUSE_POLL)
            action = self._told()
        paused = self.clock.monotonic() - begun
        self.report.idled(paused)
        self.keeper.idled(paused)
        yield events.Resumed(step=self.state.step, seconds=paused)
        return None if action == "resume" else action

    def _told(self) -> Action | None:
        return self.world.agree(self.control() if self.world.is_main else None)

    # -------------------------------------------------------------- end of an epoch

    def _validated(self, epoch: int, begun: float) -> Generator[events.Event, None, dict[str, Any]]:
        trained = self.clock.monotonic() - begun
        self._finite_sums()
        loss, cosine, count = self.world.add_up(self.stepper.sums.clone()).tolist()
        found = validate(
            self.averaging.judged,
            self.val_source,
            self.objective,
            batch_size=self.stepper.micro_batch,
            device=self.device,
            dim=self.corpus.dim,
            world=self.world,
        )
        if not math.isfinite(found.loss):
            raise self._diverged("the validation loss", f"epoch {epoch}")
        entry: dict[str, Any] = {
            "epoch": epoch,
            "train_loss": loss / count,
            "train_cosine": cosine / count,
            "val_loss": found.loss,
            "val_cosine": found.cosine,
        }
        rate = self.state.rate
        self.state.rate = self._next_rate(found.loss)
        best = self.state.best_val_loss is None or found.loss < self.state.best_val_loss
        seconds = self.clock.monotonic() - begun
        yield events.EpochFinished(
            **entry,
            epochs=self.settings.epochs,
            step=self.state.step,
            learning_rate=rate,
            seconds=seconds,
            samples_per_second=count / max(trained, 1e-9),
            best=best,
        )
        if best:
            self.state.best_epoch, self.state.best_val_loss = epoch, found.loss
            yield self.keeper.save_checkpoint(BEST, entry, self.state)
        yield from self._unusual(epoch, seconds, found)
        self.state.epoch_seconds.append(seconds)
        return entry

    def _next_rate(self, val_loss: float) -> float:
        """The plateau schedule knows nothing of warm-up: it sees the rate without it."""
        self.stepper.set_rate(self.state.rate)
        self.scheduler.step(val_loss)
        return float(self.stepper.optimizer.param_groups[0]["lr"])

    def _unusual(self, epoch: int, seconds: float, found: Validation) -> Iterator[events.Event]:
        slow = alerts.slow_epoch(
            epoch,
            seconds,
            self.state.epoch_seconds,
            self.device.type,
            os.getloadavg()[0],
            os.cpu_count() or 1,
        )
        if slow is not None:
            yield slow
            if alerts.is_slow_news(slow, self.state.epoch_seconds, self.device.type):
                yield self._remembered(alerts.slow(slow))
        warm = self.state.step > self.warmup
        if warm and is_collapsed(found.outputs_alike, found.targets_alike):
            yield self._remembered(
                alerts.collapsed(epoch, found.outputs_alike, found.targets_alike)
            )

    def _remembered(self, alert: events.AlertRaised) -> events.AlertRaised:
        self.state.remember(alert)
        return alert

    # -------------------------------------------------------------- 5CAT

    def _fivecat(self, epoch: int, entry: dict[str, Any]) -> _Steps:
        """Run the battery on the main rank; its numbers join the history entry."""
        action: Action | None = None
        if self.world.is_main:
            try:
                action = yield from self._battery(epoch, entry)
            except (LvmError, RuntimeError) as error:
                yield self._remembered(alerts.fivecat_failed(epoch, error))
        return self.world.agree(action)

    def _battery(self, epoch: int, entry: dict[str, Any]) -> _Steps:
        running = judge.battery(
            self.averaging.judged,
            self.corpus,
            self.settings,
            self.thresholds,
            self.device,
            self.clock,
            epoch,
        )
        while True:
            try:
                event = next(running)
            except StopIteration as end:
                result, seconds = end.value
                break
            if event is not None:
                yield event
            if self.world.size == 1:  # with more, the others wait for the end of the battery
                action = yield from self._controlled()
                if action is not None:
                    running.close()
                    return action
        raised = judge.judge(result, self.state, epoch)
        entry |= judge.history_fields(result)
        score = result["score"]
        best = self.state.best_5cat_score is None or score > self.state.best_5cat_score
        yield events.FivecatFinished(epoch, self.state.step, result, score, seconds, best)
        if best:
            self.state.best_5cat_epoch, self.state.best_5cat_score = epoch, score
            self.state.summary = result
            yield self.keeper.save_checkpoint(BEST_5CAT, entry, self.state, fivecat=result)
        yield from raised
        return None

    def _severe(self) -> str:
        """Why the epoch just done stops the run, or "": all ranks agree."""
        words = judge.severe_words(self.state.history[-1])
        stops = bool(words) and self.settings.on_severe == "stop"
        return (words or "severe backward bias") if self.world.agreed_flag(stops) else ""
