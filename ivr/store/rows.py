"""Values to columns and back; what is private passes through the sealer here, and nowhere else.

Everything that can hold a flow's values or is worth reading by eye is JSON: MessagePack would turn a date's offset into
UTC and refuse long integers. Replies and the rest of a record, mostly bytes, are MessagePack: a third of the time, and
no base64.
"""

import base64
import math
import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from msgspec import MsgspecError, json, msgpack
from msgspec.structs import replace

from ivr.engine.call import Call, Facts, Memory
from ivr.engine.commands import Request
from ivr.engine.events import Event
from ivr.engine.values import Stored
from ivr.errors import StoreUnavailable, UnreadableRow
from ivr.ports import CallRecord, Outbound, Stepped, WebhookReply
from ivr.store.sealing import Sealer

SEALED = ""
"The one name in a `private` that is sealed; no variable is called so."
LATEST = 253_402_300_799.0
"The last second of the year 9999: no time that is stored is later."
_ELSEWHERE = Call(flow="", facts=Facts())

T = TypeVar("T")
C = TypeVar("C")

_TO_JSON = json.Encoder().encode
_TO_MSGPACK = msgpack.Encoder().encode
_RECORD = msgpack.Decoder(CallRecord).decode
_REPLY: Callable[[bytes], WebhookReply | None] = msgpack.Decoder(WebhookReply | None).decode
_CALL = json.Decoder(Call).decode
_PRIVATE = json.Decoder(dict[str, Stored]).decode
_STEPPED = json.Decoder(Stepped).decode
_REQUEST = json.Decoder(Request).decode
_EVENT: Callable[[bytes], Event] = json.Decoder(Event).decode


class Rows:
    """Writes and reads the columns of one store."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def pseudonym(self, name: str) -> str:
        """Return what stands for a name that was written freely."""
        return self._sealer.pseudonym(name)

    def record(self, record: CallRecord) -> tuple[str, bytes]:
        """Return the columns `state` (the call as the engine knows it) and `rest`; raise StoreUnavailable."""
        call = _with_memories(record.call, lambda memory: self._sealed(memory, record.id))
        return to_json(call), to_rest(record)

    def read_record(self, state: str, rest: bytes, replies: Mapping[str, WebhookReply | None]) -> CallRecord:
        """Read a call back, private values included."""
        record = _read(_RECORD, rest, "its record")
        call = _with_memories(_read(_CALL, state, "its state"), lambda memory: self._unsealed(memory, record.id))
        _check_time(call.facts.started, "its state")
        if math.isnan(record.idle_at) or (record.wake is not None and math.isnan(record.wake)):
            raise UnreadableRow("its record has an invalid time")
        return replace(record, call=call, replies=replies)

    def answer(self, call: str, request: Request, event: Event) -> bytes:
        """Return the column `answer`."""
        plain = _guarded(_TO_JSON, event)
        return self._sealer.seal(plain, f"{call}/{request.job}") if request.sensitive else plain

    def read_answer(self, call: str, request: Request, answer: bytes) -> Event:
        """Read an answer back."""
        plain = self._sealer.unseal(answer, f"{call}/{request.job}") if request.sensitive else answer
        return _read(_EVENT, plain, "an answer")

    def _sealed(self, memory: Memory, place: str) -> Memory:
        sealed = self._sealer.seal(_guarded(_TO_JSON, memory.private), place)
        return replace(memory, private={SEALED: base64.b64encode(sealed).decode()})

    def _unsealed(self, memory: Memory, place: str) -> Memory:
        sealed = _read(base64.b64decode, str(memory.private.get(SEALED)), "a sealed value")
        return replace(memory, private=_read(_PRIVATE, self._sealer.unseal(sealed, place), "a sealed value"))


def to_json(value: Stepped | Request | Outbound | Call | str) -> str:
    """Return any other column that is read by eye; raise StoreUnavailable."""
    return _guarded(_TO_JSON, value).decode()


def to_rest(record: CallRecord) -> bytes:
    """Return the column `rest`: the record without its call and its replies; raise StoreUnavailable."""
    return _guarded(_TO_MSGPACK, replace(record, call=_ELSEWHERE, replies={}))


def to_reply(reply: WebhookReply | None) -> bytes:
    """Return the column `body` of a reply; raise StoreUnavailable."""
    return _guarded(_TO_MSGPACK, reply)


def read_reply(body: bytes) -> WebhookReply | None:
    """Read a reply back."""
    return _read(_REPLY, body, "a reply")


def read_stepped(body: str) -> Stepped:
    """Read a line of the trace back."""
    step = _read(_STEPPED, body, "a line of its trace")
    _check_time(step.now, "a line of its trace")
    return step


def read_request(body: str) -> Request:
    """Read an order back."""
    return _read(_REQUEST, body, "an order")


def read_public(state: str, rest: bytes) -> CallRecord:
    """Read a call back without its private values, and without opening them."""
    call = _read(_CALL, state, "its state")
    _check_time(call.facts.started, "its state")
    return without_private(replace(_read(_RECORD, rest, "its record"), call=call))


def without_private(record: CallRecord) -> CallRecord:
    """Return a record as readers of the archive may see it (LANGUAGE C12), without the replies kept for repeats."""
    call = _with_memories(record.call, lambda memory: replace(memory, private={}))
    return replace(record, call=call, replies={}, last=None)


def _with_memories(call: Call, change: Callable[[Memory], Memory]) -> Call:
    """Change each memory of a call that holds something private; mostly there is none."""
    memory = change(call.memory) if call.memory.private else call.memory
    asked = call.asked
    if any(one.memory.private for one in asked):
        asked = tuple(replace(one, memory=change(one.memory)) if one.memory.private else one for one in asked)
    return call if memory is call.memory and asked is call.asked else replace(call, memory=memory, asked=asked)


def _check_time(moment: float, what: str) -> None:
    """Refuse a time that no calendar has: it could not be written as a date."""
    if not abs(moment) <= LATEST:
        raise UnreadableRow(f"{what} has an invalid time")


def _guarded(encode: Callable[[object], bytes], value: object) -> bytes:
    try:
        return encode(value)
    except (TypeError, ValueError, OverflowError, RecursionError) as exc:  # ValueError: a surrogate, for one
        raise StoreUnavailable(f"This cannot be saved: {type(exc).__name__}.") from exc


def _read(decode: Callable[[C], T], column: C, what: str) -> T:
    try:
        return decode(column)
    except (MsgspecError, TypeError, ValueError, RecursionError) as exc:  # TypeError: a number where a text belongs
        # msgspec's sentence may repeat a value; the place that it names is made of our own words.
        place = re.search(r" - at `([^`]*)`$", str(exc))
        where = f" at {place[1]}" if place else ""
        raise UnreadableRow(f"{what} has an invalid format{where}") from exc
