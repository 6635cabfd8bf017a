"""Which device trains, how much memory is in use there, and what out-of-memory looks like."""

from __future__ import annotations

import psutil
import torch

_OUT_OF_MEMORY_WORDS = ("out of memory", "can't allocate memory", "cannot allocate memory")


def available(device: str) -> bool:
    """Whether a device named "cuda", "cuda:1", "mps" or "cpu" can be used here."""
    kind, _, index = device.partition(":")
    if kind == "cuda":
        return torch.cuda.is_available() and int(index or 0) < torch.cuda.device_count()
    if kind == "mps":
        return torch.backends.mps.is_available()
    return kind == "cpu"


def present() -> list[str]:
    """The devices of this machine that can be used, the best first: what "auto" takes is one of
    them."""
    gpus = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    found = gpus if torch.cuda.is_available() else []
    return [*found, *(["mps"] if available("mps") else []), "cpu"]


def choose_device(asked: str) -> tuple[torch.device, str]:
    """The device for "auto" (cuda, then mps, then cpu) or a name.

    Returns the device and a warning, "" unless the one that was asked for is not there: then it is
    the CPU.
    """
    if asked == "auto":
        return torch.device(next(name for name in ("cuda", "mps", "cpu") if available(name))), ""
    if available(asked):
        return torch.device(asked), ""
    there = ", ".join(present())
    return torch.device("cpu"), (
        f"device {asked!r} is not there{_why_not(asked)}; on the cpu instead, "
        f"this machine has {there}"
    )


def _why_not(asked: str) -> str:
    if asked.startswith("cuda") and torch.version.cuda is None and torch.version.hip is None:
        return f" (torch {torch.__version__} is built without CUDA)"
    return ""


def memory_mb(device: torch.device) -> float:
    """MiB allocated on the accelerator, or resident in this process on CPU."""
    if device.type == "cuda":
        return torch.cuda.memory_allocated(device) / 2**20
    if device.type == "mps":
        return torch.mps.current_allocated_memory() / 2**20
    return float(psutil.Process().memory_info().rss) / 2**20


def is_out_of_memory(error: BaseException) -> bool:
    """Whether `error` is any back end's way to say that memory ran out."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(
        words in str(error).lower() for words in _OUT_OF_MEMORY_WORDS
    )


def release_memory(device: torch.device) -> None:
    """Give cached blocks back before a retry."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()
