"""Mode 4: the HTTP services, one a model, and a conversation with them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, cast

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import ContentSwitcher, Input, Static

from lvm.errors import LvmError
from lvm.service.client import ServiceClient
from lvm.service.manager import reached
from lvm_tui.desk import ProjectDesk
from lvm_tui.messages import Problem
from lvm_tui.screens.dialogs import Answer, Ask
from lvm_tui.screens.looking import LookingScreen
from lvm_tui.state.views import Frame
from lvm_tui.widgets.chat_log import ChatLog, Exchange
from lvm_tui.widgets.hints import Hint, HintLine, Hints
from lvm_tui.widgets.row_table import RowTable
from lvm_tui.widgets.service_table import Overview, Seen, ServicesLine, layout, seen, table_row

HELP = """\
One service a model answers over HTTP, each on its port; it loads the file that `lvm promote` put in
production. They go on without this screen, and are started again when they crash.

[b]state[/b]     ✓ answers  ▶ starts or drains  ■ is not meant to run  ? runs, but does not answer
          ▲ ended by itself and is started again  ✗ that was given up: o shows what it said
[b]restart[/b]   loads the file that stands there now; no request is refused meanwhile
[b]exits[/b]     how often it ended by itself
[b]chat[/b]      the model predicts the vector of the chunk that follows your words; shown is the
          text of the bank nearest to it, beside the text nearest to the last chunk itself: a
          model that only ever says the latter has not learned to go forward
[b]t[/b]         temperature: 0 takes the nearest text, more draws among the nearest\
"""

WELCOME = """\
[b]c[/b]  say something to the service under the cursor: its answer appears here,
   beside what copying your last words would have given\
"""

_HINTS = Hints(
    (
        Hint("c", "chat", "chat"),
        Hint("r", "restart", "restart"),
        Hint("u", "start", "start"),
        Hint("x", "stop", "stop_service"),
        Hint("U", "start all", "start_all"),
        Hint("o", "output", "output"),
        Hint("t", "temperature", "temperature"),
    ),
    Content(""),
)
_CHAT_HINTS = Hints(
    (
        Hint("enter", "send", "send"),
        Hint("ctrl+t", "temperature", "temperature"),
        Hint("esc", "back to the services", "leave_chat"),
    ),
    Content(""),
)

LOOK_SECONDS, CALM_LOOK_SECONDS = 2.0, 5.0
"""Between two looks at the services while this screen is shown."""
TEMPERATURES = (0.0, 0.3, 0.7, 1.0)
CHAT_SECONDS = 120.0
OUTPUT_LINES = 200


@dataclass(frozen=True, slots=True)
class Look:
    """All services at one moment, and who runs them."""

    services: tuple[Seen, ...]
    by: str


class Services(LookingScreen[Look]):
    TITLE = "Services"
    TROUBLE = "The services cannot be looked at"
    HELP_TEXT = HELP
    CSS_PATH: ClassVar[list[str]] = ["../styles/tables.tcss", "../styles/services.tcss"]  # type: ignore[assignment]
    AUTO_FOCUS = "#services"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "chat", "Say something to a service", show=False, id="chat"),
        Binding("r", "restart", "Restart: load what stands there now", show=False, id="restart"),
        Binding("u", "start", "Start", show=False, id="start_service"),
        Binding("U", "start_all", "Start all that have a model", show=False, id="start_all"),
        Binding("x", "stop_service", "Stop a service", show=False, id="stop_service"),
        Binding("o", "output", "What it said last, or the chat", show=False, id="service_output"),
        Binding("t,ctrl+t", "temperature", "Temperature of the chat", show=False, id="temperature"),
        Binding("escape", "leave_chat", "Back to the services", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._seen: tuple[Seen, ...] = ()
        self._busy: dict[str, str] = {}
        self._by = ""
        self._temperature = TEMPERATURES[0]
        self._awaited: Exchange | None = None

    @property
    def desk(self) -> ProjectDesk:
        return cast("ProjectDesk", self.lvm.workspace)

    def compose_body(self) -> ComposeResult:
        yield ServicesLine(id="line")
        yield RowTable(id="services")
        with ContentSwitcher(initial="talk", id="body"):
            with Vertical(id="talk"):
                yield ChatLog(id="chat")
                yield Static(WELCOME, id="welcome")
            with VerticalScroll(id="output"):
                yield Static(id="said", markup=False)
        yield Input(
            id="message", placeholder="what comes before the chunk to predict", compact=True
        )
        yield HintLine(id="hints")

    def on_mount(self) -> None:
        super().on_mount()
        seconds = CALM_LOOK_SECONDS if self.lvm.calm else LOOK_SECONDS
        self.start_looking(seconds)

    def show_frame(self, frame: Frame) -> None:  # noqa: ARG002 - services are no part of the logs
        self._redraw()

    def on_resize(self) -> None:
        if self.is_mounted:
            self._redraw()

    # ------------------------------------------------------------------ what there is

    def see(self) -> Look:
        """A service that hangs takes its time to say nothing."""
        manager = self.desk.services()
        found = manager.status()
        now = self.desk.project.clock.now()
        return Look(tuple(seen(each, now) for each in found), manager.services.manager)

    def take(self, found: Look) -> None:
        steady = {each.status.name: each for each in self._seen}
        self._by = found.by
        self._seen = tuple(_steadied(each, steady.get(each.status.name)) for each in found.services)
        self._redraw()

    def _redraw(self) -> None:
        typing = self.query_one("#message", Input).has_focus
        self.query_one(HintLine).show(_CHAT_HINTS if typing else _HINTS)
        self.query_one(ServicesLine).show(Overview(self._seen, self._by))
        width, zone = self.size.width - 3, self.lvm.zone
        rows = [
            table_row(each, self._busy.get(each.status.name, ""), width, zone)
            for each in self._seen
        ]
        self.query_one("#services", RowTable).show_table(layout(width), rows)
        talked = bool(self.query_one(ChatLog).children)
        self.query_one("#welcome").display = not talked
        self.query_one(ChatLog).display = talked
        self.query_one("#message").border_title = f"temperature {self._temperature:g}"

    @property
    def _current(self) -> str:
        return self.query_one("#services", RowTable).current

    # ------------------------------------------------------------------ start, stop

    def action_start(self) -> None:
        self._do("start", [self._current], "starting")

    def action_start_all(self) -> None:
        with_model = [each.status.name for each in self._seen if each.status.sha256]
        if self._seen and not with_model:
            self.notify("no service has a model yet: promote one first (3)", severity="warning")
        elif with_model:
            self._do("start", with_model, "starting")

    def action_restart(self) -> None:
        model = next((e.status.model for e in self._seen if e.status.name == self._current), None)
        file = model.resolve() if model is not None else None
        words = f"It loads {file.parent.name}/{file.name}." if file is not None else ""
        self._ask("restart", "restarting", "Restart", f"{words}\nNo request is refused meanwhile.")

    def action_stop_service(self) -> None:
        self._ask(
            "stop", "stopping", "Stop", "It answers what it was asked; then its port refuses."
        )

    def _ask(self, verb: str, busy: str, title: str, words: str) -> None:
        name = self._current
        if not name or not self._may(name):
            return
        answers = (Answer("y", "yes", verb, "warning"), Answer("n", "", "leave it"))
        question = Ask(title, f"{title} service {name}?\n{words}", answers)
        self.app.push_screen(
            question, lambda answer: self._do(verb, [name], busy) if answer == "yes" else None
        )

    def _may(self, name: str) -> bool:
        if self.lvm.watching:
            self.notify("look only: lvm-tui without “watch” can do that", severity="warning")
        elif name in self._busy:
            self.notify(f"{name} is {self._busy[name]} already", severity="warning")
        else:
            return True
        return False

    def _do(self, verb: str, names: list[str], busy: str) -> None:
        if all(names) and all(self._may(name) for name in names):
            self._busy |= dict.fromkeys(names, busy)
            self._redraw()
            self._run(verb, names)

    @work(thread=True)
    def _run(self, verb: str, names: list[str]) -> None:
        error: Exception | None = None
        try:
            getattr(self.desk.services(), verb)(names)
        except (LvmError, OSError) as caught:
            error = caught
        self.app.call_from_thread(self._ran, verb, names, error)

    def _ran(self, verb: str, names: list[str], error: Exception | None) -> None:
        for name in names:
            self._busy.pop(name, None)
        if error is not None:
            self.app.post_message(Problem.of(f"{verb} {', '.join(names)}", error))
        else:
            done = {"start": "answers", "restart": "answers again", "stop": "is stopped"}[verb]
            self.notify(f"{', '.join(names)} {done}", timeout=4)
        self.look()

    # ------------------------------------------------------------------ what it said

    def action_output(self) -> None:
        body = self.query_one("#body", ContentSwitcher)
        if body.current == "output":
            body.current = "talk"
        elif self._current:
            self._read_output(self._current)

    @work(thread=True, exclusive=True, group="output")
    def _read_output(self, name: str) -> None:
        try:
            lines = self.desk.services().logs(name, OUTPUT_LINES)
        except (LvmError, OSError) as error:
            self.app.post_message(Problem.of(f"What {name} said cannot be read", error))
            return
        self.app.call_from_thread(self._show_output, name, lines)

    def _show_output(self, name: str, lines: list[str]) -> None:
        text = Content("\n".join(lines) or "nothing yet")
        foot = Content.styled(f"\nthat is what {name} said last   o back to the chat", "$dim")
        self.query_one("#said", Static).update(text + foot)
        self.query_one("#body", ContentSwitcher).current = "output"
        self.query_one("#output").scroll_end(animate=False)

    # ------------------------------------------------------------------ chat

    def action_chat(self) -> None:
        self.query_one("#body", ContentSwitcher).current = "talk"
        self.query_one("#message", Input).focus()
        self._redraw()

    def action_leave_chat(self) -> None:
        self.query_one("#services").focus()
        self._redraw()

    def action_temperature(self) -> None:
        at = TEMPERATURES.index(self._temperature)
        self._temperature = TEMPERATURES[(at + 1) % len(TEMPERATURES)]
        self._redraw()

    async def action_send(self) -> None:
        await self.query_one("#message", Input).action_submit()

    def on_input_submitted(self, message: Input.Submitted) -> None:
        text = message.value.strip()
        if not text or not self._current:
            return
        if self._awaited is not None:
            self.notify("the answer before is still awaited", severity="warning")
            return
        message.input.value = ""
        self._awaited = Exchange(self._current, text, self._temperature, {})
        self.query_one(ChatLog).begin(self._awaited)
        self._redraw()
        self._answer(self._awaited)

    @work(thread=True)
    def _answer(self, asked: Exchange) -> None:
        try:
            services = self.desk.services().services
            port = services.service(asked.service).port
            with ServiceClient(reached(services.host), port, CHAT_SECONDS) as client:
                done = replace(asked, answer=client.chat([asked.message], asked.temperature))
        except LvmError as error:
            words = f"{error.what} → {error.fix}" if error.fix else error.what
            done = replace(asked, error=words)
        self.app.call_from_thread(self._answered, done)

    def _answered(self, done: Exchange) -> None:
        self._awaited = None
        self.query_one(ChatLog).end(done)


def _steadied(now: Seen, before: Seen | None) -> Seen:
    """A start is measured a little differently at each look; the same process keeps its own, and
    what changes with every look is left out, so that nothing is drawn again for it."""
    health = {name: value for name, value in now.status.health.items() if name != "uptime_seconds"}
    status = replace(now.status, uptime_seconds=0.0, health=health)
    same = before is not None and before.status.pid == now.status.pid and before.since
    return replace(now, status=status, since=before.since if before and same else now.since)
