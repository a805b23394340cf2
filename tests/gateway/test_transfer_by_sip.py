"""A bot transfers its caller: by 302 before the answer, by REFER after it, where the operator allows the address."""

from __future__ import annotations

import asyncio
import logging

import pytest

from ivr.gateway.gateway_call import GatewayCall
from ivr.gateway.whispers import with_whisper
from ivr.useragent.call_leg import NotAnswered
from tests.gateway.calling_the_gateway import FILES, gateway_to, says
from tests.gateway.raw_caller import ELSEWHERE, offer, raw_caller
from tests.gateway.telephone import telephone
from tests.phone.fake_bot import ANSWER, HANG_UP, fake_bot, flow
from tests.waiting import PATIENCE

ALLOWED = "sip:*@pbx.example"


def transfer(target: str) -> dict[str, str]:
    return {"operationId": "connect", "action": "transfer", "target": target}


async def test_a_call_that_is_not_answered_is_sent_elsewhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with (
        fake_bot(flow(transfer("sip:sales@pbx.example"))) as bot,
        gateway_to(bot, allow_transfer=ALLOWED) as gateway,
        telephone() as phone,
    ):
        caller = await phone.dial(gateway.addresses[0])
        with pytest.raises(NotAnswered) as failed:
            await caller.answered()
        await bot.was_told(2)
    assert failed.value.status == 302
    assert bot.told[0].json["ivr"]["transfer"] is True
    assert bot.outcomes == [{"type": "transferOutcome", "id": "connect", "outcome": "success"}]
    assert bot.results[0]["callState"] == "terminated"
    (line,) = [record for record in caplog.records if record.getMessage() == "call ended"]
    assert vars(line)["end"] == "transferred"


async def test_a_transfer_that_the_other_side_refuses_is_told_and_the_call_goes_on() -> None:
    async with (
        fake_bot(flow(ANSWER, transfer("sip:sales@pbx.example")), flow(says("hello.wav"), HANG_UP), files=FILES) as bot,
        gateway_to(bot, allow_transfer=ALLOWED) as gateway,
        telephone() as phone,
    ):
        caller = await phone.dial(gateway.addresses[0])
        await caller.answered()
        await caller.ended()
    assert bot.outcomes[0]["outcome"] == "failure"
    assert bot.outcomes[0]["status"] == 405, "our own user agent follows no REFER"
    assert len(bot.told) == 3


async def test_a_transfer_that_the_other_side_carries_out_is_the_end_of_the_call(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    async with (
        fake_bot(flow(ANSWER, transfer("sip:sales@pbx.example"))) as bot,
        gateway_to(bot, allow_transfer=ALLOWED) as gateway,
        raw_caller(gateway.addresses[0]) as (caller, bystander),
    ):
        assert await caller.is_transferred(bystander.port, "200 OK") == "<sip:sales@pbx.example>"
        await bot.was_told(2)
        assert gateway.health.calls == 0
    assert bot.outcomes[0]["outcome"] == "success"
    (line,) = [record for record in caplog.records if record.getMessage() == "call ended"]
    assert vars(line)["end"] == "transferred"


async def test_a_busy_side_is_told_by_its_status_and_whoever_answers_is_shown_the_whisper() -> None:
    wanted = {**transfer("sip:sales@pbx.example"), "timeoutInSeconds": 60, "whisper": "Müller, order 4711"}
    async with (
        fake_bot(flow(ANSWER, wanted), flow(HANG_UP)) as bot,
        gateway_to(bot, allow_transfer=ALLOWED) as gateway,
        raw_caller(gateway.addresses[0]) as (caller, bystander),
    ):
        target = await caller.is_transferred(bystander.port, "486 Busy Here")
        assert target == "<sip:sales@pbx.example?Subject=M%C3%BCller%2C%20order%204711>"
        await bot.was_told(3)
    assert (bot.outcomes[0]["outcome"], bot.outcomes[0]["status"]) == ("failure", 486)


@pytest.mark.parametrize(
    ("target", "whisper", "written"),
    [
        ("sip:a@pbx.example", None, "sip:a@pbx.example"),
        ("sip:a@pbx.example", " ", "sip:a@pbx.example"),
        ("tel:+4930", "new", "tel:+4930"),
        ("sip:a@pbx.example", "a&b=c?\r\nX: y>", "sip:a@pbx.example?Subject=a%26b%3Dc%3F%20X%3A%20y%3E"),
        ("sip:a@pbx.example?Priority=urgent", "new", "sip:a@pbx.example?Priority=urgent&Subject=new"),
        ("sip:a@pbx.example", "x" * 500, f"sip:a@pbx.example?Subject={'x' * 160}"),
    ],
)
def test_a_whisper_is_a_subject_and_can_be_nothing_else(target: str, whisper: str | None, written: str) -> None:
    assert with_whisper(target, whisper) == written


async def test_a_caller_who_leaves_before_the_transfer_begins_is_counted_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    reached, heard_out = asyncio.Event(), GatewayCall._heard_out

    async def watched(call: GatewayCall, most: float) -> None:
        reached.set()
        await heard_out(call, most)

    monkeypatch.setattr(GatewayCall, "_heard_out", watched)
    async with (
        fake_bot(flow(ANSWER, says("hello.wav"), transfer("sip:sales@pbx.example")), files=FILES) as bot,
        gateway_to(bot, allow_transfer=ALLOWED) as gateway,
        raw_caller(gateway.addresses[0]) as (caller, bystander),
    ):
        invite = caller.invite(offer(ELSEWHERE, bystander.port))
        caller.sends(invite)
        answer = await caller.answered(200)  # without ACK nothing is sent elsewhere, so that the prompt is not over yet
        await reached.wait()
        caller.sends(caller.within(invite, answer, "BYE"))
        await bot.was_told(2)
        assert gateway.health.calls == 0
    (line,) = [record for record in caplog.records if record.getMessage() == "call ended"]
    assert vars(line)["end"] == "caller"


async def test_an_address_that_is_not_allowed_is_called_by_nobody() -> None:
    async with (
        fake_bot(flow(ANSWER, transfer("sip:sales@elsewhere.example")), flow(HANG_UP)) as bot,
        gateway_to(bot, allow_transfer=ALLOWED) as gateway,
        telephone() as phone,
    ):
        caller = await phone.dial(gateway.addresses[0])
        await caller.ended()
    assert bot.outcomes[0]["status"] == 403


async def test_without_the_setting_there_is_no_transfer() -> None:
    async with (
        fake_bot(flow(transfer("sip:sales@pbx.example")), b"") as bot,
        gateway_to(bot) as gateway,
        telephone() as phone,
    ):
        caller = await phone.dial(gateway.addresses[0])
        with pytest.raises(NotAnswered):
            await caller.answered()
        async with asyncio.timeout(PATIENCE):
            await bot.was_told(2)
    assert "transfer" not in bot.told[0].json["ivr"]
    assert bot.outcomes[0]["type"] == "worfklowValidationOutcome"


async def test_a_call_that_is_drained_while_it_is_transferred_is_counted_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    async with (
        fake_bot(flow(ANSWER, transfer("sip:sales@pbx.example"))) as bot,
        gateway_to(bot, allow_transfer=ALLOWED) as gateway,
        raw_caller(gateway.addresses[0]) as (caller, bystander),
    ):
        invite = caller.invite(offer(ELSEWHERE, bystander.port))
        caller.sends(invite)
        caller.sends(caller.ack(invite, await caller.answered(200)))
        caller.accepts(await caller.asked("REFER"))
        await gateway.drain(0)
        assert gateway.health.calls == 0
        await bot.was_told(2)
    (line,) = [record for record in caplog.records if record.getMessage() == "call ended"]
    assert vars(line)["end"] == "drained"
