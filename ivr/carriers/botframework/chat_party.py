"""Somebody in a conversation with a bot: what they do, as the activities that a connector posts for it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import count
from typing import Any

import msgspec

from ivr.carriers.bot import Bot, BotReply, BotRequest
from ivr.carriers.botframework.connector import Connector, Shown
from ivr.phone.net.identity import Identity

PATIENCE = 15.0
"Seconds for which a connector waits for the bot."


class Chat:
    """One conversation, and who is in it."""

    def __init__(
        self,
        bot: Bot,
        address: str,
        identity: Identity,
        connector: Connector,
        *,
        app_id: str,
        channel: str = "webchat",
        conversation: str = "conversation-1",
        user: str = "user-1",
        first: int = 1,
    ) -> None:
        """`address` is the bot's messaging endpoint; the conversation is made known to the connector.

        `first`: the number of the first activity; a conversation never has one twice.
        """
        self._bot = bot
        self._address = address
        self._identity = identity
        self._connector = connector
        self._channel = channel
        self._conversation = conversation
        self._user = {"id": user, "name": "Somebody"}
        self._bot_account = {"id": f"28:{app_id}", "name": "Bot"}
        self._numbers = count(first)
        self.shown: list[Mapping[str, Any]] = []
        "What the bot has sent here, in order."
        connector.conversations.add(conversation)

    # --- what somebody does ---

    async def write(self, text: str, **more: Any) -> BotReply:
        """Send a message."""
        return await self.post("message", text=text, textFormat="plain", **more)

    async def press(self, title: str) -> BotReply:
        """Press a button of what was sent last that has this title; raise ValueError if there is none."""
        for button in self.buttons:
            if button["title"] == title:
                return await self.write(str(button["value"]))
        raise ValueError(f"there is no button {title!r}")

    async def join(self) -> BotReply:
        """Open the conversation: the bot and somebody are added to it."""
        return await self.post("conversationUpdate", membersAdded=[self._bot_account, self._user])

    async def leave(self) -> BotReply:
        """Leave it."""
        return await self.post("endOfConversation", code="completedSuccessfully")

    async def post(self, kind: str, *, again: Mapping[str, Any] | None = None, **members: Any) -> BotReply:
        """Post an activity to the bot; `again`: this one, once more."""
        activity = dict(again) if again is not None else self.activity(kind, **members)
        return await self.send(msgspec.json.encode(activity))

    async def send(self, body: bytes, **headers: str) -> BotReply:
        """Post bytes, with a good token."""
        now = self._connector.now()
        fields = {
            "Content-Type": "application/json; charset=utf-8",
            "Authorization": f"Bearer {self._identity.token(now)}",
            **headers,
        }
        return await self._bot.send(BotRequest("POST", self._address, tuple(fields.items()), body), within=PATIENCE)

    def activity(self, kind: str, **members: Any) -> dict[str, Any]:
        """Return an activity of this conversation, each with another id."""
        now = datetime.fromtimestamp(self._connector.now(), UTC)
        return {
            "type": kind,
            "id": f"activity-{next(self._numbers)}",
            "timestamp": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "channelId": self._channel,
            "serviceUrl": f"{self._connector.base}/",
            "from": self._user,
            "recipient": self._bot_account,
            "conversation": {"id": self._conversation},
            **members,
        }

    # --- what somebody sees ---

    def show(self, shown: Shown) -> None:
        """Take what the bot has sent, if it is for this conversation."""
        if shown.conversation == self._conversation:
            self.shown.append(shown.activity)

    @property
    def texts(self) -> Sequence[str]:
        """What there is to read, message by message."""
        return [text_of(one) for one in self.shown if one["type"] == "message"]

    @property
    def buttons(self) -> Sequence[Mapping[str, Any]]:
        """The buttons of the last message."""
        last = self.shown[-1] if self.shown else {}
        return [button for one in last.get("attachments", ()) for button in one.get("content", {}).get("buttons", ())]


def text_of(activity: Mapping[str, Any]) -> str:
    """Return what there is to read of a message: its text, and those of its cards."""
    texts = [activity.get("text", "")]
    texts += [one.get("content", {}).get("text", "") for one in activity.get("attachments", ())]
    return "\n".join(text for text in texts if text)
