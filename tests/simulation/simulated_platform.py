"""The platform of a simulation: it brings a caller's messages to any server, and again where no answer came."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from ivr.engine.commands import Command
from ivr.engine.events import CallEnded, CallReceived, Event, RecordingMade
from ivr.errors import WebhookError
from ivr.ports import CallKey, Incoming, WebhookReply
from tests.simulation.simulated_server import Sending, Server
from tests.turn.simulated_person import Person, hung_up

if TYPE_CHECKING:
    from tests.simulation.simulated_world import World

SENDINGS = 6
"Of one message; then the platform has given up."


class Caller:
    """One call, from ringing to its end."""

    def __init__(self, world: World, key: CallKey) -> None:
        self.key = key
        self.has_hung_up = False
        "Nothing more will come of the platform."
        self._world = world
        self._chance = world.chance
        self._person = Person(world.chance)

    def start(self) -> None:
        with self._world.outside.running():
            self._world.outside.create_task(self._call())

    async def _call(self) -> None:
        await asyncio.sleep(self._chance.random())
        said: tuple[Event, ...] = (CallReceived("29:caller", "28:bot"),)
        message = 0
        while True:
            message += 1
            if message % 4 == 0:
                await self._nothing_under_way()
            records = any(isinstance(event, RecordingMade) for event in said)
            leaves = message > 1 and self._chance.random() < (0.3 if records else 0.05)
            if leaves:  # while an answer is waited for
                later = self._chance.choice((0.01, 0.3, 1.0, 2.5))
                self._world.outside.call_later(later, self._tell, f"m{message}-left", (CallEnded("caller"),))
            reply = await self._send(f"m{message}", said, starts=message == 1)
            commands = msgspec.json.decode(reply.body or b"[]", type=list[Command]) if reply else []
            if leaves or not commands:
                break
            said = self._person.outcome(commands)
            await asyncio.sleep(self._chance.choice((0.0, 0.1, 0.5)))
        self.has_hung_up = True

    async def _send(self, message: str, said: tuple[Event, ...], *, starts: bool) -> WebhookReply | None:
        sendings: list[Sending] = []
        for number in range(SENDINGS):
            if not number and hung_up(said) and self._chance.random() < 0.7:  # the end is told apart, and overtakes
                self._tell(f"{message}-end", (CallEnded("caller"),))
            media = None
            if any(isinstance(event, RecordingMade) for event in said):
                media = f"{self.key.id}.{message}.{number}"
            one = self._sending(Incoming(self.key, message, said, starts=starts), media)
            sendings.append(one)
            if self._chance.random() < 0.1:  # a notification: it tells nothing, and wants no commands
                self._tell(f"{message}-notice-{number}", ())
            patience = self._chance.choice((0.2, 2.0, 4.0, 8.0))
            if waiting := [sending.answer for sending in sendings if not sending.answer.done()]:
                await asyncio.wait(waiting, timeout=patience, return_when="FIRST_COMPLETED")
            for sending in sendings:
                if sending.answer.done() and sending.answer.result() is not None:
                    return sending.answer.result()
            await asyncio.sleep(self._chance.choice((0.1, 1.0, 3.0)))
        return None

    async def _nothing_under_way(self) -> None:
        """Wait for what is still under way: a server remembers so many messages, and no platform is that far ahead."""
        while any(one.incoming.key == self.key for server in self._world.servers for one in server.sendings):
            await asyncio.sleep(0.5)

    def _tell(self, message: str, said: tuple[Event, ...]) -> None:
        self._sending(Incoming(self.key, message, said, wants="ack"), None)

    def _sending(self, incoming: Incoming, media: str | None) -> Sending:
        chance = self._chance
        upload, is_large = chance.choice((0.0, 0.3, 3.0, 12.0)), chance.random() < 0.5
        sending = Sending(incoming, media, upload, is_large, self._world.outside.create_future())
        self._world.outside.call_later(chance.choice((0.001, 0.02)), self._arrived, sending)
        return sending

    def _arrived(self, sending: Sending) -> None:
        """Bring a message to any server; one that has just begun, or is about to end, refuses it."""
        server = self._chance.choice(self._world.servers) if self._world.servers else None
        if server is None or not server.serves:
            self._world.send_back(sending, None)
        else:
            server.sendings[sending] = None
            with server.loop.running():
                server.loop.create_task(_received(server, sending))


async def _received(server: Server, sending: Sending) -> None:
    try:
        await server.receive(sending)
    except WebhookError:  # of a call that is not known yet
        server.world.send_back(sending, None)
