"""Values to columns and back; what is private passes through the sealer here, and nowhere else.

Everything that can hold a flow's values or is worth reading by eye is JSON: MessagePack would turn a date's offset into
UTC and refuse long integers. Replies and the rest of a record, mostly bytes, are MessagePack: a third of the time, and
no base64.
"""

import base64
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias, TypeVar

from msgspec import MsgspecError, Struct, json, msgpack
from msgspec.structs import replace

from ivr.call_record import REMEMBERED, CallRecord, Commit, Stepped, recordings_in
from ivr.engine.call import Call, Memory
from ivr.engine.commands import Argument, Notify, Request
from ivr.engine.events import Event
from ivr.engine.line_facts import LineFacts
from ivr.engine.values import Stored
from ivr.errors import StoreUnavailable, UnreadableRow
from ivr.ports import CallKey, Leg, Outbound, WebhookReply
from ivr.store.sealing import Sealer

SEALED = ""
"The one name in a `private` that is sealed; no variable is called so."
LATEST = 253_402_300_799.0
"The last second of the year 9999: no time that is stored is later."
NEW_MESSAGE: Final = 1
"Mark of a turn whose message was not among the replies before it: it stands at their end."
LAST_REPLY: Final = 2
"Mark of a turn whose reply is the last one of the call after it."
SEALED_STATE: Final = 4
"Mark of a turn whose state holds sealed values."

T = TypeVar("T")
C = TypeVar("C")
Replies: TypeAlias = Mapping[str, WebhookReply | None]
TurnRow: TypeAlias = tuple[int, int, str, bytes, str | None, bytes | None, int, str, str | None, bytes | None]
"The columns of a turn, in their order."


class _Rest(Struct, array_like=True):
    """What a record holds beside the call, its key and its replies."""

    id: str
    version: int
    steps: int
    notes: Mapping[str, str]
    idle_at: float
    wake: float | None
    line: LineFacts | None
    unmoved: int
    fetches: Mapping[str, Outbound | None] = {}
    ordered: str = ""


_TO_JSON = json.Encoder().encode
_TO_MSGPACK = msgpack.Encoder().encode
_REST = msgpack.Decoder(_Rest).decode
_REPLY: Callable[[bytes], WebhookReply | None] = msgpack.Decoder(WebhookReply | None).decode
_CALL = json.Decoder(Call).decode
_PRIVATE = json.Decoder(dict[str, Stored]).decode
_ARGUMENTS = json.Decoder(dict[str, Argument]).decode
_TRACE: Callable[[str], list[Stepped]] = json.Decoder(list[Stepped]).decode
_REQUEST = json.Decoder(Request).decode
_NOTIFY = json.Decoder(Notify).decode
_ADDRESSED: Callable[[str], tuple[CallKey, Outbound]] = json.Decoder(tuple[CallKey, Outbound]).decode
_EVENT: Callable[[bytes], Event] = json.Decoder(Event).decode


class Rows:
    """Writes and reads the columns of one store."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def pseudonym(self, name: str) -> str:
        """Return what stands for a name that was written freely."""
        return self._sealer.pseudonym(name)

    def derived_key(self, purpose: str) -> bytes:
        """Return a key for something else than sealing."""
        return self._sealer.derived(purpose)

    def turn(self, seq: int, row: int, commit: Commit, before: CallRecord | None) -> TurnRow:
        """Return the row of a turn; `before` is the record that it follows. Raises StoreUnavailable."""
        record = commit.record
        reply, marks = _written(commit, before)
        written = _TO_MSGPACK(reply) if marks or commit.message is not None else None
        media = recording_in(commit)
        call = with_memories(record.call, self._sealed, record.id)
        if call is not record.call:
            marks |= SEALED_STATE
        rest = _encoded(_TO_MSGPACK, _Rest(
            record.id, record.version, record.steps, record.leg.notes, record.idle_at, record.wake, record.line,
            record.unmoved, record.fetches, record.ordered,
        ))  # fmt: skip
        audio = commit.audio if media is not None else None
        return (
            seq, row, to_json(call), rest, commit.message, written, marks, to_json(commit.trace), media, audio
        )  # fmt: skip

    def read_record(
        self, key: CallKey, state: bytes, rest: bytes, replies: Replies, last: WebhookReply | None
    ) -> CallRecord:
        """Read a call back from its last turn, private values included."""
        record = _record(key, state, rest)
        return replace(record, call=with_memories(record.call, self._unsealed, record.id), replies=replies, last=last)

    def answer(self, call: str, request: Request, event: Event) -> bytes:
        """Return the column `answer`."""
        plain = _encoded(_TO_JSON, event)
        return self._sealer.seal(plain, f"{call}/{request.job}") if request.sensitive else plain

    def read_answer(self, call: str, request: Request, answer: bytes) -> Event:
        """Read an answer back."""
        plain = self._sealer.unseal(answer, f"{call}/{request.job}") if request.sensitive else answer
        return _read(_EVENT, plain, "an answer")

    def request(self, call: str, request: Request) -> str:
        """Return the column `body` of an order."""
        if request.private:
            request = replace(request, private=self._seal(request.private, _place_of(call, request)))
        return to_json(request)

    def read_request(self, call: str, body: str) -> Request:
        """Read an order back, private arguments included."""
        request = read_request(body)
        if not request.private:
            return request
        opened = self._opened(request.private, _place_of(call, request))
        return replace(request, private=_read(_ARGUMENTS, opened, "a sealed value"))

    def _sealed(self, memory: Memory, place: str) -> Memory:
        return replace(memory, private=self._seal(memory.private, place))

    def _unsealed(self, memory: Memory, place: str) -> Memory:
        return replace(memory, private=_read(_PRIVATE, self._opened(memory.private, place), "a sealed value"))

    def _seal(self, private: Mapping[str, object], place: str) -> dict[str, str]:
        sealed = self._sealer.seal(_encoded(_TO_JSON, private), place)
        return {SEALED: base64.b64encode(sealed).decode()}

    def _opened(self, private: Mapping[str, object], place: str) -> bytes:
        sealed = _read(base64.b64decode, str(private.get(SEALED)), "a sealed value")
        return self._sealer.unseal(sealed, place)


def _place_of(call: str, request: Request) -> str:
    return f"{call}/{request.job}/request"


def _written(commit: Commit, before: CallRecord | None) -> tuple[WebhookReply | None, int]:
    """Return the reply that a turn writes, and its marks; raise StoreUnavailable where one row cannot hold it."""
    record, message = commit.record, commit.message
    replies, last = (before.replies, before.last) if before is not None else ({}, None)
    reply, marks = None, 0
    if message is not None:
        if message not in record.replies:
            raise StoreUnavailable(f"call {record.id}: the message of this turn is not among its replies")
        reply = record.replies[message]
        marks = 0 if message in replies else NEW_MESSAGE
    if reply is not None and (reply is record.last or reply == record.last):
        marks |= LAST_REPLY
    elif record.last is not last and record.last != last:
        if message is not None or record.last is None:
            raise StoreUnavailable(f"call {record.id}: its last reply is not that of this turn")
        reply, marks = record.last, LAST_REPLY
    return reply, marks


def recording_in(commit: Commit) -> str | None:
    """Return the recording that a turn takes; raise StoreUnavailable if it takes two."""
    media = recordings_in(commit.trace)
    if len(media) > 1:
        raise StoreUnavailable(f"call {commit.record.id}: a turn takes one recording at most")
    return media[0] if media else None


def read_replies(turns: Iterable[Sequence[Any]]) -> tuple[dict[str, WebhookReply | None], WebhookReply | None]:
    """Return what repeats of a call's messages get, and its last reply.

    `turns` are the first columns of each turn in order: message, reply and marks.
    Exactly as `advance` kept them: the last 16 in their order. A message that had fallen out and came again stands at
    the end, and a reply that was owed stands where its message does.
    """
    replies: dict[str, WebhookReply | None] = {}
    last = None
    for message, body, marks, *_ in turns:
        if type(marks) is not int:
            raise UnreadableRow("a turn has invalid marks")
        reply = _read(_REPLY, body, "a reply") if body is not None else None
        if marks & LAST_REPLY:
            last = reply
        if message is None:
            continue
        if not isinstance(message, str):
            raise UnreadableRow("a message has an invalid id")
        if marks & NEW_MESSAGE:
            replies.pop(message, None)
            replies[message] = reply
            if len(replies) > REMEMBERED:
                del replies[next(iter(replies))]
        elif message in replies:
            replies[message] = reply
    return replies, last


def to_json(value: Call | Sequence[Stepped] | Request | Notify | tuple[CallKey, Outbound] | str) -> str:
    """Return a column that is read by eye; raise StoreUnavailable."""
    return _encoded(_TO_JSON, value).decode()


def read_trace(trace: str) -> list[Stepped]:
    """Read the lines of one turn back."""
    steps = _read(_TRACE, trace, "a line of its trace")
    for step in steps:
        _check_time(step.now, "a line of its trace")
    return steps


def read_place(rest: bytes) -> tuple[str, int]:
    """Return our id of the call to which a turn belongs, and the lines of its trace that there were after it."""
    known = _read(_REST, rest, "its record")
    return known.id, known.steps


def read_version(rest: bytes) -> int:
    """Return the version of the record in a turn; raise UnreadableRow."""
    return _read(_REST, rest, "its record").version


def read_request(body: str) -> Request:
    """Read an order back."""
    return _read(_REQUEST, body, "an order")


def read_notify(body: str) -> Notify:
    """Read what is to be told back."""
    return _read(_NOTIFY, body, "a notification")


def read_outbound(body: str) -> tuple[CallKey, Outbound]:
    """Read a request to a platform back, with the call that it is for."""
    return _read(_ADDRESSED, body, "a request to the platform")


def read_public(key: CallKey, state: bytes | str, rest: bytes) -> CallRecord:
    """Read a call back without its private values, and without opening them."""
    return without_private(_record(key, state, rest))


def without_private(record: CallRecord) -> CallRecord:
    """Return a record as readers of the archive may see it (LANGUAGE C12), without the replies kept for repeats."""
    call = with_memories(record.call, lambda memory, _: replace(memory, private={}), "")
    return replace(record, call=call, replies={}, last=None)


def with_memories(call: Call, change: Callable[[Memory, str], Memory], place: str) -> Call:
    """Change each memory of a call that holds something private; mostly there is none."""
    asked = call.asked
    for one in asked:
        if one.memory.private:
            asked = tuple(
                replace(one, memory=change(one.memory, place)) if one.memory.private else one for one in asked
            )
            break
    if call.memory.private:
        return replace(call, memory=change(call.memory, place), asked=asked)
    return call if asked is call.asked else replace(call, asked=asked)


def _record(key: CallKey, state: bytes | str, rest: bytes) -> CallRecord:
    call = _read(_CALL, state, "its state")
    _check_time(call.facts.started, "its state")
    known = _read(_REST, rest, "its record")
    for moment in (known.idle_at, known.wake):
        if moment is not None and moment != moment:  # noqa: PLR0124  # no number
            raise UnreadableRow("its record has an invalid time")
    return CallRecord(
        known.id, key, call, known.version, known.steps, Leg(known.notes), {}, None, known.idle_at, known.wake,
        known.line, known.unmoved, known.fetches, known.ordered,
    )  # fmt: skip


def _check_time(moment: float, what: str) -> None:
    """Refuse a time that no calendar has: it could not be written as a date."""
    if not abs(moment) <= LATEST:
        raise UnreadableRow(f"{what} has an invalid time")


def _encoded(encode: Callable[[object], bytes], value: object) -> bytes:
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
