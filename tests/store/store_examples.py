"""Calls for the stores' tests: short to write, and with everything in them that a store could lose."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from ivr.call_record import REMEMBERED, CallRecord, Commit, Stepped
from ivr.engine.call import Call, Facts, Memory, Operation, Taken, Waiting
from ivr.engine.commands import Play, Request, Text
from ivr.engine.events import CallEnded, ChoiceMade, RecordingMade, ServiceAnswered, Transcribed
from ivr.engine.values import (
    DateTimeValue,
    DateValue,
    DecimalValue,
    ListValue,
    MaskedValue,
    ObjectValue,
    Recording,
    TimeValue,
)
from ivr.ports import CallKey, Leg, WebhookReply
from ivr.storage import Archive

SECRET = "4929171300042"
LATER = 9e9
"An idle time that no test reaches."

MEMORY = Memory(
    variables={
        "amount": DecimalValue(Decimal("1.10")),
        "born": DateValue(date(1970, 1, 2)),
        "at": TimeValue(time(9, 40)),
        "booked": DateTimeValue(datetime(2026, 3, 1, 9, tzinfo=timezone(timedelta(hours=2)))),
        "seen": DateTimeValue(datetime(2026, 3, 1, 9, tzinfo=UTC)),
        "long": 10**30,
        "names": ListValue(("a", None, True, ListValue(()))),
        "address": ObjectValue({"zip": "0042", "floor": 3}),
        "problem": Recording(3.2, "0a.wma", "hello", 0.5),
        "pin": MaskedValue(),
    },
    visits={"main": 2},
)
REPLY = WebhookReply(200, b'{"actions": []}')
ODD_REPLY = WebhookReply(404, bytes(range(256)), "text/plain")


def key(name: str) -> CallKey:
    return CallKey("skype", "app", name)


def record(name: str, *, private: str | None = None, **fields: Any) -> CallRecord:
    """A call before its first commit; `name` stands for the platform's id."""
    memory = (
        MEMORY if private is None else replace(MEMORY, private={"pin": private, "when": MEMORY.variables["booked"]})
    )
    call = Call(
        flow="f" * 64,
        facts=Facts(name.encode("utf-8", "replace").hex().rjust(32, "0"), "skype", "29:abc", "28:bot", "de-AT", 1.5),
        phase="answered",
        state="main",
        steps=3,
        memory=memory,
        asked=(Operation("3.1", "play", "main", memory), Operation("3.2", "recognize", "main", MEMORY, ("yes", "no"))),
        waiting=Waiting("3.3", "transcribe", LATER),
    )
    return replace(CallRecord(call.facts.id, key(name), call, leg=Leg({"chain": "x"}), idle_at=LATER), **fields)


def line(number: int = 0) -> Stepped:
    return Stepped(
        ChoiceMade(f"{number}.1", "yes", "keys"),
        1.5 + number,
        (Play(f"{number}.2", (Text("Grüß Gott", "female", "de-AT"),)),),
        (Taken("main", "yes", 0, "thanks"),),
    )


def recorded(media: str, *, ignored: str | None = None) -> Stepped:
    return Stepped(RecordingMade("1.1", 3.5, media), 1.5, ignored=ignored)


def request(job: str, *, sensitive: bool = False) -> Request:
    return Request(job, "transcribe", {"media": "0a.wma", "phrases": ("yes", "no"), "n": 1.0}, 30.0, sensitive)


def answered(job: str, text: str = "hello") -> ServiceAnswered:
    return ServiceAnswered(job, Transcribed(text, 0.5))


def after(
    before: CallRecord,
    *steps: Stepped,
    over: bool = False,
    message: str | None = "",
    reply: WebhookReply | None = REPLY,
    **more: Any,
) -> Commit:
    """The next turn of a call, for a message of its own if none is named (None: for no message).

    What the engine does at the end of a call is done here too: what is private is gone.
    """
    call = before.call
    if over:
        call = replace(call, phase="over", asked=(), waiting=None, memory=replace(call.memory, private={}))
        steps = (*steps, Stepped(CallEnded("caller"), 2.0))
    version = before.version + 1
    message = f"message-{version}" if message == "" else message
    replies, last = before.replies, before.last
    if message is not None:
        replies, last = {**before.replies, message: reply}, reply or last
        replies = dict(list(replies.items())[-REMEMBERED:])
    now = replace(
        before,
        call=call,
        version=version,
        steps=before.steps + len(steps),
        replies=replies,
        last=last,
        wake=None,
    )
    return Commit(now, steps, message=message, **more)


async def records_of(archive: Archive) -> list[CallRecord]:
    """Return all calls that can be read, the oldest first."""
    return [one.record async for portion in archive.stored() for one in portion if one.record is not None]
