"""The line skype-v2: the platform that we play in simulated time, against the bot in this process."""

from urllib.parse import unquote, urlsplit

import msgspec

from ivr.carriers.rest import ApiRequest
from ivr.carriers.skype_v2.skype_contact import SkypeContact
from ivr.carriers.skype_v2.skype_service import SkypeService
from ivr.channels.skype_v2.codec import SkypeV2Channel
from ivr.engine.flow import Flow
from ivr.phone.callers.turn_based import CallerAction, Leave, Press, Speak
from ivr.phone.net.identity import Identity
from tests.lines.bot_in_memory import BotInMemory
from tests.lines.chat_line import APP, MOST_TURNS, SECRET, BotOfConnector
from tests.lines.visit import Visit

IDENTITY = Identity(APP)
"One key for all: making one takes longer than a call."
SOMEBODY = "8:somebody"
"Who writes where a visit names nobody: this platform knows everybody who writes."


class SkypeV2Line:
    """A conversation by the protocol of the Skype Bot Platform v2; all is written."""

    name = "skype-v2"
    can = SkypeV2Channel.can

    async def call(self, flow: Flow, visit: Visit) -> BotInMemory:
        """Carry a conversation, and return the server's side of it once it is over."""
        channel = SkypeV2Channel(account=APP, base="https://apis.example", media_base="https://bot.example/media")
        bot = BotInMemory(flow, channel, visit)
        talk = _Talk(bot, visit)
        await talk.goes()
        await bot.settle()
        bot.findings += talk.service.findings
        return bot


class _Talk:
    def __init__(self, bot: BotInMemory, visit: Visit) -> None:
        self._bot, self._visit = bot, visit
        self.service = SkypeService(APP, SECRET, IDENTITY, now=lambda: bot.now)
        self._contact = SkypeContact(
            BotOfConnector(bot),
            "https://bot.example/skype-v2/messages",
            IDENTITY,
            self.service,
            app_id=visit.called,
            user=visit.caller or SOMEBODY,
        )
        self._token = ""
        self._asked: str | None = None

    async def goes(self) -> None:
        """Write hello, then do what the visit does about each question."""
        await self._contact.write("hello")
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
                    await self._act(act)
                if acts:
                    continue
            await self._time_passes()
        raise AssertionError("the conversation does not end")

    async def _act(self, act: CallerAction) -> None:
        match act:
            case Press(keys=text) | Speak(words=text):
                await self._contact.write(text)
            case Leave():
                await self._contact.remove()
            case _:
                raise AssertionError(f"nobody does this on Skype: {act}")

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
                self._token = msgspec.json.decode(self.service(asked).body)["access_token"]
            path = unquote(urlsplit(one.request.path).path)
            body = msgspec.json.encode(one.request.body)
            reply = self.service(ApiRequest("POST", path, f"Bearer {self._token}", "application/json", body))
            if reply.status != 201:
                self._bot.findings.append(f"{path}: {reply.status}")
