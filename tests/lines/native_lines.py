"""The lines of the native protocol: the phone's side of it, in simulated time, against the bot in this process.

`skype` is the vendor's platform: it offers nothing beside the vendor's words. `sip` is a gateway, which plays that
platform with all that a live line can do: the same `PlacedCall` carries both.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from email.parser import BytesParser
from email.policy import HTTP
from hashlib import sha256

from ivr.audio.formats import RATE
from ivr.channels.skype import SkypeChannel
from ivr.channels.skype.wire import CONVERSATION_RESULT, RECORDED_AUDIO
from ivr.engine.commands import RecordingFormat, Segment, as_spoken
from ivr.engine.flow import Flow
from ivr.engine.line_facts import LineFacts
from ivr.media.sound import BYTES_A_SECOND, EncodedRecording, Sound, SoundPiece, estimate
from ivr.phone.callers.turn_based import TurnBased
from ivr.phone.net.exchange import MessageExchange
from ivr.phone.net.limits import PhoneLimits
from ivr.phone.net.post import Reply
from ivr.phone.placed_call import Caller, PlacedCall
from ivr.ports import Upload, WebhookRequest
from ivr.server.plugs.lines import gateway_line
from tests.lines.bot_in_memory import BotInMemory, path_of, upload_of
from tests.lines.visit import AskedPerson, Visit

GATEWAY = gateway_line(None, None, dictates=True)
"What a gateway can do whose voice and ear know every language."
BOT = "https://bot.example"
NOBODY = "29:withheld"
"Who calls and does not want to be known: the platform's own name for them."


class NoSound:
    """Takes the time of sound: nobody listens to these prompts and recordings."""

    async def render(self, segments: Sequence[Segment]) -> AsyncGenerator[SoundPiece, None]:
        for segment in as_spoken(segments):
            seconds = estimate(segment)
            yield SoundPiece(bytes(2 * round(seconds * RATE)), seconds)

    async def prepare(self, segments: Sequence[Segment]) -> None:
        pass

    async def encode(self, samples: bytes, form: RecordingFormat, rate: int = RATE) -> EncodedRecording:
        return EncodedRecording(b"RIFF" + bytes(40), form, len(samples) / BYTES_A_SECOND)


SOUND = Sound(NoSound(), NoSound())


class InProcess:
    """`ivr.phone.net.post.Post` without a network."""

    def __init__(self, bot: BotInMemory, handset: TurnBased) -> None:
        self._bot = bot
        self._handset = handset

    async def send(self, url: str, data: bytes, headers: Mapping[str, str], *, answer_time: float, most: int) -> Reply:
        self._bot.at(self._handset.now())
        fields = {name.lower(): value for name, value in headers.items()}
        body, uploads = _read(fields["content-type"], data)
        reply = await self._bot.take(WebhookRequest("POST", path_of(url), fields, body, uploads, url))
        return Reply(reply.status, reply.body, 0.0)


def _read(content_type: str, data: bytes) -> tuple[bytes, dict[str, Upload]]:
    """Divide a form into its JSON and its recording; what is no form is JSON."""
    if not content_type.startswith("multipart/"):
        return data, {}
    whole = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + data)
    parts = {str(part.get_param("name", header="content-disposition")): part for part in whole.iter_parts()}
    audio, kind = parts[RECORDED_AUDIO].get_content(), parts[RECORDED_AUDIO].get_content_type()
    message = parts[CONVERSATION_RESULT].get_payload(decode=True)
    assert isinstance(message, bytes)
    return message, {RECORDED_AUDIO: upload_of(audio, kind, sha256(message).hexdigest())}


class NativeLine:
    """A line of the native protocol."""

    def __init__(self, name: str, *, more: bool) -> None:
        """`more`: it offers what was added to the vendor's protocol, as a gateway does."""
        self.name = name
        self.can = SkypeChannel.can if not more else GATEWAY
        self._more = more

    async def call(self, flow: Flow, visit: Visit) -> BotInMemory:
        """Carry a call, and return the server's side of it once it is over."""
        channel = SkypeChannel(account="app", callback=f"{BOT}/callback", media_base=f"{BOT}/media")
        bot = BotInMemory(flow, channel, visit)
        handset = TurnBased(AskedPerson(visit.mind, bot.question), SOUND)
        limits = PhoneLimits()
        exchange = MessageExchange(InProcess(bot, handset), limits, token=lambda _: "token", tell=lambda _: None)
        call = PlacedCall(
            "call-1",
            url=f"{BOT}/call",
            handset=handset,
            exchange=exchange,
            limits=limits,
            transfers=None if self._more and visit.transfers else (),
            questions=self._more,
            line=lambda: LineFacts(withheld=visit.caller is None or None),
        )
        await call.run(Caller(visit.caller or NOBODY, visit.called, visit.language))
        await bot.settle()
        return bot
