"""Each published exchange of the Skype Bot Platform v2: what we read is read, and what we write is what was written."""

import json
from pathlib import Path
from typing import Any

import pytest

from ivr.carriers.api_server import api_served
from ivr.carriers.rest import ApiReply, ApiRequest
from ivr.carriers.skype_v2.skype_service import content_of
from ivr.carriers.skype_v2.skype_xml import ShownText, shown
from ivr.engine.commands import Play, Text
from ivr.engine.events import CallEnded, CallReceived
from ivr.ports import Leg, WebhookReply
from ivr.services.client_credentials import ClientCredentials
from ivr.user_values import User
from tests.skype_v2.skype_messages import (
    APP,
    CHANNEL,
    NOW,
    USER,
    WIRE,
    asked,
    begun,
    decoded,
    make_channel,
    published,
    spoken,
    texts,
)

GREETING = Play("1.1", (Text("Good morning !", "female", "en-US"),))
CHAT = Path(__file__).parents[1] / "chat/wire"
ALIAS = json.loads((CHAT / "09-skype-v3-alias.json").read_text("utf-8"))
"The Bot Framework's way at this platform's host."


def body_of(name: str) -> Any:
    return published(name)["request"]["body"]


def test_every_exchange_is_used() -> None:
    assert {file.name[:2] for file in WIRE.glob("*.json")} == {"01", "02", "03", "04", "05", "06"}


async def test_01_what_a_token_is_asked_with() -> None:
    exchange = published("01")
    asked_with: list[ApiRequest] = []

    def provider(request: ApiRequest) -> ApiReply:
        asked_with.append(request)
        return ApiReply(200, json.dumps(exchange["response"]["body"]).encode())

    async with api_served(provider) as base:
        scope = "https://graph.microsoft.com/.default"
        credentials = ClientCredentials(base, "common", client=APP, secret="3ayhQ55FqU...", scope=scope)
        assert await credentials.token() == exchange["response"]["body"]["access_token"]
        await credentials.close()
    (one,) = asked_with
    assert exchange["request"]["url"].endswith(one.path)
    assert (one.method, one.body.decode()) == (exchange["request"]["method"], exchange["request"]["form"])
    assert one.content_type == exchange["request"]["headers"]["Content-Type"]


def test_02_a_contact_that_adds_the_bot_begins_a_conversation() -> None:
    (incoming,) = decoded(body_of("02"))
    assert incoming.starts
    assert CHANNEL.hear(Leg(), incoming, now=NOW).events == (CallReceived(USER, f"28:{APP}", within="skype"),)
    assert CHANNEL.nothing("ack") == WebhookReply(published("02")["response"]["status"])


def test_03_one_that_removes_it_ends_it_and_begins_none() -> None:
    (incoming,) = decoded(body_of("03"))
    assert not incoming.starts
    assert incoming.otherwise == WebhookReply(201)
    assert incoming.forgets == User("skype-v2", incoming.key.account, "skype", USER)
    assert CHANNEL.hear(asked(GREETING), incoming, now=NOW).events == (CallEnded("caller"),)


def test_04_a_message_begins_a_conversation_with_whoever_wrote() -> None:
    (incoming,) = decoded(body_of("04"))
    assert (incoming.starts, incoming.key.channel, incoming.key.id) == (True, "skype-v2", USER)
    assert incoming.forgets is None
    assert CHANNEL.hear(Leg(), incoming, now=NOW).events == (CallReceived(USER, f"28:{APP}", within="skype"),)


def test_05_what_is_sent() -> None:
    (sent,) = spoken(begun(), GREETING).outbound
    exchange = published("05")["request"]
    assert (sent.method, sent.path, sent.body) == (exchange["method"], exchange["url"], exchange["body"])


def test_05_and_06_are_shown_as_they_were_meant() -> None:
    read = [shown(content_of(json.dumps(body_of(name)).encode(), "v2")) for name in ("05", "06")]
    assert read == [ShownText("Good morning !"), ShownText(";)")]


def test_06_an_emoticon_of_a_flow() -> None:
    marked = body_of("06")["message"]["content"]
    (sent,) = spoken(begun(), Play("1.1", (Text(";)", "female", "en-US", marked=marked, markup="xml"),))).outbound
    exchange = published("06")["request"]
    assert (sent.method, sent.path, sent.body) == (exchange["method"], exchange["url"], exchange["body"])


def test_06_an_emoticon_that_somebody_writes_is_read_as_its_letters() -> None:
    content = body_of("06")["message"]["content"]
    assert texts([{**body_of("04")[0], "content": content}]) == [(USER, ";)")]


def test_the_bot_frameworks_way_at_the_same_host() -> None:
    channel = make_channel(wire="v3")
    (sent,) = spoken(begun(channel, **{"from": "29:1iFtpwQ..."}), GREETING, channel=channel).outbound
    exchange = ALIAS["request"]
    assert (sent.method, sent.path, sent.body) == (exchange["method"], exchange["url"], exchange["body"])
    assert content_of(json.dumps(exchange["body"]).encode(), "v3") == "Good morning !"


@pytest.mark.parametrize("name", ["21-skype-xml", "22-emoticon"])
def test_what_the_bot_framework_publishes_of_the_same_xml_is_shown_without_a_fault(name: str) -> None:
    text = json.loads((Path(__file__).parents[1] / f"chat/wire/{name}.json").read_text("utf-8"))["request"]["body"][
        "text"
    ]
    assert shown(text).findings == ()
