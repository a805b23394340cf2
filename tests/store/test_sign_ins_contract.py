"""What `SignInStore` promises, asked of every store."""

import asyncio
from typing import Any, cast

import pytest
from msgspec.structs import replace

from ivr.sign_in_ports import DirectoryUser
from ivr.sign_in_storage import KEPT, Attempt, SignIn, Tokens, Watched
from ivr.store.sealing import Sealer
from tests.store.postgres_world import PostgresWorld
from tests.store.store_examples import after, line, record
from tests.store.store_worlds import DurableWorld, SqliteWorld, World

ADA = DirectoryUser("d-1", "u-1")
TOKENS = Tokens("access-eyJ0", 900.0, "refresh-0.AX", ADA)
OPEN = Attempt("a" * 32, "", "1.1", "calendar", "code", ("Calendars.Read",), "de", "42", 10.0, 610.0, "open",
               link="l", ticket="t")  # fmt: skip
A, B = "a" * 32, "b" * 32


async def call(world: World, name: str) -> str:
    """Begin a call, and return our id of it."""
    commit = after(record(name), line())
    await world.store.commit(commit)
    return commit.record.id


async def end(world: World, name: str) -> None:
    """End a call."""
    saved = await world.store.load(record(name).key)
    assert saved is not None
    await world.store.commit(after(saved, over=True))


def of(taken: str, attempt: str = A, **changed: Any) -> Attempt:
    return replace(OPEN, call=taken, id=attempt, **changed)


async def added(world: World, attempt: Attempt, tokens: Tokens | None = None) -> SignIn:
    """Add an attempt, with tokens if there are some, and return it as it is then."""
    await world.sign_ins.add(attempt)
    sign_in = await world.sign_ins.get(attempt.id)
    assert sign_in is not None
    if tokens is None:
        return sign_in
    changed = await world.sign_ins.change(sign_in, replace(sign_in, tokens=tokens))
    assert changed is not None
    return changed


async def test_attempts_and_tokens_survive_a_crash_the_oldest_first(world: World) -> None:
    taken = await call(world, "a")
    first, second = await added(world, of(taken)), await added(world, of(taken, B), TOKENS)
    proved = SignIn(replace(first.attempt, phase="proved", verifier="", wrong=2, wanted=ADA), TOKENS)
    assert await world.sign_ins.change(first, proved)
    await world.crash()
    kept = [(one.attempt, one.tokens) for one in await world.sign_ins.of_call(taken)]
    assert kept == [(proved.attempt, TOKENS), (second.attempt, TOKENS)]
    assert await world.sign_ins.count() == 2


async def test_tokens_go_when_an_attempt_is_changed_to_have_none(world: World) -> None:
    signed_in = await added(world, of(await call(world, "a")), TOKENS)
    burnt = replace(signed_in.attempt, phase="burnt")
    assert await world.sign_ins.change(signed_in, SignIn(burnt))
    await world.crash()
    found = await world.sign_ins.get(A)
    assert found is not None
    assert (found.attempt, found.tokens) == (burnt, None)


async def test_of_many_changes_made_from_one_state_one_counts(world: World) -> None:
    before = await added(world, of(await call(world, "a")))
    changes = [replace(before, attempt=replace(before.attempt, wrong=wrong)) for wrong in range(1, 9)]
    changed = [one for one in await asyncio.gather(*(world.sign_ins.change(before, one) for one in changes)) if one]
    assert len(changed) == 1
    assert await world.sign_ins.get(A) == changed[0]
    assert changed[0].version == before.version + 1
    assert await world.sign_ins.change(before, before) is None


async def test_an_attempt_is_found_by_what_it_has_now(world: World) -> None:
    taken = await call(world, "a")
    before = await added(world, of(taken))
    await added(world, of(taken, B, link="l2", ticket="t2"))
    for digest in ("l", "t"):
        assert await world.sign_ins.known(digest) == before
    assert await world.sign_ins.known("") is None
    assert await world.sign_ins.known("another") is None
    sent = await world.sign_ins.change(
        before, replace(before, attempt=replace(before.attempt, ticket="", entry="e", state="s"))
    )
    assert [await world.sign_ins.known(digest) for digest in ("l", "e", "s")] == [sent] * 3
    assert await world.sign_ins.known("t") is None
    await world.crash()
    again = await world.sign_ins.known("s")
    assert again is not None
    assert again.attempt == replace(before.attempt, ticket="", entry="e", state="s")
    await world.sign_ins.erase([A])
    assert [await world.sign_ins.known(digest) for digest in ("l", "e", "s")] == [None] * 3


async def test_what_is_erased_is_gone_with_its_tokens(world: World) -> None:
    taken = await call(world, "a")
    gone, stays = await added(world, of(taken), TOKENS), await added(world, of(taken, B))
    await world.sign_ins.erase([A, "nobody's"])
    assert await world.sign_ins.of_call(taken) == [stays]
    assert await world.sign_ins.get(A) is None
    assert await world.sign_ins.change(gone, gone) is None
    assert await world.sign_ins.count() == 1


async def test_there_is_no_attempt_without_a_call(world: World) -> None:
    await world.sign_ins.add(of("f" * 32))
    assert await world.sign_ins.get(A) is None
    assert await world.sign_ins.count() == 0


async def test_what_has_to_be_looked_at(world: World) -> None:
    live, ended = await call(world, "a"), await call(world, "b")
    waits = await added(world, of(live))
    over = await added(world, of(ended, B, ticket="t2", link="l2"), TOKENS)
    assert await world.sign_ins.watched(609.0) == []
    await end(world, "b")
    assert await world.sign_ins.watched(609.0) == [Watched(over, over=True)]
    await world.sign_ins.erase([B])
    assert await world.sign_ins.watched(610.0) == [Watched(waits, over=False)]
    for phase, tokens, due in (
        ("polling", None, 0.0),
        ("redeeming", None, 0.0),
        ("proved", TOKENS, 610.0),
        ("declined", None, 610.0 + KEPT),
        ("signedIn", TOKENS, None),
    ):
        changed = await world.sign_ins.change(waits, SignIn(replace(waits.attempt, phase=phase), tokens))
        assert changed is not None
        waits = changed
        assert await world.sign_ins.watched(1e12) == ([] if due is None else [Watched(waits, over=False)])
        assert due is None or due == 0 or await world.sign_ins.watched(due - 1) == []
        assert due is None or await world.sign_ins.watched(due) == [Watched(waits, over=False)]


async def test_they_are_erased_with_their_call(world: World) -> None:
    ended, live = await call(world, "a"), await call(world, "b")
    await added(world, of(ended), TOKENS)
    kept = await added(world, of(live, B), TOKENS)
    await end(world, "a")
    if isinstance(world, PostgresWorld):
        world.ask("DELETE FROM sign_in WHERE call = (SELECT row FROM call WHERE id = $1)", ended)
        world.ask("DELETE FROM call WHERE id = $1", ended)
    else:
        await world.archive.forget(before=1e9, limit=9)
    await world.crash()
    assert await world.sign_ins.get(A) is None
    found = await world.sign_ins.get(B)
    assert found is not None
    assert (found.attempt, found.tokens) == (kept.attempt, TOKENS)


async def test_nothing_of_them_can_be_read_without_their_key(durable: DurableWorld) -> None:
    world = cast("World", durable)
    taken = await call(world, "a")
    await added(world, of(taken, verifier="the-verifier", device_code="the-device"), TOKENS)
    words = {b"access-eyJ0", b"refresh-0.AX", b"u-1", b"the-verifier", b"the-device", b"Calendars.Read"}
    assert durable.held({taken.encode(), *words}) == {taken.encode()}


def tokens_in(durable: DurableWorld) -> tuple[str, str]:
    """Return the table and the column in which tokens are stored."""
    return ("sign_in", "tokens") if isinstance(durable, PostgresWorld) else ("sign_in_token", "body")


@pytest.mark.parametrize("damage", ["a byte", "zeros", "cut off", "another's"])
async def test_what_cannot_be_read_is_left_out_and_harms_no_other(durable: DurableWorld, damage: str) -> None:
    world = cast("World", durable)
    taken = await call(world, "a")
    await added(world, of(taken))
    await added(world, of(taken, B), TOKENS)
    table, column = tokens_in(durable)
    as_bytes = "'\\x00'::bytea" if isinstance(durable, PostgresWorld) else "X'00'"
    stored = {
        "a byte": as_bytes,
        "zeros": "decode(repeat('00', 40), 'hex')" if isinstance(durable, PostgresWorld) else "zeroblob(40)",
        "cut off": "substr(body, 1, 30)",
        "another's": f"(SELECT {column} FROM {table} WHERE id = '{B}')",
    }[damage]
    durable.ask(f"UPDATE sign_in SET body = {stored} WHERE id = '{A}'")
    await durable.crash()
    assert [one.attempt.id for one in await world.sign_ins.of_call(taken)] == [B]


async def test_what_is_no_bytes_in_a_file_is_left_out(disk: SqliteWorld) -> None:
    taken = await call(disk, "a")
    await added(disk, of(taken))
    await added(disk, of(taken, B), TOKENS)
    disk.ask(f"UPDATE sign_in SET body = 'text' WHERE id = '{A}'")
    await disk.crash()
    assert [one.attempt.id for one in await disk.sign_ins.of_call(taken)] == [B]


async def test_tokens_open_for_their_own_attempt_alone(durable: DurableWorld) -> None:
    world = cast("World", durable)
    taken = await call(world, "a")
    await added(world, of(taken), replace(TOKENS, access="of-somebody-else"))
    await added(world, of(taken, B), TOKENS)
    table, column = tokens_in(durable)
    durable.ask(f"UPDATE {table} SET {column} = (SELECT {column} FROM {table} WHERE id = '{A}') WHERE id = '{B}'")
    await durable.crash()
    assert [one.attempt.id for one in await world.sign_ins.of_call(taken)] == [A]


async def test_they_have_a_key_of_their_own(durable: DurableWorld) -> None:
    world = cast("World", durable)
    await added(world, of(await call(world, "a")), TOKENS)
    table, column = tokens_in(durable)
    [(body,)] = durable.ask(f"SELECT {column} FROM {table}")
    assert isinstance(body, bytes)
    key = durable.derived_key("sealed sign-ins")
    assert b"access-eyJ0" in Sealer(key, source="the test").unseal(body, f"tokens {A}")
    assert key != durable.derived_key("sign-in digests")
