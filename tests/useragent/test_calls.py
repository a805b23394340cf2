"""Calls between two user agents, by real sockets: sound, keys, hold, and how they end."""

import asyncio

import pytest
from msgspec.structs import replace

from ivr.cli.event_loop import fast_loop
from ivr.sip.outputs import Transport
from ivr.useragent.configuration import TlsFiles
from tests.useragent.parties import connected, party

TONE = [bytes([number]) * 160 for number in range(20)]


@pytest.mark.parametrize(
    ("transport", "host"),
    [("udp", "127.0.0.1"), ("tcp", "127.0.0.1"), ("tls", "127.0.0.1"), ("udp", "::1"), ("tls", "::1")],
)
async def test_sound_and_keys_go_both_ways(transport: Transport, host: str, ours: TlsFiles) -> None:
    async with party(transport, host=host, tls=ours) as anna, party(transport, host=host, tls=ours) as bert:
        caller, callee = await connected(anna, bert, transport)
        assert caller.leg.plan
        assert (caller.leg.plan.srtp is not None) == (transport == "tls")
        caller.leg.queue(TONE)
        callee.leg.queue(TONE[::-1])
        await callee.until(lambda ear: TONE[-1] in ear.frames)
        await caller.until(lambda ear: TONE[0] in ear.frames)
        start = callee.frames.index(TONE[0])
        assert callee.frames[start : start + len(TONE)] == TONE
        start = caller.frames.index(TONE[-1])
        assert caller.frames[start : start + len(TONE)] == TONE[::-1]
        caller.leg.press("1")
        caller.leg.press("#")
        callee.leg.press("7")
        await callee.until(lambda ear: len(ear.keys) == 4)
        await caller.until(lambda ear: len(ear.keys) == 2)
        assert (callee.keys, caller.keys) == (["1", "^", "#", "^"], ["7", "^"])
        caller.leg.hang_up()
        await callee.until(lambda ear: ear.ended)
        assert callee.ended[0].by == "remote"
        await caller.until(lambda ear: ear.ended)
        assert caller.ended[0].by == "local"
        assert not anna.agent.legs
        assert not bert.agent.legs


async def test_keys_in_the_sound_count_until_keys_come_by_info() -> None:
    async with party() as anna, party() as bert:
        caller, callee = await connected(anna, bert)
        for ear in (caller, callee):
            assert ear.leg.plan
            ear.leg.media(replace(ear.leg.plan, event_type=None))
        caller.leg.press("5")
        await callee.until(lambda ear: ear.keys == ["5", "^"])
        callee.leg.key_pressed("6")
        caller.leg.press("7")
        await caller.until(lambda ear: len(ear.frames) >= 1)
        before = len(callee.frames)
        await callee.until(lambda ear: len(ear.frames) > before + 15)
        assert callee.keys == ["5", "^", "6", "^"]


async def test_an_address_to_which_nothing_can_be_sent_does_not_stop_what_is_heard() -> None:
    async with party() as anna, party() as bert:
        caller, callee = await connected(anna, bert)
        assert caller.leg.plan
        assert callee.leg.plan
        caller.leg.media(replace(caller.leg.plan, direction="inactive"))
        callee.leg.media(replace(callee.leg.plan, remote=("255.255.255.255", 9)))
        before = len(callee.frames)
        await callee.until(lambda ear: len(ear.frames) > before + 5)  # silence, by the clock


def test_the_fast_loop_carries_a_call_as_well() -> None:
    """uvloop has handles, sockets and rounding of its own."""

    async def call() -> None:
        async with party("udp", "tcp") as anna, party("udp", "tcp") as bert:
            for transport in ("udp", "tcp"):
                caller, callee = await connected(anna, bert, transport)
                caller.leg.queue(TONE[:3])
                await callee.until(lambda ear: TONE[2] in ear.frames)
                caller.leg.press("5")
                await callee.until(lambda ear: ear.keys == ["5", "^"])
                callee.leg.hang_up()
                await caller.until(lambda ear: ear.ended)

    with asyncio.Runner(loop_factory=fast_loop()) as runner:
        runner.run(call())
