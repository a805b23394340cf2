"""The server is killed (SIGKILL) in a call of a carrier: its reply is given again, and the recording is kept once."""

import asyncio
import signal
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from ivr.carriers.api_server import api_served
from ivr.carriers.bot import BotReply, BotRequest
from ivr.carriers.twiml.call_plan import Callee
from ivr.carriers.twiml.ordered_calls import OrderedCalls
from ivr.carriers.twiml.twiml_carrier import TwimlCarrier
from ivr.engine.commands import Record
from ivr.engine.events import ChoiceMade, RecordingMade, RecordingReady
from ivr.phone.callers.turn_based import CallerAction, Press, Situation, Speak
from ivr.phone.phone_events import PhoneEvent
from ivr.settings import variable
from tests.crash.process import Server
from tests.kept_recordings import kept_recordings
from tests.phone.calling import Signer
from tests.twiml.carrier_at_server import PUBLIC, AtServer, CarrierWorld, settings_for
from tests.twiml.test_twiml_server import MESSAGE
from tests.waiting import PATIENCE


class Keeper:
    """A caller who leaves a message and keeps it."""

    def __init__(self) -> None:
        self._has_spoken = False

    def tell(self, event: PhoneEvent) -> None:
        pass

    async def act(self, situation: Situation) -> CallerAction | None:
        if situation.prompt or situation.listening is None:
            return None
        if not isinstance(situation.listening, Record):
            return Press("1")
        if self._has_spoken:
            return None
        self._has_spoken = True
        return Speak("hello there")


class Killing(AtServer):
    """The way to a server that is killed after its reply to the news of a recording.

    The reply is lost on its way: the carrier sends its request again, and has to be told the same.
    """

    server: Server

    def __init__(self, client: aiohttp.ClientSession) -> None:
        super().__init__(client, 0)
        self.kills = 0

    async def serve(self, server: Server) -> None:
        """Begin."""
        self.server, self._port = server, server.port
        await server.start()

    async def send(self, request: BotRequest, *, within: float) -> BotReply:
        reply = await super().send(request, within=within)
        if self.kills == 0 and b"RecordingDuration" in request.body:
            self.kills += 1
            await self.server.stop(signal.SIGKILL)
            await self.server.start()
            again = await super().send(request, within=within)
            assert again == reply
        return reply


@pytest.mark.parametrize("name", ["twilio", "plivo"])
async def test_a_call_goes_on_after_a_kill_and_nothing_is_lost_or_doubled(
    name: str, tmp_path: Path, signer: Signer
) -> None:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows/desk.yaml").write_text(MESSAGE)
    world = CarrierWorld(name, tmp_path, [])
    world.account.not_ready = 1
    async with aiohttp.ClientSession() as client:
        bot = Killing(client)
        carrier = TwimlCarrier(bot, world.account)
        ordered = OrderedCalls(carrier, answer=lambda _: (Callee(), None))
        async with api_served(ordered.api.handle) as base:
            world.account.api = base
            line = {**settings_for(name, world.secret, base), f"{name}_delete_recordings": "true", "public_url": PUBLIC}
            settings: dict[str, Any] = {variable(one): str(value) for one, value in line.items()}
            await bot.serve(Server(tmp_path, signer, flows=tmp_path / "flows", **settings))
            result = await world.call(carrier, Keeper(), "desk")
            await asyncio.wait_for(world.account.deletion.wait(), PATIENCE)
            await bot.server.stop(signal.SIGKILL)
            await ordered.close()
    assert (list(result.findings), bot.kills) == ([], 1)
    [(record, trace)] = await world.calls()
    assert (record.call.phase, record.call.outcome) == ("over", "resolved")
    counted = (ChoiceMade, RecordingMade, RecordingReady)
    events = [type(step.event) for step in trace if step.ignored is None and isinstance(step.event, counted)]
    assert events == [ChoiceMade, RecordingMade, RecordingReady, ChoiceMade]
    assert len(kept_recordings(tmp_path / "data")) == len(world.account.deleted) == 1
