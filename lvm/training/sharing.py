"""Random numbers that do not depend on how a batch is cut up.

A step's dropout masks are drawn for its whole batch from (seed, step). A rank or a micro-batch has
only some rows of the batch: it draws the same masks and keeps its own rows. So one process, several
ranks, accumulated gradients, and a batch that was halved for want of memory all train with the same
masks. A batch that is not cut costs nothing: nothing is intercepted then.

This holds where masks are drawn with `random_` (lvm/models/dropout.py), `bernoulli_` or
`native_dropout`: on the CPU everywhere. The fused attention and LSTM of CUDA draw inside their
kernels, rows apart from one another: there the masks of a cut batch are other ones, as random as
before.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

_ATEN = torch.ops.aten
_FILLING = (_ATEN.bernoulli_.float, getattr(_ATEN.random_, "from"))
"""What fills a tensor, its first argument, with random numbers."""


def masks_of(
    rows: Tensor, total: int, *, batch_axis: int, seed: int
) -> AbstractContextManager[object]:
    """Seed torch; within, a forward pass of some rows of a batch draws what the whole would draw.

    rows: (n,) which rows of the batch, int64, on the device. total: rows of the whole batch.
    batch_axis: the axis of the batch in what the model drops out of.
    """
    torch.manual_seed(seed)
    return nullcontext() if len(rows) == total else _Masks(rows, total, batch_axis)


def noise_of(rows: Tensor, total: int, like: Tensor) -> Tensor:
    """Standard normal numbers as `like` (n, …), drawn for the whole batch."""
    if len(rows) == total:
        return torch.randn_like(like)
    whole = torch.randn((total, *like.shape[1:]), dtype=like.dtype, device=like.device)
    return whole.index_select(0, rows)


class _Masks(TorchDispatchMode):
    def __init__(self, rows: Tensor, total: int, batch_axis: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._rows, self._total, self._axis = rows, total, batch_axis

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if func in _FILLING and self._fits(args[0]):
            mask: Tensor = args[0]
            func(whole := self._whole(mask), *args[1:], **kwargs)
            return mask.copy_(self._cut(whole))
        if func is _ATEN.native_dropout.default and self._fits(args[0]):
            given: Tensor = args[0]
            kept, whole = func(self._whole(given).fill_(1), *args[1:], **kwargs)
            return given * self._cut(kept), self._cut(whole)
        return func(*args, **kwargs)

    def _fits(self, tensor: Tensor) -> bool:
        return tensor.ndim > self._axis and tensor.shape[self._axis] % len(self._rows) == 0

    def _whole(self, part: Tensor) -> Tensor:
        """Uninitialised, as the tensor would be for the whole batch: in the same layout, for torch
        draws in the order of memory."""
        shape = list(part.shape)
        shape[self._axis] = shape[self._axis] // len(self._rows) * self._total
        strides = part.stride()  # of two that are equal, an axis of length 1 lies within
        layout = sorted(range(part.ndim), key=lambda axis: (-strides[axis], part.shape[axis] == 1))
        return torch.empty_permuted(shape, layout, dtype=part.dtype, device=part.device)

    def _cut(self, whole: Tensor) -> Tensor:
        """The rows that are wanted; heads may be folded into the axis."""
        by_row = whole.unflatten(self._axis, (self._total, -1))
        wanted: Tensor = by_row.index_select(self._axis, self._rows)
        return wanted.flatten(self._axis, self._axis + 1)
