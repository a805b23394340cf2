"""What `CallSearch` promises, asked of every store."""

from typing import Any

from msgspec.structs import replace

from ivr.call_search import LIVE, NO_OUTCOME, CallsInTime, FoundCall, WantedCalls
from tests.store.store_examples import SECRET, after, key, line, record
from tests.store.store_worlds import World

ANY = WantedCalls()
FACTS = ("caller", "called", "placed", "started")


async def came(world: World, name: str, *, over: bool = False, ended: float = 9.0, **what: Any) -> None:
    """Let a call come in; `what` are facts and members of its state."""
    fresh = record(name, private=SECRET)
    facts = {one: what.pop(one) for one in FACTS if one in what}
    fresh = replace(fresh, key=replace(fresh.key, channel=what.pop("channel", "skype")))
    begun = replace(fresh, call=replace(fresh.call, facts=replace(fresh.call.facts, **facts), **what))
    commit = after(begun, line(), over=over)
    if over:
        commit = replace(commit, trace=(*commit.trace[:-1], replace(commit.trace[-1], now=ended)))
    await world.store.commit(commit)


def names(calls: Any) -> str:
    """Return the platform's names of calls, each of one letter."""
    known = {record(name).id: name for name in "abcdefghijklm"}
    return "".join(known[one.id] for one in calls)


async def found(world: World, **wanted: Any) -> str:
    return names((await world.search.search(WantedCalls(**wanted), before=None, limit=99, look=99)).calls)


async def test_nothing_is_found_where_there_is_nothing(world: World) -> None:
    nothing = await world.search.search(ANY, before=None, limit=9, look=9)
    assert (list(nothing.calls), nothing.looked, nothing.next) == ([], 0, None)
    assert await found(world, since=5.0, until=9.0) == ""
    assert list(await world.search.flows()) == []


async def test_a_call_is_found_with_what_a_list_shows_of_it_and_nothing_private(world: World) -> None:
    await came(world, "a", caller=None, called="+1", placed=True, started=3.0, over=True, outcome="sold", state="bye")
    await came(world, "b")
    (live, over) = (await world.search.search(ANY, before=None, limit=9, look=9)).calls
    flow = record("a").call.flow
    assert over == FoundCall(over.row, record("a").id, flow, "skype", None, "+1", True, 3.0, 9.0, "bye", "sold")
    assert live == FoundCall(
        live.row, record("b").id, flow, "skype", "29:abc", "28:bot", False, 1.5, None, "main", None
    )
    assert live.row > over.row
    assert SECRET not in repr((live, over))
    assert (over.party, live.party, over.kind, live.kind) == ("+1", "29:abc", "sold", LIVE)


async def test_a_number_is_found_however_it_is_written_on_either_side(world: World) -> None:
    await came(world, "a", caller="+43 (664) 555-0100")
    await came(world, "b", caller=None, called="+436645550100", placed=True)
    await came(world, "c", caller="sip:Anna.Huber@example.com")
    await came(world, "d", caller="50% off_everything'\"; --")
    await came(world, "e", caller="Änna")
    for number, who in (
        ("+43 664 5550100", "ba"), ("6645550100", "ba"), ("664/555-01", "ba"), ("ANNA", "c"), ("annahuber@", "c"),
        ("50%", "d"), ("0%_", ""), ("f_e", "d"), ("'\";", "d"), ("Änna", "e"), ("ÄNNA", "e"), ("änna", ""),
        ("+44", ""), ("28:bot", "edca"), (" -", "edcba"),
    ):  # fmt: skip
        assert await found(world, number=number) == who, number


async def test_each_condition_holds_alone_and_with_the_others(world: World) -> None:
    await came(world, "a", flow="1" * 64, state="main", channel="skype")
    await came(world, "b", flow="2" * 64, state="main", channel="twilio", over=True, outcome="sold")
    await came(world, "c", flow="2" * 64, state="bye", channel="twilio", over=True)
    await came(world, "d", flow="3" * 64, state="bye", channel="page", over=True, outcome="sold")
    assert await found(world, flows=frozenset({"2" * 64})) == "cb"
    assert await found(world, flows=frozenset({"1" * 64, "3" * 64})) == "da"
    assert await found(world, flows=frozenset()) == ""
    assert await found(world, state="main") == "ba"
    assert await found(world, state="Main") == ""
    assert await found(world, channel="twilio") == "cb"
    assert await found(world, outcome="sold") == "db"
    assert await found(world, outcome=LIVE) == "a"
    assert await found(world, outcome=NO_OUTCOME) == "c"
    assert await found(world, outcome="sold", channel="twilio", state="main", flows=frozenset({"2" * 64})) == "b"
    assert await found(world, outcome="sold", number="no such") == ""


async def test_a_time_begins_with_its_first_moment_and_ends_before_its_last(world: World) -> None:
    for number, name in enumerate("abcde"):
        await came(world, name, started=10.0 * number)
    assert await found(world, since=10.0) == "edcb"
    assert await found(world, until=10.0) == "a"
    assert await found(world, since=10.5, until=30.5) == "dc"
    assert await found(world, since=41.0) == await found(world, until=0.0) == await found(world, since=9, until=9) == ""


async def test_pages_show_each_call_once_whatever_comes_in_or_goes_meanwhile(world: World) -> None:
    for name in "abcdefg":
        await came(world, name, over=name in "cf", ended=2.0)
    first = await world.search.search(ANY, before=None, limit=3, look=99)
    assert names(first.calls) == "gfe"
    await came(world, "h")
    await world.archive.forget(before=5.0, limit=9)  # f, which was shown, and c, which was not yet
    second = await world.search.search(ANY, before=first.next, limit=3, look=99)
    assert names(second.calls) == "dba"
    third = await world.search.search(ANY, before=second.next, limit=3, look=99)
    assert (list(third.calls), third.next) == ([], None)


async def test_a_look_goes_as_far_as_it_may_and_says_where_to_go_on(world: World) -> None:
    for name in "abcdefg":
        await came(world, name, outcome="sold" if name in "ae" else None, over=True)
    wanted = WantedCalls(outcome="sold")
    first = await world.search.search(wanted, before=None, limit=9, look=4)
    assert (names(first.calls), first.looked) == ("e", 4)
    assert first.next is not None
    second = await world.search.search(wanted, before=first.next, limit=9, look=4)
    assert (names(second.calls), second.looked, second.next) == ("a", 3, None)
    late = WantedCalls(since=1.0, until=1.0)
    assert (await world.search.search(late, before=None, limit=9, look=4)).looked == 0, "a time is not looked for"


async def test_a_call_is_found_as_it_stands_after_its_last_turn(world: World) -> None:
    await came(world, "a", state="main")
    known = await world.store.load(key("a"))
    assert known is not None
    await world.store.commit(after(replace(known, call=replace(known.call, state="bye", outcome="sold")), over=True))
    assert await found(world, state="main") == await found(world, outcome=LIVE) == ""
    assert await found(world, state="bye", outcome="sold") == "a"


async def test_flows_are_known_by_their_hashes(world: World) -> None:
    for flow in ("b" * 64, "a" * 64, "b" * 64):
        await world.store.save_flow(flow, b"source")
    assert list(await world.search.flows()) == ["a" * 64, "b" * 64]


async def test_calls_are_counted_by_when_they_came_in_and_how_they_ended(world: World) -> None:
    one, other = "1" * 64, "2" * 64
    await came(world, "a", flow=one, started=5.0, over=True, ended=7.0, outcome="sold")
    await came(world, "b", flow=one, started=59.0, over=True, ended=69.0, outcome="sold")
    await came(world, "c", flow=one, started=60.0, over=True, ended=50.0)  # a clock was set back
    await came(world, "d", flow=other, started=61.0)
    (block,) = await world.archive.blocks(0.0)
    counted = await world.search.over_time(block, 60.0)
    assert sorted(counted, key=repr) == sorted(
        [
            CallsInTime(one, 0, "sold", 2, 12.0),
            CallsInTime(one, 1, NO_OUTCOME, 1, 0.0),
            CallsInTime(other, 1, LIVE, 1, 0.0),
        ],
        key=repr,
    )
    (later,) = await world.archive.blocks(60.0)
    assert sum(part.calls for part in await world.search.over_time(later, 60.0)) == 2
