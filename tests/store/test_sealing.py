"""What is said in confidence stands on the disk sealed, and nowhere else, also after `kill -9`."""

import asyncio
import base64
import hmac
import json
import signal
import sys
from pathlib import Path

import pytest

from ivr.errors import DataUnusable
from ivr.store.sealing import BLOCK, Sealer
from tests.store.store_examples import SECRET, after, answered, key, line, record, records_of, request
from tests.store.store_worlds import DurableWorld, SqliteWorld

KEY = "00" * 31 + "aB"
OTHER = "11" * 32
ROOT = Path(__file__).parents[2]


def on_the_disk(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())


async def confide(world: DurableWorld) -> None:
    """Leave a call with something private in every place that can hold it."""
    commit = after(record("a", private=SECRET), line(), jobs=(request("1.1", sensitive=True), request("1.2")))
    await world.store.commit(commit)
    await world.store.finish(commit.record.id, "1.1", answered("1.1", SECRET))
    await world.store.finish(commit.record.id, "1.2", answered("1.2", "plain to see"))


async def test_nothing_private_is_stored_in_the_clear(durable: DurableWorld) -> None:
    await confide(durable)
    in_base64 = base64.b64encode(SECRET.encode())[:-4]
    for _ in range(2):
        assert durable.held([b"plain to see", SECRET.encode(), in_base64]) == {b"plain to see"}
        await durable.store.close()
    await durable.open()
    call = await durable.store.load(key("a"))
    assert {call.call.memory.private["pin"], call.call.asked[0].memory.private["pin"]} == {SECRET}
    assert list(await durable.store.inbox(call.id)) == [answered("1.1", SECRET), answered("1.2", "plain to see")]


async def test_when_the_call_is_over_not_even_sealed_values_are_left(durable: DurableWorld) -> None:
    await confide(durable)
    (sealed,) = durable.ask("SELECT answer FROM job WHERE id = '1.1'")[0]
    (state,) = durable.ask("SELECT state FROM turn")[0]
    private = json.loads(state)["memory"]["private"][""].encode()
    words = [sealed, private, b'"private"']
    assert durable.held(words) == {*words}
    await durable.store.commit(after(await durable.store.load(key("a")), over=True))
    await durable.store.close()
    assert durable.held(words) == set()
    await durable.open(seal_key=OTHER if isinstance(durable, SqliteWorld) else None)
    assert len(await records_of(durable.archive)) == 1


async def test_a_killed_server_leaves_nothing_private_and_nothing_acknowledged_behind(disk: SqliteWorld) -> None:
    await disk.store.close()
    script = (sys.executable, "-m", "tests.store.commit_until_killed", str(disk.folder))
    server = await asyncio.create_subprocess_exec(*script, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    acknowledged = [(await server.stdout.readline()).split() for _ in range(120)]
    server.send_signal(signal.SIGKILL)
    acknowledged += [line.split() for line in (await server.stdout.read()).splitlines()]
    assert await server.wait() == -signal.SIGKILL
    assert SECRET.encode() not in on_the_disk(disk.folder)
    await disk.open()
    for name, version in filter(lambda words: len(words) == 2, acknowledged):
        call = await disk.store.load(key(name.decode()))
        assert call.version >= int(version)
        assert call.call.memory.private["pin"] == SECRET
        assert len(await disk.archive.trace(call.id)) == call.steps == call.version
        assert answered("1.1", SECRET) in await disk.store.inbox(call.id)


# --- the key ---------------------------------------------------------------------------------------------------------


async def test_the_key_is_drawn_once_and_kept(disk: SqliteWorld) -> None:
    first = (disk.folder / "seal.key").read_text()
    assert len(bytes.fromhex(first)) == 32
    await confide(disk)
    await disk.crash()
    assert (disk.folder / "seal.key").read_text() == first
    assert sorted(file.name for file in disk.folder.glob("seal*")) == ["seal.key"]


async def test_a_key_from_the_settings_is_not_written_down(tmp_path: Path) -> None:
    world = SqliteWorld(tmp_path, seal_key=KEY)
    await world.begin()
    await confide(world)
    await world.crash()
    assert (await world.store.load(key("a"))).call.memory.private["pin"] == SECRET
    assert not (world.folder / "seal.key").exists()
    await world.end()


async def test_a_missing_key_is_an_error_and_no_new_one_is_drawn(disk: SqliteWorld) -> None:
    await confide(disk)
    await disk.store.close()
    (disk.folder / "seal.key").unlink()
    with pytest.raises(DataUnusable, match=r"Sealed values of call .*seal\.key is missing.*Put the right key back"):
        await disk.open()
    assert not (disk.folder / "seal.key").exists()


async def test_a_wrong_key_is_an_error_that_names_its_source(disk: SqliteWorld) -> None:
    await confide(disk)
    await disk.store.close()
    with pytest.raises(DataUnusable, match=r"this key \(the one in the settings\)"):
        await disk.open(seal_key=OTHER)
    (disk.folder / "seal.key").write_text(OTHER)
    with pytest.raises(DataUnusable, match=r"this key \(the one in .*seal\.key"):
        await disk.open()


async def test_a_lost_key_does_no_harm_where_nothing_is_sealed(disk: SqliteWorld) -> None:
    await disk.store.commit(after(record("a"), line()))
    await disk.store.close()
    (disk.folder / "seal.key").unlink()
    await disk.open()
    assert await disk.store.load(key("a")) is not None
    assert (disk.folder / "seal.key").exists()


@pytest.mark.parametrize("text", ["", "00" * 31, "00" * 33, "zz" * 32, "Grüße"])
def test_a_key_that_is_none_is_refused_without_repeating_it(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataUnusable, match=r"in the settings must be 64 hexadecimal digits\. To make") as refused:
        Sealer.find(text, tmp_path / "seal.key")
    assert not text or text not in str(refused.value)
    (tmp_path / "seal.key").write_text(text)
    with pytest.raises(DataUnusable, match=r"sealing key in .*seal\.key (must be 64|cannot be read)"):
        Sealer.find(None, tmp_path / "seal.key")


def test_a_key_file_that_cannot_be_read_or_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(DataUnusable, match="cannot be read"):
        Sealer.find(None, tmp_path / "folder")
    with pytest.raises(DataUnusable, match="cannot be written"):
        Sealer.find(None, tmp_path / "nowhere" / "seal.key").keep()


# --- the seal --------------------------------------------------------------------------------------------------------


def sealer(key: str = KEY) -> Sealer:
    return Sealer.find(key, Path("unused"))


def test_a_sealed_value_opens_in_its_place_alone() -> None:
    sealed = sealer().seal(b'"1234"', "a")
    assert sealer().unseal(sealed, "a").rstrip() == b'"1234"'
    for broken, place in ((sealed, "b"), (sealed[:-1], "a"), (b"", "a"), (sealed[:12] + bytes(80), "a")):
        with pytest.raises(DataUnusable):
            sealer().unseal(broken, place)
    with pytest.raises(DataUnusable):
        sealer(OTHER).unseal(sealed, "a")


def test_a_sealed_value_tells_neither_its_length_nor_that_it_came_again() -> None:
    assert len({len(sealer().seal(b'"%s"' % (b"1" * n), "a")) for n in range(BLOCK - 1)}) == 1
    assert sealer().seal(b'"1"', "a") != sealer().seal(b'"1"', "a")


def test_a_pseudonym_is_the_beginning_of_an_hmac() -> None:
    for name in ("", "m-1", "ü" * 128):
        keyed = hmac.new(bytes.fromhex(KEY), name.encode(), "sha256").hexdigest()
        assert sealer().pseudonym(name) == keyed[:32]
