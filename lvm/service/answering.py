"""What /chat needs besides the model, opened once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lvm.service.requests import ChatRequest

if TYPE_CHECKING:
    from lvm.service.batching import Batcher
    from lvm.service.model import ServedModel
    from lvm.service.serving import ServiceSpec


@dataclass(frozen=True)
class Answering:
    missing: str = ""
    """Why there is no chat, or ""."""

    async def answer(self, asked: ChatRequest, predict: Batcher) -> Any:
        raise NotImplementedError

    def close(self) -> None:
        return


def open_answering(spec: ServiceSpec, model: ServedModel) -> Answering:  # noqa: ARG001
    return Answering(
        missing=f"service {spec.name!r} has no bank: set bank in [services.{spec.name}]"
    )
