"""What `CallStore` and `Archive` promise, asked of every store."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from msgspec.structs import replace

from ivr.call_record import REMEMBERED, CallRecord, Commit
from ivr.engine.events import CallEnded, RecordingReady, ServiceFailed
from ivr.errors import StaleCall, StoreUnavailable
from ivr.ports import Outbound, WebhookReply
from ivr.storage import CallStore
from tests.store.store_examples import (
    LATER,
    ODD_REPLY,
    REPLY,
    SECRET,
    after,
    answered,
    key,
    line,
    record,
    recorded,
    records_of,
    request,
)
from tests.store.store_worlds import SqliteWorld, World, claim


async def opened(world: World, name: str, **more: Any) -> CallRecord:
    """Commit the first turn of a call."""
    commit = after(record(name), line(0), **more)
    await world.store.commit(commit)
    return commit.record


async def outcomes(*commits: Commit, store: CallStore) -> Counter[str]:
    results = await asyncio.gather(*map(store.commit, commits), return_exceptions=True)
    return Counter(type(result).__name__ for result in results)


# --- calls -----------------------------------------------------------------------------------------------------------


async def test_nobody_has_heard_of_a_call_before_its_first_commit(world: World) -> None:
    assert await world.store.load(key("a")) is None
    assert await world.store.inbox("a") == ()
    assert list(await world.archive.trace("a")) == []
    assert list(await records_of(world.archive)) == []


async def test_a_call_comes_back_as_committed(world: World) -> None:
    commit = after(record("a", private=SECRET), line(0), line(1))
    await world.store.commit(commit)
    assert await world.store.load(key("a")) == commit.record


async def test_a_call_survives_a_crash_to_the_last_digit_and_offset(world: World) -> None:
    commit = after(record("a", private=SECRET, idle_at=float("inf")), line(0), line(1))
    await world.store.commit(commit)
    await world.crash()
    loaded = await world.store.load(key("a"))
    assert loaded == commit.record
    booked = loaded.call.memory.variables["booked"].value, loaded.call.memory.private["when"].value
    assert [moment.isoformat() for moment in booked] == ["2026-03-01T09:00:00+02:00"] * 2  # equal is not the same here
    assert str(loaded.call.memory.variables["amount"].value) == "1.10"
    assert list(loaded.replies) == ["message-1"]


async def settled_as(world: World, expected: CallRecord) -> None:
    """A call stands as its turns left it, its replies in their order, before and after a crash."""
    for _ in range(2):
        loaded = await world.store.load(expected.key)
        assert loaded == expected
        assert list(loaded.replies.items()) == list(expected.replies.items())
        await world.crash()


async def turns(world: World, before: CallRecord, *messages: tuple[str | None, WebhookReply | None]) -> CallRecord:
    for message, reply in messages:
        commit = after(before, line(), message=message, reply=reply)
        await world.store.commit(commit)
        before = commit.record
    return before


async def test_replies_are_added_filled_in_and_keep_their_order(world: World) -> None:
    first = await turns(world, record("a"), ("m1", REPLY), ("waits", None), ("odd", ODD_REPLY))
    await opened(world, "b")
    await settled_as(world, first)
    second = await turns(world, first, (None, None), ("waits", REPLY), ("m4", None))
    assert list(second.replies) == ["m1", "waits", "odd", "m4"]
    await settled_as(world, second)
    await settled_as(world, await turns(world, second, ("m4", ODD_REPLY)))
    assert list((await world.store.load(key("b"))).replies) == ["message-1"]


async def test_the_last_replies_are_kept_and_one_that_fell_out_and_comes_again_stands_at_the_end(world: World) -> None:
    many = await turns(world, record("a"), *((f"m{n}", REPLY if n % 3 else None) for n in range(REMEMBERED + 5)))
    assert len(many.replies) == REMEMBERED
    await settled_as(world, many)
    again = await turns(world, many, ("m1", ODD_REPLY), ("m7", REPLY))
    assert list(again.replies)[-1] == "m1"
    await settled_as(world, again)


async def test_the_last_reply_may_be_that_of_no_message(world: World) -> None:
    first = after(record("a"), line())
    await world.store.commit(first)
    told = after(first.record, line(1), message=None)
    told = replace(told, record=replace(told.record, last=ODD_REPLY))
    await world.store.commit(told)
    await settled_as(world, told.record)
    quiet = after(told.record, line(2), reply=None)
    await world.store.commit(quiet)
    assert quiet.record.last == ODD_REPLY
    await settled_as(world, quiet.record)


async def test_messages_that_move_nothing_leave_what_the_call_knows(world: World) -> None:
    """The rows of messages that fell out of the replies may go, and with them nothing that counts."""
    known = await turns(world, record("a"), ("m0", ODD_REPLY))
    for n in range(3 * REMEMBERED):
        commit = after(known, message=f"u{n}", reply=ODD_REPLY if n % 2 else REPLY)
        last = known.last if n % 5 else commit.record.last
        commit = replace(commit, record=replace(commit.record, last=last))
        await world.store.commit(commit)
        known = commit.record
    await settled_as(world, known)
    again = await turns(world, known, ("m0", REPLY), ("u0", None))
    await settled_as(world, again)


async def test_readers_of_the_archive_get_no_replies(world: World) -> None:
    await opened(world, "a")
    for found in (
        *await records_of(world.archive),
        *await world.archive.live(limit=9),
        *await world.archive.finished(since=0.0, limit=9),
    ):
        assert (found.replies, found.last) == ({}, None)


async def test_calls_of_two_accounts_may_have_one_name(world: World) -> None:
    other = replace(record("b"), key=replace(key("a"), account="another"))
    await world.store.commit(after(record("a"), line()))
    await world.store.commit(after(other, line()))
    assert (await world.store.load(other.key)).id == other.id
    assert (await world.store.load(key("a"))).id == record("a").id


async def test_a_commit_that_skips_or_repeats_a_version_is_stale(world: World) -> None:
    first = await opened(world, "a")
    for version in (0, 1, 3):
        with pytest.raises(StaleCall):
            await world.store.commit(after(replace(first, version=version - 1), line(1)))
    assert await world.store.load(key("a")) == first


async def test_a_call_is_opened_once(world: World) -> None:
    first = await opened(world, "a")
    with pytest.raises(StaleCall):
        await world.store.commit(after(replace(record("b"), key=key("a")), line()))
    assert await world.store.load(key("a")) == first


async def test_of_many_turns_at_once_each_version_is_won_by_one(world: World) -> None:
    before = {name: record(name) for name in "abcde"}
    for _ in range(4):
        rivals = [after(call, line(n)) for call in before.values() for n in range(6)]
        assert await outcomes(*rivals, store=world.store) == {"NoneType": 5, "StaleCall": 25}
        before = {name: await world.store.load(key(name)) for name in before}
    assert {(call.version, call.steps) for call in before.values()} == {(4, 4)}
    assert all([len(await world.archive.trace(call.id)) == 4 for call in before.values()])


async def test_nothing_of_a_stale_commit_is_saved(world: World) -> None:
    first = await opened(world, "a")
    stale = after(record("a"), recorded("lost.wma"), jobs=(request("1.1"),), outbound=(Outbound("1.2", "POST", "/x"),))
    with pytest.raises(StaleCall):
        await world.store.commit(stale)
    await world.crash()
    assert await world.store.load(key("a")) == first
    assert list(await world.archive.trace(first.id)) == [line(0)]
    assert await claim(world.store) == []
    assert not await world.store.named("lost.wma")


# --- what cannot be saved --------------------------------------------------------------------------------------------

POISON = {
    "a surrogate in the call's name": after(record("\ud800"), line()),
    "a surrogate in a message id": after(record("p"), line(), message="\ud800"),
    "a message without a reply of its own": Commit(after(record("p"), line()).record, (line(),), message="another"),
    "two recordings": after(record("p"), recorded("one.wma"), recorded("two.wma")),
    "a surrogate in a variable": after(replace(record("p"), call=replace(record("p").call, outcome="\ud800")), line()),
    "a surrogate in the trace": after(record("p"), replace(line(), ignored="\ud800")),
    "a surrogate in an order": after(record("p"), line(), jobs=(request("\ud800"),)),
    "a surrogate in a request to the platform": after(record("p"), line(), outbound=(Outbound("1", "\ud800", "/"),)),
    "an object that has no written form": after(record("p"), line(), outbound=(Outbound("1", "POST", "/", object()),)),
    "one job twice": after(record("p"), line(), jobs=(request("1.1"), request("1.1"))),
    "one request to the platform twice": after(record("p"), line(), outbound=(Outbound("1", "POST", "/"),) * 2),
    "a line of the trace too many": after(replace(record("p"), steps=-1), line()),
    "a hole in the trace": after(replace(record("p"), steps=1), line()),
    "the id of another call": after(replace(record("p"), id=record("settled").id), line()),
    "the id of a call that is over": after(replace(record("p"), id=record("finished").id), line()),
}


@pytest.mark.parametrize("poison", POISON.values(), ids=POISON.keys())
async def test_a_poisoned_commit_fails_alone(world: World, poison: Commit) -> None:
    settled = await opened(world, "settled")
    await opened(world, "finished", over=True)
    await world.crash()
    names = [f"n{n}" for n in range(12)]
    healthy = [after(record(name), line()) for name in names]
    healthy.append(after(settled, line(1)))
    assert await outcomes(*healthy[:6], poison, *healthy[6:], store=world.store) == {
        "NoneType": 13,
        "StoreUnavailable": 1,
    }
    await world.store.commit(after(healthy[0].record, line(1)))
    await world.crash()
    assert (await world.store.load(key("n0"))).version == 2
    assert len(await records_of(world.archive)) == 14
    assert await claim(world.store) == []


async def test_a_call_keeps_our_id(world: World) -> None:
    first = await opened(world, "a")
    with pytest.raises(StoreUnavailable):
        await world.store.commit(after(replace(first, id=record("b").id), line(1)))
    assert await world.store.load(key("a")) == first


async def test_a_job_that_is_owed_is_not_asked_for_again(world: World) -> None:
    first = await opened(world, "a", jobs=(request("1.1"),))
    with pytest.raises(StoreUnavailable):
        await world.store.commit(after(first, line(1), jobs=(request("1.1"),)))
    await world.store.finish(first.id, "1.1", answered("1.1"))
    with pytest.raises(StoreUnavailable):
        await world.store.commit(after(first, line(1), jobs=(request("1.1"),)))
    await world.store.commit(after(first, line(1), jobs=(request("1.1"),), taken=("1.1",)))
    assert [order.request.job for order in await claim(world.store)] == ["1.1"]


# --- finished calls --------------------------------------------------------------------------------------------------


async def test_a_call_that_is_over_is_still_found(world: World) -> None:
    first = await opened(world, "a")
    last = after(first, line(1), over=True)
    await world.store.commit(last)
    assert await world.store.load(key("a")) == last.record
    await world.crash()
    assert await world.store.load(key("a")) == last.record
    assert list(await world.store.due(LATER)) == []


async def test_a_call_that_is_over_can_still_note_a_reply(world: World) -> None:
    await opened(world, "a", over=True)
    await world.crash()
    over = await world.store.load(key("a"))
    late = after(over, message="late", reply=None)
    assert await outcomes(late, late, store=world.store) == {"NoneType": 1, "StaleCall": 1}
    assert list((await world.store.load(key("a"))).replies.items()) == [("message-1", REPLY), ("late", None)]
    assert list(await world.store.due(LATER)) == []


async def test_a_call_that_is_over_is_not_opened_again(world: World) -> None:
    await opened(world, "a", over=True)
    await world.crash()
    with pytest.raises(StaleCall):
        await world.store.commit(after(replace(record("b"), key=key("a")), line()))
    assert (await world.store.load(key("a"))).id == record("a").id


# --- orders ----------------------------------------------------------------------------------------------------------


async def test_an_order_is_handed_out_once_with_all_that_it_says(world: World) -> None:
    call = await opened(world, "a", jobs=(request("1.1"),))
    (order,) = await claim(world.store)
    assert (order.call, order.key, order.request, order.attempts) == (call.id, call.key, request("1.1"), 1)
    assert await claim(world.store) == []


async def test_claims_at_once_share_the_orders_and_keep_the_limit(world: World) -> None:
    await opened(world, "a", jobs=tuple(request(f"1.{n}") for n in range(5)))
    await opened(world, "b", jobs=tuple(request(f"1.{n}") for n in range(5)))
    shares = await asyncio.gather(*(claim(world.store, limit=3) for _ in range(5)))
    assert [len(share) for share in shares] == [3, 3, 3, 1, 0]
    orders = [(order.call, order.request.job) for share in shares for order in share]
    assert len(set(orders)) == 10
    assert [job for call, job in orders if call == record("a").id] == [f"1.{n}" for n in range(5)]


async def test_a_crash_opens_taken_orders_again_and_counts_the_runs(world: World) -> None:
    await opened(world, "a", jobs=(request("1.1"), request("1.2")))
    for attempts in (1, 2, 3):
        assert sorted((o.request.job, o.attempts) for o in await claim(world.store)) == [
            ("1.1", attempts),
            ("1.2", attempts),
        ]
        await world.crash()


async def test_after_three_runs_that_were_cut_off_an_order_is_given_up(world: World) -> None:
    call = await opened(world, "a", jobs=(request("1.1"), request("1.2")))
    for _ in range(3):
        await claim(world.store)
        await world.crash()
    later = await opened(world, "b", jobs=(request("1.1"),))
    assert [order.call for order in await claim(world.store, limit=1)] == [later.id]
    assert list(await world.store.inbox(call.id)) == [ServiceFailed("1.1", "failed"), ServiceFailed("1.2", "failed")]
    assert await world.store.finish(call.id, "1.1", answered("1.1")) is False
    await world.crash()
    assert list(await world.store.inbox(call.id)) == [ServiceFailed("1.1", "failed"), ServiceFailed("1.2", "failed")]
    assert [order.call for order in await claim(world.store)] == [later.id]


async def test_the_order_of_a_dead_worker_comes_back_after_its_lease_and_not_before(world: World) -> None:
    call = await opened(world, "a", jobs=(request("1.1"), request("1.2")))  # each may take 30 s
    assert len(await claim(world.store, owner="dead", now=100.0, lease=60.0)) == 2
    assert await world.store.finish(call.id, "1.2", answered("1.2")) is True
    assert await claim(world.store, owner="alive", now=189.9) == []
    (again,) = await claim(world.store, owner="alive", now=190.0)
    assert (again.request.job, again.attempts) == ("1.1", 2)
    assert await claim(world.store, owner="third", now=190.0) == [], "that one has its own lease now"
    assert await world.store.finish(call.id, "1.1", answered("1.1", "of the dead")) is True, "the first answer wins"
    assert await claim(world.store, owner="third", now=1e9) == []


async def test_what_a_living_worker_has_is_handed_out_once_however_long_it_takes(world: World) -> None:
    await opened(world, "a", jobs=(request("1.1"),))
    assert len(await claim(world.store, owner="alive", now=0.0)) == 1
    assert await claim(world.store, owner="alive", now=1e9) == [], "whoever asks is alive"


async def test_an_order_that_killed_three_workers_is_given_up(world: World) -> None:
    call = await opened(world, "a", jobs=(request("1.1"),))
    for attempt, now in enumerate((0.0, 100.0, 200.0), 1):
        assert [order.attempts for order in await claim(world.store, owner=f"w{attempt}", now=now)] == [attempt]
    assert await claim(world.store, owner="last", now=300.0) == []
    assert list(await world.store.inbox(call.id)) == [ServiceFailed("1.1", "failed")]
    await world.crash()
    assert list(await world.store.inbox(call.id)) == [ServiceFailed("1.1", "failed")]


async def test_after_a_restart_of_the_only_process_no_order_is_held_back(world: World) -> None:
    await opened(world, "a", jobs=(request("1.1"),))
    await claim(world.store, owner="before", now=100.0)
    await world.crash()
    assert [order.attempts for order in await claim(world.store, owner="after", now=100.0)] == [2]


async def test_a_store_that_can_be_used_says_nothing(world: World) -> None:
    await world.store.probe()


async def test_orders_end_with_their_call(world: World) -> None:
    first = await opened(world, "a", jobs=(request("1.1"), request("1.2"), request("1.3")))
    await claim(world.store, limit=1)
    await world.store.finish(first.id, "1.2", answered("1.2"))
    last = after(first, line(1), over=True, jobs=(request("2.1"),))
    await world.store.commit(last)
    for _ in range(2):
        assert list(await world.store.inbox(first.id)) == []
        assert await world.store.finish(first.id, "1.1", answered("1.1")) is False
        assert list(await claim(world.store)) == []
        await world.crash()


async def test_an_order_whose_call_ends_while_it_is_claimed_is_not_handed_out(world: World) -> None:
    call = await opened(world, "a", jobs=(request("1.1"),))
    end = after(call, line(1), over=True)
    _, orders = await asyncio.gather(world.store.commit(end), claim(world.store))
    assert list(orders) == []


# --- answers ---------------------------------------------------------------------------------------------------------


async def test_answers_wait_in_the_order_in_which_they_came(world: World) -> None:
    call = await opened(world, "a", jobs=tuple(request(f"1.{n}", sensitive=n == 2) for n in range(4)))
    for job in ("1.2", "1.0", "1.3"):
        assert await world.store.finish(call.id, job, answered(job, SECRET)) is True
    await world.crash()
    await world.store.finish(call.id, "1.1", ServiceFailed("1.1", "timeout"))
    await world.crash()
    assert list(await world.store.inbox(call.id)) == [
        answered("1.2", SECRET),
        answered("1.0", SECRET),
        answered("1.3", SECRET),
        ServiceFailed("1.1", "timeout"),
    ]
    assert await claim(world.store) == []


async def test_the_first_answer_wins(world: World) -> None:
    call = await opened(world, "a", jobs=(request("1.1"),))
    texts = ["first", "second", "third"]
    won = await asyncio.gather(*(world.store.finish(call.id, "1.1", answered("1.1", text)) for text in texts))
    assert won == [True, False, False]
    await world.crash()
    assert await world.store.finish(call.id, "1.1", answered("1.1", "fourth")) is False
    assert list(await world.store.inbox(call.id)) == [answered("1.1", "first")]


async def test_an_answer_to_a_question_never_asked_is_not_kept(world: World) -> None:
    call = await opened(world, "a")
    assert await world.store.finish(call.id, "1.1", answered("1.1")) is False
    assert await world.store.finish("no such call", "1.1", answered("1.1")) is False
    assert list(await world.store.inbox(call.id)) == []


async def test_an_answer_leaves_with_the_turn_that_stepped_it_and_counts_no_more(world: World) -> None:
    call = await opened(world, "a", jobs=(request("1.1"), request("1.2"), request("1.3")))
    await world.store.finish(call.id, "1.1", answered("1.1"))
    await world.store.finish(call.id, "1.2", answered("1.2"))
    await world.store.commit(after(call, line(1), taken=("1.1", "1.3", "no such job")))
    for _ in range(2):
        assert list(await world.store.inbox(call.id)) == [answered("1.2")]
        assert await world.store.finish(call.id, "1.1", answered("1.1")) is False
        assert [order.request.job for order in await claim(world.store)] == ["1.3"]
        await world.crash()


async def test_an_answer_and_the_end_of_the_call_at_once_leave_nothing(world: World) -> None:
    call = await opened(world, "a", jobs=(request("1.1", sensitive=True),))
    end = after(call, line(1), over=True)
    await asyncio.gather(world.store.finish(call.id, "1.1", answered("1.1", SECRET)), world.store.commit(end))
    await world.crash()
    assert list(await world.store.inbox(call.id)) == []
    assert list(await world.store.due(LATER)) == []


async def test_the_end_of_the_call_and_an_answer_at_once_leave_nothing(world: World) -> None:
    call = await opened(world, "a", jobs=(request("1.1", sensitive=True),))
    end = after(call, line(1), over=True)
    _, won = await asyncio.gather(world.store.commit(end), world.store.finish(call.id, "1.1", answered("1.1", SECRET)))
    assert won is False
    await world.crash()
    assert list(await world.store.inbox(call.id)) == []


# --- time ------------------------------------------------------------------------------------------------------------


async def test_a_call_is_due_when_its_first_time_has_come(world: World) -> None:
    for name, deadline, idle_at, wake in (("a", 30, 90, None), ("b", 90, 20, 95), ("c", 90, 90, 10), ("d", 90, 95, 99)):
        call = record(name, idle_at=float(idle_at))
        call = replace(call, call=replace(call.call, waiting=replace(call.call.waiting, until=float(deadline))))
        commit = after(call, line())
        await world.store.commit(replace(commit, record=replace(commit.record, wake=wake)))
    for _ in range(2):
        assert list(await world.store.due(9.9)) == []
        assert list(await world.store.due(10)) == [key("c")]
        assert list(await world.store.due(30)) == [key("c"), key("b"), key("a")]
        assert list(await world.store.due(30)) == [key("c"), key("b"), key("a")]
        await world.crash()


async def test_a_call_whose_time_was_moved_is_due_at_the_new_one(world: World) -> None:
    commit = after(record("a", idle_at=10.0), line())
    await world.store.commit(commit)
    await world.store.commit(after(replace(commit.record, idle_at=50.0), line(1)))
    assert list(await world.store.due(49)) == []
    assert list(await world.store.due(50)) == [key("a")]


async def test_a_call_is_due_while_its_inbox_holds_an_answer(world: World) -> None:
    call = await opened(world, "a", jobs=(request("1.1"),))
    await world.store.finish(call.id, "1.1", answered("1.1"))
    assert list(await world.store.due(0)) == [key("a")]
    assert list(await world.store.due(LATER)) == [key("a")]
    await world.crash()
    assert list(await world.store.due(0)) == [key("a")]
    await world.store.commit(after(call, line(1), taken=("1.1",)))
    assert list(await world.store.due(0)) == []


# --- recordings, flows, the archive ----------------------------------------------------------------------------------


async def test_recordings_that_calls_took_are_named_for_good(world: World) -> None:
    first = await opened(world, "a")
    await world.store.commit(after(first, recorded("one.wma"), recorded("twin.wma", ignored="stale"), over=True))
    await world.store.commit(after(record("b"), recorded("one.wma"), recorded(None)))
    await world.store.commit(after(record("c"), recorded("two.wma"), audio=b"audio"))
    for _ in range(2):
        assert list(await world.store.unnamed(["one.wma", "twin.wma", "two.wma", "no.wma"])) == ["twin.wma", "no.wma"]
        assert [await world.store.named(n) for n in ("one.wma", "two.wma", "twin.wma")] == [True, True, False]
        await world.crash()


async def test_a_recording_that_an_answer_names_is_no_rubbish_before_the_turn_that_takes_it(world: World) -> None:
    call = await opened(world, "a", jobs=(request("1.1"),))
    assert list(await world.store.unnamed(["one.wav"])) == ["one.wav"]
    await world.store.finish(call.id, "1.1", RecordingReady("1.1", "one.wav"))
    for _ in range(2):
        assert list(await world.store.unnamed(["one.wav", "two.wav"])) == ["two.wav"]
        await world.crash()
    await world.store.commit(after(call, line(1), taken=("1.1",)))
    assert list(await world.store.unnamed(["one.wav"])) == ["one.wav"]


async def test_what_a_platform_is_told_once_a_recording_is_kept_comes_back_as_committed(world: World) -> None:
    fetches = {"1.1": Outbound("1.1/delete", "DELETE", "/r", {"x": None}), "1.2": None}
    await world.store.commit(after(replace(record("a"), fetches=fetches), line()))
    await world.crash()
    found = await world.store.load(key("a"))
    assert found is not None
    assert found.fetches == fetches


async def test_flows_are_kept_as_they_were_first_saved(world: World) -> None:
    assert await world.store.flow("hash") is None
    await world.store.save_flow("hash", b"flow: \xff\x00")
    await world.store.save_flow("hash", b"another")
    await world.crash()
    assert await world.store.flow("hash") == b"flow: \xff\x00"


async def test_a_flow_is_found_by_its_assets_where_servers_share_the_store(world: World) -> None:
    await world.store.save_flow("h1", b"flow", ["a" * 64, "b" * 64])
    await world.store.save_flow("h2", b"flow")
    found = [await world.store.flow_with(asset * 64) for asset in "abc"]
    assert found == ([None] * 3 if isinstance(world, SqliteWorld) else ["h1", "h1", None])
    await world.store.save_flow("h2", b"flow", ["c" * 64])  # one that was copied here had none yet
    assert isinstance(world, SqliteWorld) or await world.store.flow_with("c" * 64) == "h2"


async def test_a_trace_is_every_line_in_order(world: World) -> None:
    commit = after(record("a"), *(line(n) for n in range(11)))
    await world.store.commit(commit)
    await world.store.commit(after(commit.record, line(11), over=True))
    await world.crash()
    trace = list(await world.archive.trace(commit.record.id))
    assert trace[:12] == [line(n) for n in range(12)]
    assert [step.event for step in trace[12:]] == [CallEnded("caller")]


async def test_the_archive_lists_all_calls_the_oldest_first_and_nothing_private(world: World) -> None:
    for name in ("b", "c", "a"):
        await world.store.commit(after(record(name, private=SECRET), line(), over=name == "c"))
    live = await world.store.load(key("b"))
    await world.store.commit(after(live, line(1)))
    await world.crash()
    listed = list(await records_of(world.archive))
    assert [(call.key.id, call.version, call.call.phase) for call in listed] == [
        ("b", 2, "answered"),
        ("c", 1, "over"),
        ("a", 1, "answered"),
    ]
    assert SECRET not in repr(listed)
    assert listed[2].call.memory.variables == live.call.memory.variables
