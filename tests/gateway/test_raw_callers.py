"""Callers that no telephone is: who call for somebody else's ears, or call nobody."""

from __future__ import annotations

from ivr.sip.message import Request
from tests.gateway.calling_the_gateway import FILES, gateway_to, says
from tests.gateway.raw_caller import ELSEWHERE, HERE, offer, raw_caller
from tests.phone.fake_bot import ANSWER, fake_bot, flow


async def test_sound_for_a_third_party_waits_until_the_caller_has_proved_to_be_there() -> None:
    async with (
        fake_bot(flow(ANSWER, says("hello.wav")), flow(says("other.wav")), files=FILES) as bot,
        gateway_to(bot) as gateway,
        raw_caller(gateway.addresses[0]) as (caller, bystander),
    ):
        invite = caller.invite(offer(ELSEWHERE, bystander.port))
        caller.sends(invite)
        for _ in range(2):  # the second comes half a second later: twenty frames
            answer = await caller.answered(200)
        assert bystander.came.empty()
        caller.sends(caller.ack(invite, answer))
        assert len(await bystander.next()) == 172


async def test_a_call_to_nobody_in_particular_reaches_the_bot() -> None:
    async with (
        fake_bot(flow({"operationId": "no", "action": "reject"})) as bot,
        gateway_to(bot) as gateway,
        raw_caller(gateway.addresses[0]) as (caller, bystander),
    ):
        caller.sends(caller.invite(offer(ELSEWHERE, bystander.port), "sip:127.0.0.1", To="<sip:127.0.0.1>"))
        await caller.answered(603)
    assert all(one["identity"].strip() for one in bot.told[0].json["participants"])


async def test_a_caller_who_gives_up_in_the_same_moment_leaves_nothing_behind() -> None:
    async with (
        fake_bot(flow({"operationId": "no", "action": "reject"})) as bot,
        gateway_to(bot, calls=1) as gateway,
        raw_caller(gateway.addresses[0]) as (caller, bystander),
    ):
        invite = caller.invite(offer(ELSEWHERE, bystander.port))
        caller.sends(invite)
        caller.sends(Request("CANCEL", invite.uri, invite.headers.replaced("CSeq", "1 CANCEL")))  # read in one go
        await caller.answered(487)
        assert gateway.health.calls == 0
        assert bot.told == []
        again = caller.invite(offer(ELSEWHERE, bystander.port), Call_ID="another")
        via = f"SIP/2.0/UDP {HERE}:{caller.port};branch=z9hG4bKagain;rport"
        caller.sends(Request("INVITE", again.uri, again.headers.replaced("Via", via), again.body))
        await caller.answered(603)
