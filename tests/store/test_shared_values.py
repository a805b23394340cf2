"""A call that was read back equals what was saved, and shares with others what calls share while they are served."""

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from ivr.call_record import CallRecord
from ivr.engine.call import Call, Facts, Memory, Operation
from ivr.ports import CallKey, WebhookReply
from ivr.store.shared_values import SharedValues


def anew(text: str) -> str:
    """Return an equal text that is another object, as a decoder does."""
    return "".join(list(text))


def a_record(name: str) -> CallRecord:
    memory = Memory(variables={"n": 1}, visits={"menu": 1})
    asked = tuple(
        Operation(anew(f"1.{n}"), "play", anew("menu"), replace(memory, visits={"menu": 1}), (anew("yes"), anew("no")))
        for n in (1, 2)
    )
    facts = Facts(anew(name), anew("skype"), anew("29:" + name), anew("28:bot"), anew("en-US"))
    call = Call(anew("f" * 64), facts, state=anew("menu"), memory=memory, asked=asked)
    reply = WebhookReply(body=b"{}", content_type=anew("application/json"))
    key = CallKey(anew("skype"), anew("account"), anew(name))
    replies = {anew("message"): reply, anew("owed"): None}
    return CallRecord(
        anew(name),
        key,
        call,
        version=1,
        replies=replies,
        last=WebhookReply(body=b"{}", content_type=anew("application/json")),
    )


def objects(value: object) -> Iterator[int]:
    """Return every text and every memory in a record, by its identity."""
    if isinstance(value, str | Memory):
        yield id(value)
    if isinstance(value, Struct):
        for field in value.__struct_fields__:
            yield from objects(getattr(value, field))
    elif isinstance(value, dict):
        for each in value.values():
            yield from objects(each)
    elif isinstance(value, tuple):
        for each in value:
            yield from objects(each)


def test_a_record_stays_equal_and_becomes_smaller() -> None:
    values = SharedValues()
    first, second = (values.shared(a_record(name)) for name in ("a" * 32, "b" * 32))
    assert (first, second) == (a_record("a" * 32), a_record("b" * 32))
    unshared = [a_record("a" * 32), a_record("b" * 32)]  # both are there: an identity can be used again
    assert len({*objects(first), *objects(second)}) < len({*objects(unshared[0]), *objects(unshared[1])}) / 2
    assert all(operation.memory is first.call.memory for operation in first.call.asked)
    assert first.call.facts.id is first.id
    assert first.last is first.replies["message"]
    assert first.call.flow is second.call.flow
    assert first.call.asked[0].offered is second.call.asked[1].offered
    assert first.replies["owed"] is None


def test_what_differs_is_not_shared() -> None:
    record = a_record("a" * 32)
    call = replace(
        record.call,
        facts=replace(record.call.facts, id="other", language=None),
        asked=(replace(record.call.asked[0], memory=Memory(visits={"menu": 2})), record.call.asked[1]),
    )
    odd = replace(record, call=call, last=WebhookReply(503))
    assert SharedValues().shared(odd) == odd
