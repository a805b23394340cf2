"""The channel: messages of the Skype Bot Platform v2, cut loose from any web server (protocol E).

    decode   whose conversations, which messages     messages
    hear     a message -> events                     in_writing
    speak    commands -> messages                    menus, markup
    tick     nobody has written for too long

A conversation is that of one person with the bot, and has the person's id. Nothing is said in the answer to a webhook:
messages go to the platform, one after the other.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, cast

from ivr.capabilities import Capabilities
from ivr.channels.in_writing import awaiting, pace
from ivr.channels.in_writing.answers import answer
from ivr.channels.in_writing.words import words, writable
from ivr.channels.skype_v2 import menus
from ivr.channels.skype_v2.addresses import CHANNEL, MESSAGES, SKYPE, Wire, conversation_name, sending
from ivr.channels.skype_v2.markup import escaped
from ivr.channels.skype_v2.messages import Message, read_messages
from ivr.engine.commands import Audio, LineCommand, Play, Recognize, Record, Recorded, Segment, Text
from ivr.engine.events import CallReceived, ChoiceMade, Event, SpeechHeard
from ivr.ports import CallKey, Endpoint, Exchange, Incoming, Leg, Outbound, WebhookReply, WebhookRequest
from ivr.user_values import User

TAKEN = WebhookReply(201)
_USER = "user"


class SkypeV2Channel:
    """`ports.Channel` for one bot."""

    name = CHANNEL
    reads: frozenset[str] = frozenset()
    endpoints: Sequence[Endpoint] = (Endpoint(MESSAGES, named=True),)
    can = Capabilities(
        push=True,
        recording="with the event",
        reply_within=15.0,
        reject=True,
        terminators=16,
        record_terminators=16,
        speech=True,
        languages=None,
        transfer=False,
        type_ahead=False,
        passes_over_words=False,
        tells_language=False,
        writes=True,
    )

    def __init__(
        self,
        *,
        account: str,
        base: str,
        media_base: str,
        recording: Callable[[str, float], str] | None = None,
        wire: Wire = "v2",
        patience: float = pace.PATIENCE,
        greets: bool = True,
    ) -> None:
        """Serve the bot `account`; what it says goes to the platform at `base`, as `wire` says.

        Assets are at `<media_base>/<sha256>.wav`; `recording` gives the address of a recording, by its name and the
        time. `patience`: seconds without an answer after which nobody is taken to answer. `greets`: whoever adds the
        bot is written to first.
        """
        self._account = account
        self._base = base.rstrip("/")
        self._media_base = media_base.rstrip("/")
        self._recording = recording
        self._wire = wire
        self._patience = patience
        self._greets = greets

    # --- in ---

    def decode(self, request: WebhookRequest) -> Sequence[Incoming] | WebhookReply:
        """Read a request; raise WebhookError (400, 413) where none of it can be read."""
        return [self._incoming(message) for message in read_messages(request.body)] or TAKEN

    def hear(self, leg: Leg, incoming: Incoming, *, now: float) -> Exchange:
        """Turn a message into events."""
        message = cast("Message", incoming.payload)
        if not leg.notes:
            return self._begun(message)
        leg = awaiting.written_to(leg)
        events = _events(leg, message)
        if events:
            leg = awaiting.answered(leg)
        return Exchange(leg, events, wake=awaiting.due(leg))

    def tick(self, leg: Leg, *, now: float) -> Exchange:
        """Return that nobody has answered, once the time for that is over."""
        due = awaiting.due(leg)
        if due is None or due > now:
            return Exchange(leg, wake=due)
        return Exchange(awaiting.answered(awaiting.written_to(leg)), pace.silence(leg))

    def answered(self, leg: Leg, request: Outbound, status: int, body: bytes, *, now: float) -> Exchange:
        """Return the end of a call whose conversation is gone; any other message that was given up changes nothing."""
        if status in pace.GONE:
            return Exchange(awaiting.answered(leg), (pace.ended(leg, "system"),))
        return Exchange(leg, wake=awaiting.due(leg))

    # --- out ---

    def speak(self, leg: Leg, commands: Sequence[LineCommand], *, now: float) -> Exchange:
        """Turn commands into messages."""
        if not commands:
            return Exchange(leg, reply=TAKEN, wake=awaiting.due(leg))
        said = [(command.op, content) for command in commands if (content := self._content(command, now))]
        leg, events = pace.said(leg, commands[-1], now=now, patience=self._patience)
        outbound = tuple(self._sent(leg, op, content, now) for op, content in said)
        return Exchange(leg, events, TAKEN, outbound, awaiting.due(leg))

    def nothing(self, wants: Literal["commands", "ack"]) -> WebhookReply:
        """Return that a message was taken: what there is to say goes to the platform."""
        return TAKEN

    # ---

    def _incoming(self, message: Message) -> Incoming:
        removes = message.kind == "contactRelationUpdate" and message.action == "remove"
        return Incoming(
            CallKey(self.name, self._account, conversation_name(message.sender)),
            message.id,
            message,
            wants="ack",
            starts=message.kind == "message" or (self._greets and message.action == "add"),
            again=True,
            otherwise=TAKEN,
            forgets=User(self.name, self._account, SKYPE, message.sender) if removes else None,
        )

    def _begun(self, message: Message) -> Exchange:
        if message.kind == "contactRelationUpdate" and not (self._greets and message.action == "add"):
            return Exchange(Leg())
        received = CallReceived(message.sender, message.recipient, transfers=False, within=SKYPE)
        return Exchange(Leg({_USER: message.sender}), (received,))

    def _content(self, command: LineCommand, now: float) -> str:
        """Return what is written for a command, as XML; "": nothing."""
        if not isinstance(command, Play | Record | Recognize):
            return ""
        parts = (self._part(segment, now) for segment in command.prompt)
        prompt = " ".join(part for part in parts if part)
        choices = map(escaped, menus.lines(command)) if isinstance(command, Recognize) else ()
        return "\n".join(line for line in (prompt, *choices) if line)

    def _part(self, segment: Segment, now: float) -> str:
        if isinstance(segment, Text) and segment.marked is not None and segment.markup == "xml":
            return writable(segment.marked)
        return escaped(words(segment) or self._address(segment, now))

    def _address(self, segment: Segment, now: float) -> str:
        """Return where a file can be fetched; "": nowhere, or it is none."""
        if isinstance(segment, Audio):
            return segment.url or f"{self._media_base}/{segment.asset}.wav"
        if isinstance(segment, Recorded) and self._recording is not None:
            return self._recording(segment.media, now)
        return ""

    def _sent(self, leg: Leg, op: str, content: str, now: float) -> Outbound:
        conversation = leg.notes[_USER]
        return Outbound(
            op,
            "POST",
            sending(self._base, conversation, self._wire),
            _body(self._wire, content),
            until=now + pace.OF_USE,
            lane=conversation_name(conversation),
            refusal=True,
        )


def _body(wire: Wire, content: str) -> Mapping[str, Any]:
    return {"type": "message/text", "text": content} if wire == "v3" else {"message": {"content": content}}


def _events(leg: Leg, message: Message) -> tuple[Event, ...]:
    """Return what a message means for a call that is under way."""
    if message.kind == "contactRelationUpdate":
        return (pace.ended(leg, "caller"),) if message.action == "remove" else ()
    awaited = awaiting.awaited(leg)
    if awaited is None:
        return ()
    op, kind = awaited
    question = awaiting.question(leg)
    if question is not None:
        name = menus.numbered(question, message.text)
        return (answer(question, message.text) if name is None else ChoiceMade(op, name, "speech"),)
    told = message.text.strip()
    return (SpeechHeard(op, told),) if kind == "record" and told else ()
