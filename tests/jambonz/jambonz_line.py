"""A channel for tests, and requests as jambonz makes them."""

import json
from typing import Any
from urllib.parse import urlsplit

from ivr.channels.address_token import AddressTokens
from ivr.channels.jambonz.codec import JambonzChannel
from ivr.engine.commands import LineCommand
from ivr.ports import CallKey, Incoming, Leg, WebhookReply, WebhookRequest

PUBLIC = "https://ivr.example"
KEY = CallKey("jambonz", "acc-1", "call-1")
BASE: dict[str, Any] = {
    "call_sid": "call-1", "account_sid": "acc-1", "application_sid": "app-1", "direction": "inbound",
    "from": "+43660111", "to": "+4319999", "call_id": "sip-1@sbc", "call_status": "in-progress", "sip_status": 200,
    "sip_reason": "OK", "trace_id": "t1",
}  # fmt: skip


def make_channel(**more: Any) -> JambonzChannel:
    made: dict[str, Any] = {
        "public": PUBLIC,
        "tokens": AddressTokens(b"k" * 32),
        "media_base": f"{PUBLIC}/media",
        "recording": lambda media, now: f"{PUBLIC}/recordings/{media}",
        "may_call": lambda target: target.startswith("tel:+43"),
        "transfers": True,
        **more,
    }
    return JambonzChannel(**made)


CHANNEL = make_channel()


def request(address: str, **fields: Any) -> WebhookRequest:
    """Return what jambonz posts to an address, which it reads as it reads every one: the fragment is not sent."""
    parts = urlsplit(address)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    return WebhookRequest("POST", parts.path, {}, json.dumps({**BASE, **fields}).encode(), target=target)


def message(address: str, channel: JambonzChannel = CHANNEL, **fields: Any) -> Incoming:
    incoming = channel.decode(request(address, **fields))
    assert not isinstance(incoming, WebhookReply)
    (only,) = incoming
    return only


def begun(channel: JambonzChannel = CHANNEL) -> Leg:
    return channel.hear(Leg(), message("/jambonz/call", channel), now=0.0).leg


def spoken(leg: Leg, *commands: LineCommand, channel: JambonzChannel = CHANNEL) -> tuple[Leg, list[dict[str, Any]]]:
    exchange = channel.speak(leg, commands, now=0.0)
    assert exchange.reply is not None
    assert (exchange.events, exchange.outbound, exchange.fetches, exchange.wake) == ((), (), (), None)
    assert (exchange.reply.status, exchange.reply.content_type) == (200, "application/json; charset=utf-8")
    return exchange.leg, json.loads(exchange.reply.body)
