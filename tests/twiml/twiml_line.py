"""A channel of TwiML for tests: what a carrier posts, and what it is answered."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from xml.etree.ElementTree import Element, fromstring

from ivr.channels.address_token import AddressTokens
from ivr.channels.twiml import PROFILES, TwimlChannel
from ivr.engine.commands import LineCommand
from ivr.ports import Exchange, Incoming, Leg, WebhookReply, WebhookRequest

ACCOUNT = "AC0123456789abcdef0123456789abcdef"
CALL = "CA0123456789abcdef0123456789abcdef"
PUBLIC = "https://ivr.example"
NOW = 1_800_000_000.0
CALLED = {"From": "+4366012345", "To": "+43123", "CallStatus": "ringing", "Direction": "inbound"}


def channel(name: str = "twilio", **options: Any) -> TwimlChannel:
    options.setdefault("recording", lambda media, now: f"{PUBLIC}/recordings/{media}")
    return TwimlChannel(
        PROFILES[name], account=ACCOUNT, public=PUBLIC, media_base=f"{PUBLIC}/media",
        tokens=AddressTokens(b"k" * 32), **options,
    )  # fmt: skip


def form(fields: Mapping[str, str], **more: str) -> bytes:
    return urlencode({"AccountSid": ACCOUNT, "CallSid": CALL, **fields, **more}).encode()


def request(address: str, fields: Mapping[str, str], **headers: str) -> WebhookRequest:
    """Return what a carrier posts to an address, whole or a path."""
    parts = urlsplit(address)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    return WebhookRequest(
        "POST", parts.path, {"content-type": "application/x-www-form-urlencoded", **headers}, form(fields),
        target=target,
    )  # fmt: skip


class Line:
    """One call at the channel, without an engine."""

    def __init__(self, name: str = "twilio", **options: Any) -> None:
        self.channel = channel(name, **options)
        self.leg = Leg()
        self.post("/call", CALLED)

    def post(self, address: str, fields: Mapping[str, str] | None = None, **headers: str) -> Exchange:
        if address.startswith("/"):
            address = f"/{self.channel.name}{address}"
        exchange = self.channel.hear(self.leg, self.incoming(address, fields, **headers), now=NOW)
        self.leg = exchange.leg
        return exchange

    def incoming(self, address: str, fields: Mapping[str, str] | None = None, **headers: str) -> Incoming:
        sent = request(address, {"CallStatus": "in-progress", **(fields or {})}, **headers)
        (incoming,) = self.channel.decode(sent)
        return incoming

    def says(self, *commands: LineCommand) -> Element:
        exchange = self.channel.speak(self.leg, commands, now=NOW)
        self.leg = exchange.leg
        assert exchange.reply is not None
        return document(exchange.reply)


def document(reply: WebhookReply) -> Element:
    assert reply.status == 200
    assert reply.content_type == "text/xml; charset=utf-8"
    return fromstring(reply.body.decode())


def verb(root: Element, name: str) -> Element:
    found = root.find(name)
    assert found is not None, f"no {name}"
    return found


def query(address: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(address).query))
