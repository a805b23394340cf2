"""A carrier that asks for TwiML, step by step (docs/twiml.md), cut loose from any web server.

    decode   whose call, which step              reading, addresses
    hear     what the carrier posts -> events    hearing
    speak    commands -> a document              speaking, prompts, wire, xml_text

The carrier listens, speaks and keeps the timers. It has no memory of ours, so that what was asked stands in the leg
(`open_step`) until it is answered, at an address that is for that one step of that one call.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Literal, cast
from urllib.parse import quote

from ivr.channels.address_token import AddressTokens
from ivr.channels.twiml import hearing, open_step, placing, plivo_wire, wire
from ivr.channels.twiml.addresses import PLACES, Addresses, Place, Step
from ivr.channels.twiml.long_documents import Rest, beginning_and_rest
from ivr.channels.twiml.open_step import OpenStep
from ivr.channels.twiml.plivo_fields import twiml_fields
from ivr.channels.twiml.plivo_speaking import PlivoSpeaking
from ivr.channels.twiml.profiles import Profile
from ivr.channels.twiml.prompts import Prompts
from ivr.channels.twiml.reading import Posted, call_of, fields_of
from ivr.channels.twiml.speaking import Speaking, whispered
from ivr.channels.twiml.xml_text import xml_text
from ivr.engine.commands import LineCommand
from ivr.engine.events import Event, LineReported, RecordingMade
from ivr.errors import WebhookError
from ivr.ports import (
    BodyKind,
    CallKey,
    Dial,
    Endpoint,
    Exchange,
    Fetch,
    Incoming,
    Leg,
    Outbound,
    WebhookReply,
    WebhookRequest,
)

REPEATED = "i-twilio-idempotency-token"
"The header field that is the same for each repeat of a request."

_WITH_STEP: frozenset[Place] = frozenset({"step", "recording", "dialled", "whisper"})
_ON_ANOTHER_CALL: frozenset[Place] = frozenset({"dialled", "whisper"})
_WITHOUT_REPLY: frozenset[Place] = frozenset({"recording", "dialled", "status"})
_PLACED = re.compile(r"[0-9a-f]{32}", re.ASCII)
"A call that we make has our id, since an address is needed before the carrier has given it one."
_WORD = re.compile(r"[a-z-]{1,32}", re.ASCII)
_TOKEN = re.compile(r"[!-~]{1,100}", re.ASCII)


def _reply(document: wire.Response | plivo_wire.Response) -> WebhookReply:
    return WebhookReply(body=xml_text(document).encode(), content_type=wire.CONTENT_TYPE)


_NOTHING = _reply(wire.Response())
_NOTED = WebhookReply(status=204, content_type=wire.CONTENT_TYPE)


class TwimlChannel:
    """`ports.Channel` for one account of one carrier."""

    reads = frozenset({REPEATED})

    def __init__(
        self,
        profile: Profile,
        *,
        account: str,
        public: str,
        media_base: str,
        tokens: AddressTokens,
        recording: Callable[[str, float], str] | None = None,
        deletes_recordings: bool = False,
        application: str | None = None,
    ) -> None:
        """Serve the calls of `account`; `public` is where the carrier reaches this server.

        Assets are at `<media_base>/<sha256>.wav`. `recording` gives the address of a caller's recording, by its name
        and the time, and is as pure as the channel; without it, recordings are not played. `deletes_recordings`: once
        a recording is kept here, the carrier is told to delete its own. `application`: that at Telnyx by which calls
        are placed.
        """
        self.name = profile.name
        self.can = profile.can
        self._profile = profile
        self._account = account
        self._addresses = Addresses(public=public, name=profile.name, account=account, tokens=tokens)
        prompts = Prompts(media_base=media_base, recording=recording)
        self._speaking = (
            Speaking(profile.twiml, self._addresses, prompts)
            if profile.twiml is not None
            else PlivoSpeaking(self._addresses, prompts)
        )
        self._deletes = deletes_recordings
        self._application = application

    @property
    def endpoints(self) -> Sequence[Endpoint]:
        """Where the carrier posts."""
        form: frozenset[BodyKind] = frozenset({"form"})
        return [Endpoint(self._addresses.path(place), named=place == "call", bodies=form) for place in PLACES]

    def decode(self, request: WebhookRequest) -> Sequence[Incoming]:
        """Read a request; raise WebhookError where it is not about a call of this account, or not ours to answer."""
        place = self._addresses.place_of(request.path)
        fields = fields_of(request.body)
        if self._profile.twiml is None:
            fields = twiml_fields(fields)
        elif fields.get(wire.ACCOUNT) != self._account:
            raise WebhookError(403, "account", "The request is about another account.")
        step = self._addresses.step_of(place, request.target)
        if step is None and place in _WITH_STEP:
            raise WebhookError(403, "address", "This address was not made here.")
        call = _call(fields, step, place)
        incoming = Incoming(
            key=CallKey(self.name, self._account, call),
            id=_message_id(place, fields, step, request.headers),
            payload=Posted(place, fields, step),
            wants="ack" if place in _WITHOUT_REPLY else "commands",
            starts=place == "call" and step is None,
        )
        return (incoming,)

    def hear(self, leg: Leg, incoming: Incoming, *, now: float) -> Exchange:
        """Turn a request that `decode` gave into events; one that comes too late is answered with nothing."""
        posted = cast("Posted", incoming.payload)
        fields, opened = posted.fields, open_step.open_step(leg)
        match posted.place:
            case "call" if open_step.is_placed(leg):
                return Exchange(open_step.with_picked_up(leg), placing.picked_up(fields, self.name))
            case "call":
                return Exchange(open_step.with_call(leg, incoming.key.id), hearing.received(fields, self.name))
            case "status" if open_step.is_placed(leg) and not open_step.is_picked_up(leg):
                return Exchange(leg, placing.progress(fields))
            case "status":
                events = hearing.ended(fields, opened, answered=open_step.answered(leg))
                over = fields.get(wire.CALL_STATUS) in wire.OVER
                return Exchange(open_step.with_gone(leg) if over else leg, events)
            case "fallback":
                return Exchange(leg, (hearing.failed(fields, opened),))
        step = cast("Step", posted.step)
        if opened is None or opened.op != step.op:
            return Exchange(leg, reply=None if incoming.wants == "ack" else _NOTHING)
        if step.part:
            rest = open_step.rest(leg)
            if rest is None or rest.part != step.part:
                return Exchange(leg, reply=_NOTHING)
            return self._said(leg, rest.commands, part=step.part + 1, now=now)
        return self._of_step(leg, posted.place, fields, opened, empty=step.empty)

    def speak(self, leg: Leg, commands: Sequence[LineCommand], *, now: float) -> Exchange:
        """Turn commands into a document."""
        if not commands:
            return Exchange(leg, reply=_NOTHING)
        return self._said(open_step.with_open(leg, commands), commands, part=1, now=now)

    def place(self, dial: Dial, *, now: float) -> Exchange:
        """Order a call; raise ValueError for one that cannot be ordered."""
        leg = open_step.with_placed(open_step.with_call(Leg(), dial.id))
        order = placing.order(self._profile, self._account, self._addresses, dial, application=self._application)
        return Exchange(leg, outbound=(order,))

    def answered(self, leg: Leg, request: Outbound, status: int, body: bytes, *, now: float) -> Exchange:
        """Return what the carrier's answer to an order means."""
        return Exchange(leg, placing.ordered(status) if request.id == placing.ORDER else ())

    def tick(self, leg: Leg, *, now: float) -> Exchange:
        """Return nothing: the carrier keeps the times."""
        return Exchange(leg)

    def nothing(self, wants: Literal["commands", "ack"]) -> WebhookReply:
        """Return an empty document, by which the call ends; or that news were taken."""
        return _NOTHING if wants == "commands" else _NOTED

    def _said(self, leg: Leg, commands: Sequence[LineCommand], *, part: int, now: float) -> Exchange:
        """Return the document for commands, or its beginning where the carrier does not take the whole."""
        call, most = open_step.call(leg), self._profile.most_bytes
        whole = _reply(self._speaking.document(commands, call, now=now))
        if len(whole.body) <= most:
            return Exchange(open_step.with_rest(leg, None), reply=whole)
        more = self._addresses.part(call, commands[-1].op, part)

        def begun(some: Sequence[LineCommand]) -> WebhookReply:
            return _reply(self._speaking.beginning(some, call, more, now=now))

        begin, rest = beginning_and_rest(self._speaking.divided(commands), lambda some: len(begun(some).body) <= most)
        return Exchange(open_step.with_rest(leg, Rest(part, tuple(rest))), reply=begun(begin))

    # --- steps ---

    def _of_step(self, leg: Leg, place: Place, fields: Mapping[str, str], opened: OpenStep, *, empty: bool) -> Exchange:
        match place:
            case "whisper":
                return Exchange(leg, reply=self._whispered(opened))
            case "dialled":
                has_answered = fields.get(wire.DIAL_ACTION, "answer") in wire.ANSWERED
                return Exchange(open_step.with_answered(leg, opened.op) if has_answered else leg, (LineReported(),))
            case "recording":
                late = hearing.recorded_late(fields, opened) if open_step.is_gone(leg) else None
                events: tuple[Event, ...] = () if late is None else (late,)
            case _:
                events = hearing.outcome(fields, opened, empty=empty)
        made = any(isinstance(event, RecordingMade) for event in events)
        if not made:
            return Exchange(leg, events)
        if open_step.recorded(leg) == opened.op:  # told before, by its other address
            return Exchange(leg)
        return Exchange(open_step.with_recorded(leg, opened.op), events, fetches=(self._fetch(fields, opened.op),))

    def _whispered(self, opened: OpenStep) -> WebhookReply:
        said = self._speaking.said(whispered(opened.whisper), voice=opened.voice, language=opened.language)
        return _reply(said)

    def _fetch(self, fields: Mapping[str, str], op: str) -> Fetch:
        kept = cast("hearing.KeptByCarrier", hearing.kept(fields))  # there is no recording without one
        delete = None
        if self._deletes and kept.id is not None:
            path = self._profile.recordings.format(account=quote(self._account, safe=""), recording=kept.id)
            delete = Outbound(f"{op}.delete", "DELETE", path)
        return Fetch(op, f"{kept.address}{self._profile.recording_suffix}", delete)


def _call(fields: Mapping[str, str], step: Step | None, place: Place) -> str:
    """Return the call that a request is about; raise WebhookError if its address is another call's."""
    call = call_of(fields)
    if step is None:
        return call
    parent = fields.get(wire.PARENT_CALL)  # whoever was called by `Dial` is on a call of their own
    if place not in _ON_ANOTHER_CALL and step.call not in (call, parent) and not _PLACED.fullmatch(step.call):
        raise WebhookError(403, "address", "This address was made for another call.")
    return step.call


def _message_id(place: Place, fields: Mapping[str, str], step: Step | None, headers: Mapping[str, str]) -> str:
    """Return what is the same for each repeat of a request, and for no other: the token of its step, mostly."""
    match place:
        case "status":
            return f"status:{_word(fields, wire.CALL_STATUS)}"
        case "recording":
            return f"{_word(fields, wire.RECORDING_STATUS)}:{step.token if step else ''}"
        case "fallback":
            told = headers.get(REPEATED, "")
            failed = f"{fields.get(wire.ERROR)} {fields.get(wire.ERROR_ADDRESS)}"
            return f"fallback:{told if _TOKEN.fullmatch(told) else sha256(failed.encode()).hexdigest()}"
        case "call":
            return "call"
    return step.token if step else place


def _word(fields: Mapping[str, str], name: str) -> str:
    word = fields.get(name, "")
    return word if _WORD.fullmatch(word) else "other"
