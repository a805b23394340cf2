"""What `BotStates` promises, asked of every store."""

import asyncio
from collections.abc import Hashable, Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from ivr.bot_state import TOUCHED_EVERY, ErasedStates, StateKey, StateRecord, StateTags
from ivr.errors import BrokenSeal, DataUnusable, StateChanged, TooManyStates, UnreadableRow
from ivr.store.postgres.postgres_state_erasure import PostgresStateErasure
from ivr.store.sealing import Sealer
from ivr.store.sqlite.sqlite_bot_state import SqliteBotStates
from ivr.store.sqlite.sqlite_calls import SqliteStore
from ivr.store.sqlite.state_rows import StateRows
from ivr.store.sqlite.writer import Statement
from ivr.store.state_columns import PURPOSE
from tests.store.postgres_world import PostgresWorld
from tests.store.store_worlds import SqliteWorld, StatesWorld, ask

SECOND = 1_000_000_000
ANNA = StateKey("bot", "skype", user="29:anna")
BERT = StateKey("bot", "skype", user="29:bert")
ROOM = StateKey("bot", "skype", conversation="room")
ANNA_IN_ROOM = StateKey("bot", "skype", conversation="room", user="29:anna")
ALL = (ANNA, BERT, ROOM, ANNA_IN_ROOM)


async def put(
    world: StatesWorld, key: StateKey, data: bytes = b"1", expected: str | None = None, *, at: int = 0, most: int = 99
) -> StateRecord:
    return await world.states.put(key, data, expected, at=at * SECOND, most=most)


async def held(world: StatesWorld, *keys: StateKey, at: int = 0) -> list[bytes | None]:
    found = [await world.states.get(key, at=at * SECOND) for key in keys]
    return [None if one is None else one.data for one in found]


async def test_what_was_kept_is_there_after_a_crash_to_the_byte(world: StatesWorld) -> None:
    data = b'{"z": 1e400, "a": 12345678901234567890123, "z": "\\u00e9 \xc3\xa9"}'
    kept = await put(world, ANNA, data)
    await world.crash()
    assert await world.states.get(ANNA, at=0) == kept
    assert kept.data == data


async def test_a_bot_reaches_nothing_of_another_one(world: StatesWorld) -> None:
    await put(world, ANNA, b'"ours"')
    other = replace(ANNA, app="other")
    assert await held(world, other) == [None]
    await put(world, other, b'"theirs"')
    await world.states.drop_user("other", "skype", "29:anna")
    assert await held(world, ANNA, other) == [b'"ours"', None]


async def test_what_looks_like_the_name_of_another_record_is_none(world: StatesWorld) -> None:
    keys = [
        *ALL,
        StateKey("bot", "skype", conversation="29:anna"),
        StateKey("bot", "skype", conversation="room/users/29:anna"),
        StateKey("bot", "skype", user='room","29:anna'),
        StateKey("bot/skype", "", user="29:anna"),
        replace(ANNA, channel="Skype"),
    ]
    for number, key in enumerate(keys):
        await put(world, key, str(number).encode())
    assert await held(world, *keys) == [str(number).encode() for number in range(len(keys))]


async def test_each_write_has_another_tag_also_at_one_time_and_after_the_clock_was_set_back(world: StatesWorld) -> None:
    tags = {(await put(world, ANNA, at=at)).tag for at in (1000, 1000, 1000, 10, 2000)}
    assert len(tags) == 5


def test_a_tag_has_the_form_of_the_vendor_s() -> None:
    assert StateTags().next(1_471_515_165_439_815_900) == "W/\"datetime'2016-08-18T10%3A12%3A45.4398159Z'\""


async def test_who_expects_another_tag_writes_and_drops_nothing(world: StatesWorld) -> None:
    first = await put(world, ANNA)
    second = await put(world, ANNA, b"2", first.tag)
    with pytest.raises(StateChanged):
        await put(world, ANNA, b"3", first.tag)
    with pytest.raises(StateChanged):
        await world.states.drop(ANNA, first.tag)
    assert await world.states.get(ANNA, at=0) == second
    await world.states.drop(ANNA, second.tag)
    assert await held(world, ANNA) == [None]


async def test_where_nothing_is_any_tag_will_do(world: StatesWorld) -> None:
    assert (await put(world, ANNA, b"1", "a tag")).data == b"1"
    await world.states.drop(BERT, "a tag")


async def test_of_fifty_who_expect_the_same_tag_one_writes(world: StatesWorld) -> None:
    tag = (await put(world, ROOM)).tag
    for _ in range(2):  # one winner for each tag
        asked = (put(world, ROOM, str(number).encode(), tag) for number in range(50))
        told = await asyncio.gather(*asked, return_exceptions=True)
        won = [one for one in told if isinstance(one, StateRecord)]
        assert sum(isinstance(one, StateChanged) for one in told) == 49
        assert await world.states.get(ROOM, at=0) == won[0]
        tag = won[0].tag


class Watched:
    """A server whose writes are told of as they are handed over."""

    def __init__(self, server: SqliteStore) -> None:
        self._server = server
        self.handed_over = asyncio.Event()

    def written(self, statements: Sequence[Statement], *, key: Hashable | None = None) -> asyncio.Future[None]:
        self.handed_over.set()
        return self._server.written(statements, key=key)

    async def quiet(self, key: Hashable) -> None:
        await self._server.quiet(key)

    async def empty_log(self) -> bool:
        return await self._server.empty_log()


async def test_a_write_that_nobody_waits_for_any_more_comes_before_the_next_one(disk: SqliteWorld) -> None:
    tag = (await put(disk, ANNA)).tag
    server = Watched(disk.store)
    states = SqliteBotStates(disk.database, StateRows(disk.store.derived_key(PURPOSE)), server)
    writes = [asyncio.create_task(states.put(ANNA, str(one).encode(), tag, at=SECOND, most=9)) for one in range(2)]
    await server.handed_over.wait()
    writes[0].cancel()
    outcomes = await asyncio.gather(*writes, return_exceptions=True)
    assert [type(one) for one in outcomes] == [asyncio.CancelledError, StateChanged]
    assert await held(disk, ANNA) == [b"0"]
    await states.close()


async def test_dropping_a_user_leaves_conversations_and_others(world: StatesWorld) -> None:
    elsewhere = replace(ANNA, channel="msteams")
    for key in (*ALL, elsewhere):
        await put(world, key)
    assert await world.states.drop_user("bot", "skype", "29:anna") == ["29:anna", "room"]
    assert await held(world, *ALL, elsewhere) == [None, b"1", b"1", None, b"1"]
    assert await world.states.drop_user("bot", "skype", "29:anna") == []
    await world.crash()
    assert await held(world, *ALL) == [None, b"1", b"1", None]


async def test_a_bot_has_no_more_records_than_it_may_have(world: StatesWorld) -> None:
    await put(world, ANNA, most=2)
    await put(world, BERT, most=2)
    with pytest.raises(TooManyStates):
        await put(world, ROOM, most=2)
    await put(world, BERT, b"2", most=2)
    await put(world, replace(ROOM, app="other"), most=2)
    await world.states.drop(ANNA, None)
    await put(world, ROOM, most=2)


async def test_what_is_not_used_is_forgotten_the_oldest_first(world: StatesWorld) -> None:
    for at, key in enumerate(ALL, 10):
        await put(world, key, at=at)
    assert await world.states.forget(before=12.0, limit=1) == 1
    assert await held(world, *ALL) == [None, b"1", b"1", b"1"]
    assert await world.states.forget(before=12.0, limit=9) == 1
    assert await world.states.forget(before=12.0, limit=9) == 0
    assert await held(world, *ALL) == [None, None, b"1", b"1"]


async def test_who_is_read_is_used_as_of_an_hour_later(world: StatesWorld) -> None:
    hour = int(TOUCHED_EVERY)
    for key in (ANNA, BERT):
        await put(world, key)
    await held(world, ANNA, at=hour)
    await held(world, BERT, at=hour - 1)
    assert await world.states.forget(before=hour - 1.0, limit=9) == 1
    assert await held(world, ANNA, BERT, at=hour) == [b"1", None]


# --- on the disk ------------------------------------------------------------------------------------------------------


def words(world: SqliteWorld) -> set[bytes]:
    wanted = (b"29:anna", b"29:bert", b"room", b"a token of hers")
    contents = [path.read_bytes() for path in world.folder.rglob("*") if path.is_file()]
    return {word for word in wanted if any(word in content for content in contents)}


async def test_neither_data_nor_ids_stand_on_the_disk(disk: SqliteWorld) -> None:
    for key in ALL:
        await put(disk, key, b'"a token of hers"')
    assert words(disk) == set()
    assert await held(disk, *ALL) == [b'"a token of hers"'] * 4


async def test_nothing_is_left_of_the_rows_that_were_forgotten(disk: SqliteWorld) -> None:
    await put(disk, ANNA)
    (body,) = ask(disk.database, "SELECT body FROM bot_state")[0]
    assert any(body in path.read_bytes() for path in disk.folder.iterdir() if path.is_file())
    await disk.states.drop(ANNA, None)
    await disk.states.tidy()
    assert not any(body in path.read_bytes() for path in disk.folder.iterdir() if path.is_file())


DAMAGES: Sequence[str] = (
    "UPDATE bot_state SET body = zeroblob(200)",
    "UPDATE bot_state SET body = 'text'",
    "UPDATE bot_state SET body = 7",
    "UPDATE bot_state SET tag = 'another'",
    "UPDATE bot_state SET body = (SELECT body FROM bot_state WHERE user = '')",
)


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_record_that_cannot_be_read_can_be_written_over_and_dropped(disk: SqliteWorld, damage: str) -> None:
    for key in (ROOM, ANNA):
        await put(disk, key)
    ask(disk.database, damage)
    with pytest.raises(UnreadableRow, match="a record of a bot cannot be read"):
        await disk.states.get(ANNA, at=0)
    await put(disk, ANNA, b"2")
    assert await held(disk, ANNA) == [b"2"]
    ask(disk.database, damage)
    assert await disk.states.drop_user("bot", "skype", "29:anna") == [""]
    assert await held(disk, ANNA) == [None]


async def test_with_another_key_the_server_does_not_start_and_with_the_right_one_all_is_there(
    disk: SqliteWorld,
) -> None:
    await put(disk, ANNA)
    await disk.end()
    for key in ("11" * 32, "22" * 32):
        with pytest.raises(BrokenSeal, match="Put the right key back"):
            await disk.open(seal_key=key)
    ask(disk.database, "DELETE FROM seal")  # a proof that is lost is no other key
    await disk.open()
    assert await held(disk, ANNA) == [b"1"]


# --- in a database that several servers share -------------------------------------------------------------------------


async def test_of_two_servers_one_writes_over_what_both_have_read(shared: PostgresWorld) -> None:
    other = PostgresWorld(shared.database, server="other")
    await other.begin()
    tag = (await put(shared, ROOM)).tag
    asked = [put(world, ROOM, str(number).encode(), tag, at=1) for number in range(9) for world in (shared, other)]
    told = await asyncio.gather(*asked, return_exceptions=True)
    won = [one for one in told if isinstance(one, StateRecord)]
    assert [type(one) for one in told if one not in won] == [StateChanged] * 17
    assert await held(other, ROOM) == [won[0].data]
    await other.end()


async def test_two_servers_never_give_two_contents_one_tag(shared: PostgresWorld) -> None:
    other = PostgresWorld(shared.database, server="other")
    await other.begin()
    for at in range(5):
        tags = [(await put(world, ROOM, at=at)).tag for world in (shared, other, shared)]
        assert tags[0] != tags[1] != tags[2]
    await other.end()


async def test_neither_data_nor_ids_stand_in_the_database(shared: PostgresWorld) -> None:
    for key in ALL:
        await put(shared, key, b'"a token of hers"')
    stored = repr(shared.ask("SELECT * FROM bot_state"))
    assert [word for word in ("29:anna", "29:bert", "room", "a token of hers") if word in stored] == []


SHARED_DAMAGES: Sequence[str] = (
    "UPDATE bot_state SET body = decode(repeat('00', 200), 'hex')",
    "UPDATE bot_state SET body = ''",
    "UPDATE bot_state SET tag = 'another'",
    "UPDATE bot_state SET body = (SELECT body FROM bot_state WHERE person = '')",
)


@pytest.mark.parametrize("damage", SHARED_DAMAGES)
async def test_a_damaged_record_can_be_written_over_and_dropped(shared: PostgresWorld, damage: str) -> None:
    for key in (ROOM, ANNA):
        await put(shared, key)
    shared.ask(damage)
    with pytest.raises(UnreadableRow, match="a record of a bot cannot be read"):
        await shared.states.get(ANNA, at=0)
    await put(shared, ANNA, b"2")
    assert await held(shared, ANNA) == [b"2"]
    shared.ask(damage)
    assert await shared.states.drop_user("bot", "skype", "29:anna") == [""]
    assert await held(shared, ANNA) == [None]


async def test_with_another_key_no_server_starts_on_the_database(shared: PostgresWorld) -> None:
    await put(shared, ANNA)
    other = PostgresWorld(shared.database, "11" * 32, server="other")
    for _ in range(2):
        with pytest.raises(BrokenSeal, match="Put the right key back"):
            await other.begin()
        await other.end()
        shared.ask("DELETE FROM seal")  # a proof that is lost is no other key
    await shared.crash()
    assert await held(shared, ANNA) == [b"1"]
    await shared.states.drop(ANNA, None)
    with pytest.raises(DataUnusable, match="sealed with another key"):
        await other.begin()
    await other.end()


# --- erased by a command ----------------------------------------------------------------------------------------------


async def test_what_bots_keep_of_a_user_is_erased_whichever_bot_keeps_it(shared: PostgresWorld) -> None:
    two = replace(ROOM, conversation="29:anna")
    theirs = replace(ANNA, app="other", channel="msteams")
    for key in (*ALL, two, theirs):
        await put(shared, key)
    assert await shared.state_erasure.count("29:anna") == 4
    assert await shared.state_erasure.erase("29:anna") == ErasedStates(4)
    assert await held(shared, *ALL, two, theirs) == [None, b"1", b"1", None, None, None]
    assert await shared.state_erasure.count("29:anna") == 0
    assert (await shared.state_erasure.count(None), await shared.state_erasure.erase(None)) == (2, ErasedStates(2))
    assert await shared.state_erasure.erase("29:anna") == ErasedStates(0)


async def test_without_the_key_nobody_s_records_are_found_and_those_of_all_are_erased(shared: PostgresWorld) -> None:
    await put(shared, ANNA)
    drawn = PostgresStateErasure(shared.pool, Sealer.find(None, Path("no such folder/seal.key")))
    with pytest.raises(DataUnusable, match="ivr botstate erase --all"):
        await drawn.erase("29:anna")
    shared.ask("DELETE FROM seal")
    other = PostgresStateErasure(shared.pool, Sealer(b"1" * 32, source="the test"))
    with pytest.raises(BrokenSeal, match="Put the right key back"):
        await other.count("29:anna")
    assert await drawn.erase(None) == ErasedStates(1)
