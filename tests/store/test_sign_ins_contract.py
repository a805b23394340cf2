"""What `SignInStore` promises, asked of every store."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from ivr.call_record import CallRecord
from ivr.sign_in_ports import DirectoryUser
from ivr.sign_in_storage import Attempt, SignIn, Tokens
from ivr.store.sealing import Sealer
from tests.store.store_examples import after, line, record
from tests.store.store_worlds import SqliteWorld, World, ask

ADA = DirectoryUser("d-1", "u-1")
TOKENS = Tokens("access-eyJ0", 900.0, "refresh-0.AX", ADA)
OPEN = Attempt("a" * 32, "", "1.1", "calendar", "code", ("Calendars.Read",), "de", "42", 10.0, 610.0, "open",
               link="l", ticket="t")  # fmt: skip


async def call(world: World, name: str) -> CallRecord:
    commit = after(record(name), line())
    await world.store.commit(commit)
    return commit.record


def of(taken: CallRecord, attempt: str = "a" * 32, tokens: Tokens | None = None) -> SignIn:
    return SignIn(replace(OPEN, call=taken.id, id=attempt), tokens)


async def test_attempts_and_tokens_survive_a_crash_the_oldest_first(world: World) -> None:
    taken = await call(world, "a")
    first, second = of(taken), of(taken, "b" * 32, TOKENS)
    await world.sign_ins.save(first)
    await world.sign_ins.save(second)
    proved = SignIn(replace(first.attempt, phase="proved", verifier="", wrong=2, wanted=ADA), TOKENS)
    await world.sign_ins.save(proved)
    await world.crash()
    assert await world.sign_ins.load() == [proved, second]


async def test_tokens_go_when_an_attempt_is_saved_without_them(world: World) -> None:
    taken = await call(world, "a")
    await world.sign_ins.save(of(taken, tokens=TOKENS))
    burnt = SignIn(replace(of(taken).attempt, phase="burnt"))
    await world.sign_ins.save(burnt)
    await world.crash()
    assert await world.sign_ins.load() == [burnt]


async def test_what_is_erased_is_gone_with_its_tokens(world: World) -> None:
    taken = await call(world, "a")
    await world.sign_ins.save(of(taken, tokens=TOKENS))
    await world.sign_ins.save(of(taken, "b" * 32))
    await world.sign_ins.erase(["a" * 32, "nobody's"])
    assert await world.sign_ins.load() == [of(taken, "b" * 32)]


async def test_there_is_no_attempt_without_a_call(world: World) -> None:
    await world.sign_ins.save(SignIn(replace(OPEN, call="f" * 32), TOKENS))
    assert await world.sign_ins.load() == []


async def test_calls_that_are_over_or_unknown_are_told(world: World) -> None:
    live, ended = await call(world, "a"), await call(world, "b")
    await world.store.commit(after(ended, over=True))
    assert await world.sign_ins.over([live.id, ended.id, "f" * 32]) == [ended.id, "f" * 32]
    assert await world.sign_ins.over([]) == []


async def test_they_are_erased_with_their_call(world: World) -> None:
    ended, live = await call(world, "a"), await call(world, "b")
    await world.sign_ins.save(of(ended, tokens=TOKENS))
    await world.sign_ins.save(of(live, "b" * 32, TOKENS))
    await world.store.commit(after(ended, over=True))
    await world.archive.forget(before=1e9, limit=9)
    assert await world.sign_ins.load() == [of(live, "b" * 32, TOKENS)]


async def test_nothing_of_them_can_be_read_in_the_folder_without_its_key(disk: SqliteWorld) -> None:
    taken = await call(disk, "a")
    await disk.sign_ins.save(of(taken, tokens=TOKENS))
    await disk.sign_ins.save(
        SignIn(replace(of(taken).attempt, verifier="the-verifier", device_code="the-device"), TOKENS)
    )
    words = [b"access-eyJ0", b"refresh-0.AX", b"u-1", b"the-verifier", b"the-device", b"Calendars.Read"]
    files = [file for file in Path(disk.folder).rglob("*") if file.is_file()]
    assert len(files) >= 2
    assert [(word, file) for word in words for file in files if word in file.read_bytes()] == []


@pytest.mark.parametrize("damage", ["zeroblob(40)", "'text'", "NULL || X'00'", "(SELECT body FROM sign_in_token)"])
async def test_what_cannot_be_read_is_left_out_and_harms_no_other(disk: SqliteWorld, damage: str) -> None:
    taken = await call(disk, "a")
    await disk.sign_ins.save(of(taken))
    await disk.sign_ins.save(of(taken, "b" * 32, TOKENS))
    ask(disk.database, f"UPDATE OR IGNORE sign_in SET body = coalesce({damage}, X'00') WHERE id = '{'a' * 32}'")
    await disk.crash()
    assert await disk.sign_ins.load() == [of(taken, "b" * 32, TOKENS)]


async def test_tokens_open_for_their_own_attempt_alone(disk: SqliteWorld) -> None:
    taken = await call(disk, "a")
    await disk.sign_ins.save(of(taken, "a" * 32, replace(TOKENS, access="of-somebody-else")))
    await disk.sign_ins.save(of(taken, "b" * 32, TOKENS))
    stolen = f"(SELECT body FROM sign_in_token WHERE id = '{'a' * 32}')"
    ask(disk.database, f"UPDATE sign_in_token SET body = {stolen} WHERE id = '{'b' * 32}'")
    await disk.crash()
    assert [one.attempt.id for one in await disk.sign_ins.load()] == ["a" * 32]


async def test_they_have_a_key_of_their_own(disk: SqliteWorld) -> None:
    taken = await call(disk, "a")
    await disk.sign_ins.save(of(taken, tokens=TOKENS))
    [(body,)] = ask(disk.database, "SELECT body FROM sign_in_token")
    key = disk.store.derived_key("sealed sign-ins")
    assert b"access-eyJ0" in Sealer(key, source="the test").unseal(body, f"tokens {'a' * 32}")
    assert key != disk.store.derived_key("sign-in digests")
