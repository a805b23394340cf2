"""What every channel promises to the turn, asked of all that the server knows, and of the example of the docs.

A channel comes in by its entry in `SOURCES`; the call that it is tried with is its own example.
"""

import re
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from ivr.channels.botframework.page_channel import PAGE
from ivr.coordination import LocalCoordination
from ivr.engine.commands import LineCommand
from ivr.engine.events import CallReceived
from ivr.errors import WebhookError
from ivr.news import LocalNews
from ivr.ports import Incoming, Leg, WebhookReply, WebhookRequest
from ivr.server.plugs import SOURCES
from ivr.server.plugs.plug import Plug, Source, Surroundings
from ivr.server.recording_links import RecordingLinks
from ivr.server.webhook_routes import WebhookRoutes
from ivr.settings import Settings
from ivr.store.data_folder import DataFolder
from ivr.store.memory.memory_calls import MemoryStore
from ivr.store.memory.memory_mailbox import MemoryMailbox
from tests.channels.bell import BELL
from tests.channels.orders import batches

NOW = 1_800_000_000.0
ALL = (*SOURCES, BELL)


def plugged(source: Source, settings: Settings = Settings()) -> Plug:  # noqa: B008  # frozen
    links = RecordingLinks("https://ivr.example", b"k" * 32)
    folder, mailbox = DataFolder(Path("none")), MemoryMailbox(MemoryStore())
    shared = mailbox, LocalNews(), LocalCoordination(time.time)
    here = Surroundings(
        "https://ivr.example", "https://ivr.example/media", links, b"t" * 32, folder, True, False, *shared
    )
    return source.make(settings, here)


PLUGS = {source.name: plugged(source) for source in ALL}


@pytest.fixture(params=ALL, ids=lambda source: source.name)
def plug(request: pytest.FixtureRequest) -> Plug:
    return PLUGS[request.param.name]


def ringing(plug: Plug, body: bytes | None = None) -> WebhookRequest:
    """Return the request with which the example of a channel begins, or another body at its address."""
    assert plug.example is not None, "a channel shows the least that its platform sends"
    headers = {"content-type": plug.example.content_type}
    return WebhookRequest(
        "POST",
        plug.example.path,
        headers,
        plug.example.body.encode() if body is None else body,
        target=plug.example.path,
    )


def opened(plug: Plug) -> tuple[Incoming, Leg]:
    messages = plug.channel.decode(ringing(plug))
    assert not isinstance(messages, WebhookReply)
    (incoming,) = messages
    return incoming, plug.channel.hear(Leg(), incoming, now=NOW).leg


def test_a_channel_is_called_as_its_source_and_can_what_that_says() -> None:
    assert [(plug.channel.name, plug.channel.can) for plug in PLUGS.values()] == [(one.name, one.can) for one in ALL]


def test_no_two_channels_have_the_same_address() -> None:
    routes = WebhookRoutes([plug.channel for plug in PLUGS.values()])
    for plug in PLUGS.values():
        for endpoint in plug.channel.endpoints:
            found = routes.find(endpoint.path)
            assert found is not None
            assert found.channel == plug.channel.name


def test_what_an_operator_registers_is_an_address_of_the_channel(plug: Plug) -> None:
    named = {endpoint.path: endpoint.named for endpoint in plug.channel.endpoints}
    assert any(one.starts for one in plug.registrations) or plug.channel.name == PAGE  # whose platform is our own page
    for one in plug.registrations:
        assert one.path in named
        assert named[one.path] or not one.starts


def test_only_the_platform_of_a_head_that_proves_it_may_post_forms_of_files(plug: Plug) -> None:
    assert plug.proof == "head" or not any(endpoint.form for endpoint in plug.channel.endpoints)


def test_its_example_opens_a_call_and_is_heard_the_same_twice(plug: Plug) -> None:
    incoming, leg = opened(plug)
    assert incoming.starts
    assert incoming.key.channel == plug.channel.name
    assert incoming.key.account == plug.account
    assert re.fullmatch(r"[!-~]{1,128}", incoming.id)
    first, second = (plug.channel.hear(Leg(), incoming, now=NOW) for _ in range(2))
    assert first == second
    assert isinstance(first.events[0], CallReceived)
    assert opened(plug) == (incoming, leg)


def test_there_is_a_reply_that_says_nothing_for_each_kind_of_message(plug: Plug) -> None:
    for reply in (plug.channel.nothing("commands"), plug.channel.nothing("ack")):
        assert 200 <= reply.status < 300


@pytest.mark.parametrize("source", ALL, ids=lambda source: source.name)
@given(st.binary(max_size=300), st.integers(0, 2000), st.binary(max_size=3))
@settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=150)
def test_a_hostile_body_is_read_or_refused(source: Source, body: bytes, place: int, damage: bytes) -> None:
    plug = PLUGS[source.name]
    whole = ringing(plug).body
    at = place % len(whole)
    for each in (body, whole[:at], whole[:at] + damage + whole[at + 1 :], b""):
        try:
            messages = plug.channel.decode(ringing(plug, each))
        except WebhookError as error:
            messages = WebhookReply(error.status)
        if isinstance(messages, WebhookReply):
            assert messages.status < 500
            continue
        for incoming in messages:
            assert re.fullmatch(r"[!-~]{1,128}", incoming.id)
            plug.channel.hear(Leg(), incoming, now=NOW)


@pytest.mark.parametrize(
    "query",
    [
        "&".join(f"a{number}=1" for number in range(500)),
        *(
            "c=1&c=2&t=3&t=4",
            "c=%ED%A0%80&t=a~b",
            "c=%00&t=%00",
            "t=" + "~" * 4000,
            "c&t",
            "?",
            "[",
            "%",
            "%ff;=&;",
            "c=\udcff&t=\udcff",
        ),
    ],
)
def test_a_hostile_query_is_read_or_refused(plug: Plug, query: str) -> None:
    for endpoint in plug.channel.endpoints:
        request = replace(ringing(plug), path=endpoint.path, target=f"{endpoint.path}?{query}")
        try:
            messages = plug.channel.decode(request)
        except WebhookError as error:
            messages = WebhookReply(error.status)
        if isinstance(messages, WebhookReply):
            assert messages.status < 500
            continue
        for incoming in messages:
            assert re.fullmatch(r"[!-~]{1,128}", incoming.id)


@pytest.mark.parametrize("source", ALL, ids=lambda source: source.name)
@given(orders=batches())
@settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=100)
def test_whatever_is_ordered_is_said_and_the_same_twice(source: Source, orders: Sequence[LineCommand]) -> None:
    plug = PLUGS[source.name]
    _, leg = opened(plug)
    first, second = (plug.channel.speak(leg, orders, now=NOW) for _ in range(2))
    assert first == second
    assert first.reply or first.outbound or first.events or first.wake
    assert bool(first.reply) or plug.channel.can.push
    assert len({one.id for one in first.outbound}) == len(first.outbound)  # each is stored, and sent, by its id


def test_without_orders_nothing_is_said(plug: Plug) -> None:
    _, leg = opened(plug)
    assert plug.channel.speak(leg, (), now=NOW).reply == plug.channel.nothing("commands")


def test_woken_twice_at_the_same_time_it_does_the_same(plug: Plug) -> None:
    _, leg = opened(plug)
    first, second = (plug.channel.tick(leg, now=NOW) for _ in range(2))
    assert first == second
    assert first.wake is None or first.wake > NOW
