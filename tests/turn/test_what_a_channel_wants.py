"""What a channel wants beside a reply: to be woken, recordings fetched, requests sent; each is saved with its turn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from ivr.engine.commands import FETCH, FETCH_TIME, Request
from ivr.engine.events import (
    CallEnded,
    CallReceived,
    Event,
    InputTimedOut,
    OperationDone,
    RecordingMade,
    RecordingReady,
    ServiceFailed,
)
from ivr.ports import Exchange, Fetch, Incoming, Leg, Outbound, WebhookReply
from tests.flows import flow_of
from tests.turn.house import House, Houses
from tests.turn.simulator import KEY, Line

NOTE = flow_of("""
flow: note
initial: note
on: {exhausted: bye, error: bye, hangup: bye}
states:
  note: {record: {prompt: speak, maxAttempts: 5, into: note}, next: thanks, on: {error.recording: lost}}
  thanks: {say: thanks, next: note}
  lost: {say: lost, next: note}
  bye: {say: goodbye, final: true}
""")
ADDRESS = "https://api.carrier.example/recordings/1"
DELETE = Outbound("1.3/delete", "DELETE", "/recordings/1")


class Wishing(Line):
    """A line that answers as told: `wishes` by the message's id, `at_tick` when it is woken."""

    def __init__(self, *, push: bool = False) -> None:
        self.can = replace(Line.can, push=push)
        self.wishes: dict[str, Callable[[Exchange], Exchange]] = {}
        self.at_tick: list[Exchange] = []
        self.ticks = 0

    def hear(self, leg: Leg, incoming: Incoming, *, now: float) -> Exchange:
        heard = super().hear(leg, incoming, now=now)
        return self.wishes.get(str(incoming.payload), lambda exchange: exchange)(heard)

    def wish(self, *events: Event, **wanted: Any) -> None:
        """Let the message with these events want something, too."""
        self.wishes[str(events)] = lambda exchange: replace(exchange, **wanted)

    def tick(self, leg: Leg, *, now: float) -> Exchange:
        self.ticks += 1
        return self.at_tick.pop(0) if self.at_tick else Exchange(leg)

    def answered(self, leg: Leg, request: Outbound, status: int, body: bytes, *, now: float) -> Exchange:
        return Exchange(Leg({"answered": f"{request.id} {status} {body.decode()}"}), (CallEnded("system"),))


async def began(house_of: Houses, line: Wishing, **wanted: Any) -> House:
    """A call that is asked to speak."""
    house = house_of(NOTE, line)
    received = CallReceived("29:anna", "28:bot")
    if wanted:
        line.wish(received, **wanted)
    await house.told("first", received)
    return house


# --- being woken ------------------------------------------------------------------------------------------------------


async def asks_for(line: Wishing, house: House, wake: float | None) -> None:
    """Let the line want to be woken: it says so whenever it speaks."""
    said = Line.speak

    def speak(leg: Leg, commands: object, *, now: float) -> Exchange:
        return replace(said(line, leg, commands, now=now), wake=wake)  # type: ignore[arg-type]

    line.speak = speak  # type: ignore[method-assign]
    await house.told("again", InputTimedOut(await house.op()))


async def test_a_channel_is_asked_once_when_its_time_is_over(house_of: Houses) -> None:
    line = Wishing()
    house = await began(house_of, line)
    await asks_for(line, house, 1005.0)
    await house.wait(4)
    assert line.ticks == 0
    await house.wait(2)
    assert line.ticks == 1
    assert (await house.record()).wake is None
    assert await house.store.due(house.time) == []
    await house.wait(2)
    assert line.ticks == 1


async def test_what_it_notes_then_and_when_it_wants_to_be_asked_again_is_saved(house_of: Houses) -> None:
    line = Wishing()
    house = await began(house_of, line)
    await asks_for(line, house, 1005.0)
    line.at_tick = [Exchange(Leg({"step": "2"}), wake=1020.0, outbound=(DELETE,))]
    await house.wait(6)
    record = await house.record()
    assert (record.leg.notes, record.wake) == ({"step": "2"}, 1020.0)


async def test_one_that_always_wants_to_be_woken_at_once_is_not(house_of: Houses) -> None:
    line = Wishing()
    house = await began(house_of, line)
    await asks_for(line, house, 1005.0)
    line.at_tick = [Exchange(Leg(), wake=1005.0)]
    await house.wait(6)
    assert (await house.record()).wake is None


async def test_what_it_has_seen_counts_as_if_the_line_had_told(house_of: Houses) -> None:
    line = Wishing()
    house = await began(house_of, line)
    await asks_for(line, house, 1005.0)
    line.at_tick = [Exchange(Leg(), (CallEnded("caller"),))]
    await house.wait(6)
    assert (await house.record()).call.facts.id == "0" * 32
    found = await house.store.load(KEY)
    assert found is not None
    assert found.call.phase in {"gone", "over"}


async def test_what_a_pull_line_then_has_to_say_is_the_reply_to_its_next_message(house_of: Houses) -> None:
    line = Wishing()
    house = await began(house_of, line)
    await asks_for(line, house, 1005.0)
    before = (await house.record()).last
    line.at_tick = [Exchange(Leg(), (InputTimedOut(await house.op()),))]
    await house.wait(6)
    after = (await house.record()).last
    assert after != before
    assert await house.told("stale", InputTimedOut("1.2")) == after


async def test_a_push_line_says_it_at_once_and_its_last_reply_stays(house_of: Houses) -> None:
    line = Wishing(push=True)
    house = await began(house_of, line)
    await asks_for(line, house, 1005.0)
    before = (await house.record()).last
    line.at_tick = [Exchange(Leg(), (InputTimedOut(await house.op()),))]
    await house.wait(6)
    assert (await house.record()).last == before


# --- recordings that come later ---------------------------------------------------------------------------------------


async def announced(house_of: Houses, *, then: Outbound | None = DELETE, ended: str = "silence") -> House:
    """A call whose recording is to be fetched."""
    line = Wishing()
    house = await began(house_of, line)
    op = await house.op()
    made = RecordingMade(op, 2.5, None, ended)  # type: ignore[arg-type]
    line.wish(made, fetches=(Fetch(op, ADDRESS, then),))
    told: list[WebhookReply | None] = []
    incoming = Incoming(KEY, "spoken", (made,))
    if not house.turns.take_now(incoming, told=told.append):
        raise AssertionError("a call in memory is taken at once")
    return house


async def orders(house: House) -> list[Request]:
    return [order.request for order in await house.store.claim("w", now=house.time, lease=60, limit=9)]


async def arrives(house: House, op: str) -> None:
    await house.store.finish("0" * 32, op, RecordingReady(op, "a" * 32 + ".wav"))
    await house.told("next", OperationDone("0.0"))


async def test_an_announced_recording_is_ordered_with_the_turn_that_waits_for_it(house_of: Houses) -> None:
    house = await announced(house_of)
    waiting = (await house.record()).call.waiting
    assert waiting is not None
    assert await orders(house) == [Request(waiting.job, FETCH, {"address": ADDRESS}, FETCH_TIME)]
    assert house.kicks.count == 1


async def test_the_carrier_is_told_to_forget_it_only_once_it_is_taken(house_of: Houses) -> None:
    house = await announced(house_of)
    op = (await orders(house))[0].job
    assert house.store.requests == {}
    await arrives(house, op)
    assert [one.request for one in house.store.requests.values()] == [DELETE]
    assert (await house.record()).fetches == {}
    assert "a" * 32 + ".wav" in house.store.media


async def test_one_that_could_not_be_fetched_stays_with_the_carrier(house_of: Houses) -> None:
    house = await announced(house_of)
    op = (await orders(house))[0].job
    await house.store.finish("0" * 32, op, ServiceFailed(op, "failed"))
    reply = await house.told("next", OperationDone("0.0"))
    assert b"lost" in reply.body
    assert house.store.requests == {}
    assert (await house.record()).fetches == {}


async def test_it_is_ordered_once_however_often_its_address_is_told(house_of: Houses) -> None:
    house = await announced(house_of)
    op = (await orders(house))[0].job
    line = house.turns._channels["sim"]
    assert isinstance(line, Wishing)
    done = OperationDone("0.1")
    line.wish(done, fetches=(Fetch(op, ADDRESS), Fetch("9.9", ADDRESS)))
    await house.told("status", done, wants="ack")
    assert await orders(house) == []


async def test_one_that_nobody_waits_for_is_not_ordered(house_of: Houses) -> None:
    line = Wishing()
    house = await began(house_of, line, fetches=(Fetch("9.9", ADDRESS),))
    assert await orders(house) == []


# --- replies of the line's own, and answers of its platform -----------------------------------------------------------


async def test_a_message_that_moves_nothing_gets_the_reply_that_its_channel_has_for_it(house_of: Houses) -> None:
    line = Wishing()
    house = await began(house_of, line)
    own = WebhookReply(200, b"empty")
    before = (await house.record()).last
    line.wish(InputTimedOut("9.9"), reply=own)
    assert await house.told("old", InputTimedOut("9.9")) == own
    assert await house.told("old", InputTimedOut("9.9")) == own
    assert (await house.record()).last == before
    line.wish(InputTimedOut("9.8"), reply=own)
    assert await house.told("report", InputTimedOut("9.8"), wants="ack") == own


async def test_one_that_moves_the_call_gets_what_follows(house_of: Houses) -> None:
    line = Wishing()
    house = await began(house_of, line)
    silence = InputTimedOut(await house.op())
    line.wish(silence, reply=WebhookReply(200, b"empty"))
    assert await house.told("silent", silence) != WebhookReply(200, b"empty")


@pytest.mark.parametrize("status", [201, 0])
async def test_the_channel_is_told_what_its_platform_answered(house_of: Houses, status: int) -> None:
    house = await began(house_of, Wishing())
    await house.turns.answered(KEY, DELETE, status, b"body")
    record = await house.store.load(KEY)
    assert record is not None
    assert record.leg.notes == {"answered": f"1.3/delete {status} body"}
    assert record.call.phase == "gone"
    await house.turns.answered(KEY, DELETE, status, b"body")
