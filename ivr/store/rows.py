"""Values to columns and back; what is private passes through the sealer here, and nowhere else.

Everything that can hold a flow's values or is worth reading by eye is JSON: MessagePack would turn a date's offset into
UTC and refuse long integers. Replies and the rest of a record, mostly bytes, are MessagePack: a third of the time, and
no base64.
"""

import base64
from collections.abc import Callable, Mapping
from typing import TypeVar

from msgspec import MsgspecError, json, msgpack
from msgspec.structs import replace

from ivr.engine.actions import Request
from ivr.engine.call import Call, Facts, Memory
from ivr.engine.events import Event
from ivr.engine.values import Stored
from ivr.errors import DataUnusable, StoreUnavailable
from ivr.ports import CallRecord, Outbound, Stepped, WebhookReply
from ivr.store.sealing import Sealer

SEALED = ""
"The one name in a `private` that is sealed; no variable is called so."
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

    def record(self, record: CallRecord) -> tuple[str, bytes]:
        """Give the columns `state` (the call as the engine knows it) and `rest`; raise StoreUnavailable."""
        call = _with_memories(record.call, lambda memory: self._sealed(memory, record.id))
        return to_json(call), to_rest(record)

    def read_record(self, state: str, rest: bytes, replies: Mapping[str, WebhookReply | None]) -> CallRecord:
        """Read a call back, private values included."""
        record = _read(_RECORD, rest)
        call = _with_memories(_read(_CALL, state), lambda memory: self._unsealed(memory, record.id))
        return replace(record, call=call, replies=replies)

    def answer(self, call: str, request: Request, event: Event) -> bytes:
        """Give the column `answer`."""
        plain = _guarded(_TO_JSON, event)
        return self._sealer.seal(plain, f"{call}/{request.job}") if request.sensitive else plain

    def read_answer(self, call: str, request: Request, answer: bytes) -> Event:
        """Read an answer back."""
        return _read(_EVENT, self._sealer.unseal(answer, f"{call}/{request.job}") if request.sensitive else answer)

    def _sealed(self, memory: Memory, place: str) -> Memory:
        sealed = self._sealer.seal(_guarded(_TO_JSON, memory.private), place)
        return replace(memory, private={SEALED: base64.b64encode(sealed).decode()})

    def _unsealed(self, memory: Memory, place: str) -> Memory:
        sealed = memory.private[SEALED]
        return replace(memory, private=_read(_PRIVATE, self._sealer.unseal(base64.b64decode(str(sealed)), place)))


def to_json(value: Stepped | Request | Outbound | Call | str) -> str:
    """Give any other column that is read by eye; raise StoreUnavailable."""
    return _guarded(_TO_JSON, value).decode()


def to_rest(record: CallRecord) -> bytes:
    """Give the column `rest`: the record without its call and its replies; raise StoreUnavailable."""
    return _guarded(_TO_MSGPACK, replace(record, call=_ELSEWHERE, replies={}))


def to_reply(reply: WebhookReply | None) -> bytes:
    """Give the column `body` of a reply; raise StoreUnavailable."""
    return _guarded(_TO_MSGPACK, reply)


def read_reply(body: bytes) -> WebhookReply | None:
    """Read a reply back."""
    return _read(_REPLY, body)


def read_stepped(body: str) -> Stepped:
    """Read a line of the trace back."""
    return _read(_STEPPED, body)


def read_request(body: str) -> Request:
    """Read an order back."""
    return _read(_REQUEST, body)


def read_public(state: str, rest: bytes) -> CallRecord:
    """Read a call back without its private values, and without opening them."""
    return without_private(replace(_read(_RECORD, rest), call=_read(_CALL, state)))


def without_private(record: CallRecord) -> CallRecord:
    """Give a record as readers of the archive may see it (LANGUAGE C12), without the replies kept for repeats."""
    call = _with_memories(record.call, lambda memory: replace(memory, private={}))
    return replace(record, call=call, replies={}, last=None)


def _with_memories(call: Call, change: Callable[[Memory], Memory]) -> Call:
    """Change each memory of a call that holds something private; mostly there is none."""
    memory = change(call.memory) if call.memory.private else call.memory
    asked = call.asked
    if any(one.memory.private for one in asked):
        asked = tuple(replace(one, memory=change(one.memory)) if one.memory.private else one for one in asked)
    return call if memory is call.memory and asked is call.asked else replace(call, memory=memory, asked=asked)


def _guarded(encode: Callable[[object], bytes], value: object) -> bytes:
    try:
        return encode(value)
    except (TypeError, ValueError, OverflowError, RecursionError) as exc:  # ValueError: a surrogate, for one
        raise StoreUnavailable(f"This cannot be saved: {type(exc).__name__}.") from exc


def _read(decode: Callable[[C], T], column: C) -> T:
    try:
        return decode(column)
    except MsgspecError as exc:
        raise DataUnusable(f"The database holds a row that this version cannot read: {exc}.") from exc
