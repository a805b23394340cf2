"""Conversations with a whole server, by HTTP, tokens on, with a platform that behaves and with one that does not."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from ivr.carriers.misbehaviour import Misbehaviour, Misdeed
from ivr.engine.events import CallReceived, ChoiceMade, KeysPressed
from ivr.server.startup import check_settings
from ivr.settings import Settings, SettingsError
from tests.chat.chat_world import DESK
from tests.skype_v2.skype_messages import APP
from tests.skype_v2.skype_world import SECRET, SkypeWorld
from tests.waiting import logged

QUESTION = "To leave a message, press 1 or say message. To hear a number, press 2.\n1 - Message\n2 - Number"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[SkypeWorld]:
    (tmp_path / "desk.yaml").write_text(DESK)
    async with SkypeWorld(tmp_path, [tmp_path / "desk.yaml"]).connected() as one:
        yield one
    assert one.service.findings == []


async def test_a_conversation_from_the_first_word_to_the_last_and_the_next_one(world: SkypeWorld) -> None:
    async with world.server() as server:
        contact = world.contact(server)
        answer = await contact.write("hello")
        assert (answer.status, answer.body) == (201, b"")
        assert await world.read(contact, 1) == [QUESTION]
        await contact.write("2")
        assert (await world.read(contact, 2))[1:] == ["Which room?"]
        await contact.write("4 0 2")
        assert (await world.read(contact, 3))[2:] == ["Room 4 0 2 it is. Goodbye."]
        await contact.write("hello again")
        await world.read(contact, 4)
        await contact.write("message")
        await world.read(contact, 5)
        await contact.write("It is <3 & <b>on</b> &amp;lt;")
        assert (await world.read(contact, 6))[5:] == ["Thank you. We read: It is <3 & on &lt;. Goodbye."]
        assert contact.said[-1].content.endswith("It is &lt;3 &amp; on &amp;lt;. Goodbye.")
    (first, _), (second, _) = await world.calls()
    assert (first.key.id, second.key.id) == ("8:live:test.caller#000000001", "8:live:test.caller#000000002")
    assert world.service.tokens.asked == 1


async def test_messages_of_one_request_are_taken_in_their_order(world: SkypeWorld) -> None:
    async with world.server() as server:
        contact = world.contact(server)
        assert (await contact.write("hello", "2", "12")).status == 201
        assert await world.read(contact, 3) == [QUESTION, "Which room?", "Room 1 2 it is. Goodbye."]


async def test_who_adds_the_bot_is_greeted_and_who_removes_it_ends_the_call(world: SkypeWorld) -> None:
    async with world.server() as server:
        contact = world.contact(server)
        assert (await contact.add()).status == 201
        assert await world.read(contact, 1) == [QUESTION]
        assert (await contact.remove()).status == 201
        assert (await contact.remove()).status == 201
    ((record, _),) = await world.calls()
    assert (record.call.phase, record.call.outcome) == ("over", "abandoned")


@pytest.mark.parametrize("misdeed", ["twice", "lost", "late", "forged"])
async def test_however_the_platform_posts_each_message_counts_once(world: SkypeWorld, misdeed: Misdeed) -> None:
    async with world.server() as server:
        contact = world.contact(server, misbehaviour=Misbehaviour(frozenset({misdeed})))
        await contact.write("hello")
        await world.read(contact, 1)
        await contact.write("2")
        await world.read(contact, 2)
        await contact.write("2")
        await world.read(contact, 3)
    assert contact.texts == [QUESTION, "Which room?", "Room 2 it is. Goodbye."]
    ((_, trace),) = await world.calls()
    counted = (CallReceived, ChoiceMade, KeysPressed)
    moved = [type(one.event) for one in trace if one.ignored is None and isinstance(one.event, counted)]
    assert moved == [CallReceived, ChoiceMade, KeysPressed]


async def test_whoever_has_no_good_token_is_refused_and_begins_no_call(world: SkypeWorld) -> None:
    async with world.server() as server:
        contact = world.contact(server)
        body = json.dumps([contact.element("message", id="0", content="hello")]).encode()
        answers = {name: (await contact.send(body, header)).status for name, header in contact.forgeries().items()}
        assert answers == dict.fromkeys(answers, 401)
        assert len(answers) == 6
        assert await world.calls() == []


async def test_what_is_no_message_is_refused_and_other_methods_are(world: SkypeWorld) -> None:
    async with world.server() as server, aiohttp.ClientSession() as client:
        contact = world.contact(server)
        statuses = [(await contact.send(body)).status for body in (b"{", b"[3]", b'[{"type": "message"}]', b"[]")]
        assert statuses == [400, 400, 400, 201]
        for method in ("HEAD", "GET"):
            async with client.request(method, f"{server.url}/skype-v2/messages") as answer:
                assert (answer.status, answer.headers["Allow"]) == (405, "POST")
        assert await world.calls() == []


async def test_by_the_bot_frameworks_way_where_the_settings_say_so(world: SkypeWorld) -> None:
    async with world.server(skype_v2_wire="v3") as server:
        contact = world.contact(server, user="29:1iFtpwQ...")
        await contact.write("hello")
        assert await world.read(contact, 1) == [QUESTION]
        assert contact.said[0].by == "v3"


async def test_what_could_not_be_sent_when_the_server_ended_is_sent_by_the_next_one_and_a_repeat_says_nothing(
    world: SkypeWorld,
) -> None:
    async with world.server() as server:
        contact = world.contact(server)
        await contact.write("hello")
        await world.read(contact, 1)
        world.service.away = True
        written = json.dumps([contact.element("message", id="0", content=text) for text in ("2", "12")]).encode()
        with logged("platform not asked") as refused:
            assert (await contact.send(written)).status == 201
            await refused.once()
    world.service.away = False
    async with world.server() as server:
        assert (await world.read(contact, 3))[1:] == ["Which room?", "Room 1 2 it is. Goodbye."]
        again = world.contact(server)
        assert (await again.send(written)).status == 201  # also of a call that is over
        await again.write("hello")
        assert await world.read(again, 1) == [QUESTION]
    assert len(contact.texts) == 4


async def test_a_token_that_was_refused_is_asked_for_again(world: SkypeWorld) -> None:
    async with world.server() as server:
        contact = world.contact(server)
        await contact.write("hello")
        await world.read(contact, 1)
        world.service.tokens.expire()
        await contact.write("2")
        await world.read(contact, 2)
    assert world.service.tokens.asked == 2


async def test_what_was_ordered_for_one_platform_is_not_sent_to_another(world: SkypeWorld) -> None:
    async with world.server() as server:
        contact = world.contact(server)
        world.service.away = True
        with logged("platform not asked") as refused:
            await contact.write("hello")
            await refused.once()
    world.service.away = False
    with logged("platform request given up") as given_up:
        async with world.server(skype_v2_url="https://apis.skype.com"):
            await given_up.once()
    assert contact.texts == []


def test_the_secret_is_needed_and_never_shown() -> None:
    with pytest.raises(SettingsError, match="skype-v2: IVR_SKYPE_V2_APP_ID and IVR_SKYPE_V2_PASSWORD"):
        check_settings(Settings(public_url="https://ivr.example"), dev=False)
    assert SECRET not in repr(Settings(skype_v2_app_id=APP, skype_v2_password=SECRET))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"skype_v2_password": None}, "IVR_SKYPE_V2_PASSWORD is needed"),
        ({"skype_v2_patience": 900.0}, "IVR_SKYPE_V2_PATIENCE must be under the 900 seconds"),
        ({"skype_v2_url": "apis.skype.com"}, "IVR_SKYPE_V2_URL must be an address"),
        ({"skype_v2_url": "http://apis.skype.com"}, "IVR_SKYPE_V2_URL must be an address"),
        ({"skype_v2_login_url": "http://login.example"}, "IVR_SKYPE_V2_LOGIN_URL must be https"),
        ({"skype_v2_openid_metadata": ("http://keys.example",)}, "IVR_SKYPE_V2_OPENID_METADATA"),
    ],
)
async def test_settings_that_cannot_be_are_said_to_be_so(
    world: SkypeWorld, changed: dict[str, Any], message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        async with world.server(**changed):
            pass


async def test_in_development_nothing_is_verified_and_only_this_machine_is_written_to(world: SkypeWorld) -> None:
    unset = {"skype_v2_app_id": None, "skype_v2_password": None}
    async with world.server(dev=True, **unset) as server:
        contact = world.contact(server)
        world.service.tokens.knows = lambda authorization: authorization == ""  # type: ignore[method-assign]
        assert (await contact.send(json.dumps([contact.element("message", content="hi")]).encode(), "")).status == 201
        assert await world.read(contact, 1) == [QUESTION]
    assert world.service.tokens.asked == 0
    with logged("platform request given up") as given_up:
        async with world.server(dev=True, **unset, skype_v2_url="https://apis.skype.com") as server:
            await world.contact(server, user="8:other").write("hi")
            await given_up.once()
