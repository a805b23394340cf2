"""In a chat, what flows keep of somebody is erased when the bot is removed, or on request; of nobody else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ivr.bot_state import BotStates, StateKey
from ivr.carriers.botframework.chat_party import Chat
from ivr.store.data_folder import DataFolder
from ivr.store.location import StoreLocation
from ivr.store.opening import open_store
from tests.chat.chat_world import APP, ChatWorld

COUNTING = """\
flow: counting
initial: count
on: {exhausted: bye, error: bye}
variables: {user.visits: {default: 0, keep: 90d}}
states:
  count: {decide: [ask], set: {user.visits: "{{ user.visits + 1 }}"}}
  ask:
    menu: {prompt: "Visit {{ user.visits }}. More?", choices: {yes: {dtmf: "1"}, no: {dtmf: "2"}}}
    on: {yes: count, no: bye}
  bye: {say: Goodbye., final: true}
"""


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[ChatWorld]:
    (tmp_path / "counting.yaml").write_text(COUNTING)
    async with ChatWorld(tmp_path, [tmp_path / "counting.yaml"]).connected() as one:
        yield one
    assert one.connector.findings == []


async def visit(world: ChatWorld, chat: Chat) -> str:
    """Write until the flow is over, and return how it greeted."""
    before = len(chat.texts)
    assert (await chat.write("hello")).status == 202
    greeting = (await world.read(chat, before + 1))[before]
    await chat.write("2")
    await world.read(chat, before + 2)
    return greeting


async def test_a_conversation_after_the_first_knows_who_writes_also_in_another_conversation(world: ChatWorld) -> None:
    async with world.server() as server:
        chat = world.chat(server)
        assert await visit(world, chat) == "Visit 1. More?"
        assert await visit(world, chat) == "Visit 2. More?"
        other = world.chat(server, conversation="conversation-2")
        assert await visit(world, other) == "Visit 3. More?"
        somebody = world.chat(server, conversation="conversation-3", user="user-2")
        assert await visit(world, somebody) == "Visit 1. More?"
        elsewhere = world.chat(server, conversation="conversation-4", channel="msteams")
        assert await visit(world, elsewhere) == "Visit 1. More?", "an id is that of one person on one channel"


@pytest.mark.parametrize(
    ("kind", "action"),
    [("contactRelationUpdate", "remove"), ("installationUpdate", "remove"), ("deleteUserData", "")],
)
async def test_who_removes_the_bot_is_forgotten_also_in_the_middle(world: ChatWorld, kind: str, action: str) -> None:
    async with world.server() as server:
        chat, other = world.chat(server), world.chat(server, conversation="conversation-2", user="user-2")
        assert await visit(world, chat) == "Visit 1. More?"
        assert await visit(world, other) == "Visit 1. More?"
        await chat.write("hello")
        await world.read(chat, 3)
        assert (await chat.post(kind, action=action)).status == 202
        fresh = world.chat(server, conversation="conversation-3")
        assert await visit(world, fresh) == "Visit 1. More?"
        assert await visit(world, other) == "Visit 2. More?"


async def test_also_where_no_conversation_of_theirs_is_known(world: ChatWorld) -> None:
    async with world.server() as server:
        chat = world.chat(server)
        assert await visit(world, chat) == "Visit 1. More?"
        stranger = world.chat(server, conversation="conversation-9")
        assert (await stranger.post("contactRelationUpdate", action="remove")).status == 202
        assert await visit(world, chat) == "Visit 1. More?"


async def test_another_version_of_the_bot_is_no_removal(world: ChatWorld) -> None:
    async with world.server() as server:
        chat = world.chat(server)
        assert await visit(world, chat) == "Visit 1. More?"
        assert (await chat.post("installationUpdate", action="remove-upgrade")).status == 202
        assert await visit(world, chat) == "Visit 2. More?"


async def test_what_the_bot_keeps_of_them_in_the_state_service_goes_too(world: ChatWorld) -> None:
    """Whether its owner asks for that by itself is not for this server to know (activity protocol, A6)."""
    theirs, anothers = (StateKey(APP, "webchat", user=user) for user in ("user-1", "user-2"))
    async with stored(world) as states:
        for key in (theirs, anothers):
            await states.put(key, b'{"seat":"12A"}', None, at=1, most=10)
    async with world.server() as server:
        assert (await world.chat(server).post("contactRelationUpdate", action="remove")).status == 202
    async with stored(world) as states:
        assert await states.get(theirs, at=2) is None
        assert await states.get(anothers, at=2) is not None


@asynccontextmanager
async def stored(world: ChatWorld) -> AsyncIterator[BotStates]:
    """What the bot keeps, while no server runs."""
    with DataFolder.open(world.folder / "data") as folder:
        opened = await open_store(StoreLocation(folder))
        try:
            yield opened.states
        finally:
            await opened.close()
