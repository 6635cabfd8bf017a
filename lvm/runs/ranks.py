"""The other ranks of a run under torchrun: they train what the main rank's runner trains.

    torchrun --nproc-per-node 2 -m lvm train gru --bank bank.npz

The main rank holds the lease and writes every file; the others are told which job, in which folder,
and join its training.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lvm.clock import Clock, SystemClock
from lvm.control import Control
from lvm.runs.folder import RunFolder
from lvm.settings import SPLIT_SEED, Thresholds, TrainSettings

if TYPE_CHECKING:
    from lvm.data.sources import Corpus
    from lvm.events import Event
    from lvm.runs.training_run import Train
    from lvm.training.distributed import World


def is_follower() -> bool:
    """Whether torchrun started this process as another rank than the main one."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1 and int(os.environ.get("RANK", "0")) > 0


@contextmanager
def distributed_train() -> Iterator[Train | None]:
    """What the main rank's Runner trains with: None (its own) alone, else with all ranks."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield None
        return
    from lvm.training.distributed import joined_world

    with joined_world() as world:
        try:
            yield _Leader(world)
        finally:
            _send(None)


def follow_main_rank(root: Path) -> None:
    """Join every training of the main rank until it has no more."""
    from lvm.data.sources import open_corpus
    from lvm.training.distributed import joined_world
    from lvm.training.trainer import train

    with joined_world() as world:
        while (order := _received()) is not None:
            folder = RunFolder(Path(order["folder"]))
            job = folder.job()
            joined = train(
                job.train,
                open_corpus(job.data, root=root, seed=SPLIT_SEED),
                folder.path,
                thresholds=Thresholds.from_json(order["thresholds"]),
                control=lambda: None,
                clock=SystemClock(),
                resume=order["resume"],
                world=world,
            )
            for _ in joined:
                pass


class _Leader:
    """`trainer.train` that calls the other ranks first."""

    def __init__(self, world: World) -> None:
        self._world = world

    def __call__(
        self,
        settings: TrainSettings,
        corpus: Corpus,
        folder: Path,
        *,
        thresholds: Thresholds,
        control: Control,
        clock: Clock,
        resume: bool,
    ) -> Iterator[Event]:
        from lvm.training.trainer import train

        _send(
            {
                "folder": str(folder.absolute()),
                "thresholds": thresholds.to_json(),
                "resume": resume,
            }
        )
        return train(
            settings,
            corpus,
            folder,
            thresholds=thresholds,
            control=control,
            clock=clock,
            resume=resume,
            world=self._world,
        )


def _send(order: dict[str, Any] | None) -> None:
    import torch.distributed

    torch.distributed.broadcast_object_list([order], src=0)


def _received() -> dict[str, Any] | None:
    import torch.distributed

    orders: list[dict[str, Any] | None] = [None]
    torch.distributed.broadcast_object_list(orders, src=0)
    return orders[0]
