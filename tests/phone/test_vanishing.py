"""A caller who vanishes is reported: a page is closed, a terminal goes away, a run is interrupted."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from aiohttp import web

from ivr.cli.phone.call_scripts import run_script
from ivr.phone.callers.dialler import LoadPlan
from ivr.phone.callers.load_test import run_load_test
from ivr.phone.callers.turn_based import CallerAction, Situation, TurnBased
from ivr.phone.net.limits import PhoneLimits
from ivr.phone.phone_events import Ended, OnTheLine, PhoneEvent
from ivr.phone.platform import Target, platform
from tests.phone.fake_bot import ANSWER, MENU, RECORD, Answer, FakeBot, fake_bot, flow, listening
from tests.phone.people import QUIET
from tests.waiting import PATIENCE

NOTIFIED = {"notification": "BASE/notification"}
MENU_AND_NOTICES = flow(ANSWER, MENU, links=NOTIFIED)
PATIENT = PhoneLimits(parting=PATIENCE)
"Of a phone that waits for a bot to be told, on a busy machine too."


class Undecided:
    """Somebody who is asked, and thinks about it for ever."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.events: list[PhoneEvent] = []

    def tell(self, event: PhoneEvent) -> None:
        self.events.append(event)

    async def act(self, situation: Situation) -> CallerAction | None:
        if situation.prompt:
            return None
        self.asked.set()
        await asyncio.Event().wait()
        return None


class Ponderer(FakeBot):
    """A bot that takes a call, and answers nothing else before it `may`; `thinks` of so many messages."""

    def __init__(self, thinks: int) -> None:
        super().__init__([])
        self.thinks = thinks
        self.may, self.busy = asyncio.Event(), asyncio.Event()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        self.answers = [MENU_AND_NOTICES]
        if b'"terminated"' in body:
            self.answers = [b""]
        elif b"operationOutcome" in body:
            self.thinks -= 1
            if self.thinks == 0:
                self.busy.set()
            await self.may.wait()
            self.answers = [flow(MENU, links=NOTIFIED)]
        return await super().handle(request)


@asynccontextmanager
async def pondering(thinks: int = 1) -> AsyncIterator[Ponderer]:
    bot = Ponderer(thinks)
    async with listening(bot.handle) as bot.base:
        yield bot


def was_told(bot: FakeBot) -> bool:
    """Return whether the bot knows that its caller is gone, by its last outcome and by the notification."""
    assert bot.results[-1]["callState"] == "terminated"
    notified = [notice.json["currentState"] for notice in bot.notices]
    assert notified == ["established", "terminated"]
    return True


async def test_a_call_that_is_cancelled_while_its_caller_thinks_is_hung_up() -> None:
    person = Undecided()
    async with fake_bot(MENU_AND_NOTICES) as bot, platform(Target(bot.call, limits=PATIENT)) as phone:
        call = asyncio.create_task(phone.place(TurnBased(person, QUIET)))
        await person.asked.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert bot.outcomes[-1]["choiceOutcome"]["completionReason"] == "callTerminated"
        assert was_told(bot)
    assert person.events[-1] == Ended("caller", "left")


@pytest.mark.parametrize("answer", [MENU_AND_NOTICES, flow(ANSWER, RECORD, links=NOTIFIED)])
async def test_what_a_bot_says_to_somebody_who_is_gone_is_not_heard(answer: Answer) -> None:
    person = Undecided()
    async with fake_bot(answer) as bot, platform(Target(bot.call, limits=PATIENT)) as phone:
        handset = TurnBased(person, QUIET)
        handset.hang_up()
        await phone.place(handset)
        assert was_told(bot)
    assert not any(isinstance(event, OnTheLine) for event in person.events)


async def test_a_bot_that_does_not_answer_holds_nobody_up() -> None:
    person, asked = Undecided(), asyncio.Event()

    async def silent(request: web.BaseRequest) -> web.StreamResponse:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    async with listening(silent) as bot, platform(Target(f"{bot}/call", limits=PhoneLimits(parting=0.01))) as phone:
        call = asyncio.create_task(phone.place(TurnBased(person, QUIET)))
        await asked.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
    assert person.events[-1] == Ended("caller", "left", "The bot was still busy and was not notified.")


async def test_a_load_that_is_stopped_hangs_up_and_counts_what_there_was() -> None:
    stop = asyncio.Event()
    async with pondering(thinks=4) as bot, platform(Target(bot.call, limits=PATIENT)) as phone:
        loading = asyncio.create_task(run_load_test(phone, LoadPlan(calls=100, concurrency=4), stop=stop))
        await bot.busy.wait()
        stop.set()
        await asyncio.sleep(0)
        bot.may.set()
        measured = await loading
        begun = sum(told.json["callState"] == "incoming" for told in bot.told)
    assert measured.calls == begun < 100
    assert measured.endings["left"] == begun
    assert sum(result["callState"] == "terminated" for result in bot.results) == begun


async def test_a_script_that_is_interrupted_hangs_up(tmp_path: Path) -> None:
    file = tmp_path / "a.call.yaml"
    file.write_text('steps:\n  - press: "1"\n  - press: "1"\n')
    async with pondering() as bot:
        script = asyncio.create_task(run_script(file, Target(bot.call, limits=PATIENT)))
        await bot.busy.wait()
        script.cancel()
        await asyncio.sleep(0)
        bot.may.set()
        with pytest.raises(asyncio.CancelledError):
            await script
        assert was_told(bot)


@asynccontextmanager
async def command(bot: FakeBot, *flags: str, path: str = "") -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `ivr phone`; somebody sits at its keyboard, and types nothing."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ivr", "phone", "--bot", bot.call, *flags),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PATH": f"{path}:{os.environ['PATH']}"},
    )
    try:
        async with asyncio.timeout(PATIENCE):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.fixture
def player(tmp_path: Path) -> str:
    """A folder with a player that plays everything at once."""
    program = tmp_path / "pw-play"
    program.write_text("#!/bin/sh\nexec cat > /dev/null\n")
    program.chmod(0o755)
    return str(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("flags", [[], ["--sound"]])
async def test_a_signal_hangs_up(flags: list[str], number: signal.Signals, player: str) -> None:
    async with fake_bot(MENU_AND_NOTICES) as bot, command(bot, *flags, path=player) as process:
        assert process.stdout
        while b"Press 1" not in await process.stdout.readline():
            pass
        process.send_signal(number)
        shown = (await process.communicate())[0]
        assert b"You hung up." in shown
        assert process.returncode == 1
        assert was_told(bot)


async def test_ctrl_c_in_a_load_shows_what_was_measured() -> None:
    async with pondering(thinks=2) as bot, command(bot, "--calls", "5000", "--concurrency", "2") as process:
        await bot.busy.wait()
        process.send_signal(signal.SIGINT)
        bot.may.set()
        output, errors = await process.communicate()
        assert b"ended by" in output
        assert b"left " in output
        assert b"of 5,000 calls were placed" in errors
        assert process.returncode == 1


async def test_a_second_ctrl_c_leaves_at_once() -> None:
    async with pondering(thinks=2) as bot, command(bot, "--calls", "2", "--answer-time", "60") as process:
        await bot.busy.wait()
        while process.returncode is None:
            process.send_signal(signal.SIGINT)
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), 0.2)
        assert not any(result["callState"] == "terminated" for result in bot.results)
        assert process.returncode != 0
