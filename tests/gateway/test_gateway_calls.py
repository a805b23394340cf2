"""Whole calls: a telephone on one side, a bot that answers from a list on the other, real sound between them."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from ivr.audio import g711
from ivr.gateway.gateway_call import q850
from ivr.media.sound import tone
from ivr.rtp.codecs import payloads
from ivr.useragent.call_leg import NotAnswered
from tests.gateway.calling_the_gateway import (
    FILES,
    HELLO,
    LONG,
    OTHER,
    SORRY,
    apology,
    gateway_to,
    samples_and_rate,
    says,
)
from tests.gateway.telephone import telephone
from tests.phone.fake_bot import ANSWER, HANG_UP, RECORD, Answer, Later, fake_bot, flow, nobody, ops

REJECT = {"operationId": "no", "action": "reject"}
MENU = {
    "operationId": "menu",
    "action": "recognize",
    "playPrompt": says("long.wav", op="menu.p"),
    "choices": [{"name": "sales", "dtmfVariation": "1"}, {"name": "service", "dtmfVariation": "2"}],
}


def bot_with_files(*answers: Answer) -> Any:
    return fake_bot(*answers, files=FILES)


async def test_a_call_is_answered_heard_and_hung_up_by_the_bot() -> None:
    async with (
        bot_with_files(flow(ANSWER, says("hello.wav")), flow(says("other.wav"), HANG_UP)) as bot,
        gateway_to(bot) as gateway,
        telephone() as phone,
    ):
        caller = await phone.dial(gateway.addresses[0])
        await caller.answered()
        await caller.hears_exactly(HELLO)
        await caller.hears_exactly(OTHER)
        over = await caller.ended()
    assert over.by == "remote"
    assert over.reason_header.startswith("Q.850;cause=16")
    assert 180 in caller.rang
    assert ops(bot.outcomes) == ["say", "bye"]
    announced = bot.told[0].json
    assert [one["identity"] for one in announced["participants"]] == ["anna", "support"]


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_key_answers_a_menu_and_interrupts_its_prompt(transport: str) -> None:
    async with (
        bot_with_files(flow(ANSWER, MENU), flow(says("other.wav"), HANG_UP)) as bot,
        gateway_to(bot) as gateway,
        telephone() as phone,
    ):
        caller = await phone.dial(next(one for one in gateway.addresses if one.startswith(transport)))
        await caller.answered()
        await caller.hears_sound()
        caller.press("2")
        await caller.hears(OTHER)
        await caller.ended()
    assert bot.outcomes[0]["choiceOutcome"]["choiceName"] == "service"
    assert bytes(payloads("PCMA", LONG)[-1]) not in bytes(caller.heard)


async def test_a_rejected_call_is_declined() -> None:
    async with bot_with_files(flow(REJECT)) as bot, gateway_to(bot) as gateway, telephone() as phone:
        caller = await phone.dial(gateway.addresses[0])
        with pytest.raises(NotAnswered) as failed:
            await caller.answered()
    assert failed.value.status == 603
    assert bot.outcomes == [{"type": "rejectOutcome", "id": "no", "outcome": "success"}]


async def test_a_bot_without_such_a_flow_is_a_number_that_does_not_exist() -> None:
    async with bot_with_files(404) as bot, gateway_to(bot) as gateway, telephone() as phone:
        caller = await phone.dial(gateway.addresses[0])
        with pytest.raises(NotAnswered) as failed:
            await caller.answered()
    assert failed.value.status == 404


async def test_a_number_that_is_not_mapped_gets_404_and_no_bot_hears_of_it() -> None:
    async with (
        bot_with_files(flow(ANSWER, HANG_UP)) as bot,
        gateway_to(bot, map=("support=/call",)) as gateway,
        telephone() as phone,
    ):
        stranger = await phone.dial(gateway.addresses[0], "sales")
        with pytest.raises(NotAnswered) as failed:
            await stranger.answered()
        assert failed.value.status == 404
        assert bot.told == []
        caller = await phone.dial(gateway.addresses[0], "SUPPORT")
        await caller.ended()
    assert len(bot.told) == 2


async def test_a_bot_that_answers_nothing_to_the_first_message_is_temporarily_unavailable() -> None:
    async with bot_with_files(b"") as bot, gateway_to(bot) as gateway, telephone() as phone:
        caller = await phone.dial(gateway.addresses[0])
        with pytest.raises(NotAnswered) as failed:
            await caller.answered()
    assert failed.value.status == 480
    assert len(bot.told) == 1


async def test_a_recording_is_what_the_caller_said_byte_by_byte_at_8_khz() -> None:
    said = tone(300, 0.8)
    recording = {**RECORD, "recordingFormat": "wav", "maxSilenceTimeoutInSeconds": 1, "playBeep": False}
    async with (
        bot_with_files(flow(ANSWER, recording), flow(HANG_UP)) as bot,
        gateway_to(bot) as gateway,
        telephone("PCMU") as phone,
    ):
        caller = await phone.dial(gateway.addresses[0])
        await caller.answered()
        await caller.hears_silence(0.2)
        caller.speak(said)
        await caller.ended()
    assert bot.outcomes[0]["completionReason"] == "completedSilenceDetected"
    assert bot.told[1].audio
    samples, rate = samples_and_rate(bot.told[1].audio)
    assert rate == 8000
    sent = b"".join(payloads("PCMU", said))
    assert g711.MU_LAW.linear(sent) in samples


async def test_a_hang_up_while_recording_reports_what_was_said() -> None:
    async with (
        bot_with_files(flow(ANSWER, RECORD), b"") as bot,
        gateway_to(bot) as gateway,
        telephone() as phone,
    ):
        caller = await phone.dial(gateway.addresses[0])
        await caller.answered()
        await caller.hears_silence(0.2)
        caller.speak(tone(300, 0.4))
        await caller.until(lambda: caller.leg.queued == 0, "all was said")
        caller.leg.hang_up('Q.850;cause=16;text="x"')
        await bot.was_told(2)
    assert bot.outcomes[0]["completionReason"] == "callTerminated"
    assert bot.results[0]["callState"] == "terminated"
    assert bot.told[1].audio


async def test_a_caller_who_gives_up_while_the_bot_thinks_is_a_call_that_was_ended() -> None:
    thinking = Later(flow(ANSWER, says("hello.wav")))
    async with (
        bot_with_files(thinking, b"") as bot,
        gateway_to(bot) as gateway,
        telephone() as phone,
    ):
        caller = await phone.dial(gateway.addresses[0])
        await caller.until(lambda: 180 in caller.rang, "it rang")
        caller.leg.hang_up()
        with pytest.raises(NotAnswered):
            await caller.answered()
        thinking.go.set()
        await bot.was_told(2)
    assert bot.results[0]["callState"] == "terminated"


# --- the bot is away -------------------------------------------------------------------------------------------------


def away(folder: Path) -> dict[str, Any]:
    """Return the flags for a bot that is given up soon."""
    return {"retry_time": 1.5, "apology": str(apology(folder))}


async def test_a_bot_that_is_away_from_the_beginning_is_excused(tmp_path: Path) -> None:
    with nobody() as url:
        async with gateway_to(f"{url}/call", **away(tmp_path)) as gateway, telephone() as phone:
            caller = await phone.dial(gateway.addresses[0])
            await caller.answered()
            await caller.hears(SORRY)
            over = await caller.ended()
    assert over.reason_header.startswith("Q.850;cause=41")


async def test_a_bot_that_goes_away_in_mid_call_is_excused_after_silence(tmp_path: Path) -> None:
    async with (
        bot_with_files(flow(ANSWER, says("hello.wav")), *[503] * 1000) as bot,
        gateway_to(bot, **away(tmp_path)) as gateway,
        telephone() as phone,
    ):
        caller = await phone.dial(gateway.addresses[0])
        await caller.answered()
        await caller.hears(HELLO)
        await caller.hears(SORRY)
        await caller.ended()
    assert len({told.headers["x-microsoft-skype-message-id"] for told in bot.told[1:]}) == 1


async def test_a_bot_that_comes_back_goes_on_where_it_was() -> None:
    async with (
        bot_with_files(flow(ANSWER, says("hello.wav")), 503, 503, flow(says("other.wav"), HANG_UP)) as bot,
        gateway_to(bot) as gateway,
        telephone() as phone,
    ):
        caller = await phone.dial(gateway.addresses[0])
        await caller.answered()
        await caller.hears(HELLO)
        await caller.hears(OTHER)
        await caller.ended()
    assert ops(bot.outcomes) == ["say", "say", "say", "bye"]


async def test_a_bot_that_refuses_a_message_is_excused_at_once(tmp_path: Path) -> None:
    async with (
        bot_with_files(flow(ANSWER), 403) as bot,
        gateway_to(bot, apology=str(apology(tmp_path))) as gateway,
        telephone() as phone,
    ):
        caller = await phone.dial(gateway.addresses[0])
        await caller.answered()
        await caller.hears(SORRY)
        await caller.ended()
    assert len(bot.told) == 2


async def test_a_404_in_mid_call_is_a_bot_that_is_away(tmp_path: Path) -> None:
    async with (
        bot_with_files(flow(ANSWER), 404) as bot,
        gateway_to(bot, apology=str(apology(tmp_path))) as gateway,
        telephone() as phone,
    ):
        caller = await phone.dial(gateway.addresses[0])
        await caller.answered()
        await caller.hears(SORRY)
        await caller.ended()


# --- the line --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("codec", ["PCMA", "PCMU", "G722", "opus"])
async def test_every_codec_carries_a_call(codec: Any) -> None:
    recording = {**RECORD, "recordingFormat": "wav", "maxSilenceTimeoutInSeconds": 1, "playBeep": False}
    async with (
        bot_with_files(flow(ANSWER, says("hello.wav"), recording), flow(HANG_UP)) as bot,
        gateway_to(bot) as gateway,
        telephone(codec) as phone,
    ):
        caller = await phone.dial(gateway.addresses[0])
        await caller.answered()
        assert caller.codec == codec
        await caller.hears_sound()
        await caller.hears_silence(0.3)
        caller.speak(tone(300, 0.4))
        await caller.ended()
    assert bot.told[1].audio
    samples, rate = samples_and_rate(bot.told[1].audio)
    assert rate == (8000 if codec.startswith("PCM") else 16000)
    assert len(samples) > 2 * rate
    assert bot.told[0].json["ivr"]["kind"] == "sip"
    assert bot.told[1].json["ivr"]["codec"] == codec


async def test_on_hold_the_call_goes_on_and_the_caller_hears_nothing() -> None:
    waiting = Later(flow(says("other.wav")))
    async with (
        bot_with_files(flow(ANSWER, says("hello.wav")), waiting, flow(HANG_UP)) as bot,
        gateway_to(bot) as gateway,
        telephone() as phone,
    ):
        caller = await phone.dial(gateway.addresses[0])
        await caller.answered()
        await caller.hears(HELLO)
        caller.leg.hold()
        await caller.until_media("inactive")
        waiting.go.set()
        await bot.was_told(3)
        await caller.ended()
    expected = b"".join(payloads("PCMA", OTHER))
    assert expected not in caller.heard
    assert bot.outcomes[1] == {"type": "playPromptOutcome", "id": "say", "outcome": "success"}


async def test_the_bot_is_told_of_the_line_and_at_the_end_how_it_was() -> None:
    async with (
        bot_with_files(flow(ANSWER, says("hello.wav")), flow(HANG_UP), b"") as bot,
        gateway_to(bot) as gateway,
        telephone() as phone,
    ):
        caller = await phone.dial(
            gateway.addresses[0], Diversion="<sip:+4930111@example.com>", P_Asserted_Identity="<tel:+4930222>"
        )
        await caller.ended()
        await bot.was_told(3)
    first, last = bot.told[0].json, bot.told[2].json
    assert first["participants"][0]["identity"] == "+4930222"
    assert first["ivr"]["trunk"].startswith("127.0.0.1:")
    assert (first["ivr"]["called"], first["ivr"]["diverted"]) == ("support", "+4930111")
    assert last["ivr"]["packets"] > 0
    assert last["ivr"]["loss"] == 0


async def test_a_withheld_number_reaches_neither_the_bot_nor_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with (
        bot_with_files(flow(ANSWER, HANG_UP)) as bot,
        gateway_to(bot) as gateway,
        telephone() as phone,
    ):
        caller = await phone.dial(gateway.addresses[0], caller="<sip:+4930123456@127.0.0.1>", Privacy="id")
        await caller.ended()
    assert bot.told[0].json["participants"][0]["identity"] == "anonymous"
    assert bot.told[0].json["ivr"]["withheld"] is True
    assert "4930123456" not in json.dumps(bot.told[0].json)
    assert not any("4930123456" in str(record.__dict__) for record in caplog.records)


async def test_one_line_is_logged_of_a_call_with_why_it_ended(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with (
        bot_with_files(flow(ANSWER, says("hello.wav")), b"") as bot,
        gateway_to(bot) as gateway,
        telephone() as phone,
    ):
        caller = await phone.dial(gateway.addresses[0])
        await caller.answered()
        await caller.hears_sound()
        caller.leg.hang_up('Q.850;cause=31;text="normal"')
        await bot.was_told(2)
    (line,) = [record for record in caplog.records if record.getMessage() == "call ended"]
    told = vars(line)
    assert [told[name] for name in ("end", "cause", "caller", "called", "codec", "transport")] == [
        "caller", 31, "anna", "support", "PCMA", "udp",
    ]  # fmt: skip
    assert told["platform_call"] == bot.told[0].json["id"]


async def test_a_call_for_nobody_in_particular_from_nobody_in_particular_is_a_call() -> None:
    async with (
        bot_with_files(flow(ANSWER, HANG_UP)) as bot,
        gateway_to(bot) as gateway,
        telephone() as phone,
    ):
        caller = await phone.dial(gateway.addresses[0], "", caller="<sip:127.0.0.1>")
        await caller.ended()
    assert [one["identity"] for one in bot.told[0].json["participants"]] == ["unknown", "unknown"]
    assert "called" not in bot.told[0].json["ivr"]


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        ('Q.850;cause=16;text="Normal"', 16),
        ('SIP;cause=200, q.850 ; text="x" ; cause = 31', 31),
        ("SIP;cause=200", None),
        ("Q.850;cause=1234", None),
        ("", None),
        ("Q.850;" * 10_000, None),
    ],
)
def test_the_cause_of_a_hang_up_is_read_from_its_reason(reason: str, cause: int | None) -> None:
    assert q850(reason) == cause
