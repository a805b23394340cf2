"""The channel: activities of the Bot Framework, cut loose from any web server.

    decode   whose conversation, which message       activity
    hear     the activity -> events                  hearing
    speak    commands -> activities                  speaking, writing
    tick     nobody has written for too long

Nothing is said in the answer to a webhook, but where the connector wants it there (`expectReplies`): activities go to
the address that the conversation's last activity came from, one after the other. A text that is posted is heard: the
flow goes on at once. What is remembered of a call: `notes`.
"""

import re
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any, Literal, cast

import msgspec

from ivr.capabilities import Capabilities
from ivr.channels.botframework import hearing, notes, speaking
from ivr.channels.botframework.activity import LONGEST_ID, Account, Activity, read_activity
from ivr.channels.botframework.addresses import CHANNEL, MESSAGES, conversation_name, sending
from ivr.channels.in_writing import awaiting, pace
from ivr.engine.commands import Audio, LineCommand, Recorded, Transfer
from ivr.engine.events import CallReceived, RecordingMade
from ivr.errors import WebhookError
from ivr.ports import CallKey, Endpoint, Exchange, Fetch, Incoming, Leg, Outbound, WebhookReply, WebhookRequest
from ivr.user_values import User

ACCEPTED = WebhookReply(202)
NOT_HANDLED = WebhookReply(501)
"The answer to `invoke`, of which nothing is handled here."
_NO_REPLIES = WebhookReply(body=b'{"activities":[]}')
_CHANNEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9:._-]{0,63}", re.ASCII)
_VISIBLE = frozenset(map(chr, range(0x21, 0x7F)))


class BotFrameworkChannel:
    """`ports.Channel` for one bot."""

    name = CHANNEL
    vouches = True
    "Whoever posts has authenticated the users that it names."
    reads: frozenset[str] = frozenset()
    endpoints: Sequence[Endpoint] = (Endpoint(MESSAGES, named=True),)
    can = Capabilities(
        push=True,
        recording="later",
        reply_within=15.0,
        reject=True,
        terminators=16,
        record_terminators=16,
        speech=True,
        languages=None,
        type_ahead=False,
        passes_over_words=False,
        writes=True,
    )

    def __init__(
        self,
        *,
        account: str,
        serves: Callable[[str], bool],
        media_base: str,
        recording: Callable[[str, float], str] | None = None,
        patience: float = pace.PATIENCE,
        greets: bool = True,
        hands_over: bool = False,
    ) -> None:
        """Serve the bot `account` in conversations of connectors whose address `serves` allows.

        Assets are at `<media_base>/<sha256>.wav`; `recording` gives the address of a voice message, by its name and the
        time. `patience`: seconds without an answer after which nobody is taken to answer. `greets`: whoever joins is
        written to first. `hands_over`: conversations can be handed over to somebody else.
        """
        self._account = account
        self._serves = serves
        self._media_base = media_base.rstrip("/")
        self._recording = recording
        self._patience = patience
        self._greets = greets
        self._hands_over = hands_over

    # --- in ---

    def decode(self, request: WebhookRequest) -> Sequence[Incoming] | WebhookReply:
        """Read a request; raise WebhookError: 400 if it is no activity, 403 if its connector is not served."""
        activity = read_activity(request.body)
        if activity.kind == "invoke":
            return NOT_HANDLED
        nothing = _NO_REPLIES if activity.expects_replies else ACCEPTED
        if activity.kind is None or activity.group:
            return nothing
        key = self._key(activity)
        if not self._serves(activity.service):
            raise WebhookError(403, "service", "This serviceUrl is not served here.")
        incoming = Incoming(
            key,
            _message_id(activity, request.body),
            activity,
            wants="commands" if activity.expects_replies else "ack",
            starts=self._begins_with(activity) is not None,
            again=True,
            otherwise=nothing,
            forgets=self._forgotten(activity),
        )
        return (incoming,)

    def hear(self, leg: Leg, incoming: Incoming, *, now: float) -> Exchange:
        """Turn an activity into events."""
        activity = cast("Activity", incoming.payload)
        reply = _NO_REPLIES if activity.expects_replies else None
        if not leg.notes:
            return self._begun(activity, reply)
        if activity.kind == "message" and not notes.is_with(leg, activity.sender):
            return Exchange(leg, reply=reply, wake=awaiting.due(leg))
        leg = notes.told(leg, activity)
        events = hearing.events(leg, activity)
        fetches: tuple[Fetch, ...] = ()
        if any(isinstance(one, RecordingMade) for one in events) and activity.voice is not None:
            fetches = tuple(Fetch(one.op, activity.voice) for one in events if isinstance(one, RecordingMade))
        if events:
            leg = awaiting.answered(leg)
        return Exchange(leg, events, reply=reply, wake=awaiting.due(leg), fetches=fetches)

    def tick(self, leg: Leg, *, now: float) -> Exchange:
        """Return that nobody has answered, once the time for that is over."""
        due = awaiting.due(leg)
        if due is None or due > now:
            return Exchange(leg, wake=due)
        return Exchange(notes.silent(leg), pace.silence(leg))

    def answered(self, leg: Leg, request: Outbound, status: int, body: bytes, *, now: float) -> Exchange:
        """Return the end of a call whose conversation is gone; any other message that was given up changes nothing."""
        if status in pace.GONE:
            return Exchange(awaiting.answered(leg), (pace.ended(leg, "system"),))
        return Exchange(leg, wake=awaiting.due(leg))

    # --- out ---

    def speak(self, leg: Leg, commands: Sequence[LineCommand], *, now: float) -> Exchange:
        """Turn commands into activities."""
        if not commands:
            in_body = notes.replies(leg, now)
            reply = self.nothing("commands") if in_body is None else _in_body(in_body)
            return Exchange(leg, reply=reply, wake=awaiting.due(leg))
        context = speaking.Context(leg, now, lambda segment: self._file(segment, now))
        said = [
            (f"{command.op}-{number}" if number > 1 else command.op, one)
            for command in commands
            if not isinstance(command, Transfer) or self._hands_over
            for number, one in enumerate(speaking.activities(command, context), 1)
        ]
        leg, events = pace.said(leg, commands[-1], now=now, patience=self._patience, hands_over=self._hands_over)
        in_body = notes.replies(leg, now)
        if in_body is None:
            outbound = tuple(self._sent(leg, name, one, now) for name, one in said)
            return Exchange(leg, events, self.nothing("commands"), outbound, awaiting.due(leg))
        in_body += [msgspec.Raw(one.encode()) if isinstance(one, str) else one for _, one in said]
        leg = notes.replying(leg, in_body, now)
        return Exchange(leg, events, _in_body(in_body), wake=awaiting.due(leg))

    def nothing(self, wants: Literal["commands", "ack"]) -> WebhookReply:
        """Return that a message was taken: what there is to say goes to the connector."""
        return ACCEPTED

    # ---

    def _key(self, activity: Activity) -> CallKey:
        """Return the conversation of an activity; raise WebhookError if it does not say."""
        channel, conversation = activity.channel, activity.conversation
        if not _CHANNEL.fullmatch(channel):
            raise WebhookError(400, "BadArgument", "channelId is the name of a channel.")
        if not 0 < len(conversation) <= LONGEST_ID or not conversation.isprintable() or not conversation.strip("."):
            raise WebhookError(400, "BadArgument", "conversation.id is a name.")  # `..` leads elsewhere
        return CallKey(self.name, self._account, conversation_name(channel, conversation))

    def _begins_with(self, activity: Activity) -> Account | None:
        """Return whom a call is with that begins with an activity; None: none begins."""
        match activity.kind:
            case "message":
                return activity.sender
            case "contactRelationUpdate" | "installationUpdate" if self._greets and activity.action == "add":
                return activity.sender
            case "conversationUpdate" if self._greets and activity.recipient.id:
                others = (one for one in activity.added if one.id and one.id != activity.recipient.id)
                return next(others, None)
        return None

    def _forgotten(self, activity: Activity) -> User | None:
        """Return who wants nothing to be kept any more: who asks for that, or removes the bot."""
        removes = activity.kind in {"contactRelationUpdate", "installationUpdate"} and activity.action == "remove"
        if not activity.sender.id or not (removes or activity.kind == "deleteUserData"):
            return None
        return User(self.name, self._account, activity.channel, activity.sender.id)

    def _begun(self, activity: Activity, reply: WebhookReply | None) -> Exchange:
        user = self._begins_with(activity)
        if user is None:
            return Exchange(Leg(), reply=reply)
        received = CallReceived(
            user.id or None,
            activity.recipient.id,
            language=_language(activity.locale),
            transfers=self._hands_over,
            identity=activity.identity if self.vouches and user.id == activity.sender.id else None,
            within=activity.channel,
        )
        return Exchange(notes.of_activity(activity, user), (received,), reply=reply)

    def _sent(self, leg: Leg, name: str, activity: Any, now: float) -> Outbound:
        address = sending(notes.service(leg), notes.conversation(leg), notes.reply_to(leg))
        kind: Literal["json", "written"] = "written" if isinstance(activity, str) else "json"
        return Outbound(
            name, "POST", address, activity, kind, until=now + pace.OF_USE, lane=notes.lane(leg), refusal=True
        )

    def _file(self, segment: Audio | Recorded, now: float) -> str | None:
        if isinstance(segment, Audio):
            return segment.url or f"{self._media_base}/{segment.asset}.wav"
        return self._recording(segment.media, now) if self._recording is not None else None


def _in_body(activities: Sequence[Any]) -> WebhookReply:
    return WebhookReply(body=msgspec.json.encode({"activities": activities}))


def _message_id(activity: Activity, body: bytes) -> str:
    """Return an activity's id as every store can hold it; of one that has none, what its bytes are."""
    if not activity.id:
        return f"{activity.kind}:{sha256(body).hexdigest()}"
    name = f"{activity.kind}:{activity.id}"
    if len(name) <= 128 and _VISIBLE.issuperset(name):
        return name
    return f"{activity.kind}:{sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _language(locale: str | None) -> str | None:
    """Return a language tag; None: it is none."""
    parts = (locale or "").replace("_", "-").split("-")
    good = all(part.isascii() and part.isalnum() and len(part) <= 8 for part in parts)
    return "-".join(parts) if good and len(parts[0]) >= 2 and parts[0].isalpha() else None
