"""What stores promise of a call that we place: it and the request to its platform are one, and begin once."""

import asyncio
from collections import Counter

import pytest
from msgspec.structs import replace

from ivr.call_record import CallRecord, Commit, Stepped
from ivr.engine.call import Call, Facts
from ivr.engine.events import CallAnswered, CallNotAnswered, CallPlaced
from ivr.errors import StaleCall, StoreUnavailable
from ivr.ports import CallKey, Leg, Outbound
from tests.store.store_examples import LATER, MEMORY, after
from tests.store.store_worlds import World

ID = "5f0c2e6f9f6b4a0b8d3a1c2b3d4e5f60"
FACTS = Facts(ID, "skype", "+4315550100", "+436601234567", started=1.5, placed=True)
PLACED = CallPlaced(FACTS.caller, FACTS.called, values={"patient": "Anna", "fee": "12.50"}, masked=("code",))
ORDER = Outbound("place", "POST", "/calls", {"id": ID, "ring": 45}, answered=True, once=True, until=120.0)


def ordered(call: str = ID, *, whole: str = "all of the order") -> Commit:
    """The first turn of a call that we place: our id stands for the platform's, too."""
    facts = replace(FACTS, id=call)
    began = CallRecord(
        call,
        CallKey("skype", "app", call),
        Call(flow="f" * 64, facts=facts, phase="calling", steps=1, memory=MEMORY),
        leg=Leg({"ordered": "true"}),
        idle_at=LATER,
        ordered=whole,
    )
    return replace(after(began, Stepped(PLACED, 1.5), message=None), outbound=(ORDER,), now=1.5)


async def requested(world: World, now: float = 2.0) -> list[Outbound]:
    return [one.request for one in await world.requests.claim("w", now=now, lease=60.0, limit=9)]


async def test_it_comes_back_with_its_order_and_so_does_the_request(world: World) -> None:
    commit = ordered()
    await world.store.commit(commit)
    for _ in range(2):
        loaded = await world.store.load(commit.record.key)
        assert loaded == commit.record
        assert (loaded.ordered, loaded.call.facts) == ("all of the order", FACTS)
        assert list(await world.archive.trace(ID)) == [Stepped(PLACED, 1.5)]
        assert [one.call.facts.placed for one in await world.archive.live(limit=9)] == [True], "it counts as under way"
        await world.crash()
    assert await requested(world) == [ORDER]


async def test_of_many_orders_at_once_one_places_the_call(world: World) -> None:
    commits = [ordered(whole=f"order {number}") for number in range(6)]
    results = await asyncio.gather(*map(world.store.commit, commits), return_exceptions=True)
    assert Counter(type(result) for result in results) == {type(None): 1, StaleCall: 5}
    await world.crash()
    assert await requested(world) == [ORDER]
    assert len(await world.archive.trace(ID)) == 1


async def test_a_call_that_was_not_saved_is_ordered_of_nobody(world: World) -> None:
    commit = ordered()
    with pytest.raises(StoreUnavailable):
        await world.store.commit(replace(commit, outbound=(ORDER, replace(ORDER, path="\ud800"))))
    await world.crash()
    assert await world.store.load(commit.record.key) is None
    assert await requested(world) == []


@pytest.mark.parametrize("over", [False, True])
async def test_what_becomes_of_it_is_saved_like_any_turn(world: World, over: bool) -> None:
    commit = ordered()
    await world.store.commit(commit)
    event = CallNotAnswered("busy", 486) if over else CallAnswered(transfers=True)
    facts = FACTS if over else replace(FACTS, answered=3.0, answered_by="unknown", rung=2.0)
    told = after(commit.record, Stepped(event, 3.0))
    phase, outcome = ("over", "busy") if over else ("answered", None)
    call = replace(told.record.call, facts=facts, phase=phase, outcome=outcome)
    told = replace(told, record=replace(told.record, call=call, leg=Leg()))
    await world.store.commit(told)
    await world.crash()
    assert await world.store.load(commit.record.key) == told.record
    assert [step.event for step in await world.archive.trace(ID)] == [PLACED, event]
    assert len(await world.archive.live(limit=9)) == (0 if over else 1)
