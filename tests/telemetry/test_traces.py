"""A call as a trace: sent by a real server, read by a real receiver of OTLP, and nothing of the caller in it."""

import asyncio
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import RawTestServer
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SentSpan
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from ivr.engine.commands import Request
from ivr.engine.events import CallReceived, ServiceFailed
from ivr.errors import StoreUnavailable
from ivr.phone.callers.turn_based import Press, Speak
from ivr.ports import CallKey
from ivr.server.telemetry import span_sender
from ivr.server.telemetry.call_spans import CallSpans, Span
from ivr.server.telemetry.job_watch import DeliveryTry, JobTimes
from ivr.server.telemetry.span_sender import SpanSender
from ivr.settings import Settings, SettingsError
from ivr.storage import Order
from tests.free_ports import free_port
from tests.phone.calling import Signer
from tests.server.harness import Way
from tests.server.world import World
from tests.telemetry.collector import collecting
from tests.telemetry.test_counting import DESK, Refusing
from tests.turn.house import House
from tests.waiting import PATIENCE

TOKEN = "a-token-of-the-collector"
SAID = "my flight was late"
CALL = f"{5:032x}"


class Kept:
    """A sender that keeps what it is given."""

    def __init__(self) -> None:
        self.spans: list[Span] = []

    def send(self, spans: Sequence[Span]) -> None:
        self.spans += spans


@pytest.mark.parametrize("way", ["short", "long"])
async def test_a_whole_call_is_one_trace_from_webhook_to_service(tmp_path: Path, signer: Signer, way: Way) -> None:
    async with collecting() as (collector, address):
        world = World(tmp_path, signer, way=way)
        async with world.server(tracing=address, tracing_share=1.0, tracing_token=TOKEN) as phone:
            call = await phone.call(Press("1"), Speak(SAID))
    ((record, _),) = [await world.look(call.id)]
    assert {span.trace_id.hex() for span in collector.spans} == {record.id}
    assert collector.resources["service.name"] == "ivr"
    assert set(collector.authorizations) == {f"Bearer {TOKEN}"}
    (whole,) = collector.named("call")
    assert not whole.parent_span_id
    assert {key: value for key, value in told(whole).items() if key in {"ivr.flow", "ivr.state", "ivr.outcome"}} == {
        "ivr.flow": "desk", "ivr.state": "thanks", "ivr.outcome": "resolved",
    }  # fmt: skip
    (service,) = collector.named("service transcribe")
    assert collector.path(service) == [
        "service transcribe", "job transcribe", "order transcribe", "turn", "webhook", "call",
    ]  # fmt: skip
    assert len(collector.named("webhook")) == 4
    assert len({span.span_id for span in collector.spans}) == len(collector.spans)
    assert all(collector.path(span)[-1] == "call" for span in collector.spans)
    for webhook in collector.named("webhook"):
        inside = [span for span in collector.named("turn") if collector.parent(span) == webhook]
        assert inside
        assert all(webhook.start_time_unix_nano <= span.start_time_unix_nano for span in inside)
        assert all(span.end_time_unix_nano <= webhook.end_time_unix_nano for span in inside)


async def test_nothing_of_the_caller_is_in_it(tmp_path: Path, signer: Signer) -> None:
    async with collecting() as (collector, address):
        world = World(tmp_path, signer)
        async with world.server(tracing=address, tracing_share=1.0) as phone:
            call = await phone.call(Press("1"), Speak(SAID))
    record, _ = await world.look(call.id)
    facts = record.call.facts
    assert facts.caller is not None
    for secret in (SAID, call.id, facts.caller, facts.called, signer.token()[:40], *record.replies):
        assert secret.encode() not in collector.raw
    assert b"KeysPressed" in collector.raw or b"ChoiceMade" in collector.raw


async def test_only_the_share_is_traced_and_without_an_address_nothing(tmp_path: Path, signer: Signer) -> None:
    async with collecting() as (collector, address):
        world = World(tmp_path, signer)
        async with world.server(tracing=address, tracing_share=1e-9) as phone:
            await phone.call(Press("1"), Speak(SAID))
        async with world.server() as phone:
            await phone.call(Press("1"), Speak(SAID))
    assert collector.spans == []


async def test_a_collector_that_is_away_or_refuses_costs_no_call_and_its_token_is_not_logged(
    tmp_path: Path, signer: Signer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="ivr")
    address = f"http://127.0.0.1:{free_port()}/v1/traces"
    async with World(tmp_path, signer).server(tracing=address, tracing_share=1.0, tracing_token=TOKEN) as phone:
        call = await phone.call(Press("1"), Speak(SAID))
    assert call.statuses == [200] * 4
    assert [record.levelname for record in caplog.records if record.message == "spans not sent"] == ["WARNING"]
    assert TOKEN not in caplog.text


@pytest.mark.parametrize("status", [200, 302, 307])
async def test_a_collector_whose_answer_never_ends_or_leads_elsewhere_is_not_read_on_nor_followed(status: int) -> None:
    """It would fill the memory, or learn where else this server reaches."""
    left, sent, asked = asyncio.Event(), 0, 0

    async def endless(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal sent, asked
        asked += 1
        await request.read()
        answer = web.StreamResponse(status=status, headers={"Location": "/elsewhere"})
        await answer.prepare(request)
        try:
            while sent < 200_000_000:
                await answer.write(bytes(100_000))
                sent += 100_000
        finally:
            left.set()
        return answer

    async with RawTestServer(endless) as server:
        sender = SpanSender(str(server.make_url("/v1/traces")), token=None)
        sender.send([Span(1, 2, None, "call", "internal", 1.0, 2.0)])
        closing = asyncio.to_thread(sender.close)
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(closing, left.wait())
    assert sent < 50_000_000  # what the system keeps on both sides
    assert asked == 1


async def test_spans_that_are_too_many_are_dropped_and_the_end_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(span_sender, "AT_END", 0.05)
    monkeypatch.setattr(span_sender, "QUEUE", 600)
    async with collecting() as (collector, address):  # it answers only once this loop is free: never, as it seems
        sender = SpanSender(address, token=None)
        sender.send([Span(1, number + 1, None, "call", "internal", 1.0, 2.0) for number in range(5000)])
        sender.close()
        assert collector.spans == []


def test_who_does_a_job_on_another_server_hangs_it_under_the_order() -> None:
    here, there = Kept(), Kept()
    order = Order(CALL, CallKey("sim", "a", "1"), Request("1.0", "transcribe", {}, 5.0), 2)
    for one in (here, there):
        CallSpans(one, share=1.0).job_done(order, JobTimes(1.0, 2.0, 3.0), ServiceFailed("1.0", "timeout"))
    assert here.spans[0].parent == there.spans[0].parent
    job, service, store = here.spans
    assert (job.failed, service.failed, store.failed) == ("timeout", "timeout", "")
    assert service.parent == store.parent == job.id
    assert (service.ended, store.began, store.ended) == (2.0, 2.0, 3.0)


def test_the_same_calls_are_traced_on_every_server() -> None:
    calls = [f"{number * 2**57:032x}" for number in range(128)]
    traced = []
    for _ in range(2):
        kept = Kept()
        spans = CallSpans(kept, share=0.25)
        for call in calls:
            spans.delivered(DeliveryTry("notification", call, "1.0", 1.0, 2.0, "failed"))
        traced.append({span.trace for span in kept.spans})
    assert traced[0] == traced[1]
    assert len(traced[0]) == 32


async def test_a_turn_that_is_not_saved_is_seen_as_failed(tmp_path: Path) -> None:
    kept, store = Kept(), Refusing()
    house = House(DESK, store=store, watch=CallSpans(kept, share=1.0))
    store.error = StoreUnavailable("away")
    with pytest.raises(StoreUnavailable):
        await house.told("first", CallReceived("29:anna", "28:bot"))
    assert [(span.name, span.failed) for span in kept.spans] == [
        ("turn", "StoreUnavailable"), ("store", "StoreUnavailable"),
    ]  # fmt: skip


async def test_a_failure_is_the_status_of_its_span() -> None:
    async with collecting() as (collector, address):
        sender = SpanSender(address, token=None)
        sender.send([Span(1, 2, 3, "job x", "consumer", 5.0, 4.0, {"ivr.attempt": 1}, failed="timeout")])
        await sender_closed(sender)
    (span,) = collector.spans
    assert (span.status.code, span.status.message) == (Status.STATUS_CODE_ERROR, "timeout")
    assert span.start_time_unix_nano == span.end_time_unix_nano  # a clock that was set back
    assert int.from_bytes(span.parent_span_id) == 3


async def sender_closed(sender: SpanSender) -> None:
    await asyncio.to_thread(sender.close)


async def test_without_the_extra_the_server_says_what_to_install(
    tmp_path: Path, signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    monkeypatch.delitem(sys.modules, "ivr.server.telemetry.span_sender", raising=False)
    with pytest.raises(SettingsError, match=r"ivr\[tracing\]"):
        async with World(tmp_path, signer).server(tracing="http://127.0.0.1:1/v1/traces"):
            raise AssertionError


@pytest.mark.parametrize("address", ["127.0.0.1:4318", "ftp://x/v1", "http://user:pw@host/v1/traces"])
def test_an_address_that_is_none_or_holds_a_password_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="must be an address"):
        Settings(tracing=address)


def told(span: SentSpan) -> dict[str, str]:
    return {one.key: one.value.string_value for one in span.attributes}
