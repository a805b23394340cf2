"""One message, or one wake-up, of one call: everything that follows from it, as one `Commit`.

Pure: no await, clock or randomness; the turn (`turn.py`) loads, calls this, and saves what comes out, so that after a
lost race the same can simply be done again. This file knows in which order things count:

1. What the platform says. It answers what it was told, so it is about the call as it stands in the store. Anything
   stepped before it would move the call on, and make a stranger of it: a key pressed in time would be ignored, and a
   caller who hung up would be taken to have left a state that was never heard.
2. Answers that services have left in the inbox. They come after the message, since they change what is asked; and
   before the deadline, since work that is done counts, also where it was late.
3. A deadline that is over by now, if the call still waits. Only then is it sure that nothing else ends the wait. It is
   not held against a recording whose upload is under way: the caller has spoken, and only the line is slow.
4. The hold, where a reply is due and there is still nothing to say. Last, since each costs a workflow, of which a call
   has few: it is not needed where an answer or the deadline gave the line something to say.

Steps 2 and 3 are left out where nothing can be said to a caller who is there: their commands would be lost, and the
caller would hear nothing more. They wait for the next message. What a line that cannot speak by itself has to say after
its own wake-up is its last reply from then on: the next message moves nothing, since it answers what was said before,
and gets that reply.
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from ivr.call_record import REMEMBERED, CallRecord, Commit, Stepped, recordings_in
from ivr.engine.commands import FETCH, FETCH_TIME, LineCommand, Notify, Remember, Request
from ivr.engine.events import (
    CallEnded,
    Event,
    HoldNeeded,
    LineReported,
    RecordingReady,
    ServiceFailed,
    ServicesEvent,
    TimePassed,
)
from ivr.engine.flow import Flow
from ivr.engine.line_facts import LineFacts
from ivr.engine.machine import step
from ivr.engine.masking import public
from ivr.ports import Channel, Exchange, Incoming, Outbound, Upload, WebhookReply
from ivr.user_values import KeptValue


class Heard(Struct, frozen=True):
    """A message, and what its channel makes of it where the call stands."""

    incoming: Incoming
    exchange: Exchange
    "Its reply counts where the message moves nothing, and is no last reply; else what follows is the reply."


class _WorkingCopy:
    """The record, and what has come of it so far in this turn."""

    __slots__ = (
        "call",
        "channel",
        "commands",
        "fetches",
        "flow",
        "jobs",
        "kept",
        "leg",
        "line",
        "moved",
        "notifications",
        "now",
        "outbound",
        "record",
        "trace",
        "wake",
    )

    def __init__(self, flow: Flow, channel: Channel, record: CallRecord, now: float) -> None:
        self.flow = flow
        self.channel = channel
        self.record = record
        self.now = now
        self.call = record.call
        self.leg = record.leg
        self.wake = record.wake
        self.commands: Sequence[LineCommand] = ()
        self.trace: list[Stepped] = []
        self.jobs: list[Request] = []
        self.notifications: list[Notify] = []
        self.kept: dict[str, KeptValue] = {}
        self.outbound: list[Outbound] = []
        self.fetches = dict(record.fetches)
        self.line = record.line
        self.moved = False

    def take(self, exchange: Exchange) -> None:
        """Take over what a channel made of something, but for its events and its reply."""
        self.leg, self.wake = exchange.leg, exchange.wake
        self.outbound += exchange.outbound

    def hear(self, exchange: Exchange, events: Iterable[Event], grace: float) -> None:
        """Step what a channel has made of something."""
        self.take(exchange)
        for event in events:
            self.step(replace(event, grace=grace) if isinstance(event, CallEnded) else event)
        self.fetch(exchange)

    def fetch(self, exchange: Exchange) -> None:
        """Order the recordings that its events have announced, each once, and as far as they are waited for."""
        waiting = self.call.waiting
        for fetch in exchange.fetches:
            if waiting is not None and waiting.job == fetch.op and fetch.op not in self.fetches:
                self.fetches[fetch.op] = fetch.then
                self.jobs.append(Request(fetch.op, FETCH, {"address": fetch.address}, FETCH_TIME))

    def step(self, event: Event) -> None:
        stepped = step(self.flow, self.call, event, now=self.now)
        traced = stepped.traced or event
        commands = tuple([public(command) for command in stepped.commands])
        self.trace.append(
            Stepped(traced, self.now, commands, stepped.path, stepped.ignored, stepped.judged, stepped.failures)
        )
        if isinstance(event, LineReported) and event.facts is not None:
            self.line = (self.line or LineFacts()).updated(event.facts)
        if stepped.ignored:
            return
        self.moved = True
        self.call = stepped.call
        if isinstance(event, RecordingReady | ServiceFailed) and event.job in self.fetches:
            then = self.fetches.pop(event.job)
            if then is not None and isinstance(event, RecordingReady):
                self.outbound.append(then)
        line: list[LineCommand] = []
        for command in stepped.commands:
            if type(command) is Request:
                self.jobs.append(command)
            elif type(command) is Notify:
                self.notifications.append(command)
            elif type(command) is Remember:
                self.remember(command)
            else:
                line.append(command)
        # Commands of an earlier event of this turn were never sent: those of the last one stand. An event that orders
        # nothing leaves them as they are, unless the caller has left.
        if line or self.call.phase in {"gone", "over"}:
            self.commands = line

    def remember(self, command: Remember) -> None:
        """Keep values of the caller, each for as long as its variable says from now on."""
        for name, value in (*command.values.items(), *command.private.items()):
            until = self.now + (self.flow.variables[name].keep or 0.0)
            self.kept[name] = KeptValue(name, value, until, name in command.private)

    def speak(self) -> WebhookReply:
        """Send the commands to the line; on some lines that is already an event (a text that is posted is heard)."""
        reply = None
        while True:
            exchange = self.channel.speak(self.leg, self.commands, now=self.now)
            self.take(exchange)
            self.commands = ()
            reply = exchange.reply or reply
            for event in exchange.events:
                self.step(event)
            self.fetch(exchange)
            if not self.commands:
                return reply or self.channel.nothing("commands")

    def mute(self, *, open_request: bool) -> bool:
        """Return whether nothing can be said now to a caller who is there: a pull line has nobody to tell it to.

        What an answer or a deadline leads to would be lost; it waits for the next message.
        """
        return not (open_request or self.channel.can.push or self.call.phase in {"gone", "over"})

    def is_due(self, *, uploading: bool) -> bool:
        """Return whether the call's deadline is over; an upload that is under way holds up that of a recording."""
        if self.call.deadline is None or self.call.deadline > self.now:
            return False
        if self.call.grace_until is None:
            return True
        begun = self.record.call.grace_until is None  # by this very message: the turn has not looked for an upload yet
        return not (uploading or begun)

    @property
    def waits(self) -> bool:
        """Whether the caller is there and a service has to answer before there is anything to say."""
        return self.call.waiting is not None and self.call.phase != "gone" and not self.commands


def advance(
    flow: Flow,
    channel: Channel,
    record: CallRecord,
    *,
    now: float,
    idle: float,
    grace: float,
    uploading: bool = False,
    heard: Heard | None = None,
    told: Exchange | None = None,
    events: Iterable[Event] = (),
    inbox: Sequence[Event] = (),
    answers: str | None = None,
) -> Commit:
    """Take one message (`heard`), or write the reply that a waiting message (`answers`) is owed, or wake the call.

    `told` is what the channel says without a message: its own wake-up, or its platform's answer to a request. `events`
    come from the shell itself, such as the end of a call that fell silent. `idle`: seconds without a message
    after which the call is closed. `grace`: seconds for which a recording may still come in once the line has told the
    end of the call; `uploading`: one that may be this call's is on its way. A reply that has to wait for a service is
    None in the commit's record.
    """
    turn = _WorkingCopy(flow, channel, record, now)
    open_request = answers is not None or (heard is not None and heard.incoming.wants == "commands")
    # 1. what the platform says, then what the channel and the shell have seen
    if heard is not None:
        # no message is ignored without a line in the trace
        turn.hear(heard.exchange, heard.exchange.events or (LineReported(),), grace)
    if told is not None:
        turn.hear(told, told.events, grace)
        if turn.wake is not None and turn.wake <= now:
            turn.wake = None  # a channel that always wants to be woken at once would be, every second
    for event in events:
        turn.step(event)
    # 2. answers of services; where they cannot be told now they stay in the inbox, since the commit does not take them
    if inbox and turn.mute(open_request=open_request):
        inbox = ()
    for event in inbox:
        turn.step(event)
    # 3. the deadline; an answer may have moved the call on to where it can be told, or to where it waits again
    if turn.is_due(uploading=uploading) and not turn.mute(open_request=open_request):
        turn.step(TimePassed())
    # 4. the hold, only for a reply that is owed since the first transaction: the budget has been waited for
    if answers is not None and turn.waits:
        turn.step(HoldNeeded())
    return _commit(turn, heard, answers, inbox, idle)


def heard_enough(record: CallRecord) -> bool:
    """Return whether a call that is over has been told so much since then that no more of it is kept.

    A further message changes nothing and is answered like the last ones; kept, it would let whoever knows a call's id
    fill the disk.
    """
    return record.call.phase == "over" and record.unmoved >= REMEMBERED


def _commit(
    turn: _WorkingCopy, heard: Heard | None, answers: str | None, inbox: Sequence[Event], idle: float
) -> Commit:
    record = turn.record
    incoming = heard.incoming if heard else None
    owed = incoming.id if incoming is not None else answers
    replies, last = _replies(turn, heard, owed)
    unmoved = 0 if turn.moved else record.unmoved + (incoming is not None)
    # Whoever knows a call's id could fill the disk with what moves nothing; of that, the first messages are enough.
    trace = () if incoming is not None and unmoved > REMEMBERED else tuple(turn.trace)
    after = replace(
        record,
        call=turn.call,
        version=record.version + 1,
        steps=record.steps + len(trace),
        leg=turn.leg,
        replies=replies,
        last=last,
        idle_at=turn.now + idle if incoming is not None else record.idle_at,
        wake=turn.wake,
        line=turn.line,
        unmoved=unmoved,
        fetches={} if turn.call.phase == "over" else turn.fetches,
    )
    taken = tuple(event.job for event in inbox if isinstance(event, ServicesEvent)) if inbox else ()
    audio = _audio(incoming.upload, trace) if incoming is not None and incoming.upload is not None else None
    return Commit(
        after,
        trace,
        tuple(turn.jobs),
        tuple(turn.outbound),
        taken,
        owed,
        audio,
        tuple(turn.notifications),
        tuple(turn.kept.values()) if after.user is not None else (),
        turn.now,
    )


def _replies(
    turn: _WorkingCopy, heard: Heard | None, owed: str | None
) -> tuple[Mapping[str, WebhookReply | None], WebhookReply | None]:
    """Let the line speak; return the replies to be remembered, with that to the message `owed`, and the last one."""
    replies, last = dict(turn.record.replies), turn.record.last
    own = heard.exchange.reply if heard else None
    if owed is not None and heard is not None and heard.incoming.wants == "ack":
        replies[owed] = own or turn.channel.nothing("ack")
        if turn.commands:
            turn.speak()  # a line that can speak by itself gets its commands beside the reply
    elif owed is not None and own is not None and not turn.moved:
        replies[owed] = own
    elif owed is not None:
        reply = _reply(turn, last)
        replies[owed] = reply
        last = reply or last
    elif turn.commands:
        said = turn.speak()
        last = last if turn.channel.can.push else said
    while len(replies) > REMEMBERED:
        del replies[next(iter(replies))]
    return replies, last


def _audio(upload: Upload, trace: Sequence[Stepped]) -> bytes | None:
    """Return a recording that is saved with the turn, if the turn takes it."""
    return upload.audio if upload.media in recordings_in(trace) else None


def _reply(turn: _WorkingCopy, last: WebhookReply | None) -> WebhookReply | None:
    """Return the reply to a message; None: it has to wait for a service."""
    if not turn.moved:
        # stale or foreign: the platform has no workflow unless it gets the last one again (protocol 3)
        return turn.channel.nothing("commands") if turn.call.phase in {"gone", "over"} or last is None else last
    return None if turn.waits else turn.speak()
