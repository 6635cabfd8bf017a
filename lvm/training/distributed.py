"""The ranks of a run: one, or several under `torchrun` (torch.distributed)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import get_args

import torch
import torch.distributed
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from lvm.control import Action
from lvm.errors import RunError

_ACTIONS: tuple[Action | None, ...] = (None, *get_args(Action))


@dataclass(frozen=True, slots=True)
class World:
    """How many processes train together, and which one this is."""

    rank: int = 0
    size: int = 1

    @property
    def is_main(self) -> bool:
        """Only the main rank writes files and events."""
        return self.rank == 0

    def wrap(self, model: nn.Module) -> nn.Module:
        """The model whose backward pass averages gradients over the ranks."""
        return DistributedDataParallel(model) if self.size > 1 else model

    @contextmanager
    def gradients_shared(self, model: nn.Module, *, last: bool) -> Iterator[None]:
        """Gradients travel once a step, with the last of its micro-batches."""
        if isinstance(model, DistributedDataParallel) and not last:
            with model.no_sync():
                yield
        else:
            yield

    def add_up(self, sums: Tensor) -> Tensor:
        """The sum over all ranks, in place."""
        if self.size > 1:
            torch.distributed.all_reduce(sums)
        return sums

    def agree(self, action: Action | None) -> Action | None:
        """What the main rank was told, known to all: a rank that stops alone hangs the others."""
        if self.size == 1:
            return action
        code = torch.tensor([_ACTIONS.index(action)], device=_broadcast_device())
        torch.distributed.broadcast(code, src=0)
        return _ACTIONS[int(code.item())]

    def agreed_flag(self, flag: bool) -> bool:
        """The main rank's flag, known to all. Clocks differ between ranks; decisions must not."""
        if self.size == 1:
            return flag
        code = torch.tensor([int(flag)], device=_broadcast_device())
        torch.distributed.broadcast(code, src=0)
        return bool(code.item())

    def wait_for_all(self) -> None:
        if self.size > 1:
            torch.distributed.barrier()


def _broadcast_device() -> torch.device:
    """nccl moves tensors of the GPU only, gloo those of the CPU."""
    return torch.device("cuda" if torch.distributed.get_backend() == "nccl" else "cpu")


ALONE = World()


@contextmanager
def lost_ranks(world: World) -> Iterator[None]:
    """Turn what the backend says of a broken connection into a RunError that says what it means."""
    try:
        yield
    except RuntimeError as error:
        if world.size == 1 or not _is_broken_connection(error):
            raise
        raise RunError(
            "another rank ended, or cannot be reached any more",
            where=f"rank {world.rank} of {world.size}",
            fix="its own output says why; lvm runs resume, with as many ranks as you like, goes on "
            "from last.pt",
        ) from error


def _is_broken_connection(error: RuntimeError) -> bool:
    """gloo raises plain RuntimeErrors that begin with its source file."""
    return isinstance(error, torch.distributed.DistError) or "gloo/" in str(error)


def launched_by_torchrun() -> bool:
    """Whether this process is one of several that torchrun started."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


@contextmanager
def joined_world() -> Iterator[World]:
    """Join the process group that torchrun set up (nccl on CUDA, gloo elsewhere), or stay alone."""
    if not launched_by_torchrun():
        yield ALONE
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
        torch.distributed.init_process_group("nccl")
    else:
        torch.distributed.init_process_group("gloo")
    world = World(torch.distributed.get_rank(), torch.distributed.get_world_size())
    try:
        with lost_ranks(world):
            yield world
            world.wait_for_all()  # a rank that leaves early takes its connections with it
    finally:
        torch.distributed.destroy_process_group()
