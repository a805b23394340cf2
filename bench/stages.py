"""Where a turn's processor time goes: what each stage costs in a tight loop, for each message of a full call.

The stages are called by the functions that the server calls, on the bytes that a platform sends. A tight loop has all
that it needs in the processor's cache, and in the server each stage costs more: compare stages with each other.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from bench.calls import CALL_ID, Conversation, Message, full_call, raw
from ivr.advance import Heard, advance
from ivr.call_record import CallRecord, Commit
from ivr.channels.skype import FORM, SkypeChannel
from ivr.engine.call import Facts, new_call
from ivr.engine.commands import LineCommand, Notify, Remember, Request
from ivr.engine.flow import Flow
from ivr.engine.machine import step
from ivr.flowfile.load import load_flow
from ivr.media_storage import SMALL
from ivr.ports import Exchange, Incoming, Upload, WebhookReply, WebhookRequest
from ivr.server.body import BodyLimits
from ivr.server.forms import PlainForm, plain_boundary, plain_form
from ivr.server.multipart import ROOM
from ivr.server.replies import raw_reply
from ivr.server.short_request import WHOLE, RequestReader

MESSAGES = ("incoming", "choice", "record", "hang-up")
LOOPS, ROUNDS = 40, 200
"All stages are measured in each round, and the shortest time of each counts: whatever disturbs one makes it longer."
NOW = 1_800_000_000.0
"Seconds since 1970."
AUDIO = bytes(8 * 1024)
TOKEN = "x" * 600
"As long as a real one."


class Stage(Struct, frozen=True):
    """What one stage costs."""

    name: str
    us: tuple[float, ...]
    "Microseconds of processor time for each of `MESSAGES`."

    @property
    def mean(self) -> float:
        """Return the mean over the messages of a call."""
        return sum(self.us) / len(self.us)


class Situation(Struct, frozen=True):
    """One message of a call, where it finds the call, and what it leads to."""

    raw: bytes
    "As it comes over the socket."
    message: Message
    request: WebhookRequest
    incoming: Incoming
    exchange: Exchange
    before: CallRecord
    commit: Commit


class Stages:
    """A channel and a flow, and each message of a full call on them."""

    def __init__(self) -> None:
        self.flow: Flow = load_flow(Path(__file__).parent / "flow.yaml").served()
        public = "https://bench.example"
        self.channel = SkypeChannel(account="bench-app", callback=f"{public}/callback", media_base=f"{public}/media")
        self.situations = tuple(self._held(full_call(AUDIO)))
        reads = {name.encode(): name for name in self.channel.reads}
        self._reader = RequestReader(reads, most=SMALL + ROOM)

    def measured(self, rounds: int = ROUNDS) -> list[Stage]:
        """Measure everything that needs no store and no network; the last row is the sum."""
        engine, speak, whole = "engine: step, path, trace", "speak: the reply's JSON", "advance: the rest"
        rows = self._each(
            {
                "request: head and body": self._read,
                "form: taken apart": _form,
                "decode: the JSON is read": lambda one: self.channel.decode(one.request),
                "hear: into events": lambda one: self.channel.hear(one.before.leg, one.incoming, now=NOW),
                engine: self._step,
                speak: lambda one: self.channel.speak(one.before.leg, _last_commands(one.commit), now=NOW),
                "reply: written out": lambda one: raw_reply(_reply(one), close=False),
                whole: lambda one: self._advance(one.before, one.incoming, one.exchange),
            },
            rounds,
        )
        rows[whole] = [
            all_ - one - other for all_, one, other in zip(rows[whole], rows[engine], rows[speak], strict=True)
        ]
        rows["sum"] = [sum(each) for each in zip(*rows.values(), strict=True)]
        return [Stage(name, tuple(us)) for name, us in rows.items()]

    def _held(self, call: Conversation) -> Iterator[Situation]:
        """Hold the call, without a server."""
        message, name = next(call), CALL_ID.decode()
        record: CallRecord | None = None
        while True:
            request = _request(message)
            (incoming,) = self.channel.decode(request)
            record = record or CallRecord(name, incoming.key, new_call(self.flow.hash, Facts(name, SkypeChannel.name)))
            exchange = self.channel.hear(record.leg, incoming, now=NOW)
            commit = self._advance(record, incoming, exchange)
            yield Situation(
                raw(message, port=80, token=TOKEN, number=len(record.replies)),
                message,
                request,
                incoming,
                exchange,
                record,
                commit,
            )
            record = commit.record
            reply = record.replies[incoming.id]
            try:
                message = call.send(json.loads(reply.body) if reply is not None and reply.body else None)
            except StopIteration:
                return

    def _read(self, one: Situation) -> None:
        assert self._reader.feed(one.raw) is WHOLE
        self._reader.next()

    def _step(self, one: Situation) -> None:
        call = one.before.call
        for event in one.exchange.events:
            call = step(self.flow, call, event, now=NOW).call

    def _advance(self, record: CallRecord, incoming: Incoming, exchange: Exchange) -> Commit:
        heard = Heard(incoming, exchange)
        return advance(self.flow, self.channel, record, now=NOW, idle=3600.0, grace=10.0, heard=heard)

    def _each(self, stages: Mapping[str, Callable[[Situation], object]], rounds: int) -> dict[str, list[float]]:
        shortest = {name: [float("inf")] * len(self.situations) for name in stages}
        for _ in range(rounds):
            for name, stage in stages.items():
                for number, situation in enumerate(self.situations):
                    began = time.thread_time()
                    for _ in range(LOOPS):
                        stage(situation)
                    took = 1e6 * (time.thread_time() - began) / LOOPS
                    shortest[name][number] = min(shortest[name][number], took)
        return shortest


def _request(message: Message) -> WebhookRequest:
    """Return what the channel gets to see of a message."""
    form = _taken_apart(message)
    if form is None:
        return WebhookRequest("POST", message.path, {}, message.body)
    upload = Upload(f"{'0' * 32}.wma", len(form.audio), form.content_type, form.seconds, form.audio)
    return WebhookRequest("POST", message.path, {}, form.json, {FORM.upload: upload})


def _reply(one: Situation) -> WebhookReply:
    reply = one.commit.record.replies[one.incoming.id]
    assert reply is not None, "no message of this call waits for a service"
    return reply


def _form(one: Situation) -> None:
    _taken_apart(one.message)


def _taken_apart(message: Message) -> PlainForm | None:
    boundary = plain_boundary(message.content_type.encode())
    return None if boundary is None else plain_form(message.body, boundary, FORM, limits=BodyLimits())


def _last_commands(commit: Commit) -> Sequence[LineCommand]:
    """Return what is sent to the line after a turn."""
    ordered = [step.commands for step in commit.trace if step.commands]
    return tuple(each for each in ordered[-1] if not isinstance(each, Request | Notify | Remember)) if ordered else ()


if __name__ == "__main__":
    for stage in Stages().measured():
        print(f"{stage.name:30}", *(f"{us:8.1f}" for us in stage.us), f"{stage.mean:8.1f}")
