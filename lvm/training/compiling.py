"""`compile = true`: the model through torch.compile, and a clear word where that cannot be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from lvm.errors import RunError

# torch's compiler takes a second to import: only who asks for it waits.


def compiled(model: nn.Module) -> nn.Module:
    """The same module, compiled at its first forward pass (a minute or two), for one shape."""
    return torch.compile(model, dynamic=False)  # type: ignore[return-value]


@contextmanager
def failures_told() -> Iterator[None]:
    """Raises RunError, within, for what the compiler cannot do here."""
    from torch._dynamo.exc import TorchDynamoException

    try:
        yield
    except TorchDynamoException as error:
        cause = error.__cause__ or error
        raise RunError(
            f"torch.compile failed: {_first_line(cause)}",
            where="[train] compile = true",
            fix="on the CPU it needs a C++ compiler and Python's headers: install g++; if it was "
            f"killed while it compiled, delete {_cache()}; or set compile = false",
        ) from error


def _cache() -> str:
    """Where half a kernel may lie, which torch would load again and again."""
    from torch._inductor.runtime.cache_dir_utils import cache_dir

    return str(cache_dir())


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
