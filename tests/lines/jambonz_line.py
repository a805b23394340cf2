"""The line jambonz: our emulator of it, signatures on, in simulated time, against the bot in this process."""

import json
from collections.abc import Sequence
from itertools import count
from urllib.parse import urlsplit

from msgspec.structs import replace

from ivr.carriers.bot import BotReply, BotRequest
from ivr.carriers.jambonz.call_machine import Application
from ivr.carriers.jambonz.caller_stream import Closed, StreamRefused, StreamRequest
from ivr.carriers.jambonz.hook_delivery import HookAccount
from ivr.carriers.jambonz.jambonz_call import NO_MISDEEDS
from ivr.carriers.jambonz.jambonz_carrier import JambonzCarrier
from ivr.carriers.misbehaviour import Misbehaviour
from ivr.channels.address_token import AddressTokens
from ivr.channels.jambonz.codec import JambonzChannel
from ivr.channels.jambonz.signature import check_body, check_time
from ivr.engine.commands import Record
from ivr.engine.events import RecordingMade
from ivr.engine.flow import Flow
from ivr.errors import WebhookError
from ivr.line.engine_events import events_of
from ivr.media.sound import SilentRenderer, Sound
from ivr.phone.callers.turn_based import TurnBased
from ivr.ports import CallKey, WebhookRequest
from ivr.server.stream_recorder import StreamRecorder, linear
from tests.lines.bot_in_memory import BotInMemory, upload_of
from tests.lines.native_lines import NoSound
from tests.lines.visit import AskedPerson, Visit

BOT = "https://bot.example"
SECRET = "wh_secret"
SOUND = Sound(SilentRenderer(), NoSound())
"What callers say is a tone: whether anything is said is heard here."


class SignedHooks:
    """`ivr.carriers.bot.Bot`, which looks at each signature as the server does."""

    def __init__(self, bot: BotInMemory) -> None:
        self._bot = bot

    async def send(self, request: BotRequest, *, within: float) -> BotReply:
        self._bot.at(request.at)
        headers = {name.lower(): value for name, value in request.headers}
        try:
            check_time(headers, now=self._bot.now)
            check_body(headers, request.body, [SECRET.encode()])
        except WebhookError as error:
            return BotReply(error.status, "application/json", b"{}")
        url = urlsplit(request.url)
        target = url.path + (f"?{url.query}" if url.query else "")
        reply = await self._bot.take(WebhookRequest(request.method, url.path, headers, request.body, target=target))
        return BotReply(reply.status, reply.content_type.partition(";")[0], reply.body)


class StreamInMemory:
    """One recording: `ivr.server.listen_pages` without its WebSocket."""

    def __init__(self, bot: BotInMemory, channel: JambonzChannel, key: CallKey, op: str, record: Record) -> None:
        self._bot, self._channel, self._key, self._op, self._record = bot, channel, key, op, record
        self._recorder: StreamRecorder | None = None
        self._saved = False

    async def send(self, frame: bytes | str) -> Sequence[bytes | str | Closed]:
        if self._recorder is None:
            self._recorder = StreamRecorder(self._record, linear(json.loads(frame)["sampleRate"]))
        elif isinstance(frame, bytes):
            self._recorder.hear(frame)
        else:
            self._recorder.press(json.loads(frame)["dtmf"])
        return [Closed()] if await self._ended() else []

    async def close(self) -> None:
        if self._recorder is not None:
            self._recorder.left()
            await self._ended()

    async def drop(self) -> None:
        if self._recorder is not None:
            self._recorder.left()
            await self._ended(cut=True)

    async def _ended(self, *, cut: bool = False) -> bool:
        if self._recorder is None or self._recorder.outcome is None:
            return False
        if not self._saved:
            self._saved = True
            audio = await self._recorder.file()
            upload = upload_of(audio, "audio/wav", self._op) if audio else None
            events = events_of(self._record, self._recorder.outcome, upload.media if upload else None)
            if cut:
                events = tuple(replace(one, ended="limit") for one in events if isinstance(one, RecordingMade))
            recorded = self._channel.recorded(self._key, self._op, events, upload)
            await self._bot.turns.take(recorded, arrived=self._bot.now)
        return True


class StreamsInMemory:
    """`ivr.carriers.jambonz.caller_stream.Streams`, into the bot in this process."""

    def __init__(self, bot: BotInMemory, channel: JambonzChannel) -> None:
        self._bot, self._channel = bot, channel

    async def open(self, request: StreamRequest) -> StreamInMemory:
        found = self._channel.listens(urlsplit(request.url).path)
        record = self._bot.record
        wanted = None if record is None else self._channel.wanted(record.leg)
        if found is None or wanted is None or wanted.op != found[1]:
            raise StreamRefused("no recording is awaited")
        return StreamInMemory(self._bot, self._channel, *found, wanted)


class JambonzLine:
    """The line of jambonz."""

    name = "jambonz"
    can = JambonzChannel.can

    def __init__(self, misbehaviour: Misbehaviour = NO_MISDEEDS) -> None:
        self._misbehaviour = misbehaviour

    async def call(self, flow: Flow, visit: Visit) -> BotInMemory:
        """Carry a call, and return the server's side of it once it is over."""
        channel = JambonzChannel(
            public=BOT,
            tokens=AddressTokens(b"k" * 32),
            media_base=f"{BOT}/media",
            recording=lambda media, now: f"{BOT}/recordings/{media}",
            may_call=lambda _: True,
            transfers=visit.transfers,
        )
        bot = BotInMemory(flow, channel, visit)
        handset = TurnBased(AskedPerson(visit.mind, bot.question), SOUND)
        numbers = count(1)
        carrier = JambonzCarrier(
            SignedHooks(bot),
            Application(f"{BOT}/jambonz/call", f"{BOT}/jambonz/status"),
            HookAccount(SECRET),
            streams=StreamsInMemory(bot, channel),
            misbehaviour=self._misbehaviour,
            clock=lambda: bot.now,
            new_id=lambda: f"00000000-0000-4000-8000-{next(numbers):012d}",
        )
        await carrier.place(handset, facts=carrier.facts(visit.caller or "anonymous", visit.called))
        assert carrier.findings == [], carrier.findings
        await bot.settle()
        return bot
