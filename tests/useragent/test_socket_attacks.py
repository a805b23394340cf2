"""Whatever strangers send to the sockets: no exception, nothing grows, and calls go on."""

import asyncio
import random
import socket
import ssl

import pytest

from ivr.sip.outputs import Transport
from ivr.useragent.configuration import TlsFiles
from tests.useragent.parties import ENDPOINT, connected, party
from tests.useragent.test_transports import closed
from tests.waiting import PATIENCE

INVITE = (
    b"INVITE sip:support@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5099;branch=z9hG4bKx\r\nMax-Forwards: 70\r\n"
    b"From: <sip:a@b>;tag=1\r\nTo: <sip:support@example.com>\r\nCall-ID: attack\r\nCSeq: 1 INVITE\r\n"
    b"Contact: <sip:a@127.0.0.1:5099>\r\nContent-Type: application/sdp\r\nContent-Length: 0\r\n\r\n"
)
OPTIONS = (
    b"OPTIONS sip:support@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5099;branch=BRANCH;rport\r\n"
    b"Max-Forwards: 70\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:support@example.com>\r\nCall-ID: BRANCH\r\n"
    b"CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
)
LOUD = bytes(range(160))


def damaged(chance: random.Random, data: bytes) -> bytes:
    """Change, cut, repeat or invent bytes."""
    made = bytearray(data)
    for _ in range(chance.randrange(1, 8)):
        place = chance.randrange(len(made) + 1)
        match chance.randrange(4):
            case 0:
                made[place : place + 1] = chance.randbytes(1)
            case 1:
                del made[place : place + chance.randrange(40)]
            case 2:
                made[place:place] = made[: chance.randrange(60)]
            case _:
                made[place:place] = chance.randbytes(chance.randrange(10))
    return bytes(made[:2000])


async def all_is_read(stranger: socket.socket, to: tuple[str, int], number: int) -> None:
    """Wait for the answer to an OPTIONS: what was sent before it was read."""
    loop, branch = asyncio.get_running_loop(), b"z9hG4bKoptions%d" % number
    stranger.sendto(OPTIONS.replace(b"BRANCH", branch), to)
    async with asyncio.timeout(PATIENCE):
        while branch not in await loop.sock_recv(stranger, 65536):
            pass


async def test_damaged_datagrams_end_no_call_and_nothing_grows(caplog: pytest.LogCaptureFixture) -> None:
    chance = random.Random(1)
    async with party() as anna, party() as bert:
        caller, callee = await connected(anna, bert)
        to = (bert.hop().host, bert.hop().port)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.setblocking(False)
            stranger.bind(("127.0.0.1", 0))
            for number in range(3000):
                stranger.sendto(damaged(chance, INVITE.replace(b"attack", b"%d" % number)), to)
                if number % 60 == 59:  # or the system's buffer would overflow
                    await all_is_read(stranger, to, number)
            assert 10 < len(bert.agent.legs) <= ENDPOINT.most_unanswered + 1
        callee.leg.queue([LOUD])
        await caller.until(lambda ear: LOUD in ear.frames)
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_strange_datagrams_to_the_ports_of_sound_are_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    chance = random.Random(2)
    async with party() as anna, party() as bert:
        caller, callee = await connected(anna, bert)
        assert caller.leg._session is not None
        assert callee.leg._session is not None
        ours = caller.leg._session.ports  # from the right address and port: nobody could tell them apart by that
        port = callee.leg._session.ports.port
        for number in range(600):
            data = chance.randbytes(chance.randrange(0, 400))
            (ours.rtp if number % 2 else ours.rtcp).sendto(data, ("127.0.0.1", port + number % 2))
            if number % 50 == 49:
                before = len(callee.frames)
                await callee.until(lambda ear, before=before: len(ear.frames) > before + 1)
        caller.leg.queue([LOUD])
        await callee.until(lambda ear: any(LOUD[8:100] in frame for frame in ear.frames) or LOUD in ear.frames)
        assert callee.leg.over is None
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize("transport", ["tcp", "tls"])
async def test_what_a_stream_sends_that_is_no_sip_is_dropped(transport: Transport, ours: TlsFiles) -> None:
    context = None
    if transport == "tls":
        context = ssl.create_default_context(cafile=ours.authorities)
    async with party("tcp", "tls", tls=ours) as anna:
        hop = anna.hop(transport)
        for junk in (
            b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
            b"\x16\x03\x01" + bytes(70_000),
            b"INVITE sip:a SIP/2.0\r\n" + b"X: y\r\n" * 20_000,
        ):
            reader, writer = await asyncio.open_connection(hop.host, hop.port, ssl=context)
            writer.write(junk)
            assert await closed(reader) == b""
            writer.close()
        assert anna.calls.empty()
