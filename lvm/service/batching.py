"""Micro-batching: what arrives while the model is busy goes through it together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
Forward = Callable[[FloatArray], FloatArray]
"""(n, 5, D) contexts → (n, D) predictions."""


class BusyError(Exception):
    """As many requests wait as may wait."""


class Batcher:
    """Concurrent calls in, forward passes of up to `batch` rows out, one at a time.

    `forward` runs in one thread of its own: nothing else touches the model, and the event loop
    goes on meanwhile. Nobody waits for company: a pass starts when the model is free, with all
    that waits then; only `gather_seconds` > 0 lets an idle model wait a moment first.
    """

    def __init__(
        self,
        forward: Forward,
        *,
        batch: int,
        waiting: int,
        gather_seconds: float = 0.0,
        observe: Callable[[int], object] | None = None,
    ) -> None:
        """observe: told the number of rows of each pass."""
        self._forward = forward
        self._batch = batch
        self._most_waiting = waiting
        self._gather = gather_seconds
        self._observe = observe
        self._waiting: dict[asyncio.Future[FloatArray], FloatArray] = {}  # in order of arrival
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="model")
        self._running: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """Calls whose pass has not begun."""
        return len(self._waiting)

    async def __call__(self, contexts: FloatArray) -> FloatArray:
        """(5, D) → (D,). Raises BusyError at once when too many wait, else what `forward` raises.

        A call that is cancelled while it waits takes no room in a batch.
        """
        if len(self._waiting) >= self._most_waiting:
            raise BusyError
        future: asyncio.Future[FloatArray] = asyncio.get_running_loop().create_future()
        self._waiting[future] = contexts
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        try:
            return await future
        finally:
            self._waiting.pop(future, None)

    def close(self) -> None:
        """Let the thread end; what runs in it is finished first."""
        self._thread.shutdown(wait=False)

    async def _run(self) -> None:
        try:
            if self._gather:
                await asyncio.sleep(self._gather)
            while self._waiting:
                futures = list(self._waiting)[: self._batch]
                contexts = np.stack([self._waiting.pop(future) for future in futures])
                await self._pass(futures, contexts)
        finally:
            self._running = None

    async def _pass(self, futures: list[asyncio.Future[FloatArray]], contexts: FloatArray) -> None:
        if self._observe is not None:
            self._observe(len(futures))
        loop = asyncio.get_running_loop()
        try:
            predictions = await loop.run_in_executor(self._thread, self._forward, contexts)
        except Exception as error:  # noqa: BLE001 - handed on to everyone who waits for this pass
            for future in futures:
                if not future.done():
                    future.set_exception(error)
        else:
            for future, prediction in zip(futures, predictions, strict=True):
                if not future.done():
                    future.set_result(prediction)
