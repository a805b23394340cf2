"""A chat channel for tests, and activities as connectors post them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ivr.channels.botframework.codec import BotFrameworkChannel
from ivr.engine.commands import LineCommand
from ivr.engine.events import Event
from ivr.ports import Exchange, Incoming, Leg, WebhookReply, WebhookRequest

APP = "1f7dd6e9-cbd7-4c38-adf2-6e9bcab5310a"
SERVICE = "https://skype.botframework.com"
NOW = 1_471_512_696.228
WIRE = Path(__file__).parent / "wire"
BASE: dict[str, Any] = {
    "type": "message",
    "id": "m1",
    "timestamp": "2016-08-18T09:31:31.756Z",
    "serviceUrl": SERVICE,
    "channelId": "skype",
    "from": {"id": "29:1iFtpwQ...", "name": "Test Caller"},
    "conversation": {"id": "29:1iFtpwQ..."},
    "recipient": {"id": f"28:{APP}", "name": "Echo Bot"},
    "text": "Good morning !",
}


def published(name: str) -> Any:
    """Return one of the published exchanges by the beginning of its file's name."""
    (file,) = WIRE.glob(f"{name}-*.json")
    return json.loads(file.read_text("utf-8"))


def make_channel(**more: Any) -> BotFrameworkChannel:
    made: dict[str, Any] = {
        "account": APP,
        "serves": lambda address: address.startswith(("https://skype.botframework.com", "http://127.0.0.1")),
        "media_base": "https://ivr.example/media",
        "recording": lambda media, now: f"https://ivr.example/recordings/{media}",
        **more,
    }
    return BotFrameworkChannel(**made)


CHANNEL = make_channel()


def request(body: object) -> WebhookRequest:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return WebhookRequest("POST", "/api/messages", {}, raw, target="/api/messages")


def message(channel: BotFrameworkChannel = CHANNEL, **fields: Any) -> Incoming:
    """Return an activity as a message; a field that is None is left out."""
    body = {name: value for name, value in {**BASE, **fields}.items() if value is not None}
    incoming = channel.decode(request(body))
    assert not isinstance(incoming, WebhookReply), incoming
    (only,) = incoming
    return only


def begun(channel: BotFrameworkChannel = CHANNEL, **fields: Any) -> Leg:
    return channel.hear(Leg(), message(channel, **fields), now=NOW).leg


def spoken(leg: Leg, *commands: LineCommand, channel: BotFrameworkChannel = CHANNEL) -> Exchange:
    return channel.speak(leg, commands, now=NOW)


def sent(exchange: Exchange) -> list[Mapping[str, Any]]:
    """Return the activities that go to the connector."""
    return [json.loads(str(one.body) if one.kind == "written" else json.dumps(one.body)) for one in exchange.outbound]


def heard(leg: Leg, channel: BotFrameworkChannel = CHANNEL, **fields: Any) -> tuple[Event, ...]:
    return channel.hear(leg, message(channel, **{"id": "m2", **fields}), now=NOW + 1).events
