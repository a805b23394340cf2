"""What every channel that can place calls promises, asked of all that the server knows."""

from typing import cast

import msgspec
import pytest

from ivr.engine.events import CallNotAnswered
from ivr.ports import CallingChannel, Dial, Exchange, Leg
from ivr.server.plugs import SOURCES
from ivr.server.plugs.plug import Plug
from ivr.settings import Settings
from tests.channels.test_every_channel import plugged

NOW = 1_800_000_000.0
ACCOUNTS = Settings(jambonz_account_sid="acc-1", telnyx_application_id="app-1")
PLUGS = {source.name: plugged(source, ACCOUNTS) for source in SOURCES}
DIAL = Dial("5f0c2e6f9f6b4a0b8d3a1c2b3d4e5f60", "+436601234567", "+4315550100", 45.0, until=NOW + 120)


@pytest.fixture(params=[name for name, plug in PLUGS.items() if isinstance(plug.channel, CallingChannel)])
def plug(request: pytest.FixtureRequest) -> Plug:
    return PLUGS[request.param]


def channel_of(plug: Plug) -> CallingChannel:
    return cast("CallingChannel", plug.channel)


def placed(plug: Plug, dial: Dial = DIAL) -> Exchange:
    return channel_of(plug).place(dial, now=NOW)


def test_all_lines_of_telephones_place_calls() -> None:
    writes = {"chat", "skype-v2", "page"}  # nobody is called there: a conversation begins with what somebody writes
    assert {name for name, plug in PLUGS.items() if isinstance(plug.channel, CallingChannel)} == set(PLUGS) - writes


def test_an_order_is_one_request_that_is_not_repeated_and_ends_in_time(plug: Plug) -> None:
    exchange = placed(plug)
    assert placed(plug) == exchange
    (order,) = exchange.outbound
    assert (order.method, order.answered, order.once, order.until) == ("POST", True, True, DIAL.until)
    assert (exchange.events, exchange.reply, exchange.fetches) == ((), None, ())


def test_an_order_says_who_is_called_and_can_be_told_by_our_id(plug: Plug) -> None:
    written = msgspec.json.encode(placed(plug).outbound[0].body).decode()
    assert all(part in written for part in (DIAL.to, str(DIAL.caller), DIAL.id, "45"))


def test_two_calls_have_nothing_in_common_but_whom_they_reach(plug: Plug) -> None:
    other = msgspec.structs.replace(DIAL, id="0" * 32)
    assert DIAL.id not in msgspec.json.encode(placed(plug, other).outbound[0].body).decode()


@pytest.mark.parametrize("status", [0, 301, 400, 403, 404, 409, 429, 500, 503])
def test_an_order_that_was_not_taken_is_a_call_that_failed(plug: Plug, status: int) -> None:
    exchange = placed(plug)
    told = channel_of(plug).answered(exchange.leg, exchange.outbound[0], status, b"", now=NOW)
    assert told.events == (CallNotAnswered("failed"),)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"id": 5}', b"null"])
def test_an_order_that_was_taken_says_nothing_of_an_answer_whatever_came_with_that(plug: Plug, body: bytes) -> None:
    exchange = placed(plug)
    assert channel_of(plug).answered(exchange.leg, exchange.outbound[0], 201, body, now=NOW).events == ()


def test_what_is_remembered_is_saved_with_the_call(plug: Plug) -> None:
    leg = placed(plug).leg
    assert msgspec.json.decode(msgspec.json.encode(leg), type=Leg) == leg


def test_where_it_has_no_api_somebody_is_told_what_to_set(plug: Plug) -> None:
    assert plug.api is not None or plug.places_with.startswith("IVR_")
