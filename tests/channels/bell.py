"""A whole channel in few lines, of a platform that nobody sells: `docs/channels.md` shows it."""

import hmac
import json
import re
from collections.abc import Sequence
from hashlib import sha256
from typing import Literal, cast
from urllib.parse import parse_qsl

import msgspec

from ivr.capabilities import Capabilities
from ivr.engine.commands import LineCommand
from ivr.engine.events import PHONE_KEYS, CallEnded, CallReceived, Event, KeysPressed, OperationDone, RecordingMade
from ivr.errors import WebhookError
from ivr.ports import CallKey, Endpoint, Exchange, Fetch, Incoming, Leg, Outbound, WebhookReply, WebhookRequest
from ivr.server.plugs.plug import Example, Plug, Registration, Source, Surroundings
from ivr.settings import Settings

SECRET = b"what the bell's platform signs with"


class BellChannel:
    """Messages are forms, each answered with an empty reply; what follows is ordered of the platform's API."""

    name = "bell"
    can = Capabilities(
        push=True, recording="later", reply_within=10, reject=True, terminators=1, speech=False, languages=None
    )
    reads: frozenset[str] = frozenset()
    endpoints = (Endpoint("/bell/call", named=True, bodies=frozenset({"form"})),)

    def decode(self, request: WebhookRequest) -> Sequence[Incoming]:
        try:
            told = dict(parse_qsl(request.body.decode(), strict_parsing=True, max_num_fields=20))
            call, message, what = told["call"], told["message"], told["what"]
        except (ValueError, KeyError) as error:
            raise WebhookError(400, "malformed", "That is no message of a bell.") from error
        if not (re.fullmatch(r"[!-~]{1,64}", call) and re.fullmatch(r"[!-~]{1,64}", message)):
            raise WebhookError(400, "malformed", "The ids of a bell are short and visible.")
        return [Incoming(CallKey(self.name, "", call), message, told, wants="ack", starts=what == "ring")]

    def hear(self, leg: Leg, incoming: Incoming, *, now: float) -> Exchange:
        told, op = cast("dict[str, str]", incoming.payload), leg.notes.get("op", "")
        events: dict[str, Event] = {
            "ring": CallReceived(told.get("from"), told.get("to", "")),
            "done": OperationDone(op),
            "keys": KeysPressed(op, "".join(key for key in told.get("keys", "") if key in PHONE_KEYS)),
            "recorded": RecordingMade(op, 0.0, None),
            "gone": CallEnded("caller", op or None),
        }
        if told["what"] not in events:
            return Exchange(leg)
        delete = Outbound(f"{op}.delete", "DELETE", f"/recordings/{op}")
        fetches = (Fetch(op, told.get("at", ""), delete),) if told["what"] == "recorded" else ()
        return Exchange(leg, (events[told["what"]],), fetches=fetches)

    def speak(self, leg: Leg, commands: Sequence[LineCommand], *, now: float) -> Exchange:
        if not commands:
            return Exchange(leg, reply=self.nothing("commands"))
        op = commands[-1].op
        order = Outbound(op, "POST", "/orders", {"orders": json.dumps(msgspec.to_builtins(commands))}, "form")
        return Exchange(Leg({"op": op}), outbound=(order,), wake=now + 30.0)

    def tick(self, leg: Leg, *, now: float) -> Exchange:
        return Exchange(leg, outbound=(Outbound(f"alive.{now:.0f}", "POST", "/alive"),), wake=now + 30.0)

    def nothing(self, wants: Literal["commands", "ack"]) -> WebhookReply:
        return WebhookReply(content_type="text/plain")


class BellVerifier:
    """The platform signs the address, letter by letter, and the body."""

    async def verify(self, request: WebhookRequest, *, now: float) -> None:
        if "x-bell-signature" not in request.headers:
            raise WebhookError(401, "no-signature", "A signature is required.")

    def verify_body(self, request: WebhookRequest) -> None:
        given = request.headers["x-bell-signature"].encode("utf-8", "replace")
        if not hmac.compare_digest(given, signature(request.target, request.body).encode()):
            raise WebhookError(403, "signature", "The signature is invalid.")

    def remembered(self, authorization: str, *, now: float) -> None:
        return None


def signature(target: str, body: bytes) -> str:
    return hmac.new(SECRET, target.encode() + body, sha256).hexdigest()


def _make(settings: Settings, here: Surroundings) -> Plug:
    example = Example("/bell/call", "application/x-www-form-urlencoded", "call=c1&message=m1&what=ring&from=me")
    registrations = (Registration("/bell/call", "what the bell rings", starts=True),)
    return Plug(BellChannel(), BellVerifier(), "", registrations=registrations, example=example)


BELL = Source("bell", BellChannel.can, is_on=lambda settings: True, needs="nothing", make=_make)
