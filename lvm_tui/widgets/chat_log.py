"""A conversation with a service: each answer beside what copying the last chunk would have said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from lvm.service.wording import direction, place
from lvm_tui.numbers import fixed
from lvm_tui.widgets.text import lines


@dataclass(frozen=True, slots=True)
class Exchange:
    service: str
    message: str
    temperature: float
    answer: dict[str, Any]
    """What POST /chat gave; {} while it is awaited."""
    error: str = ""


class ChatLog(VerticalScroll):
    """`begin` shows a message, `end` what came of it."""

    can_focus = True

    def begin(self, exchange: Exchange) -> None:
        self.mount(ExchangeView(exchange))
        self.scroll_end(animate=False)

    def end(self, exchange: Exchange) -> None:
        """Fill the last one in."""
        self.query(ExchangeView).last().fill(exchange)
        self.scroll_end(animate=False)


class ExchangeView(Vertical):
    def __init__(self, exchange: Exchange) -> None:
        super().__init__()
        self._exchange = exchange

    def compose(self) -> ComposeResult:
        yield Static(_asked(self._exchange), classes="asked")
        with Horizontal(classes="answers"):
            yield Static(Content.styled("…", "$dim"), classes="answer")
            yield Static("", classes="copied")
        yield Static("", classes="facts")

    def fill(self, exchange: Exchange) -> None:
        self._exchange = exchange
        answer, copied = self.query_one(".answer", Static), self.query_one(".copied", Static)
        if exchange.error:
            answer.update(Content.assemble(("✗ ", "$text-error bold"), exchange.error))
            copied.display = False
            return
        document = exchange.answer
        answer.update(_text(f"{exchange.service} says next", document["answer"]))
        copied.update(_text("copying the last chunk", document["copy_last"]))
        self.query_one(".facts", Static).update(_facts(document))


def _asked(exchange: Exchange) -> Content:
    how = f"  to {exchange.service}, temperature {exchange.temperature:g}"
    return Content.assemble(("▶ ", "$accent bold"), (exchange.message, "bold"), (how, "$dim"))


def _text(title: str, decoded: dict[str, Any]) -> Content:
    where = place(decoded).removeprefix(", ")
    head = Content.assemble((title, "$dim"), f"  {fixed(decoded['similarity'])}")
    return lines([head, Content(decoded["text"]), Content.styled(where, "$dim")])


def _facts(answer: dict[str, Any]) -> Content:
    same = answer["text"] == answer["copy_last"]["text"]
    offset = answer["offset"]
    forward = not same and (offset or 0) > 0
    backward = same or (offset is not None and offset <= 0)
    tone = "$text-success" if forward else "$text-warning" if backward else "$dim"
    sign = "✓ " if forward else "▲ " if backward else "· "
    stages = " · ".join(f"{stage} {took:.1f} ms" for stage, took in answer["latency_ms"].items())
    rows = [
        Content.styled(sign + direction(offset, same), tone),
        Content.styled(
            f"confidence {fixed(answer['confidence'])} · context: {answer['context']['how']}",
            "$dim",
        ),
        Content.styled(stages, "$dim"),
    ]
    unknown = answer["context"]["unknown"]
    if unknown:
        rows.append(
            Content.styled(
                f"▲ {unknown} chunks have no word that the encoder knows", "$text-warning"
            )
        )
    return lines(rows)
