"""Whole calls over HTTP with signatures on: each shipped flow, from first ring to end, on every carrier's line."""

import asyncio
from pathlib import Path
from random import Random

import pytest

from ivr.carriers.misbehaviour import Misdeed
from ivr.channels.twiml import PROFILES
from ivr.engine.events import OperationFailed, RecordingMade, RecordingReady
from ivr.phone.callers.random_caller import RandomCaller
from ivr.phone.callers.turn_based import CallerAction, Press, Situation, Speak
from ivr.phone.phone_events import PhoneEvent
from tests.kept_recordings import kept_recordings
from tests.twiml.carrier_at_server import CarrierWorld
from tests.waiting import PATIENCE

FLOWS = sorted((Path(__file__).parents[2] / "flows").glob("*.yaml"))
CALLERS = 4
MESSAGE = """\
flow: desk
initial: main
on: {exhausted: bye, error: sorry}
states:
  main:
    menu: {prompt: "Press 1 to leave a message.", choices: {message: {dtmf: "1", speech: [message]}}}
    on: {message: leave}
  leave: {record: {prompt: Speak., into: message}, next: review}
  review:
    menu: {prompt: [{recording: message}, Press 1 to keep it.], choices: {keep: {dtmf: "1"}, again: {dtmf: "2"}}}
    on: {keep: bye, again: leave}
  sorry: {say: Sorry., final: true, outcome: unresolved}
  bye: {say: Goodbye., final: true}
"""


class Acts:
    """A caller who does one thing after another, each at a question."""

    def __init__(self, *actions: CallerAction) -> None:
        self._left = list(actions)

    def tell(self, event: PhoneEvent) -> None:
        pass

    async def act(self, situation: Situation) -> CallerAction | None:
        if situation.prompt or situation.listening is None or not self._left:
            return None
        return self._left.pop(0)


@pytest.mark.parametrize("name", PROFILES)
async def test_every_shipped_flow_is_called_by_carriers(name: str, tmp_path: Path) -> None:
    world = CarrierWorld(name, tmp_path, FLOWS)
    async with world.server() as carrier:
        for flow in FLOWS:
            for seed in range(CALLERS):
                result = await world.call(carrier, RandomCaller(Random(seed)), flow.stem)
                assert list(result.findings) == [], (flow.stem, seed)
    statuses = [reply.status for _, reply in world.bot.sent]
    assert set(statuses) <= {200, 204}
    calls = await world.calls()
    assert len(calls) == len(FLOWS) * CALLERS
    failed = [step.event for _, trace in calls for step in trace if isinstance(step.event, OperationFailed)]
    assert failed == []
    assert {record.key.channel for record, _ in calls} == {name}


@pytest.mark.parametrize("name", PROFILES)
async def test_a_recording_is_fetched_played_and_deleted_at_the_carrier(name: str, tmp_path: Path) -> None:
    (tmp_path / "desk.yaml").write_text(MESSAGE)
    world = CarrierWorld(name, tmp_path, [tmp_path / "desk.yaml"])
    world.account.not_ready = 1
    async with world.server(**{f"{name}_delete_recordings": True}) as carrier:
        result = await world.call(carrier, Acts(Press("1"), Speak("hello there"), Press("1")), "desk")
        assert list(result.findings) == []
        await asyncio.wait_for(world.account.deletion.wait(), PATIENCE)
    assert len(world.account.deleted) == 1
    [(record, trace)] = await world.calls()
    assert record.call.phase == "over"
    events = [step.event for step in trace if step.ignored is None]
    [made] = [event for event in events if isinstance(event, RecordingMade)]
    [ready] = [event for event in events if isinstance(event, RecordingReady)]
    assert (made.media, made.op) == (None, ready.op)
    assert list(kept_recordings(tmp_path / "data")) == [ready.media]


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("misdeed", ["twice", "late", "forged", "lost"])
async def test_who_misbehaves_leads_callers_nowhere_else(name: str, misdeed: Misdeed, tmp_path: Path) -> None:
    (tmp_path / "desk.yaml").write_text(MESSAGE)
    world = CarrierWorld(name, tmp_path, [tmp_path / "desk.yaml"])
    async with world.server(misdeed) as carrier:
        await world.call(carrier, Acts(Press("1"), Speak("hello there"), Press("1")), "desk")
    [(record, _)] = await world.calls()
    assert record.call.phase == "over"
    refused = {reply.status for _, reply in world.bot.sent} - {200, 204}
    assert refused <= {403}


async def test_nobody_else_gets_in(tmp_path: Path) -> None:
    world = CarrierWorld("twilio", tmp_path, FLOWS[:1])
    other = CarrierWorld("twilio", tmp_path, FLOWS[:1])
    other.account.signer = CarrierWorld("telnyx", tmp_path, []).account.signer
    async with world.server() as carrier:
        carrier.account.signer = other.account.signer
        await world.call(carrier, Acts(), FLOWS[0].stem)
    assert {reply.status for _, reply in world.bot.sent} == {403}
    assert await world.calls() == []
