"""The channel: jambonz's webhooks, cut loose from any web server.

    decode   whose call, which message           reading, and the token in a step's address
    hear     the platform's message -> events    hearing
    speak    commands -> a document of verbs     speaking, prompts

The platform does the listening and keeps the timers, and asks for the next verbs with each outcome; so nothing is sent
unasked. Each address that it is given carries a token, which is the name of the message that comes to it: the same
token is the same step, and gets the same bytes. What is remembered of a call: `notes`.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Final, Literal, cast

import msgspec

from ivr.capabilities import Capabilities
from ivr.channels.address_token import AddressTokens
from ivr.channels.jambonz import hearing, notes, placing, wire
from ivr.channels.jambonz.addresses import (
    ANSWERED,
    CALL,
    CHANNEL,
    DETECTED,
    STATUS,
    STEP,
    TOLD,
    UNDETECTED,
    WHISPER,
    JambonzAddresses,
)
from ivr.channels.jambonz.hearing import (
    CallOver,
    CallPickedUp,
    CallRung,
    NewCall,
    OtherSideAnswered,
    Recorded,
    StepEnded,
)
from ivr.channels.jambonz.prompts import speakable
from ivr.channels.jambonz.reading import FINAL, Hook, read_hook
from ivr.channels.jambonz.speaking import DocumentContext, document
from ivr.channels.jambonz.voices import Voices
from ivr.engine import commands as orders
from ivr.engine.commands import LineCommand, Record, Transfer
from ivr.engine.events import CallNotAnswered, Event
from ivr.errors import WebhookError
from ivr.ports import CallKey, Dial, Endpoint, Exchange, Incoming, Leg, Outbound, Upload, WebhookReply, WebhookRequest

MAX_WHISPER: Final = 160
"Characters of what whoever takes a transfer is told."
_NOTHING = WebhookReply(body=b"[]")
"No verbs; an empty body would not be JSON, which jambonz asks of every answer that says it is."
_PLACED = range(200, 300)
"The HTTP statuses of an order that was taken."
_END = WebhookReply(body=msgspec.json.encode([wire.Hangup()]))


class JambonzChannel:
    """`ports.Channel` for one account at jambonz, or for all of one platform."""

    name = CHANNEL
    reads: frozenset[str] = frozenset()
    endpoints: Sequence[Endpoint] = (Endpoint(CALL, named=True), Endpoint(STEP), Endpoint(STATUS), Endpoint(WHISPER))
    can = Capabilities(
        push=False,
        recording="stream",
        reply_within=10.0,
        reject=True,
        terminators=1,
        later_terminators=True,
        record_terminators=16,
        speech=True,
        languages=None,
        barge_in_by_kind=False,
        type_ahead=False,
        recording_formats=frozenset({"wav"}),
        whole_prompt_interruptible=False,
        passes_over_words=False,
        tells_place_left=False,
        tells_language=False,
    )

    def __init__(
        self,
        *,
        public: str,
        tokens: AddressTokens,
        account: str | None = None,
        media_base: str,
        recording: Callable[[str, float], str] | None = None,
        may_call: Callable[[str], bool] = lambda _: False,
        transfers: bool = False,
        refers: bool = False,
        voices: Voices | None = None,
    ) -> None:
        """Serve jambonz, which reaches this server at the address `public`; `account` alone, if there is one.

        Assets are at `<media_base>/<sha256>.wav`; `recording` gives the address of a caller's recording, by its name
        and the time: without it, recordings are not played. `transfers`: callers may be connected with others, those
        whom `may_call` allows. `refers`: by SIP REFER. `voices`: who speaks languages other than the application's.
        """
        self._addresses = JambonzAddresses(public, tokens)
        self._account = account
        self._media_base = media_base.rstrip("/")
        self._recording = recording
        self._may_call = may_call
        self._transfers = transfers
        self._refers = refers
        self._voices = voices or Voices()

    # --- calls that we place ---

    def place(self, dial: Dial, *, now: float) -> Exchange:
        """Return the leg of a call and the order that places it; raise ValueError for a target it cannot call."""
        if self._account is None:
            raise ValueError("jambonz places calls for one account: set IVR_JAMBONZ_ACCOUNT_SID")
        key = self._key(self._account, dial.id)
        ordered = placing.order(dial, key, self._addresses)
        return Exchange(notes.of_placed(key, detects=dial.machine), outbound=(ordered,))

    def answered(self, leg: Leg, request: Outbound, status: int, body: bytes, *, now: float) -> Exchange:
        """Return what the answer to an order means: that the call is placed, or will never be."""
        placed = status in _PLACED
        return Exchange(leg, () if placed else (CallNotAnswered("failed"),))

    # --- in ---

    def decode(self, request: WebhookRequest) -> Sequence[Incoming] | WebhookReply:
        """Read a request; raise WebhookError: 400 if it holds no message, 403 if it is not for us to answer."""
        hook = read_hook(request.body)
        if self._account is not None and hook.account != self._account:
            raise WebhookError(403, "account", "This account is not served here.")
        if request.path == STEP:
            return self._step(hook, request.target)
        if request.path == STATUS:
            return self._status(hook, request.target)
        if request.path == WHISPER:
            return self._whispered(hook, request.target)
        payload = NewCall(hook, transfers=self._transfers)
        return (Incoming(key=self._key(hook.account, hook.call), id="call", payload=payload, starts=True),)

    def hear(self, leg: Leg, incoming: Incoming, *, now: float) -> Exchange:
        """Turn a message that `decode` or `recorded` gave into events."""
        payload = cast("hearing.Payload", incoming.payload)
        if isinstance(payload, NewCall):
            leg = notes.of_call(incoming.key)
        if isinstance(payload, CallPickedUp):
            if payload.step == DETECTED and notes.awaited(leg) is not None:
                return Exchange(leg, reply=_NOTHING)  # it was found out later than it was waited for
            if payload.step == ANSWERED and notes.detects(leg):
                return Exchange(leg, reply=WebhookReply(body=placing.detecting(incoming.key, self._addresses)))
        return Exchange(leg, hearing.events(leg, payload))

    def _step(self, hook: Hook, target: str) -> Sequence[Incoming] | WebhookReply:
        found = self._addresses.meant(target, hook.account, hook.call)
        if found is None or found[1] == TOLD:
            raise _not_given_out()
        key, name = found
        message, payload = self._addresses.message(key, name), StepEnded(name, hook)
        if name == DETECTED and hook.detected not in placing.BY:
            return _NOTHING
        if name == DETECTED:
            message = f"{message}.{hook.detected}"  # whatever is found out comes to one address
        if name in {ANSWERED, DETECTED, UNDETECTED}:
            by = placing.BY.get(hook.detected, "unknown")
            return (Incoming(key=key, id=message, payload=CallPickedUp(name, by, self._transfers)),)
        return (Incoming(key=key, id=message, payload=payload),)

    def _status(self, hook: Hook, target: str) -> Sequence[Incoming] | WebhookReply:
        """Return the end of a call, that one of ours rings, or that somebody else has answered."""
        key, ours = self._key(hook.account, hook.parent or hook.call), "?" in target
        if ours:
            found = self._addresses.meant(target, hook.account, hook.call)
            if found is None or found[1] != TOLD:
                raise _not_given_out()
            key = found[0]
        if hook.parent is not None:
            if hook.status != "in-progress":
                return _NOTHING
            name = f"answered:{sha256(hook.call.encode()).hexdigest()[:32]}"
            return (Incoming(key=key, id=name, payload=OtherSideAnswered(), wants="ack"),)
        if hook.status in FINAL or (ours and hook.status in placing.RINGING):
            ended = not ours or hook.status == "completed"
            payload = CallOver(hook) if ended else CallRung(hook)
            return (Incoming(key=key, id=f"status:{hook.status}", payload=payload, wants="ack"),)
        return _NOTHING

    def _whispered(self, hook: Hook, target: str) -> WebhookReply:
        """Return what whoever answers a transfer hears before they are connected."""
        words = self._addresses.words(target, hook.account, hook.parent or hook.call)
        if words is None:
            raise _not_given_out()
        speaker = wire.Synthesizer(vendor=wire.DEFAULT, language=wire.DEFAULT)
        return WebhookReply(body=msgspec.json.encode([wire.Say(text=words, synthesizer=speaker)]))

    # --- out ---

    def speak(self, leg: Leg, commands: Sequence[LineCommand], *, now: float) -> Exchange:
        """Turn commands into a document."""
        if not commands:
            return Exchange(leg, reply=self.nothing("commands"))
        key = notes.call_of(leg, self.name)
        allowed = [one for one in commands if not isinstance(one, Transfer) or self._may_call(one.target)]
        placed = notes.placed(leg)
        context = DocumentContext(
            step=lambda op: self._addresses.step(key, op, placed=placed),
            listen=lambda op: self._addresses.listen(key, op),
            whisper=lambda transfer: self._whisper(key, transfer, placed=placed),
            file=lambda segment: self._file(segment, now),
            speaker=self._voices.of,
        )
        body = document(allowed, context, last=commands[-1], refers=self._refers)
        leg = notes.asking(leg, commands, refused=len(allowed) < len(commands))
        return Exchange(leg, reply=WebhookReply(body=body))

    def tick(self, leg: Leg, *, now: float) -> Exchange:
        """Do nothing: jambonz keeps all timers."""
        return Exchange(leg)

    def nothing(self, wants: Literal["commands", "ack"]) -> WebhookReply:
        """Return no verbs; to a line that waits for some, that the call is to end."""
        return _END if wants == "commands" else _NOTHING

    # --- recordings, by the WebSocket ---

    def listens(self, path: str) -> tuple[CallKey, str] | None:
        """Return the call and the operation that a WebSocket's address is for; None: it is not one of ours."""
        return self._addresses.listens(path)

    def wanted(self, leg: Leg) -> Record | None:
        """Return the recording that is awaited; None: none is."""
        return notes.recording(leg)

    def recorded(self, key: CallKey, op: str, events: Sequence[Event], upload: Upload | None) -> Incoming:
        """Return a recording as the message of its step: what jambonz posts to that afterwards gets the same reply."""
        return Incoming(key=key, id=self._addresses.message(key, op), payload=Recorded(tuple(events)), upload=upload)

    # ---

    def _key(self, account: str, call: str) -> CallKey:
        return CallKey(self.name, account, call)

    def _whisper(self, key: CallKey, transfer: Transfer, *, placed: bool) -> str | None:
        words = speakable(transfer.whisper or "")[:MAX_WHISPER]
        return self._addresses.whisper(key, words, placed=placed) if words else None

    def _file(self, segment: orders.Audio | orders.Recorded, now: float) -> str | None:
        if isinstance(segment, orders.Audio):
            return segment.url or f"{self._media_base}/{segment.asset}.wav"
        return self._recording(segment.media, now) if self._recording is not None else None


def _not_given_out() -> WebhookError:
    return WebhookError(403, "token", "This address is not one that was given out for this call.")
