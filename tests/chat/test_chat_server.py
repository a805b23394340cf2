"""Conversations with a whole server, by HTTP, tokens on: what is written comes back as it should, in order, once."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from ivr.carriers.botframework.chat_party import Chat
from ivr.engine.events import CallEnded, SpeechHeard
from ivr.server.startup import check_settings
from ivr.settings import Settings, SettingsError
from tests.chat.chat_world import APP, DESK, SECRET, ChatWorld
from tests.waiting import logged

QUESTION = "To leave a message, press 1 or say message. To hear a number, press 2."


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[ChatWorld]:
    (tmp_path / "desk.yaml").write_text(DESK)
    async with ChatWorld(tmp_path, [tmp_path / "desk.yaml"]).connected() as one:
        yield one
    assert one.connector.findings == []


async def test_a_conversation_from_the_first_word_to_the_last_and_the_next_one(world: ChatWorld) -> None:
    async with world.server() as server:
        chat = world.chat(server)
        assert (await chat.write("hello")).status == 202
        assert await world.read(chat, 1) == [QUESTION]
        assert [button["title"] for button in chat.buttons] == ["Message", "Number"]
        await chat.press("Number")
        assert (await world.read(chat, 2))[1:] == ["Which room?"]
        await chat.write("4 0 2")
        assert (await world.read(chat, 3))[2:] == ["Room 4 0 2 it is. Goodbye."]
        await chat.write("hello again")
        assert (await world.read(chat, 4))[3:] == [QUESTION]
        await chat.write("message")
        await world.read(chat, 5)
        await chat.write("My *light* is off")
        assert (await world.read(chat, 6))[5:] == ["Thank you. We read: My *light* is off. Goodbye."]
        assert chat.shown[-1]["textFormat"] == "plain"
    (first, _), (second, trace) = await world.calls()
    assert (first.key.id, second.key.id) == (
        "webchat/conversation-1#000000001", "webchat/conversation-1#000000002"
    )  # fmt: skip
    assert next(one.event for one in trace if isinstance(one.event, SpeechHeard)).text == "My *light* is off"
    assert world.connector.tokens_asked == 1


async def test_joining_is_greeted_and_a_repeat_is_answered_once(world: ChatWorld) -> None:
    async with world.server() as server:
        chat = world.chat(server)
        joined = chat.activity("conversationUpdate", membersAdded=[{"id": "user-1"}])
        assert (await chat.post("", again=joined)).status == 202
        assert (await chat.post("", again=joined)).status == 202
        await world.read(chat, 1)
        pressed = chat.activity("message", text="2")
        for _ in range(3):
            assert (await chat.post("", again=pressed)).status == 202
        await world.read(chat, 2)
        await chat.write("7")
        await world.read(chat, 3)
        await chat.post("", again=pressed)  # of a call that is over: it begins none
        assert len(await world.calls()) == 1
    assert len(chat.texts) == 3


async def test_replies_are_in_the_answer_where_the_connector_wants_them_there(world: ChatWorld) -> None:
    async with world.server() as server:
        chat = world.chat(server)
        answer = await chat.write("hello", deliveryMode="expectReplies")
        (card,) = json.loads(answer.body)["activities"]
        assert (answer.status, card["attachments"][0]["content"]["text"]) == (200, QUESTION)
        answer = await chat.write("2", deliveryMode="expectReplies")
        assert [one["text"] for one in json.loads(answer.body)["activities"]] == ["Which room?"]
        answer = await chat.post("conversationUpdate", membersAdded=[], deliveryMode="expectReplies")
        assert (answer.status, json.loads(answer.body)) == (200, {"activities": []})
    assert chat.shown == []


async def test_what_means_nothing_is_taken_and_what_nobody_handles_is_said_to_be_so(world: ChatWorld) -> None:
    async with world.server() as server, aiohttp.ClientSession() as client:
        chat = world.chat(server)
        for kind in ("typing", "messageReaction", "some.future.kind", "endOfConversation", "event"):
            assert (await chat.post(kind)).status == 202
        assert (await chat.post("invoke", name="adaptiveCard/action")).status == 501
        for method in ("HEAD", "GET", "PUT"):
            async with client.request(method, f"{server.url}/api/messages") as answer:
                assert (answer.status, answer.headers["Allow"]) == (405, "POST")
        for body in (b"{", b"[]", b"{}", b'{"type": 3}', b'{"type": "message", "text": 5}'):
            answer_ = await chat.send(body)
            assert answer_.status in {400, 403}
        wrong_kind = await chat.send(b"{}", **{"Content-Type": "text/plain"})
        assert wrong_kind.status == 415
        assert await world.calls() == []


async def test_whoever_has_no_token_for_this_address_and_channel_is_refused(world: ChatWorld) -> None:
    async with world.server() as server:
        chat = world.chat(server)
        activity = chat.activity("message", text="hello")
        assert (await posted(chat, activity, Authorization="")).status == 401
        assert (await posted(chat, activity, Authorization="Bearer x.y.z")).status == 401
        assert (await posted(chat, {**activity, "serviceUrl": "https://evil.botframework.com"})).status == 403
        assert (await posted(chat, {**activity, "serviceUrl": None})).status == 403
        assert (await posted(chat, {**activity, "channelId": "skype"})).status == 403
        assert await world.calls() == []


async def posted(chat: Chat, activity: Mapping[str, Any], **headers: str) -> Any:
    return await chat.send(json.dumps(activity).encode(), **headers)


async def test_an_address_names_its_flow(world: ChatWorld) -> None:
    async with world.server() as server:
        chat = world.chat(server, path="/api/messages/desk")
        await chat.write("hi")
        assert await world.read(chat, 1) == [QUESTION]
        lost = world.chat(server, path="/api/messages/nothing", conversation="other")
        assert (await lost.write("hi")).status == 404


async def test_a_token_that_was_refused_is_asked_for_again_and_nothing_is_lost(world: ChatWorld) -> None:
    async with world.server() as server:
        chat = world.chat(server)
        await chat.write("hello")
        await world.read(chat, 1)
        world.connector.expire()
        await chat.write("2")
        assert (await world.read(chat, 2))[1:] == ["Which room?"]
        assert world.connector.tokens_asked == 2


async def test_two_conversations_at_the_same_time_do_not_mix(world: ChatWorld) -> None:
    async with world.server() as server:
        one, other = world.chat(server), world.chat(server, conversation="conversation-2", user="user-2")
        await asyncio.gather(one.write("hello"), other.write("hello"))
        await asyncio.gather(world.read(one, 1), world.read(other, 1))
        await asyncio.gather(one.write("1"), other.write("2"))
        assert (await world.read(one, 2))[1:] == ["What is it?"]
        assert (await world.read(other, 2))[1:] == ["Which room?"]


async def test_what_could_not_be_sent_when_the_server_ended_is_sent_by_the_next_one(world: ChatWorld) -> None:
    async with world.server() as server:
        chat = world.chat(server)
        await chat.write("hello")
        await world.read(chat, 1)
        world.connector.away = True
        with logged("platform not asked") as refused:
            await chat.write("2")
            await chat.write("12")  # while the question has not come
            await refused.once()
        assert len(chat.texts) == 1
    world.connector.away = False
    async with world.server():
        assert (await world.read(chat, 3))[1:] == ["Which room?", "Room 1 2 it is. Goodbye."]


async def test_a_conversation_that_is_gone_ends_its_call(world: ChatWorld) -> None:
    async with world.server() as server:
        chat = world.chat(server)
        await chat.write("hello")
        await world.read(chat, 1)
        world.connector.conversations.clear()
        with logged("platform request given up") as ended:
            await chat.write("1")
            await ended.once()
    ((record, trace),) = await world.calls()
    assert record.call.outcome == "abandoned"
    assert isinstance(trace[-1].event, CallEnded)


def test_the_secret_is_needed_and_never_shown() -> None:
    with pytest.raises(SettingsError, match="chat: IVR_CHAT_APP_ID and IVR_CHAT_PASSWORD"):
        check_settings(Settings(public_url="https://ivr.example"), dev=False)
    assert SECRET not in repr(Settings(chat_app_id=APP, chat_password=SECRET))


async def test_without_its_secret_a_server_does_not_start(world: ChatWorld) -> None:
    with pytest.raises(SettingsError, match="IVR_CHAT_PASSWORD is needed"):
        async with world.server(chat_password=None):
            pass


async def test_who_is_asked_again_must_not_be_given_up_before(world: ChatWorld) -> None:
    with pytest.raises(SettingsError, match="IVR_CHAT_PATIENCE must be under the 900 seconds"):
        async with world.server(chat_patience=900.0):
            pass


async def test_in_development_nothing_is_verified_and_only_this_machine_is_written_to(world: ChatWorld) -> None:
    async with world.server(dev=True, chat_app_id=None, chat_password=None, chat_hosts=()) as server:
        chat = world.chat(server)
        activity = chat.activity("message", text="hello")
        elsewhere = await posted(chat, {**activity, "serviceUrl": "https://example.com"}, Authorization="")
        assert elsewhere.status == 403
        assert (await posted(chat, activity, Authorization="")).status == 202
        assert world.connector.tokens_asked == 0
