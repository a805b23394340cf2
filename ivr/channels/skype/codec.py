"""The native channel: Microsoft's Skype Calling webhooks (docs/protocol.md), cut loose from any web server.

    decode   whose call, which message           reading, spelling, rules, ids
    hear     the platform's message -> events    hearing
    speak    commands -> a workflow              speaking, prompts
    place    a call that a gateway places        placing

The platform does the listening, keeps the timers and waits for each reply: there is nothing to remember but what it
offers and whether a call is still to be answered, nothing to be sent unasked but orders of calls, and no time to look
at.
"""

from collections.abc import Callable, Sequence
from typing import Literal, cast

from msgspec import Struct

from ivr.capabilities import Capabilities
from ivr.channels.skype import hearing, ids, placing, reading, rules, speaking, wire
from ivr.engine.commands import LineCommand
from ivr.engine.pretend import read_time
from ivr.ports import (
    CallKey,
    Dial,
    Endpoint,
    Exchange,
    Form,
    Incoming,
    Leg,
    Outbound,
    Upload,
    WebhookReply,
    WebhookRequest,
)

CALL, CALLBACK = "/call", "/callback"
"Where a call begins, and where its outcomes are reported (protocol 1)."

FORM = Form(json=wire.CONVERSATION_RESULT, upload=wire.RECORDED_AUDIO)
"What is posted with a recording."

_OFFERED = "questions"
"The note that the platform knows more of questions than the vendor's (protocol 25)."
_ORDERED = "ordered"
"The note that we have ordered the call, and that nobody has answered it so far (protocol 26)."


class Received(Struct, frozen=True):
    """A message as `decode` hands it to `hear`."""

    message: wire.Message
    audio: Upload | None
    over: bool
    "Nobody is on the line any more."
    at: str | None = None
    "The time that it is to be for the flow."


class SkypeChannel:
    """`ports.CallingChannel` for one bot."""

    name = "skype"
    reads = frozenset({wire.MESSAGE_ID, wire.PRETENDED_TIME})
    endpoints = (
        Endpoint(CALL, named=True),
        Endpoint(CALLBACK, bodies=frozenset({"json", "multipart"}), form=FORM),
    )
    can = Capabilities(
        push=False,
        recording="with the event",
        reply_within=5.0,
        reject=True,
        terminators=rules.MAX_STOP_TONES,
        speech=True,
        languages=frozenset({wire.LANGUAGE}),
        # The vendor's platform; one that can do more offers it in each call (protocol 23, 25).
        transfer=False,
        barge_in_by_kind=False,
        type_ahead=False,
        free_speech=False,
        long_keys=False,
    )

    def __init__(
        self,
        *,
        account: str,
        callback: str,
        media_base: str,
        recording: Callable[[str, float], str] | None = None,
        pretends: bool = False,
    ) -> None:
        """Serve the bot with the app id `account`.

        `callback` is the absolute address to which outcomes are reported; assets are at `<media_base>/<sha256>`.
        `recording` gives the address of a caller's recording, by its name and the time, and is as pure as the channel;
        without it, recordings are not played. `pretends`: whoever calls may say what time it is to be, which only
        somebody who tries flows out may.
        """
        self._pretends = pretends
        self._account = account
        self._callback = callback
        self._media_base = media_base.rstrip("/")
        self._recording = recording

    def decode(self, request: WebhookRequest) -> Sequence[Incoming]:
        """Read a request of either address; raise WebhookError (400) if it holds no message."""
        message = reading.read_message(reading.parse(request.body))
        if not isinstance(message, wire.ConversationResult):
            # A result that breaks a rule is heard all the same, as a failure of the line: the platform does not repeat
            # what got a 400, so its caller would be lost.
            _refuse(tuple(rules.violations(message)))
        else:
            ids.checked(message.operation_outcome.id, "operation's")
        over = hearing.is_over(message)
        starts = isinstance(message, wire.Conversation) and not over and not hearing.is_answer(message)
        at = self._time(request) if starts else None
        upload = request.uploads.get(wire.RECORDED_AUDIO)
        incoming = Incoming(
            key=CallKey(self.name, self._account, ids.checked(message.id, "call's")),
            id=ids.message_id(request.headers, message, over=over),
            payload=Received(message, upload, over, at),
            wants="ack" if over or isinstance(message, wire.Notification) else "commands",
            starts=starts,
            upload=upload,
        )
        return (incoming,)

    def _time(self, request: WebhookRequest) -> str | None:
        text = request.headers.get(wire.PRETENDED_TIME) if self._pretends else None
        if text is not None:
            try:
                read_time(text)
            except ValueError as error:
                raise reading.malformed(f"{wire.PRETENDED_TIME}: {error}") from error
        return text

    def hear(self, leg: Leg, incoming: Incoming, *, now: float) -> Exchange:
        """Turn a message that `decode` gave into events."""
        received = cast("Received", incoming.payload)
        message, notes, ordered = received.message, leg.notes, _ORDERED in leg.notes
        events = hearing.events(message, received.audio, over=received.over, at=received.at, ordered=ordered)
        if ordered and hearing.is_answer(message):
            notes = {name: note for name, note in notes.items() if name != _ORDERED}
        if isinstance(message, wire.Conversation) and message.ivr is not None and message.ivr.questions:
            notes = {**notes, _OFFERED: "true"}
        return Exchange(leg if notes is leg.notes else Leg(notes), events)

    def speak(self, leg: Leg, commands: Sequence[LineCommand], *, now: float) -> Exchange:
        """Turn commands into a workflow."""
        if not commands:
            return Exchange(leg, reply=self.nothing("commands"))
        if (address := self._recording) is not None:
            commands = speaking.addressed(commands, lambda media: address(media, now))
        body = speaking.written(
            tuple(commands), callback=self._callback, media_base=self._media_base, questions=_OFFERED in leg.notes
        )
        return Exchange(leg, reply=WebhookReply(body=body))

    def place(self, dial: Dial, *, now: float) -> Exchange:
        """Order a call of the gateway."""
        return Exchange(Leg({_ORDERED: "true"}), outbound=(placing.order(dial),))

    def answered(self, leg: Leg, request: Outbound, status: int, body: bytes, *, now: float) -> Exchange:
        """Return what the gateway's answer to an order means."""
        return Exchange(leg, placing.ordered(status))

    def tick(self, leg: Leg, *, now: float) -> Exchange:
        """Return nothing: the platform keeps the timers, so this channel never asks to be woken."""
        return Exchange(leg)

    def nothing(self, wants: Literal["commands", "ack"]) -> WebhookReply:
        """Return an empty 200, which means that nothing follows (protocol 3)."""
        return WebhookReply()


def _refuse(problems: Sequence[str]) -> None:
    if problems:
        raise reading.malformed("; ".join(problems))
