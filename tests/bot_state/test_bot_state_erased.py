"""What bots keep of somebody is erased with the caller, and by itself; of it nothing is left in the data folder."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from ivr.bot_state import StateKey
from ivr.store.data_folder import DataFolder
from ivr.store.location import StoreLocation
from ivr.store.opening import open_store
from tests.chat.chat_world import DESK, ChatWorld
from tests.cli.stored_calls import ivr, project

SECOND = 1_000_000_000
ANNA = (
    StateKey("bot", "skype", user="29:anna"),
    StateKey("other", "msteams", user="29:anna"),
    StateKey("bot", "skype", conversation="room", user="29:anna"),
    StateKey("bot", "skype", conversation="29:anna"),
)
"All that is hers: some channels name a conversation of two after whom the bot talks to."
OTHERS = (
    StateKey("bot", "skype", user="29:bert"),
    StateKey("bot", "skype", conversation="room"),
    StateKey("bot", "skype", conversation="29:anna", user="29:bert"),
)


@pytest.fixture
async def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataFolder:
    """A data folder in which bots keep something of two users."""
    monkeypatch.setenv("IVR_DATA", str(tmp_path / "data"))
    with DataFolder.open(tmp_path / "data") as data:
        await keep(data)
    return data


async def keep(data: DataFolder, seal_key: str | None = None) -> None:
    opened = await open_store(StoreLocation(data, seal_key=seal_key))
    for key in (*ANNA, *OTHERS):
        await opened.states.put(key, b'"hers or his"', None, at=SECOND, most=99)
    await opened.close()


async def left(data: DataFolder, seal_key: str | None = None) -> list[StateKey]:
    with DataFolder.open(data.path):
        opened = await open_store(StoreLocation(data, seal_key=seal_key))
        kept = [key for key in (*ANNA, *OTHERS) if await opened.states.get(key, at=SECOND)]
        await opened.close()
    return kept


def bodies(data: DataFolder) -> list[bytes]:
    """Return the sealed values of all records, to look for them in files."""
    with closing(sqlite3.connect(data.database)) as connection:
        return [body for (body,) in connection.execute("SELECT body FROM bot_state ORDER BY rowid")]


def held(data: DataFolder, words: list[bytes]) -> list[bytes]:
    contents = [path.read_bytes() for path in data.path.rglob("*") if path.is_file()]
    return [word for word in words if any(word in content for content in contents)]


async def test_with_a_caller_what_bots_keep_is_erased_also_if_there_is_no_call(folder: DataFolder) -> None:
    before = bodies(folder)
    receipt = ivr("calls", "erase", "--caller", "29:anna", "--yes")
    assert receipt.exit_code == 0
    assert "Erased: 0 calls, 0 recordings, 4 records of bots." in receipt.output
    assert await left(folder) == [*OTHERS]
    assert held(folder, before) == before[4:]
    again = ivr("calls", "erase", "--caller", "29:anna", "--yes")
    assert again.output.startswith("No call of 29:anna was found. Nothing was erased.")


async def test_the_question_tells_of_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IVR_SEAL_KEY", "00" * 32)
    await asyncio.to_thread(project, tmp_path)
    with DataFolder.open(tmp_path / "data") as data:
        await keep(data, "00" * 32)
    asked = ivr("calls", "erase", "--caller", "29:anna", "--data", "data")
    assert "Erase 6 calls of 29:anna and 4 records of bots permanently? [y/N]" in asked.output
    assert await left(data, "00" * 32) == [*ANNA, *OTHERS]
    assert "4 records of bots." in ivr("calls", "erase", "--caller", "29:anna", "--yes", "--data", "data").output


async def test_without_the_key_nothing_is_erased_and_the_command_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IVR_DATA", str(tmp_path / "data"))
    with DataFolder.open(tmp_path / "data") as data:
        await keep(data, "11" * 32)
    for key, said in (("", "Set IVR_SEAL_KEY as the server has it"), ("22" * 32, "Put the right key back")):
        monkeypatch.setenv("IVR_SEAL_KEY", key)
        for command in (("calls", "erase", "--caller"), ("botstate", "erase", "--user")):
            told = ivr(*command, "29:anna", "--yes")
            assert told.exit_code == 1
            assert said in told.output
    assert await left(data, "11" * 32) == [*ANNA, *OTHERS]
    assert ivr("botstate", "erase", "--all", "--yes").output == "Erased: 7 records of bots.\n"
    assert ivr("botstate", "erase", "--user", "29:anna", "--yes").output == "Erased: 0 records of bots.\n"


async def test_of_one_user_or_of_all(folder: DataFolder) -> None:
    before = bodies(folder)
    assert "Erase 4 records permanently?" in ivr("botstate", "erase", "--user", "29:anna").output
    assert ivr("botstate", "erase", "--user", "29:anna", "--yes").output == "Erased: 4 records of bots.\n"
    assert await left(folder) == [*OTHERS]
    nobody = ivr("botstate", "erase", "--user", "29:nobody", "--yes")
    assert (nobody.exit_code, nobody.output) == (1, "Erased: 0 records of bots.\n")
    assert ivr("botstate", "erase", "--all", "--yes").output == "Erased: 3 records of bots.\n"
    assert held(folder, before) == []
    assert "Use either" in ivr("botstate", "erase", "--yes").output


async def test_not_while_a_server_owns_the_folder_and_not_where_nothing_is(folder: DataFolder, tmp_path: Path) -> None:
    with DataFolder.open(folder.path):
        assert "is in use by process" in ivr("botstate", "erase", "--all", "--yes").output
    told = ivr("botstate", "erase", "--all", "--yes", "--data", tmp_path / "nowhere")
    assert "There are no calls yet" in told.output


async def test_who_wrote_in_a_chat_is_the_user_of_whom_bots_keep_something(tmp_path: Path) -> None:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows/desk.yaml").write_text(DESK)
    async with (
        ChatWorld(tmp_path, [tmp_path / "flows"]).connected() as world,
        world.server(dev=True) as server,
        aiohttp.ClientSession() as session,
    ):
        chat = world.chat(server, user="29:anna")
        await chat.write("hello")
        await world.read(chat, 1)
        url = URL(f"{server.url}/v3/botstate/webchat/users/29%3Aanna", encoded=True)
        async with session.post(url, json={"data": {"seat": "12A"}}) as answer:
            assert answer.status == 200
    receipt = await asyncio.to_thread(
        ivr, "calls", "erase", "--caller", "29:anna", "--yes", "--data", tmp_path / "data"
    )
    assert "Erased: 1 call, 0 recordings, 1 record of bots." in receipt.output
    assert held(DataFolder(tmp_path / "data"), [b"29:anna"]) == []
