"""/chat: messages → chunks → vectors → five contexts → prediction → text."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lvm.clock import Clock
from lvm.data.bank import VectorBank, open_bank
from lvm.data.encode import encoder_of_bank
from lvm.data.encoders import Encoder, HttpEncoder, LsaEncoder, open_encoder
from lvm.errors import InputError, LvmError, RunError
from lvm.service.context import Context, fill, last_chunks
from lvm.service.decoding import BankDecoder, Decoded, Decoder, HttpDecoder
from lvm.service.requests import BadRequestError, ChatRequest

FloatArray = npt.NDArray[np.float32]
Predict = Callable[[FloatArray], Awaitable[FloatArray]]

_THREADS = 4
"""For encoders and decoders, which compute or wait: never on the event loop."""
_ENCODER_SECONDS = 15.0
_ENCODER_RETRIES = 1
"""A person waits for the answer: better an error than patience."""


@dataclass(frozen=True)
class Answer:
    """What the model goes on with, and beside it what copying the last chunk gives."""

    answer: Decoded
    copy_last: Decoded
    """The same decoder on the last context: what a model that stands still would say."""
    offset: int | None
    """Chunks from the one nearest to the last context to the answer, where both are of one article
    of the bank: +1 is the next chunk, 0 the same, below 0 backward."""
    context: Context
    unknown: int | None
    """Chunks of the messages without a word that the encoder knows; None where it cannot tell."""
    latency_ms: dict[str, float]
    """encode, context, predict, decode, total."""

    def to_json(self) -> dict[str, Any]:
        return {
            "text": self.answer.text,
            "confidence": max(0.0, self.answer.similarity),
            "answer": self.answer.to_json(),
            "copy_last": self.copy_last.to_json(),
            "offset": self.offset,
            "context": {**self.context.to_json(), "unknown": self.unknown},
            "latency_ms": self.latency_ms,
        }


class Answering:
    """Opened once for a service."""

    def __init__(
        self,
        clock: Clock,
        encoder: Encoder | None = None,
        decoder: Decoder | None = None,
        bank: VectorBank | None = None,
        dim: int = 0,
        missing: str = "",
    ) -> None:
        """missing: why there is no chat; then the rest is not needed."""
        self.missing = missing
        self._clock = clock
        self._encoder = encoder
        self._decoder = decoder
        self._bank = bank
        self._dim = dim
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="chat")

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def answer(self, asked: ChatRequest, predict: Predict) -> Answer:
        """Raises BadRequestError without a word, RunError when encoder or decoder fails, and what
        `predict` raises."""
        stages = _Stages(self._clock)
        texts, vectors, unknown = await self._off_loop(self._read, asked.messages)
        stages.done("encode")
        context = await self._off_loop(fill, texts, vectors, self._bank)
        stages.done("context")
        prediction = await predict(context.vectors)
        stages.done("predict")
        both = np.stack([prediction, context.vectors[-1]])
        answer, copy_last = await self._off_loop(self._write, both, asked)
        stages.done("decode")
        offset = self._offset(answer, copy_last)
        return Answer(answer, copy_last, offset, context, unknown, stages.milliseconds())

    async def _off_loop(self, function: Callable[..., Any], *arguments: Any) -> Any:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, partial(function, *arguments))

    def _read(self, messages: tuple[str, ...]) -> tuple[list[str], FloatArray, int | None]:
        assert self._encoder is not None
        texts = last_chunks(messages)
        if not texts:
            raise BadRequestError(422, "the messages have no word; there is nothing to answer")
        unknown = None
        if isinstance(self._encoder, LsaEncoder):
            vectors, known = self._encoder.encode_known(texts)
            unknown = int((~known).sum())
        else:
            vectors = self._encoder.encode(texts)
        if vectors.shape[1] != self._dim:
            raise RunError(
                f"the encoder's vectors are {vectors.shape[1]} wide, the model's {self._dim}",
                where=f"encoder {self._encoder.name}",
                fix="use the encoder that made the training data",
            )
        return texts, vectors, unknown

    def _write(self, vectors: FloatArray, asked: ChatRequest) -> list[Decoded]:
        assert self._decoder is not None
        return self._decoder.decode(vectors, asked.temperature, np.random.default_rng(asked.seed))

    def _offset(self, answer: Decoded, copy_last: Decoded) -> int | None:
        if answer.row is None or copy_last.nearest is None or self._bank is None:
            return None
        articles = [self._bank.article_of_row(row) for row in (answer.row, copy_last.nearest)]
        return answer.row - copy_last.nearest if articles[0] == articles[1] else None


class _Stages:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._begun = self._last = clock.monotonic()
        self._seconds: dict[str, float] = {}

    def done(self, stage: str) -> None:
        now = self._clock.monotonic()
        self._seconds[stage] = now - self._last
        self._last = now

    def milliseconds(self) -> dict[str, float]:
        seconds = {**self._seconds, "total": self._last - self._begun}
        return {stage: round(value * 1000, 3) for stage, value in seconds.items()}


def open_answering(
    name: str, dim: int, bank: Path | None, encoder: str, decoder: str, clock: Clock
) -> Answering:
    """Encoder, bank and decoder of the service `name`, whose model is `dim` wide.

    encoder: as `open_encoder` takes it; "": the one that made the bank. decoder: http://…;
    "": the texts of the bank. What is missing or broken does not keep the service from
    predicting: `Answering.missing` says it, and /chat and /health repeat it.
    """
    home = f"[services.{name}] of lvm.toml"
    if bank is None and not (encoder and decoder):
        missing = f"this service has no texts to answer with: set bank in {home}"
        return Answering(clock, missing=missing)
    try:
        opened = None if bank is None else open_bank(bank)
        if opened is not None and opened.dim != dim:
            raise InputError(f"the bank is {opened.dim} wide, the model {dim}", where=str(bank))
        reader = _open_encoder(encoder, bank)
        if decoder:
            writer: Decoder = HttpDecoder(decoder, reader)
        else:
            assert opened is not None
            if not opened.has_texts:
                raise InputError("the bank has no texts", where=str(bank))
            writer = BankDecoder(opened)
    except LvmError as error:
        where = f"{error.where}: " if error.where else ""
        return Answering(clock, missing=f"{where}{error.what} (see {home})")
    return Answering(clock, reader, writer, opened, dim)


def _open_encoder(spec: str, bank: Path | None) -> Encoder:
    if spec.startswith(("http://", "https://")):
        return HttpEncoder(spec, timeout=_ENCODER_SECONDS, retries=_ENCODER_RETRIES)
    if spec:
        return open_encoder(spec)
    assert bank is not None
    return encoder_of_bank(bank)
