"""Somebody on Skype who knows a bot: what they do, as the arrays that the platform posts for it.

The platform can misbehave meanwhile (`Misbehaviour`): it posts twice at once, an older request after a newer one, or
with tokens that are not good. What a bot must not do about that is found here.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from ivr.carriers.bot import Bot, BotReply, BotRequest
from ivr.carriers.misbehaviour import Misbehaviour
from ivr.carriers.skype_v2.skype_service import Said, SkypeService
from ivr.phone.net.identity import LIFETIME, Identity

PATIENCE = 15.0
"Seconds for which the platform waits for the bot."
_REFUSED = frozenset({401, 403})


class SkypeContact:
    """One person, and the conversation with the bot."""

    def __init__(
        self,
        bot: Bot,
        address: str,
        identity: Identity,
        service: SkypeService,
        *,
        app_id: str,
        user: str = "8:live:test.caller",
        misbehaviour: Misbehaviour | None = None,
    ) -> None:
        """`address` is the bot's webhook; the conversation is made known to the platform."""
        self._bot = bot
        self._address = address
        self._identity = identity
        self._stranger = identity.to("another-bot")
        self._service = service
        self._user = user
        self._bot_account = f"28:{app_id}"
        self._misbehaviour = misbehaviour or Misbehaviour()
        self._last = 0.0
        self._before: bytes | None = None
        self.said: list[Said] = []
        "What the bot has sent here, in order."
        service.conversations.add(user)

    # --- what somebody does ---

    async def write(self, *texts: str) -> BotReply:
        """Send messages; the platform posts them in one request."""
        return await self.post([self.element("message", id="0", content=text) for text in texts])

    async def add(self) -> BotReply:
        """Add the bot to the contacts."""
        return await self.post([self.element("contactRelationUpdate", action="add")])

    async def remove(self) -> BotReply:
        """Remove it again."""
        return await self.post([self.element("contactRelationUpdate", action="remove")])

    def element(self, activity: str, **members: Any) -> dict[str, Any]:
        """Return a message of this person; no two are of one millisecond."""
        self._last = max(self._service.now(), self._last + 0.001)
        moment = datetime.fromtimestamp(self._last, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {
            "activity": activity,
            "from": self._user,
            "fromDisplayName": "Somebody",
            "to": self._bot_account,
            "time": moment,
            **members,
        }

    # --- what the platform does ---

    async def post(self, elements: Sequence[Mapping[str, Any]]) -> BotReply:
        """Post an array, as well or badly as this platform does it, and return the answer to the good request."""
        body, before = msgspec.json.encode(elements), self._before
        self._before = body
        does = self._misbehaviour.does
        if does("forged"):
            await self._forge(body)
        if does("twice"):
            reply, again = await asyncio.gather(self.send(body), self.send(body))
            self._compare("twice at once", reply, again)
        else:
            reply = await self.send(body)
        if does("lost"):
            self._compare("again", reply, await self.send(body))
        if does("late") and before is not None:
            await self.send(before)
        return reply

    async def send(self, body: bytes, authorization: str | None = None) -> BotReply:
        """Post bytes, with a good token unless another one is given."""
        if authorization is None:
            authorization = f"Bearer {self._identity.token(self._service.now())}"
        fields = {"Content-Type": "application/json; charset=utf-8", "Authorization": authorization}
        return await self._bot.send(BotRequest("POST", self._address, tuple(fields.items()), body), within=PATIENCE)

    async def _forge(self, body: bytes) -> None:
        for name, header in self.forgeries().items():
            reply = await self.send(body, header)
            if reply.status not in _REFUSED:
                self._service.findings.append(f"a token was taken that is {name}: {reply.status}")

    def forgeries(self) -> Mapping[str, str]:
        """Return headers that are wrong, each by what is wrong with it."""
        now = self._service.now()
        good = self._identity.token(now)
        head, claims, signature = good.split(".")
        return {
            "missing": "",
            "of another scheme": f"Basic {good}",
            "made out to another bot": f"Bearer {self._stranger.token(now)}",
            "expired": f"Bearer {self._identity.token(now - 2 * LIFETIME)}",
            "badly signed": f"Bearer {head}.{claims}.{signature[::-1]}",
            "not signed": f"Bearer {head}.{claims}.",
        }

    def _compare(self, how: str, first: BotReply, again: BotReply) -> None:
        if (first.status, first.body) != (again.status, again.body):
            self._service.findings.append(f"posted {how}, it was answered {first.status} and {again.status}")

    # --- what somebody sees ---

    def hear(self, said: Said) -> None:
        """Take what the bot has sent, if it is for this conversation."""
        if said.conversation == self._user:
            self.said.append(said)

    @property
    def texts(self) -> Sequence[str]:
        """What there is to read, message by message."""
        return [one.text for one in self.said]
