"""Each published exchange of the chat, field by field: what we read is read, and what we write is what was written."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import pytest

from ivr.auth.jwks import keys_address
from ivr.carriers.api_server import api_served
from ivr.carriers.botframework.connector import judged
from ivr.carriers.rest import ApiReply, ApiRequest
from ivr.engine.commands import Choice, Play, Recognize, Text
from ivr.engine.events import CallEnded, CallReceived, InputTimedOut
from ivr.ports import Leg, Outbound, WebhookReply
from ivr.services.client_credentials import ClientCredentials
from tests.chat.chat_activities import APP, BASE, CHANNEL, NOW, WIRE, begun, published, request, sent, spoken
from tests.chat.chat_flows import ENVELOPE, chatting, shown
from tests.chat.published_flows import FLOWS

GREETING = Play("1.1", (Text("Good morning !", "female", "en-US"),))


def body_of(name: str) -> Any:
    return published(name)["request"]["body"]


def posted(name: str, leg: Leg) -> Outbound:
    (asked,) = spoken(leg, GREETING).outbound
    return asked


def test_every_exchange_is_used() -> None:
    files = {file.name[:2] for file in WIRE.glob("*.json")}
    assert files == {"01", "02", "03", "04", "05", "06", "07", "08", "09", *FLOWS}


async def test_01_what_a_token_is_asked_with() -> None:
    exchange = published("01")
    asked: list[ApiRequest] = []

    def provider(request: ApiRequest) -> ApiReply:
        asked.append(request)
        return ApiReply(200, json.dumps(exchange["response"]["body"]).encode())

    async with api_served(provider) as base:
        scope = "https://api.botframework.com/.default"
        credentials = ClientCredentials(base, "botframework.com", client=APP, secret="6wyxeJ4...", scope=scope)
        assert await credentials.token() == exchange["response"]["body"]["access_token"]
        await credentials.close()
    (one,) = asked
    assert exchange["request"]["url"].endswith(one.path)
    assert (one.method, one.body.decode()) == (exchange["request"]["method"], exchange["request"]["form"])
    assert one.content_type == exchange["request"]["headers"]["Content-Type"]


def test_02_where_the_keys_are() -> None:
    answer = json.dumps(published("02")["response"]["body"]).encode()
    assert keys_address(answer) == "https://login.botframework.com/v1/.well-known/keys"


def test_03_a_contact_that_adds_the_bot_begins_a_conversation() -> None:
    (incoming,) = CHANNEL.decode(request(body_of("03")))
    assert incoming.starts
    assert CHANNEL.hear(Leg(), incoming, now=NOW).events == (
        CallReceived("29:1iFtpwQ...", f"28:{APP}", within="skype"),
    )


def test_04_one_that_removes_it_ends_it_and_begins_none() -> None:
    (incoming,) = CHANNEL.decode(request(body_of("04")))
    assert not incoming.starts
    assert incoming.otherwise == WebhookReply(202)
    assert CHANNEL.hear(begun(), incoming, now=NOW).events == (CallEnded("caller"),)


def test_05_a_message_is_accepted() -> None:
    (incoming,) = CHANNEL.decode(request(body_of("05")))
    assert incoming.key.id == "skype/29:1iFtpwQ..."
    assert incoming.id == "message:4GhGAlkzDAK2I5lw"
    assert CHANNEL.nothing("ack").status == published("05")["response"]["status"]


def test_06_a_reply() -> None:
    asked = posted("06", begun(id="4GhGAlkzDAK2I5lw"))
    exchange = published("06")["request"]
    assert (asked.method, asked.path) == (exchange["method"], exchange["url"])
    assert same(asked.body, exchange["body"])


def test_07_what_is_written_first_once_nobody_has_answered() -> None:
    asking = spoken(begun(), Recognize("1.1", (), digits=None, choices=(Choice("a", "1"),)))
    assert asking.wake is not None
    silent = CHANNEL.tick(asking.leg, now=asking.wake)
    assert silent.events == (InputTimedOut("1.1"),)
    asked = posted("07", silent.leg)
    exchange = published("07")["request"]
    assert (asked.method, asked.path) == (exchange["method"], exchange["url"])
    assert same(asked.body, exchange["body"])


def test_08_the_least_is_among_what_we_write() -> None:
    (activity,) = sent(spoken(begun(), GREETING))
    assert body_of("08").items() <= activity.items()


@pytest.mark.parametrize("name", sorted(FLOWS))
def test_20_to_32_are_what_a_flow_says(name: str) -> None:
    theirs = body_of(name)
    parties = {"from": theirs["recipient"], "recipient": theirs["from"]} if "from" in theirs else {}
    ours = shown(chatting(FLOWS[name]), begun(**parties))[0]
    assert same_but_for_addresses({key: ours[key] for key in ours if key in theirs or key not in ENVELOPE}, theirs)


def same_but_for_addresses(ours: object, theirs: object) -> bool:
    """Compare as JSON; files are fetched by TLS alone here, and a text has no space at its end."""
    return json.dumps(ours, sort_keys=True) == json.dumps(stripped(theirs), sort_keys=True).replace("http:", "https:")


def stripped(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {name: stripped(value) for name, value in tree.items()}
    if isinstance(tree, list):
        return [stripped(value) for value in tree]
    return tree.strip()


@pytest.mark.parametrize("name", sorted({"06", "07", "08", *FLOWS}))
def test_a_connector_takes_what_others_have_sent(name: str) -> None:
    conversation = unquote(published(name)["request"]["url"].split("/conversations/")[1].split("/")[0])
    assert judged(body_of(name), conversation, body_of(name).get("replyToId")) == []


def test_09_the_older_address_takes_a_kind_of_its_own_which_says_nothing_here() -> None:
    assert CHANNEL.decode(request({**BASE, **body_of("09")})) == WebhookReply(202)


def same(ours: object, theirs: Mapping[str, Any]) -> bool:
    """Compare as JSON, but for the time."""
    assert isinstance(ours, dict)
    return {**ours, "timestamp": ""} == {**theirs, "timestamp": ""}
