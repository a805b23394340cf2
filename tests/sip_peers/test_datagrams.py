"""What sipp does not do: messages repeated, swapped and merged by the network, and packets of sound likewise."""

from __future__ import annotations

import asyncio
import random
import re

from ivr.audio.g711 import MU_LAW
from tests.sip_peers.by_hand import Dialog, Socket, bound, tag_of
from tests.sip_peers.lines import Line, samples_of_wav

CODES = [code for code in range(256) if code != 0x7F]
"Of mu-law; the one that is left out is another zero."


async def test_a_repeated_invite_is_one_call_and_a_repeated_bye_is_answered_again(line: Line) -> None:
    async with bound() as socket:
        call = Dialog(line.gateway.port, socket)
        call.send(call.invite(), call.invite(), call.invite())
        answer = await call.taken()
        bye = call.message("BYE", 2)
        call.send(bye)
        assert await call.status("2 BYE") == 200
        first = [data for data in socket.came if b"2 BYE" in data]
        call.send(bye)
        again = await socket.next(lambda data: b"2 BYE" in data, len(socket.came))
    assert [again] == first
    answers = [data for data in socket.came if data.startswith(b"SIP/2.0 200") and b"1 INVITE" in data]
    assert set(answers) == {answer}
    assert {tag_of(data) for data in socket.came if not data.startswith(b"SIP/2.0 100")} == {call.tag}
    assert len(line.server.calls(call.id)) == 1


async def test_the_answer_is_repeated_until_it_is_acknowledged(line: Line) -> None:
    """RFC 3261 13.3.1.4."""
    async with bound() as socket:
        call = Dialog(line.gateway.port, socket)
        call.send(call.invite())
        answer = await socket.next(lambda data: data.startswith(b"SIP/2.0 200"))
        place = socket.came.index(answer) + 1
        assert await socket.next(lambda data: data.startswith(b"SIP/2.0 200"), place) == answer
        call.tag = tag_of(answer)
        call.send(call.message("ACK", 1, branch="ack"), call.message("BYE", 2))
        assert await call.status("2 BYE") == 200


async def test_requests_that_overtake_each_other_do_no_harm(line: Line) -> None:
    """The later one counts, the earlier one gets 500 (RFC 3261 12.2.2), and the call goes on."""
    async with bound() as socket:
        call = Dialog(line.gateway.port, socket)
        await call.answered()
        call.send(call.message("OPTIONS", 3), call.message("OPTIONS", 2))
        assert await call.status("3 OPTIONS") == 200
        assert await call.status("2 OPTIONS") == 500
        call.send(call.message("BYE", 4))
        assert await call.status("4 BYE") == 200


async def test_a_cancel_that_overtakes_its_invite_is_for_no_call(line: Line) -> None:
    async with bound() as socket:
        call = Dialog(line.gateway.port, socket)
        call.send(call.message("CANCEL", 1), call.invite())
        assert await call.status("1 CANCEL") == 481
        await call.taken()
        call.send(call.message("BYE", 2))
        assert await call.status("2 BYE") == 200


async def test_a_bye_that_overtakes_the_ack_ends_the_call(line: Line) -> None:
    async with bound() as socket:
        call = Dialog(line.gateway.port, socket)
        call.send(call.invite())
        call.tag = tag_of(await socket.next(lambda data: data.startswith(b"SIP/2.0 200")))
        call.send(call.message("BYE", 2), call.message("ACK", 1, branch="ack"))
        assert await call.status("2 BYE") == 200


async def test_a_request_that_comes_by_two_ways_is_merged(line: Line) -> None:
    """RFC 3261 8.2.2.2: another branch of the same call gets 482."""
    async with bound() as socket:
        call = Dialog(line.gateway.port, socket)
        await call.answered()
        tag, call.tag, before = call.tag, "", len(socket.came)
        call.send(call.invite(branch="other"))
        assert await call.status("1 INVITE", after=before) == 482
        call.tag = tag
        call.send(call.message("BYE", 2))
        assert await call.status("2 BYE") == 200


async def test_a_scanner_gets_no_answer_at_all(line: Line) -> None:
    async with bound() as socket:
        scan, ask = Dialog(line.gateway.port, socket), Dialog(line.gateway.port, socket)
        scan.send(scan.invite(headers="User-Agent: friendly-scanner\r\n"))
        scan.send(scan.message("OPTIONS", 2, headers="User-Agent: sipvicious\r\n"))
        ask.send(ask.message("OPTIONS", 1))
        assert await ask.status("1 OPTIONS") == 200
    assert all(ask.id.encode() in data for data in socket.came)


async def test_sound_that_is_lost_repeated_and_swapped_is_recorded_at_its_time(line: Line) -> None:
    """A gap is as long as what is missing in it (by RTP timestamp), a repeat is taken once, a swap is put right."""
    chance = random.Random(7)
    frames = [bytes(chance.choices(CODES, k=160)) for _ in range(200)]
    async with bound() as socket, bound() as sound:
        call = Dialog(line.gateway.port, socket, "message", sound.port)
        to = int(re.search(rb"m=audio (\d+)", await call.answered())[1])
        key = call.message("INFO", 2, headers="Content-Type: application/dtmf-relay\r\n")
        call.send(key.replace(b"Content-Length: 0\r\n\r\n", b"Content-Length: 8\r\n\r\nSignal=1"))
        assert await call.status("2 INFO") == 200
        await stream(sound, to, frames, chance)
        await socket.next(lambda data: data.startswith(b"BYE "))
    (stored,) = line.server.calls(call.id)
    samples, rate = samples_of_wav(line.server.recording(stored.id))
    assert rate == 8000
    assert_is_part(MU_LAW.compressed(samples), frames)


async def stream(sound: Socket, to: int, frames: list[bytes], chance: random.Random) -> None:
    """Send a frame each 20 ms: one in ten is lost, one in ten sent twice, one in ten after its successor."""
    loop = asyncio.get_running_loop()
    begun, late = loop.time(), b""
    for number, frame in enumerate(frames):
        packet = b"\x80\x00" + number.to_bytes(2, "big") + (160 * number).to_bytes(4, "big") + b"ssrc" + frame
        fate = chance.randrange(10)
        for one in {0: (), 1: (packet, packet)}.get(fate, (packet,)) if fate != 2 else ():
            sound.transport.sendto(one, ("127.0.0.1", to))
        if late:
            sound.transport.sendto(late, ("127.0.0.1", to))
        late = packet if fate == 2 else b""
        await asyncio.sleep(begun + 0.02 * (number + 1) - loop.time())


def assert_is_part(recorded: bytes, frames: list[bytes]) -> None:
    """Hold what was recorded against what was sent: each frame at its place, or nothing there."""
    known = {frame: number for number, frame in enumerate(frames)}
    starts = [start for start in range(160) if recorded[start : start + 160] in known or
              recorded[start + 160 : start + 320] in known]  # fmt: skip
    assert starts
    (start, *_) = starts
    found = [known.get(recorded[at : at + 160]) for at in range(start, len(recorded) - 159, 160)]
    heard = [(place, number) for place, number in enumerate(found) if number is not None]
    (first, number), (last, _) = heard[0], heard[-1]
    assert [one for place, one in heard] == [number + place - first for place, _ in heard]
    assert last - first > 40
    assert len(heard) > 0.8 * (last - first)
