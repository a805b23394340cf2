"""Calls that a bot orders: rung, answered or not, held to their end, and what the bot is told of each."""

from __future__ import annotations

import asyncio
import logging
import socket
from pathlib import Path
from typing import Any

import pytest

from ivr.gateway.ordered_call import AnsweredCall
from ivr.sip.message import cseq, from_, to
from tests.gateway.calling_the_gateway import FILES, HELLO, OTHER, SORRY, apology, says
from tests.gateway.ordering import ID, NUMBER, SHOWN, Locked, RawCallee, an_order, ordered, ordering, raw_callee, told
from tests.gateway.telephone import Caller
from tests.phone.contract import valid
from tests.phone.fake_bot import HANG_UP, MENU, RECORD, Later, fake_bot, flow
from tests.useragent.certificates import Authority
from tests.useragent.parties import Party, party
from tests.waiting import Clock, logged

KEYS = {**MENU, "playPrompt": says("hello.wav", op="menu.p")}


async def picks_up(callee: Party) -> Caller:
    """Take the next call without ringing, and answer it."""
    leg = await callee.takes()
    person = Caller(leg)
    await leg.answer()
    return person


def line(caplog: pytest.LogCaptureFixture) -> Any:
    (found,) = [record for record in caplog.records if record.getMessage() == "call ended"]
    return found


async def test_somebody_answers_hears_the_bot_presses_a_key_and_is_hung_up(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with (
        fake_bot(flow(KEYS), flow(says("other.wav"), HANG_UP), files=FILES) as bot,
        party() as callee,
        ordering(bot, callee.hop().port) as gateway,
    ):
        answer = await ordered(gateway)
        assert (answer.status, answer.json) == (202, {"id": ID})
        person = await picks_up(callee)
        invite = person.leg.invite
        await person.hears_sound()
        person.press("1")
        await person.hears(OTHER)
        over = await person.ended()
        page = gateway.metrics().decode()
    assert invite.uri == f"sip:{NUMBER}@127.0.0.1:{callee.hop().port};user=phone"
    assert from_(invite).uri == f"sip:{SHOWN}@127.0.0.1"
    assert (over.by, over.reason_header[:15]) == ("remote", "Q.850;cause=16;")
    begun = bot.told[0].json
    assert (begun["id"], begun["callState"]) == (ID, "established")
    assert begun["participants"] == [
        {"identity": NUMBER, "originator": False, "languageId": "en-US"},
        {"identity": SHOWN, "originator": True},
    ]
    assert {name: begun["ivr"][name] for name in ("kind", "transport", "codec", "called", "questions")} == {
        "kind": "sip", "transport": "udp", "codec": "PCMA", "called": NUMBER, "questions": True,
    }  # fmt: skip
    assert bot.outcomes[0]["choiceOutcome"]["choiceName"] == "sales"
    assert valid(bot)
    ended = line(caplog)
    assert (ended.platform_call, ended.end, ended.caller, ended.called) == (ID, "bot", SHOWN, NUMBER)
    assert 'placed_calls_ended_total{end="bot"} 1' in page
    assert "placed_calls_begun_total 1\n" in page
    assert "placed_calls_answered_total 1\n" in page
    assert "ivr_gateway_calls 0\n" in page


async def test_the_same_order_again_is_no_second_call() -> None:
    async with fake_bot(flow(HANG_UP)) as bot, party() as callee, ordering(bot, callee.hop().port) as gateway:
        answers = [await ordered(gateway), await ordered(gateway)]
        person = await picks_up(callee)
        answers.append(await ordered(gateway))
        await person.ended()
        answers.append(await ordered(gateway))
        other = await ordered(gateway, an_order(ring=50))
    assert [(one.status, one.json) for one in answers] == [(202, {"id": ID})] * 4
    assert (other.status, other.json["error"]["code"]) == (409, "id-used")
    assert callee.calls.empty()


async def test_who_was_called_hangs_up_and_what_was_recorded_so_far_is_told() -> None:
    async with fake_bot(flow(RECORD)) as bot, party() as callee, ordering(bot, callee.hop().port) as gateway:
        await ordered(gateway)
        person = await picks_up(callee)
        await person.hears_silence(0.1)
        person.leg.hang_up()
        outcome = (await told(bot, 2))[1]["operationOutcome"]
        page = gateway.metrics().decode()
    assert outcome["completionReason"] == "callTerminated"
    assert 'placed_calls_ended_total{end="called"} 1' in page


@pytest.mark.parametrize(
    ("status", "end"),
    [(486, "busy"), (603, "declined"), (404, "unreachable"), (480, "no-answer"), (503, "unreachable"), (500, "failed")],
)
async def test_nobody_answers_and_the_bot_is_told_why(status: int, end: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with fake_bot(b"", b"") as bot, party() as callee, ordering(bot, callee.hop().port) as gateway:
        await ordered(gateway)
        leg = await callee.takes()
        leg.ring()
        assert (await told(bot, 1))[0] == {"id": ID, "type": "callStateChange", "currentState": "establishing"}
        leg.reject(status, "Evil reason\tof a stranger")
        last = (await told(bot, 2))[1]
        page = gateway.metrics().decode()
    assert (last["id"], last["currentState"], last["ivr"]["status"]) == (ID, "terminated", status)
    assert last["ivr"]["ended"] == f"the answer was {status}"
    assert line(caplog).end == end
    assert f'placed_calls_ended_total{{end="{end}"}} 1' in page
    assert "ivr_gateway_calls 0\n" in page


async def test_the_time_to_ring_is_over() -> None:
    with Clock.of_this_loop() as clock:
        async with fake_bot(b"", b"") as bot, party() as callee, ordering(bot, callee.hop().port) as gateway:
            await ordered(gateway, an_order(ring=20))
            leg = await callee.takes()
            leg.ring()
            await bot.was_told(1)
            assert leg.over is None
            clock.turn(20.0)
            over = await leg.ended()
            last = (await told(bot, 2))[1]
    assert over.by == "remote"
    assert (last["ivr"]["status"], last["ivr"]["ended"]) == (487, "nobody answered in 20 s")


async def test_an_answer_that_crosses_the_cancel_is_hung_up() -> None:
    with Clock.of_this_loop() as clock:
        async with fake_bot(b"", b"") as bot, raw_callee() as callee, ordering(bot, callee.port) as gateway:
            await ordered(gateway)
            invite = await callee.asked("INVITE")
            callee.answers(invite, 180)
            await bot.was_told(1)
            clock.turn(45.0)
            cancel = await callee.asked("CANCEL")
            callee.answers(invite, 200, sdp=True)
            callee.answers(cancel, 200)
            assert (await callee.asked("ACK")).method == "ACK"
            assert cseq(await callee.asked("BYE")).number == 2
            last = (await told(bot, 2))[1]
    assert last["ivr"]["status"] == 487
    assert len(bot.told) == 2


async def test_nobody_is_at_that_address() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        via = f"sip:127.0.0.1:{taken.getsockname()[1]};transport=tcp"
        async with fake_bot(b"") as bot, ordering(bot, call_via=via) as gateway:
            assert (await ordered(gateway)).status == 202
            last = (await told(bot, 1))[0]
    assert last["ivr"]["status"] == 503
    assert "cannot be reached" in last["ivr"]["ended"]


async def test_nothing_comes_from_that_address(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with Clock.of_this_loop() as clock:
        async with fake_bot(b"") as bot, raw_callee() as callee, ordering(bot, callee.port) as gateway:
            await ordered(gateway)
            await callee.asked("INVITE")
            clock.turn(32.5)
            last = (await told(bot, 1))[0]
    assert (last["ivr"]["status"], last["ivr"]["ended"]) == (503, f"nobody answers at 127.0.0.1:{callee.port}")
    assert line(caplog).end == "unreachable"


async def test_a_machine_without_ports_for_sound_says_so() -> None:
    async with party() as callee:
        busy = callee.hop().port
        async with fake_bot(b"") as bot, ordering(bot, busy, rtp=f"{busy}-{busy + 1}") as gateway:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
                one.bind(("127.0.0.1", busy + 1))
                await ordered(gateway)
                last = (await told(bot, 1))[0]
    assert last["ivr"]["status"] == 500


# --- passwords --------------------------------------------------------------------------------------------------------


async def test_a_trunk_that_asks_for_the_password_gets_a_proof_of_it() -> None:
    async with (
        fake_bot(flow(HANG_UP)) as bot,
        party(policy=Locked()) as callee,
        ordering(bot, callee.hop().port, call_user="acme", call_password="a long password") as gateway,
    ):
        await ordered(gateway)
        person = await picks_up(callee)
        await person.ended()
    assert "a long password" not in (person.leg.invite.headers.get("Authorization") or "")
    assert bot.told[0].json["callState"] == "established"


async def test_a_trunk_that_asks_for_another_password_is_told_to_the_operator(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    async with (
        fake_bot(b"") as bot,
        party(policy=Locked()) as callee,
        ordering(bot, callee.hop().port, call_user="acme", call_password="another password") as gateway,
    ):
        await ordered(gateway)
        last = (await told(bot, 1))[0]
    assert last["ivr"]["status"] == 401
    assert line(caplog).end == "failed"
    warned: Any
    (warned,) = [one for one in caplog.records if one.getMessage() == "trunk wants another password"]
    assert (warned.status, warned.trunk) == (401, f"127.0.0.1:{callee.hop().port}")
    assert "another password" not in caplog.text.replace("trunk wants another password", "")


async def test_a_proxy_that_asks_gets_a_proof_and_a_stranger_gets_none() -> None:
    challenge = [("Proxy-Authenticate", 'Digest realm="x", nonce="n", qop="auth", algorithm=MD5')]
    async with fake_bot(flow(HANG_UP), b"") as bot, raw_callee() as proxy, raw_callee() as stranger:
        target = f"sip:desk@127.0.0.1:{stranger.port}"
        flags = {"call_user": "acme", "call_password": "a long password", "call_targets": ("+43*", target)}
        async with ordering(bot, proxy.port, **flags) as gateway:
            await ordered(gateway)
            proxy.answers(await proxy.asked("INVITE"), 407, challenge)
            proved = await proxy.asked("INVITE")
            proxy.answers(proved, 200, sdp=True)
            proxy.answers(await proxy.asked("BYE"), 200)
            await ordered(gateway, {"id": "f" * 32, "to": target})
            asked = await stranger.asked("INVITE")
            stranger.answers(asked, 407, challenge)
            await told(bot, 3)
            ack = await stranger.asked("ACK")
    assert 'username="acme"' in (proved.headers.get("Proxy-Authorization") or "")
    assert cseq(ack).number == cseq(asked).number
    assert bot.told[2].json["ivr"]["status"] == 407


async def test_a_trunk_by_tls_is_verified_and_its_sound_encrypted(tmp_path: Path) -> None:
    ours, strangers = Authority(tmp_path, "ours"), Authority(tmp_path, "strangers")
    async with (
        fake_bot(flow(HANG_UP), b"") as bot,
        party("tls", tls=ours.issue("127.0.0.1")) as callee,
        party("tls", tls=strangers.issue("127.0.0.1")) as stranger,
    ):
        believed: dict[str, Any] = {"tls_authorities": str(ours.file)}
        for other, number in ((callee, ID), (stranger, "f" * 32)):
            async with ordering(bot, call_via=f"sips:127.0.0.1:{other.hop('tls').port}", **believed) as gateway:
                await ordered(gateway, an_order(id=number))
                if other is callee:
                    person = await picks_up(callee)
                    await person.ended()
                else:
                    await told(bot, 3)
    assert person.leg.plan is not None
    assert person.leg.plan.srtp is not None
    assert person.leg.invite.uri.startswith("sips:")
    assert bot.told[0].json["ivr"]["encrypted"] is True
    assert bot.told[2].json["ivr"]["status"] == 503
    assert "cannot be trusted" in bot.told[2].json["ivr"]["ended"]


# --- around the answer ------------------------------------------------------------------------------------------------


async def hangs_up_at_once(callee: RawCallee) -> None:
    invite = await callee.asked("INVITE")
    callee.answers(invite, 200, sdp=True)
    callee.hangs_up(invite)
    await callee.answered(200)


async def test_a_hang_up_in_the_instant_of_the_answer_is_an_answer_and_its_end() -> None:
    async with fake_bot(flow(KEYS)) as bot, raw_callee() as callee, ordering(bot, callee.port) as gateway:
        await ordered(gateway)
        await hangs_up_at_once(callee)
        first, last = await told(bot, 2)
        page = gateway.metrics().decode()
    assert first["callState"] == "established"
    assert last["callState"] == "terminated"
    assert last["operationOutcome"]["choiceOutcome"]["completionReason"] == "callTerminated"
    assert 'placed_calls_ended_total{end="called"} 1' in page
    assert "placed_calls_answered_total 1\n" in page


async def test_what_is_heard_before_the_answer_is_not_the_one_who_answers() -> None:
    """Early media (183): the ringing of the network is sound, and neither a key nor a word of anybody."""
    async with (
        fake_bot(b"", flow(KEYS), files=FILES) as bot,
        raw_callee() as callee,
        ordering(bot, callee.port) as gateway,
    ):
        await ordered(gateway)
        invite = await callee.asked("INVITE")
        callee.answers(invite, 183, sdp=True)
        assert (await told(bot, 1))[0]["currentState"] == "establishing"
        callee.answers(invite, 180)
        callee.answers(invite, 200, sdp=True)
        await callee.asked("ACK")
        assert (await told(bot, 2))[1]["callState"] == "established"
        callee.hangs_up(invite)
        await callee.answered(200)
        await told(bot, 3)
    assert bot.outcomes[0]["choiceOutcome"]["completionReason"] == "callTerminated"
    assert [one.json.get("currentState") for one in bot.told].count("establishing") == 1


async def test_of_two_who_answer_one_is_talked_to_and_the_other_hung_up() -> None:
    async with fake_bot(flow(KEYS), files=FILES) as bot, raw_callee() as callee, ordering(bot, callee.port) as gateway:
        await ordered(gateway)
        invite = await callee.asked("INVITE")
        callee.answers(invite, 200, tag="first", sdp=True)
        await callee.asked("ACK")
        callee.answers(invite, 200, tag="second", sdp=True)
        bye = await callee.asked("BYE")
        callee.answers(bye, 200)
        await bot.was_told(1)
        assert to(bye).tag == "second"
        callee.hangs_up(invite, tag="first")
        await told(bot, 2)


async def test_a_redirection_is_not_followed() -> None:
    async with fake_bot(b"") as bot, raw_callee() as callee, ordering(bot, callee.port) as gateway:
        await ordered(gateway)
        callee.answers(await callee.asked("INVITE"), 302, [("Contact", "<sip:+900123@127.0.0.2>")])
        await callee.asked("ACK")
        last = (await told(bot, 1))[0]
    assert last["ivr"]["status"] == 302


# --- the bot, after the answer ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "end"), [(404, "not-found"), (500, "bot-away"), (403, "bot-away"), (b"{", "bot-away")]
)
async def test_nobody_who_answers_is_left_with_silence(answer: Any, end: str, tmp_path: Path) -> None:
    async with (
        fake_bot(*[answer] * 20) as bot,
        party() as callee,
        ordering(bot, callee.hop().port, apology=str(apology(tmp_path)), retry_time=0.2) as gateway,
    ):
        await ordered(gateway)
        person = await picks_up(callee)
        await person.hears(SORRY)
        over = await person.ended()
        page = gateway.metrics().decode()
    assert over.reason_header.startswith("Q.850;cause=41")
    assert f'placed_calls_ended_total{{end="{end}"}} 1' in page


async def test_an_empty_reply_ends_the_call() -> None:
    async with fake_bot(b"") as bot, party() as callee, ordering(bot, callee.hop().port) as gateway:
        await ordered(gateway)
        person = await picks_up(callee)
        assert (await person.ended()).by == "remote"
        page = gateway.metrics().decode()
    assert 'placed_calls_ended_total{end="bot"} 1' in page


async def test_a_bot_that_takes_its_time_is_waited_for_while_its_ringing_is_still_on_its_way() -> None:
    late = Later(b"")
    async with (
        fake_bot(late, flow(says("hello.wav"), HANG_UP), files=FILES) as bot,
        party() as callee,
        ordering(bot, callee.hop().port) as gateway,
    ):
        await ordered(gateway)
        leg = await callee.takes()
        leg.ring()
        await bot.was_told(1)
        person = Caller(leg)
        await leg.answer()
        await person.hears(HELLO)
        await person.ended()
        late.go.set()
    assert [one.json.get("callState") for one in bot.told] == [None, "established", "terminated"]


async def test_who_was_called_is_transferred() -> None:
    connect = {"operationId": "connect", "action": "transfer", "target": "sip:sales@pbx.example"}
    async with (
        fake_bot(flow(connect)) as bot,
        raw_callee() as callee,
        ordering(bot, callee.port, allow_transfer="sip:*@pbx.example") as gateway,
    ):
        await ordered(gateway)
        invite = await callee.asked("INVITE")
        callee.answers(invite, 200, sdp=True)
        refer = await callee.asked("REFER")
        callee.answers(refer, 603)
        outcome = (await told(bot, 2))[1]["operationOutcome"]
        callee.answers(await callee.asked("BYE"), 200)
    assert refer.headers.get("Refer-To") == "<sip:sales@pbx.example>"
    assert (outcome["outcome"], outcome["status"]) == ("failure", 603)


# --- the end of the gateway -------------------------------------------------------------------------------------------


async def test_a_gateway_that_ends_takes_no_orders_and_leaves_nobody_ringing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with fake_bot(b"", b"") as bot, party() as callee, ordering(bot, callee.hop().port) as gateway:
        await ordered(gateway)
        leg = await callee.takes()
        leg.ring()
        await bot.was_told(1)
        with logged("draining") as begins:
            draining = asyncio.create_task(gateway.drain(60.0))
            await begins.once()
        refused = await ordered(gateway, {"id": "f" * 32, "to": NUMBER})
        again = await ordered(gateway)
        draining.cancel()
        await asyncio.gather(draining, return_exceptions=True)
        await gateway.drain(0.0)
        over = await leg.ended()
        last = (await told(bot, 2))[1]
    assert (refused.status, refused.json["error"]["code"]) == (503, "draining")
    assert int(refused.headers["Retry-After"]) > 0
    assert again.status == 202
    assert over.by == "remote"
    assert (last["ivr"]["status"], last["ivr"]["ended"]) == (500, "the gateway ends")
    assert line(caplog).end == "drained"


async def test_a_call_that_was_answered_is_hung_up_in_the_end() -> None:
    async with fake_bot(flow(KEYS), files=FILES) as bot, party() as callee, ordering(bot, callee.hop().port) as gateway:
        await ordered(gateway)
        person = await picks_up(callee)
        await person.hears_sound()
        await gateway.drain(0.0)
        over = await person.ended()
        await told(bot, 2)
    assert over.by == "remote"
    assert bot.outcomes[0]["choiceOutcome"]["completionReason"] == "callTerminated"


async def test_a_fault_of_ours_leaves_nobody_on_the_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: Any) -> Any:
        raise RuntimeError("made up")

    monkeypatch.setattr(AnsweredCall, "__init__", fails)
    async with fake_bot() as bot, party() as callee, ordering(bot, callee.hop().port) as gateway:
        with logged("call failed") as failed:
            await ordered(gateway)
            person = await picks_up(callee)
            await person.ended()
            await failed.once()
        page = gateway.metrics().decode()
    assert 'placed_calls_ended_total{end="failed"} 1' in page
    assert "ivr_gateway_calls 0\n" in page


async def test_the_bounds_of_the_gateway_count_placed_calls_too() -> None:
    async with fake_bot() as bot, party() as callee, ordering(bot, callee.hop().port, calls=1) as gateway:
        await ordered(gateway)
        await callee.takes()
        refused = await ordered(gateway, {"id": "f" * 32, "to": NUMBER})
    assert (refused.status, refused.json["error"]["code"]) == (503, "calls")
