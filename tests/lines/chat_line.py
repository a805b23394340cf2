"""The line chat: our connector in simulated time, against the bot in this process; whoever calls writes."""

from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec
from msgspec.structs import replace

from ivr.carriers.bot import BotReply, BotRequest
from ivr.carriers.botframework.chat_party import Chat
from ivr.carriers.botframework.connector import Connector, Shown
from ivr.carriers.rest import ApiRequest
from ivr.channels.botframework.codec import BotFrameworkChannel
from ivr.engine.commands import Record, Transfer
from ivr.engine.flow import Flow
from ivr.phone.callers.turn_based import CallerAction, Connect, Leave, Press, Speak
from ivr.phone.net.identity import Identity
from ivr.ports import WebhookRequest
from tests.lines.bot_in_memory import BotInMemory
from tests.lines.visit import Answering, Mind, Question, Visit

APP, SECRET = "the-bot", "its-secret"
IDENTITY = Identity(APP, endorsements=("webchat",))
"One key for all: making one takes longer than a call."
VOICE = {"contentType": "audio/ogg", "contentUrl": "https://connector.example/voice.ogg"}
REJECTED = 603
MOST_TURNS = 500
"After which a conversation has to be over."


class Unhurried:
    """`Mind` of somebody in a chat: who answers once something was asked, and ends a message by sending it."""

    def __init__(self, mind: Mind) -> None:
        self._mind = mind

    def answer(self, asked: Question) -> Answering:
        acts = self._mind.answer(asked).acts
        if isinstance(asked.command, Record) and acts and isinstance(acts[0], Speak):
            acts = acts[:1]
        if isinstance(asked.command, Transfer):  # a chat tells that nobody took over, and not why
            acts = tuple(
                Connect(REJECTED) if isinstance(one, Connect) and not 200 <= one.status < 300 else one for one in acts
            )
        return Answering(acts)


def unhurried(visit: Visit) -> Visit:
    """Return the same call of somebody with time."""
    return replace(visit, mind=Unhurried(visit.mind))


class BotOfConnector:
    """`ivr.carriers.bot.Bot`, without a network."""

    def __init__(self, bot: BotInMemory) -> None:
        self._bot = bot

    async def send(self, request: BotRequest, *, within: float) -> BotReply:
        path = urlsplit(request.url).path
        reply = await self._bot.take(WebhookRequest("POST", path, {}, request.body, target=path))
        return BotReply(reply.status, reply.content_type.partition(";")[0], reply.body)


class ChatLine:
    """A conversation by the Bot Framework's protocol; `voice`: messages are spoken, else written."""

    name = "chat"
    can = BotFrameworkChannel.can

    def __init__(self, *, voice: bool = True) -> None:
        self._voice = voice

    async def call(self, flow: Flow, visit: Visit) -> BotInMemory:
        """Carry a conversation, and return the server's side of it once it is over."""
        channel = BotFrameworkChannel(
            account=APP, serves=lambda _: True, media_base="https://bot.example/media", hands_over=visit.transfers
        )
        bot = BotInMemory(flow, channel, visit)
        talk = _Talk(bot, visit, voice=self._voice)
        await talk.goes()
        await bot.settle()
        bot.findings += talk.connector.findings
        return bot


class _Talk:
    def __init__(self, bot: BotInMemory, visit: Visit, *, voice: bool) -> None:
        self._bot, self._visit, self._voice = bot, visit, voice
        self.connector = Connector(APP, SECRET, IDENTITY, now=lambda: bot.now, shown=self._show)
        self.connector.base = IDENTITY.service = "https://connector.example"
        self._chat = Chat(BotOfConnector(bot), "https://bot.example/api/messages", IDENTITY, self.connector, app_id=APP)
        self._from: dict[str, Any] = {
            "from": {"id": visit.caller} if visit.caller else {},
            "recipient": {"id": visit.called},
            "locale": visit.language,
        }
        self._token = ""
        self._asked: str | None = None

    def _show(self, shown: Shown) -> None:
        self._chat.show(shown)

    async def goes(self) -> None:
        """Write hello, then do what the visit does about each question."""
        await self._write("hello")
        for _ in range(MOST_TURNS):
            self._deliver()
            record = self._bot.record
            if record is None or record.call.phase in {"gone", "over"}:
                return
            asked = self._bot.question()
            if asked is not None and asked.op != self._asked:
                self._asked = asked.op
                acts = self._visit.mind.answer(asked).acts
                for act in acts:
                    await self._act(act, asked)
                if acts:
                    continue
            await self._time_passes()
        raise AssertionError("the conversation does not end")

    async def _act(self, act: CallerAction, asked: Question) -> None:
        match act:
            case Press(keys=text):
                await self._write(text)
            case Speak(words=text) if isinstance(asked.command, Record) and self._voice:
                await self._write("", attachments=[VOICE])
            case Speak(words=text):
                await self._write(text)
            case Connect(status=status):
                state = "accepted" if 200 <= status < 300 else "failed"
                await self._chat.post("event", name="handoff.status", value={"state": state}, **self._from)
            case Leave():
                await self._chat.post("endOfConversation", **self._from)
            case _:
                raise AssertionError(f"nobody does this in a chat: {act}")

    async def _write(self, text: str, **more: object) -> None:
        await self._chat.write(text, **{**self._from, **more})

    async def _time_passes(self) -> None:
        """Let a service answer, or the channel's patience be over."""
        record = self._bot.record
        assert record is not None
        if record.call.waiting is not None:
            await self._bot.services.settled(record.id, 0.0)
        elif record.wake is not None:
            self._bot.now = max(self._bot.now, record.wake)
        await self._bot.turns.wake(record.key)

    def _deliver(self) -> None:
        """Send what was ordered, in its order."""
        requests = self._bot.store.requests
        for name, one in list(requests.items()):
            del requests[name]
            if not self._token:
                form = f"grant_type=client_credentials&client_id={APP}&client_secret={SECRET}&scope=x"
                asked = ApiRequest("POST", "/t/oauth2/v2.0/token", "", "", form.encode())
                self._token = msgspec.json.decode(self.connector(asked).body)["access_token"]
            path = unquote(urlsplit(one.request.path).path)
            body = msgspec.json.encode(one.request.body)
            reply = self.connector(ApiRequest("POST", path, f"Bearer {self._token}", "application/json", body))
            if reply.status != 201:
                self._bot.findings.append(f"{path}: {reply.status}")
