"""What a gateway does with many calls, with strangers, and with a password; and how it drains."""

from __future__ import annotations

import asyncio
import gc
import socket
import weakref
from typing import Any

import aiohttp
import pytest

from ivr.gateway.running_gateway import RunningGateway
from ivr.media.sound import BEEP, tone
from ivr.sip.sip_call import Credentials
from ivr.useragent.call_leg import NotAnswered
from tests.gateway.calling_the_gateway import FILES, HELLO, gateway_to, says
from tests.gateway.telephone import Telephone, telephone
from tests.phone.clockwork import settled
from tests.phone.fake_bot import ANSWER, HANG_UP, RECORD, Later, fake_bot, flow
from tests.waiting import PATIENCE

PASSWORD = "correct horse battery"
FIRST = 0
"The place of the UDP address."


async def refused(phone: Telephone, gateway: RunningGateway, **how: Any) -> int:
    """Call, and return the status of the refusal."""
    caller = await phone.dial(gateway.addresses[FIRST], **how)
    with pytest.raises(NotAnswered) as failed:
        await caller.answered()
    return failed.value.status


async def test_twenty_calls_at_once_each_hear_their_prompt_and_are_recorded() -> None:
    waits = [Later(flow(ANSWER, says("hello.wav"), {**RECORD, "recordingFormat": "wav"})) for _ in range(20)]
    async with (
        fake_bot(*waits, *[flow(HANG_UP)] * 20, files=FILES) as bot,
        gateway_to(bot) as gateway,
        telephone() as phone,
    ):
        callers = [await phone.dial(gateway.addresses[FIRST], f"{number}") for number in range(20)]
        await bot.was_told(20)
        for wait in waits:
            wait.go.set()

        async def talk(number: int) -> None:
            caller = callers[number]
            await caller.answered()
            await caller.hears(HELLO)
            await caller.hears(BEEP.samples)
            await caller.hears_silence(0.1)
            caller.speak(tone(200 + 10 * number, 0.3))
            await caller.until(lambda: caller.leg.queued == 0, "all was said")
            caller.press("#")
            await caller.ended()

        async with asyncio.timeout(2 * PATIENCE):
            await asyncio.gather(*map(talk, range(20)))
    recordings = [told.audio for told in bot.told if told.is_form]
    assert len(recordings) == 20
    assert len({audio for audio in recordings if audio}) == 20


async def test_a_call_that_is_over_leaves_nothing_for_the_collector_of_cycles() -> None:
    async with (
        fake_bot(flow(ANSWER, RECORD), b"") as bot,
        gateway_to(bot) as gateway,
        telephone() as phone,
    ):
        caller = await phone.dial(gateway.addresses[FIRST])
        await caller.answered()
        ((task, call),) = gateway._gateway._calls.items()
        kept = [weakref.ref(part) for part in (call, call._session, call._microphone)]
        gc.collect()
        gc.disable()
        try:
            caller.leg.hang_up()
            async with asyncio.timeout(PATIENCE):
                await task
            del call, task
            await settled()
            left = [part() for part in kept]
        finally:
            gc.enable()
    assert left == 3 * [None]


async def test_a_call_beyond_the_limit_gets_503_until_another_has_ended() -> None:
    async with (
        fake_bot(flow(ANSWER, RECORD), b"", flow(ANSWER, RECORD)) as bot,
        gateway_to(bot, calls=1) as gateway,
        telephone() as phone,
    ):
        caller = await phone.dial(gateway.addresses[FIRST])
        await caller.answered()
        assert await refused(phone, gateway) == 503
        caller.leg.hang_up()
        await caller.ended()
        await bot.was_told(2)
        again = await phone.dial(gateway.addresses[FIRST])
        await again.answered()
        again.leg.hang_up()


async def test_a_caller_must_know_the_password_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IVR_GATEWAY_PASSWORD", PASSWORD)
    async with (
        fake_bot(flow(ANSWER, HANG_UP)) as bot,
        gateway_to(bot, user="desk") as gateway,
        telephone() as phone,
    ):
        assert await refused(phone, gateway) == 401
        for wrong in (Credentials("desk", "wrong"), Credentials("root", PASSWORD)):
            assert await refused(phone, gateway, credentials=wrong) == 401
        assert bot.told == []
        caller = await phone.dial(gateway.addresses[FIRST], credentials=Credentials("desk", PASSWORD))
        await caller.answered()
        await caller.ended()
    assert len(bot.told) == 2


async def test_old_telephones_are_asked_for_md5_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IVR_GATEWAY_PASSWORD", PASSWORD)
    async with (
        fake_bot(flow(ANSWER, HANG_UP)) as bot,
        gateway_to(bot, user="desk", digest="MD5") as gateway,
        telephone() as phone,
    ):
        port = int(gateway.addresses[FIRST].rpartition(":")[2])
        loop = asyncio.get_running_loop()
        transport, datagrams = await loop.create_datagram_endpoint(Datagrams, remote_addr=("127.0.0.1", port))
        transport.sendto(asked("INVITE", "an old telephone", "old"))
        async with asyncio.timeout(PATIENCE):
            answer = await datagrams.came.get()
        transport.close()
        assert answer.count(b"WWW-Authenticate: Digest") == 1
        assert b"algorithm=MD5" in answer
        caller = await phone.dial(gateway.addresses[FIRST], credentials=Credentials("desk", PASSWORD))
        await caller.answered()
        await caller.ended()


async def test_only_named_addresses_may_call_where_some_are_named() -> None:
    async with fake_bot() as bot, gateway_to(bot, allow_from="192.0.2.0/24") as gateway, telephone() as phone:
        assert await refused(phone, gateway) == 403
        assert bot.told == []


def asked(method: str, agent: str, branch: str) -> bytes:
    return (
        f"{method} sip:support@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK{branch};rport\r\n"
        f"From: <sip:x@127.0.0.1>;tag=a\r\nTo: <sip:support@127.0.0.1>\r\nCall-ID: {branch}\r\nCSeq: 1 {method}\r\n"
        f"Max-Forwards: 70\r\nUser-Agent: {agent}\r\nContact: <sip:x@127.0.0.1:9>\r\nContent-Length: 0\r\n\r\n"
    ).encode()


class Datagrams(asyncio.DatagramProtocol):
    """A socket that a test sends with, and what came back."""

    def __init__(self) -> None:
        self.came: asyncio.Queue[bytes] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.came.put_nowait(data)


async def test_a_scanner_gets_no_answer_and_no_bot_hears_of_it() -> None:
    async with fake_bot() as bot, gateway_to(bot) as gateway:
        port = int(gateway.addresses[FIRST].rpartition(":")[2])
        loop = asyncio.get_running_loop()
        transport, datagrams = await loop.create_datagram_endpoint(Datagrams, remote_addr=("127.0.0.1", port))
        for number, method in enumerate(("INVITE", "OPTIONS", "REGISTER")):
            transport.sendto(asked(method, "friendly-scanner", f"scan{number}"))
        transport.sendto(asked("OPTIONS", "a trunk", "ping"))
        async with asyncio.timeout(PATIENCE):
            answer = await datagrams.came.get()
        transport.close()
    assert answer.startswith(b"SIP/2.0 200 ")
    assert b"branch=z9hG4bKping" in answer
    assert datagrams.came.empty()
    assert bot.told == []


async def test_while_it_drains_a_call_goes_on_and_others_get_503() -> None:
    async with (
        fake_bot(flow(ANSWER, RECORD), flow(says("hello.wav"), HANG_UP), files=FILES) as bot,
        gateway_to(bot) as gateway,
        telephone() as phone,
    ):
        caller = await phone.dial(gateway.addresses[FIRST])
        await caller.answered()
        drained = asyncio.create_task(gateway.drain(PATIENCE))
        await asyncio.sleep(0)
        assert gateway.health.draining
        assert await refused(phone, gateway) == 503
        await caller.hears_silence(0.1)
        caller.press("#")
        await caller.hears(HELLO)
        await caller.ended()
        async with asyncio.timeout(PATIENCE):
            await drained
    assert len(bot.told) == 3


async def test_what_does_not_end_by_itself_is_hung_up_and_the_bot_hears_of_it() -> None:
    async with fake_bot(flow(ANSWER, RECORD), b"") as bot, gateway_to(bot) as gateway, telephone() as phone:
        caller = await phone.dial(gateway.addresses[FIRST])
        await caller.answered()
        await gateway.drain(0.1)
        over = await caller.ended()
        await bot.was_told(2)
    assert over.by == "remote"
    assert bot.results[0]["callState"] == "terminated"


async def test_a_gateway_that_is_closed_hangs_up_even_if_the_bot_is_silent() -> None:
    async with fake_bot(flow(ANSWER, RECORD), None) as bot, telephone() as phone:
        async with gateway_to(bot, retry_time=600) as gateway:
            caller = await phone.dial(gateway.addresses[FIRST])
            await caller.answered()
        await caller.ended()
        assert gateway.health.draining, "whoever calls meanwhile gets 503"
    assert len(bot.told) == 2


async def test_the_counters_tell_of_the_calls() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        status = f"127.0.0.1:{free.getsockname()[1]}"
    async with (
        fake_bot(flow(ANSWER, says("hello.wav")), flow(HANG_UP), b"", flow({"operationId": "n", "action": "reject"}),
                 files=FILES) as bot,
        gateway_to(bot, status=status) as gateway,
        telephone() as phone,
        aiohttp.ClientSession() as client,
    ):  # fmt: skip
        caller = await phone.dial(gateway.addresses[FIRST])
        await caller.ended()
        assert await refused(phone, gateway) == 603
        async with client.get(f"http://{status}/metrics") as reply:
            lines = (await reply.text()).splitlines()
        async with client.get(f"http://{status}/healthz") as reply:
            assert (await reply.json())["calls"] == 0
    for expected in (
        "ivr_gateway_calls 0",
        "ivr_gateway_calls_begun_total 2",
        "ivr_gateway_calls_answered_total 1",
        'ivr_gateway_calls_ended_total{end="bot"} 1',
        'ivr_gateway_calls_ended_total{end="rejected"} 1',
        'ivr_gateway_sip_answers_total{status="603"} 1',
        'ivr_gateway_codec_calls_ended_total{codec="PCMA"} 1',
        "ivr_gateway_rtp_packets_lost_total 0",
    ):
        assert expected in lines
    (sent,) = [line for line in lines if line.startswith("ivr_gateway_frame_lateness_seconds_count")]
    assert int(sent.split()[1]) > 10
