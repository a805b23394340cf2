"""A channel of the Skype Bot Platform v2 for tests, and messages as the platform posts them."""

import json
from pathlib import Path
from typing import Any, cast

from ivr.channels.skype_v2.codec import SkypeV2Channel
from ivr.channels.skype_v2.messages import Message
from ivr.engine.commands import LineCommand
from ivr.engine.events import Event
from ivr.ports import Exchange, Incoming, Leg, WebhookReply, WebhookRequest

APP = "761b6e57-2dc1-4de9-b5d1-9599a9902117"
USER = "8:live:test.caller"
NOW = 1_468_304_768.231
WIRE = Path(__file__).parent / "wire"
BASE: dict[str, Any] = {
    "id": "0",
    "content": "Good morning !",
    "activity": "message",
    "from": USER,
    "fromDisplayName": "Test Caller",
    "to": f"28:{APP}",
    "time": "2016-07-12T06:26:08.231Z",
}


def published(name: str) -> Any:
    """Return one of the published exchanges by the beginning of its file's name."""
    (file,) = WIRE.glob(f"{name}-*.json")
    return json.loads(file.read_text("utf-8"))


def make_channel(**more: Any) -> SkypeV2Channel:
    made: dict[str, Any] = {
        "account": APP,
        "base": "https://apis.skype.com",
        "media_base": "https://ivr.example/media",
        "recording": lambda media, now: f"https://ivr.example/recordings/{media}",
        **more,
    }
    return SkypeV2Channel(**made)


CHANNEL = make_channel()


def request(body: object) -> WebhookRequest:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return WebhookRequest("POST", "/skype-v2/messages", {}, raw, target="/skype-v2/messages")


def decoded(body: object, channel: SkypeV2Channel = CHANNEL) -> list[Incoming]:
    """Return the messages of a request that mean something."""
    found = channel.decode(request(body))
    return [] if isinstance(found, WebhookReply) else list(found)


def texts(body: object) -> list[tuple[str, str]]:
    """Return who wrote what in a request."""
    return [(one.key.id, cast("Message", one.payload).text) for one in decoded(body)]


def message(channel: SkypeV2Channel = CHANNEL, **fields: Any) -> Incoming:
    """Return one message; a field that is None is left out."""
    (only,) = decoded([{name: value for name, value in {**BASE, **fields}.items() if value is not None}], channel)
    return only


def begun(channel: SkypeV2Channel = CHANNEL, **fields: Any) -> Leg:
    return channel.hear(Leg(), message(channel, **fields), now=NOW).leg


def spoken(leg: Leg, *commands: LineCommand, channel: SkypeV2Channel = CHANNEL) -> Exchange:
    return channel.speak(leg, commands, now=NOW)


def asked(command: LineCommand) -> Leg:
    """Return the leg of a call in which a question was put."""
    return spoken(begun(), command).leg


def contents(exchange: Exchange) -> list[str]:
    """Return what goes to the platform."""
    return [json.loads(json.dumps(one.body))["message"]["content"] for one in exchange.outbound]


def heard(leg: Leg, text: str = "", **fields: Any) -> tuple[Event, ...]:
    return CHANNEL.hear(leg, message(content=text, **fields), now=NOW + 1).events
