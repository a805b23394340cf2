"""What stores promise of what flows keep of callers: written with a turn, the last one counts, erased in time."""

import asyncio
from datetime import date, datetime
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ivr.call_record import CallRecord, Commit
from ivr.engine.values import DateTimeValue, DateValue, ListValue, ObjectValue, Stored
from ivr.errors import StaleCall, StoreUnavailable
from ivr.store.memory.memory_calls import MemoryStore
from ivr.user_values import KeptValue, Known, User
from tests.store.postgres_world import PostgresWorld
from tests.store.store_examples import after, line, record
from tests.store.store_worlds import DurableWorld, World

NOW, THEN = 1000.0, 5000.0


def of_caller(name: str, caller: str | None = "+431", *, within: str = "") -> CallRecord:
    begun = record(name)
    facts = replace(begun.call.facts, caller=caller, within=within)
    return replace(begun, call=replace(begun.call, facts=facts))


def keeping(call: CallRecord, *values: KeptValue) -> Commit:
    return replace(after(call, line(0)), kept=values)


def user_of(call: CallRecord) -> User:
    assert call.user is not None
    return call.user


async def kept(world: World, call: CallRecord, *values: KeptValue) -> None:
    await world.store.commit(keeping(call, *values))


def name(value: Stored, *, until: float = THEN, private: bool = False) -> KeptValue:
    return KeptValue("user.name", value, until, private)


async def test_a_value_is_there_with_the_turn_that_kept_it_and_after_a_crash(world: World) -> None:
    call = of_caller("a")
    assert await world.store.known(user_of(call), now=NOW) == {}
    await kept(world, call, name("Ann"), KeptValue("user.visits", 3, THEN))
    assert await world.store.known(user_of(call), now=NOW) == {"user.name": ("Ann", False), "user.visits": (3, False)}
    await world.crash()
    assert await world.store.known(user_of(call), now=NOW) == {"user.name": ("Ann", False), "user.visits": (3, False)}


async def test_every_type_comes_back_to_the_last_digit(world: World) -> None:
    moment = datetime.fromisoformat("2026-03-01T09:00:00+02:00")
    values: tuple[Stored, ...] = (
        True,
        "",
        2**40,
        DateValue(date(2026, 3, 1)),
        DateTimeValue(moment),
        ListValue(("a", ObjectValue({"b": None}))),
    )
    call = of_caller("a")
    await kept(world, call, *(KeptValue(f"user.v{number}", value, THEN) for number, value in enumerate(values)))
    await world.crash()
    known = await world.store.known(user_of(call), now=NOW)
    assert [known[f"user.v{number}"][0] for number in range(len(values))] == list(values)
    when = known["user.v4"][0]
    assert isinstance(when, DateTimeValue)
    assert when.value.isoformat() == moment.isoformat()


async def test_the_last_value_counts_and_none_erases_it(world: World) -> None:
    await kept(world, of_caller("a"), name("Ann"))
    await kept(world, of_caller("b"), name("Bob", private=True))
    assert await world.store.known(user_of(of_caller("a")), now=NOW) == {"user.name": ("Bob", True)}
    await kept(world, of_caller("c"), name("Eve"))
    assert await world.store.known(user_of(of_caller("a")), now=NOW) == {"user.name": ("Eve", False)}
    await kept(world, of_caller("d"), name(None))
    assert await world.store.known(user_of(of_caller("a")), now=NOW) == {}


async def test_a_turn_that_lost_its_race_keeps_nothing(world: World) -> None:
    call = of_caller("a")
    await kept(world, call, name("Ann"))
    with pytest.raises(StaleCall):
        await world.store.commit(keeping(call, name("Eve")))
    assert await world.store.known(user_of(call), now=NOW) == {"user.name": ("Ann", False)}


async def test_a_value_that_cannot_be_written_refuses_its_turn(world: World) -> None:
    call = of_caller("a")
    with pytest.raises(StoreUnavailable):
        await world.store.commit(keeping(call, name("\ud800")))
    assert await world.store.load(call.key) is None


@pytest.mark.parametrize(
    "other",
    [
        User("skype", "app", "", "+432"),
        User("skype", "app", "webchat", "+431"),
        User("skype", "other", "", "+431"),
        User("chat", "app", "", "+431"),
    ],
)
async def test_a_caller_of_another_line_or_part_of_it_is_somebody_else(world: World, other: User) -> None:
    call = of_caller("a")
    assert user_of(call) == User("skype", "app", "", "+431")
    await kept(world, call, name("Ann"))
    assert await world.store.known(other, now=NOW) == {}
    await world.store.forget_user(other)
    assert await world.store.known(user_of(call), now=NOW) == {"user.name": ("Ann", False)}


async def test_nothing_is_kept_of_a_caller_without_a_name(world: World) -> None:
    await kept(world, of_caller("a", None), name("Ann"))
    assert await world.store.forget_values(now=THEN) == 0


async def test_a_value_is_gone_when_its_time_is_over_and_each_write_begins_it_anew(world: World) -> None:
    call = of_caller("a")
    await kept(world, call, name("Ann", until=2000.0), KeptValue("user.visits", 3, THEN))
    assert await world.store.known(user_of(call), now=2000.0) == {"user.visits": (3, False)}
    assert await world.store.forget_values(now=1999.0) == 0
    await kept(world, of_caller("b"), name("Ann", until=3000.0))
    assert await world.store.forget_values(now=2000.0) == 0
    assert await world.store.forget_values(now=3000.0) == 1
    assert await world.store.forget_values(now=3000.0) == 0
    assert await world.store.known(user_of(call), now=NOW) == {"user.visits": (3, False)}


async def test_a_caller_who_wants_to_be_forgotten_is(world: World) -> None:
    await kept(world, of_caller("a"), name("Ann"), KeptValue("user.visits", 3, THEN))
    await kept(world, of_caller("b", "+432"), name("Bob"))
    await world.store.forget_user(user_of(of_caller("a")))
    await world.crash()
    assert await world.store.known(user_of(of_caller("a")), now=NOW) == {}
    assert await world.store.known(user_of(of_caller("b", "+432")), now=NOW) == {"user.name": ("Bob", False)}


# --- a model ---------------------------------------------------------------------------------------------------------

CALLERS = ["+431", "+432", None]
STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("keep"),
            st.sampled_from(CALLERS),
            st.sampled_from(["user.a", "user.b"]),
            st.one_of(st.none(), st.integers(0, 9), st.text("ab", max_size=2)),
            st.booleans(),
            st.integers(1, 6),
        ),
        st.tuples(st.just("pass"), st.integers(1, 3)),
        st.tuples(st.just("forget"), st.sampled_from(CALLERS[:2])),
        st.tuples(st.just("sweep")),
    ),
    max_size=30,
)


@given(STEPS)
def test_memory_is_as_a_table_of_values_says(steps: list[tuple[Any, ...]]) -> None:
    asyncio.run(_as_a_table_says(steps))


async def _as_a_table_says(steps: list[tuple[Any, ...]]) -> None:
    store, table, now = MemoryStore(), dict[tuple[str, str], KeptValue](), 0.0
    for number, (what, *more) in enumerate(steps):
        match what:
            case "keep":
                caller, variable, value, private, length = more
                one = KeptValue(variable, value, now + length, private)
                await store.commit(keeping(of_caller(f"call-{number}", caller), one))
                if caller is not None:
                    table[caller, variable] = one
            case "pass":
                now += more[0]
            case "forget":
                await store.forget_user(User("skype", "app", "", more[0]))
                table = {key: one for key, one in table.items() if key[0] != more[0]}
            case "sweep":
                await store.forget_values(now=now)
        for caller in CALLERS[:2]:
            wanted: Known = {
                variable: (one.value, one.private)
                for (whose, variable), one in table.items()
                if whose == caller and one.value is not None and one.until > now
            }
            assert await store.known(User("skype", "app", "", str(caller)), now=now) == wanted


# --- where they are stored --------------------------------------------------------------------------------------------


async def test_neither_the_caller_nor_a_private_value_stands_in_the_table(durable: DurableWorld) -> None:
    call = of_caller("a", "+4366412345")
    secret = KeptValue("user.pin", "0815-secret", THEN, private=True)
    await kept(cast("World", durable), call, name("Ann-in-clear"), secret)
    rows = durable.ask("SELECT caller, line, name, value, sealed FROM user_value ORDER BY name")
    assert [(row[1], row[2], bool(row[4])) for row in rows] == [
        ('["skype","app",""]', "user.name", False), ('["skype","app",""]', "user.pin", True)
    ]  # fmt: skip
    assert rows[0][3] == b'"Ann-in-clear"'
    assert b"0815" not in rows[1][3]
    assert len(rows[0][0]) == 32
    assert b"66412345" not in rows[0][0]
    assert durable.held([b"0815-secret", b"Ann-in-clear"]) == {b"Ann-in-clear"}


async def test_what_cannot_be_read_is_as_if_it_were_not_there(durable: DurableWorld) -> None:
    call = of_caller("a")
    pin = KeptValue("user.pin", "1", THEN, private=True)
    await kept(cast("World", durable), call, name("Ann"), pin, KeptValue("user.ok", 1, THEN))
    nothing = "'\\x00'" if isinstance(durable, PostgresWorld) else "x'00'"
    durable.ask(f"UPDATE user_value SET value = {nothing} WHERE name <> 'user.ok'")
    assert await durable.store.known(user_of(call), now=NOW) == {"user.ok": (1, False)}
