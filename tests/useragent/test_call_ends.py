"""How calls begin and end: refused, given up, held, silent, broken by their owner, drained."""

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

from ivr.sip.addresses import MalformedAddress
from ivr.sip.outputs import SipCallEnded
from ivr.useragent.call_leg import CallLeg, NotAnswered
from ivr.useragent.configuration import PortRange, TlsFiles
from ivr.useragent.rtp_ports import NoFreePorts
from ivr.useragent.transports import Unreachable
from tests.useragent.parties import Ear, Party, answered, connected, party
from tests.waiting import PATIENCE, Clock

LOUD = bytes(range(160))


async def ended(leg: CallLeg) -> SipCallEnded:
    async with asyncio.timeout(PATIENCE):
        return await leg.ended()


# --- before the answer -----------------------------------------------------------------------------------------------


async def test_a_call_that_rings_is_told() -> None:
    statuses: list[int] = []
    async with party() as anna, party() as bert:
        leg = await anna.agent.dial("sip:b@b", bert.hop(), caller="<sip:a@a>", on_ringing=statuses.append)
        taken = await bert.takes()
        assert taken.incoming
        assert not leg.incoming
        with pytest.raises(TypeError):
            _ = leg.invite
        assert taken.invite.uri == "sip:b@b"
        taken.ring()
        await taken.answer()
        await answered(leg)
        assert statuses == [180]


async def test_a_call_is_rejected_or_sent_elsewhere() -> None:
    async with party() as anna, party() as bert:
        leg = await anna.calls_up(bert)
        (await bert.takes()).reject(486, "Busy Here")
        with pytest.raises(NotAnswered, match="486 Busy Here") as error:
            await answered(leg)
        assert error.value.status == 486
        assert (await ended(leg)).by == "remote"
        leg = await anna.calls_up(bert)
        (await bert.takes()).redirect("sip:c@c")
        with pytest.raises(NotAnswered) as error:
            await answered(leg)
        assert error.value.status == 302


async def test_a_call_is_given_up() -> None:
    async with party() as anna, party() as bert:
        leg = await anna.calls_up(bert)
        taken = Ear(await bert.takes())
        leg.hang_up()
        with pytest.raises(NotAnswered, match="487"):
            await answered(leg)
        await taken.until(lambda ear: ear.ended)
        taken.leg.reject(486, "Busy Here")  # it crossed the CANCEL
        await taken.leg.answer()
        assert not bert.agent.legs


async def test_who_cannot_be_reached_is_not_called() -> None:
    async with party() as anna, party("tcp") as bert:
        hop = bert.hop("tcp")
    async with party() as anna:
        with pytest.raises(Unreachable):
            await anna.agent.dial("sip:b@b", hop, caller="<sip:a@a>")
        assert not anna.agent.legs


async def test_without_free_ports_a_call_is_refused() -> None:
    none = PortRange(0, 0)
    async with party() as anna, party(ports=none) as bert:
        leg = await anna.calls_up(bert)
        with pytest.raises(NoFreePorts):
            await (await bert.takes()).answer()
        with pytest.raises(NotAnswered, match="503"):
            await answered(leg)
        with pytest.raises(NoFreePorts):
            await bert.calls_up(anna)


@pytest.mark.parametrize(("uri", "header"), [("nobody", "fine"), ("sip:support@example.com", "two\r\nlines")])
async def test_a_call_that_cannot_be_written_keeps_no_ports(uri: str, header: str) -> None:
    async with party() as anna, party() as bert:
        before = len(list(Path("/proc/self/fd").iterdir()))
        with pytest.raises((MalformedAddress, ValueError)) as refused:
            await anna.agent.dial(uri, bert.hop("udp"), caller="<sip:anna@example.com>", headers=[("X-Note", header)])
        assert refused.tb is not None  # what it holds is not closed by the collector
        assert len(list(Path("/proc/self/fd").iterdir())) == before


# --- on the call -----------------------------------------------------------------------------------------------------


async def test_a_call_is_held_and_goes_on() -> None:
    async with party() as anna, party() as bert:
        caller, callee = await connected(anna, bert)
        caller.leg.hold()
        await callee.until(lambda ear: ear.directions[-1] == "inactive")
        await caller.until(lambda ear: ear.directions[-1] == "inactive")
        caller.leg.resume()
        await callee.until(lambda ear: ear.directions[-1] == "sendrecv")
        await caller.until(lambda ear: ear.directions[-1] == "sendrecv")
        callee.leg.queue([LOUD])
        await caller.until(lambda ear: LOUD in ear.frames)


async def test_what_is_queued_can_be_forgotten() -> None:
    async with party() as anna, party() as bert:
        caller, callee = await connected(anna, bert)
        caller.leg.queue([LOUD] * 1000)
        await callee.until(lambda ear: LOUD in ear.frames)
        assert 0 < caller.leg.queued < 1000
        caller.leg.flush()
        assert caller.leg.queued == 0
        before = len(callee.frames)
        await callee.until(lambda ear: len(ear.frames) > before + 5)
        assert callee.frames[-1] != LOUD


async def test_keys_count_once_the_answer_is_acknowledged() -> None:
    async with party() as anna, party() as bert:
        leg = await anna.calls_up(bert)
        taken = Ear(await bert.takes())
        taken.leg.key_pressed("1")
        await taken.leg.answer()
        await answered(leg)
        await taken.until(lambda ear: ear.leg.established)
        taken.leg.key_pressed("2")
        assert taken.keys == ["2", "^"]


async def test_a_transfer_that_the_other_side_refuses() -> None:
    async with party() as anna, party() as bert:
        _, callee = await connected(anna, bert)
        async with asyncio.timeout(PATIENCE):
            assert await callee.leg.refer("sip:c@c") == 405  # we follow none: toll fraud
        callee.leg.hang_up()
        assert await callee.leg.refer("sip:c@c") == 481


async def test_silence_ends_a_call_and_hold_does_not() -> None:
    with Clock.of_this_loop() as clock:
        async with party() as anna, party() as bert:
            caller, callee = await connected(anna, bert)
            caller.leg.hold()
            await callee.until(lambda ear: ear.directions[-1] == "inactive")
            clock.turn(31.0)
            await callee.until(lambda ear: True)
            caller.leg.resume()
            await callee.until(lambda ear: ear.directions[-1] == "sendrecv")
            await caller.until(lambda ear: ear.directions[-1] == "sendrecv")
            assert callee.leg.over is None
            anna.agent.clock.remove(caller.leg._session)  # it sends nothing any more
            clock.turn(31.0)
            over = await ended(callee.leg)
            assert (over.by, over.cause) == ("timeout", "no audio for 30 s")
            assert callee.leg.statistics is not None


async def test_a_connection_that_is_lost_ends_no_call(ours: TlsFiles) -> None:
    async with party("tcp") as anna, party("tcp") as bert:
        caller, callee = await connected(anna, bert, "tcp")
        for connection in tuple(anna.agent._transports._connections.values()):
            connection.cut()
        caller.leg.queue([LOUD])
        await callee.until(lambda ear: LOUD in ear.frames)
        caller.leg.hang_up()  # by a new one, to the Contact of the other side
        await callee.until(lambda ear: ear.ended)
        assert callee.ended[0].by == "remote"


# --- faults of the owner ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["on_heard", "on_media"])
async def test_an_owner_who_fails_loses_that_call_and_no_other(where: str, caplog: pytest.LogCaptureFixture) -> None:
    def fails(_: Any) -> None:
        raise RuntimeError("a fault of the owner")

    async with party() as anna, party() as bert:
        caller, callee = await connected(anna, bert)
        leg = await anna.calls_up(bert)
        taken = await bert.takes()
        setattr(taken, where, fails)
        await taken.answer()
        assert (await ended(taken)).by == "error"
        await ended(leg)
        callee.leg.queue([LOUD])
        await caller.until(lambda ear: LOUD in ear.frames)
    assert {record.getMessage() for record in caplog.records if record.levelno == logging.ERROR} <= {
        "call failed",
        "sound failed",
    }
    caplog.clear()


async def test_an_owner_who_fails_at_once_loses_the_call(caplog: pytest.LogCaptureFixture) -> None:
    def fails(leg: CallLeg) -> None:
        raise RuntimeError("a fault of the owner")

    async with party() as anna, party(on_call=fails) as bert:
        leg = await anna.calls_up(bert)
        with pytest.raises(NotAnswered):
            await answered(leg)
        assert not bert.agent.legs
    assert "call failed" in caplog.messages
    caplog.clear()


# --- the end ---------------------------------------------------------------------------------------------------------


async def test_draining_waits_for_calls_and_hangs_up_the_rest() -> None:
    async with party() as anna, party() as bert:
        first, _ = await connected(anna, bert)
        drained = asyncio.create_task(bert.agent.drain(PATIENCE))
        first.leg.hang_up()
        async with asyncio.timeout(PATIENCE):
            await drained
        second, _ = await connected(anna, bert)
        await bert.agent.drain(0.0)
        assert not bert.agent.legs
        await second.until(lambda ear: ear.ended)


async def test_the_end_of_a_user_agent_is_told_to_all_it_talks_to() -> None:
    ears: list[Ear] = []

    async def fails_on_a_call(anna: Party) -> None:
        async with party() as bert:
            ears.extend(await connected(anna, bert))
            raise ZeroDivisionError

    async with party() as anna:
        with pytest.raises(ZeroDivisionError):
            await fails_on_a_call(anna)
        caller, callee = ears
        await caller.until(lambda ear: ear.ended)
        assert caller.ended[0].by == "remote"
        assert callee.ended[0].by == "local"


async def test_ports_are_returned_at_the_end_of_a_call() -> None:
    async with party() as anna, party() as bert:
        caller, callee = await connected(anna, bert)
        pairs = [ear.leg._session.ports for ear in (caller, callee) if ear.leg._session]
        caller.leg.hang_up()
        await callee.until(lambda ear: ear.ended)
        await caller.until(lambda ear: ear.ended)
        for pair in pairs:
            assert pair.rtp.fileno() == pair.rtcp.fileno() == -1
        assert bert.agent.lateness.frames > 0
        assert bert.agent.counts.received >= 3
