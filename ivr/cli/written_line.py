"""The line of `ivr talk --channel chat`: the chat's own codec, and a person at the keys who reads and writes.

Nothing is spoken and no key is pressed: what is typed is a message, as in a chat.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import count
from typing import Any, Final, cast

import msgspec
from rich.console import Console

from ivr.channels.botframework.codec import BotFrameworkChannel
from ivr.channels.in_writing import awaiting
from ivr.cli.activity_text import shown
from ivr.cli.terminal_text import plain
from ivr.engine.commands import HangUp, LineCommand, Reject
from ivr.engine.events import Event
from ivr.ports import Exchange, Incoming, Leg, WebhookRequest
from ivr.server.chat_page.page_delivery import activity_in

HELP: Final = """\
Type what is written:
  some words      a message; where there are buttons, what stands in their brackets presses one
  (just Enter)    nothing is written for too long
  200 {"a": 1}    what a web service answers: its status, and JSON (just Enter: 200);
                  or timeout, connect, body: how it fails
  /hangup         leave the conversation (Ctrl-D does too)
  /state          show the state of the call and its variables
  /help           this"""
_WAITED_FOR: Final = frozenset({"recognize", "record", "transfer"})
"What somebody answers; the rest is read and over."


class WrittenLine:
    """One conversation with a terminal."""

    def __init__(
        self,
        console: Console,
        ask: Callable[[str], Awaitable[str | None]],
        commands: Mapping[str, Callable[[], None]],
        *,
        caller: str | None,
    ) -> None:
        """`ask` asks for a line; None: the end. `commands` are further commands that can be typed (`/state`)."""
        self._console = console
        self._ask = ask
        self._commands = commands
        self._caller = caller
        self._channel = BotFrameworkChannel(account="terminal", serves=lambda _: True, media_base="")
        self._numbers = count(1)
        self._presses: dict[str, str] = {}
        self._now = 0.0
        joined = self._activity("conversationUpdate", membersAdded=[{"id": caller or "terminal"}])
        self._leg = self._channel.hear(Leg(), joined, now=0.0).leg

    async def perform(self, commands: Sequence[LineCommand], *, now: float) -> Sequence[Event]:
        """Show what a flow says, and return what became of it, as soon as somebody has answered where that is needed.

        `now` is in seconds since 1970.
        """
        self._now = now
        exchange = self._channel.speak(self._leg, commands, now=now)
        self._leg = exchange.leg
        for request in exchange.outbound:
            self._show(activity_in(request))
        for command in commands:
            if isinstance(command, HangUp | Reject):
                self._console.print("[dim]  (the flow ends the conversation)[/]")
        return exchange.events or await self._awaited()

    async def _awaited(self) -> Sequence[Event]:
        while True:
            awaited = awaiting.awaited(self._leg)
            exchange = await self._written() if awaited and awaited[1] in _WAITED_FOR else self._silence()
            self._leg = exchange.leg
            if exchange.events:
                return exchange.events

    async def _written(self) -> Exchange:
        """Return what a typed line means."""
        line = await self._ask("you write> ")
        match line.strip() if line is not None else "/hangup":
            case "/hangup":
                return self._heard("endOfConversation")
            case "":
                return self._silence()
            case "/help":
                self._console.print(HELP, markup=False, highlight=False)
            case command if command in self._commands:
                self._commands[command]()
            case command if command.startswith("/"):
                self._console.print("[yellow]  There is no such command. Type /help for a list.[/]")
            case text:
                pressed, self._presses = self._presses.get(text, text), {}
                return self._heard("message", text=pressed)
        return Exchange(self._leg)

    def _silence(self) -> Exchange:
        return self._channel.tick(self._leg, now=awaiting.due(self._leg) or self._now)

    def _heard(self, kind: str, **members: Any) -> Exchange:
        return self._channel.hear(self._leg, self._activity(kind, **members), now=self._now)

    def _activity(self, kind: str, **members: Any) -> Incoming:
        told = {
            "type": kind,
            "id": f"{next(self._numbers)}",
            "channelId": "terminal",
            "serviceUrl": "terminal:",
            "from": {"id": self._caller or "terminal"},
            "recipient": {"id": "bot"},
            "conversation": {"id": "terminal"},
            **members,
        }
        (decoded,) = cast(
            "Sequence[Incoming]", self._channel.decode(WebhookRequest("POST", "", {}, msgspec.json.encode(told)))
        )  # no reply at once: each kind that is made here means something
        return decoded

    def _show(self, activity: Mapping[str, Any]) -> None:
        found = shown(activity, taken=self._presses)
        self._presses |= found.presses
        for line in found.lines:
            self._console.print(f"[bold]{plain(line)}[/]")
