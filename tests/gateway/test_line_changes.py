"""What the line does in mid-call: another codec, encrypted sound, no ports, too long a call."""

from __future__ import annotations

import asyncio
import random
import socket
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from ivr.audio import g711
from ivr.media.payload_cache import PayloadCache
from ivr.media.sound import tone
from ivr.rtp.codecs import payloads
from ivr.sip.media_plan import CodecName
from ivr.useragent.call_leg import NotAnswered
from tests.gateway.calling_the_gateway import FILES, HELLO, gateway_to, samples_and_rate, says
from tests.gateway.telephone import telephone
from tests.phone.fake_bot import ANSWER, HANG_UP, RECORD, fake_bot, flow
from tests.useragent.certificates import Authority
from tests.waiting import PATIENCE

LONG_RECORD = {**RECORD, "recordingFormat": "wav", "maxSilenceTimeoutInSeconds": 1, "playBeep": False}


async def test_a_recording_goes_on_when_the_codec_changes_in_mid_call() -> None:
    first, second = tone(300, 0.4), tone(500, 0.4)
    async with (
        fake_bot(flow(ANSWER, LONG_RECORD), flow(HANG_UP)) as bot,
        gateway_to(bot) as gateway,
        telephone("PCMA") as phone,
    ):
        caller = await phone.dial(gateway.addresses[0])
        await caller.answered()
        await caller.hears_silence(0.1)
        caller.speak(first)
        await caller.until(lambda: caller.leg.queued == 0, "all was said")
        await caller.hears_silence(0.1)  # what is on its way when the codec changes may be lost (RFC 3264 8.3.2)
        assert caller.leg._local
        local = replace(caller.leg._local, codecs=("PCMU",), version=2)
        agent = phone.agent
        agent.carry_out(agent.endpoint.modify(caller.leg.call, local, agent.now()))
        await caller.until(lambda: caller.codec == "PCMU", "the codec changed")
        caller.speak(second)
        await caller.ended()
    assert bot.told[1].audio
    samples, rate = samples_and_rate(bot.told[1].audio)
    assert rate == 8000
    before = g711.A_LAW.linear(b"".join(payloads("PCMA", first)))
    after = g711.MU_LAW.linear(b"".join(payloads("PCMU", second)))
    assert samples.index(before) + len(before) <= samples.index(after)
    assert bot.told[1].json["ivr"]["codec"] == "PCMU"


async def test_a_prompt_is_heard_in_the_codec_that_is_changed_to_while_it_is_encoded() -> None:
    """Trunks lock the codec right after the answer, as the first prompt is being made."""
    begun, go_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def encode(codec: CodecName, samples: bytes, before: bytes) -> Sequence[bytes]:
        loop.call_soon_threadsafe(begun.set)
        assert go_on.wait(PATIENCE)
        return payloads(codec, samples, before)

    async with (
        fake_bot(flow(ANSWER, says("hello.wav")), flow(HANG_UP), files=FILES) as bot,
        gateway_to(bot) as gateway,
        telephone("PCMA", "PCMU") as phone,
    ):
        running = gateway._gateway
        assert running.services
        running.services = replace(running.services, payloads=PayloadCache(encode))
        caller = await phone.dial(gateway.addresses[0])
        await caller.answered()
        await begun.wait()
        assert caller.codec == "PCMA"
        assert caller.leg._local
        local = replace(caller.leg._local, codecs=("PCMU",))
        phone.agent.carry_out(phone.agent.endpoint.modify(caller.leg.call, local, phone.agent.now()))
        await caller.until(lambda: caller.codec == "PCMU", "the codec changed")
        go_on.set()
        await caller.hears(HELLO)


async def test_over_tls_sound_is_encrypted_and_the_bot_is_told(tmp_path: Path) -> None:
    files = Authority(tmp_path, "authority").issue("127.0.0.1")
    async with (
        fake_bot(flow(ANSWER, says("hello.wav")), flow(HANG_UP), files=FILES) as bot,
        gateway_to(
            bot, sip="tls://127.0.0.1:0", tls_certificate=str(files.certificate), tls_key=str(files.key)
        ) as gateway,
        telephone("PCMA", tls=files) as phone,
    ):
        caller = await phone.dial(gateway.addresses[0])
        await caller.answered()
        assert caller.leg.plan
        assert caller.leg.plan.srtp
        await caller.hears(HELLO)
        await caller.ended()
    told = bot.told[1].json["ivr"]
    assert told["encrypted"] is True
    assert bot.told[0].json["ivr"]["transport"] == "tls"


def two_free_ports() -> int:
    """Return an even port that is free, with the next one."""
    while True:
        first = 2 * random.randrange(10_000, 14_000)
        try:
            with socket.socket(type=socket.SOCK_DGRAM) as rtp, socket.socket(type=socket.SOCK_DGRAM) as rtcp:
                rtp.bind(("127.0.0.1", first))
                rtcp.bind(("127.0.0.1", first + 1))
        except OSError:
            continue
        return first


async def test_without_a_free_port_for_sound_a_call_gets_503_and_its_bot_hears_of_the_end() -> None:
    port = two_free_ports()
    async with (
        fake_bot(flow(ANSWER, RECORD), flow(ANSWER, RECORD)) as bot,
        gateway_to(bot, rtp=f"{port}-{port + 1}") as gateway,
        telephone() as phone,
    ):
        caller = await phone.dial(gateway.addresses[0])
        await caller.answered()
        late = await phone.dial(gateway.addresses[0])
        with pytest.raises(NotAnswered) as failed:
            await late.answered()
        assert failed.value.status == 503
        await bot.was_told(3)
        assert bot.results[0]["callState"] == "terminated"
        caller.leg.hang_up()
        await caller.ended()


async def test_a_call_that_is_too_long_is_hung_up() -> None:
    async with (
        fake_bot(flow(ANSWER, RECORD), b"") as bot,
        gateway_to(bot, call_length=0.5) as gateway,
        telephone() as phone,
    ):
        caller = await phone.dial(gateway.addresses[0])
        await caller.answered()
        over = await caller.ended()
        await bot.was_told(2)
        assert b'ivr_gateway_calls_ended_total{end="limit"} 1\n' in gateway.metrics()
    assert over.by == "remote"
    assert bot.results[0]["callState"] == "terminated"


async def test_a_caller_who_offers_no_codec_in_common_gets_488_and_no_bot_hears_of_it() -> None:
    async with fake_bot() as bot, gateway_to(bot, codecs="PCMU") as gateway, telephone("PCMA") as phone:
        caller = await phone.dial(gateway.addresses[0])
        with pytest.raises(NotAnswered) as failed:
            await caller.answered()
    assert failed.value.status == 488
    assert bot.told == []
