"""Many calls at once over SIP: what is counted and measured."""

import asyncio
import io
import json
from random import Random

import pytest
from rich.console import Console

from ivr.cli.phone.sip_calls import SipFlags, TooManyCalls, call_sip
from ivr.phone.callers.dialler import LoadPlan
from ivr.softphone import sip_load
from ivr.softphone.sip_load import run_sip_load
from ivr.softphone.softphone import softphone
from ivr.useragent.configuration import PortRange
from tests.softphone.answering import AnsweringMachine, answering


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sip_load, "QUIET", 0.1)
    monkeypatch.setattr(sip_load, "NO_SOUND", 2.0)


@pytest.fixture
def _talkative(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let callers press keys only that are answered."""
    monkeypatch.setattr(Random, "choice", lambda *_: "1")


@pytest.mark.usefixtures("_talkative")
async def test_calls_are_placed_and_measured() -> None:
    machine = AnsweringMachine()
    async with answering(machine) as target, softphone(target, most_calls=5) as phone:
        over: list[int] = []
        found = await run_sip_load(phone, LoadPlan(5, 5), progress=over.append)
    assert (found.calls, found.answered, found.failed, found.endings) == (5, 5, {}, {"local": 5})
    assert found.keys == 15
    assert found.key_to_sound is not None
    assert 0 < found.key_to_sound.p50 < 1000
    assert found.answer is not None
    assert found.first_sound is not None
    assert found.packets > 300
    assert found.lost == 0
    assert found.frames > 300
    assert over == [1, 2, 3, 4, 5]


async def test_why_calls_fail_is_counted() -> None:
    async with answering(AnsweringMachine(status=486)) as target, softphone(target, most_calls=3) as phone:
        found = await run_sip_load(phone, LoadPlan(3))
    assert (found.answered, found.failed) == (0, {"486 Not Now": 3})
    async with answering(AnsweringMachine(speaks=False)) as target, softphone(target, most_calls=2) as phone:
        found = await run_sip_load(phone, LoadPlan(2))
    assert (found.answered, found.failed) == (2, {"no sound": 2})


async def test_a_load_can_be_stopped_and_hangs_up() -> None:
    machine, stop = AnsweringMachine(), asyncio.Event()
    async with answering(machine) as target, softphone(target, most_calls=3) as phone:
        load = asyncio.create_task(run_sip_load(phone, LoadPlan(100, 3), stop=stop))
        while len(machine.legs) < 3:
            await asyncio.wait({load}, timeout=0.01)
        stop.set()
        found = await load
        assert found.calls < 100
        assert not phone.agent.legs


@pytest.mark.usefixtures("_talkative")
@pytest.mark.parametrize("as_json", [False, True])
async def test_what_was_measured_is_printed(*, as_json: bool) -> None:
    output = io.StringIO()
    async with answering(AnsweringMachine()) as target:
        flags = SipFlags(target.uri, None, None, None, None, None)
        console = Console(file=output, width=200, color_system=None)
        assert await call_sip(flags, console, scripts=(), plan=LoadPlan(2), as_json=as_json)
    if as_json:
        assert json.loads(output.getvalue())["answered"] == 2
    else:
        assert "2 calls, 2 answered" in output.getvalue()
        assert "key to sound (6 keys)" in output.getvalue()


async def test_what_this_machine_cannot_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ivr.softphone.softphone.PORTS", PortRange(0, 0))
    async with answering(AnsweringMachine()) as target, softphone(target) as phone:
        found = await run_sip_load(phone, LoadPlan(2))
    assert found.failed == {"all of the 0 pairs of ports for sound are taken": 2}


async def test_a_call_that_the_other_side_ends_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Random, "choice", lambda *_: "0")  # the machine hangs up
    async with answering(AnsweringMachine()) as target, softphone(target) as phone:
        found = await run_sip_load(phone, LoadPlan(1))
    assert (found.answered, found.failed, found.endings) == (1, {}, {"remote": 1})


async def test_more_calls_than_open_files_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda _: (64, 100))
    flags = SipFlags("sip:a@127.0.0.1:9", None, None, None, None, None)
    with pytest.raises(TooManyCalls, match="`ulimit -n` allows 100 open files, and 50 calls at once take 200"):
        await call_sip(flags, Console(), scripts=(), plan=LoadPlan(50, 50), as_json=True)
