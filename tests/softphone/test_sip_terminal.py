"""A SIP call in the terminal: what is typed is sent, what happens is shown, what is heard is kept."""

import asyncio
import io
import os
import sys
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from rich.console import Console

from ivr.cli.phone.sip_calls import SipFlags, call_sip
from ivr.media.voice_activity import loudness
from ivr.sip.message import Request
from ivr.sip.outputs import Link
from ivr.sip.policy import Admission, Challenge
from ivr.softphone import softphone
from ivr.softphone.dial_target import NotDiallable
from tests.softphone.answering import AnsweringMachine, answering
from tests.useragent.certificates import Authority
from tests.useragent.parties import Open, party
from tests.waiting import PATIENCE


class Terminal:
    """A pipe for a keyboard, and a screen that tells when a text stands on it."""

    def __init__(self, keys: int) -> None:
        self._keys = keys
        self._shown = asyncio.Event()
        self._text = io.StringIO()
        self.console = Console(file=self, width=200, color_system=None)  # type: ignore[arg-type]

    def write(self, text: str) -> int:
        self._shown.set()
        return self._text.write(text)

    def flush(self) -> None:
        """There is nothing to do."""

    def isatty(self) -> bool:
        return False

    @property
    def text(self) -> str:
        return self._text.getvalue()

    def types(self, line: str) -> None:
        os.write(self._keys, f"{line}\n".encode())

    async def shows(self, text: str, times: int = 1) -> None:
        async with asyncio.timeout(PATIENCE):
            while self.text.count(text) < times:
                self._shown.clear()
                await self._shown.wait()


@pytest.fixture
async def terminal(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Terminal]:
    reading, writing = os.pipe()
    with os.fdopen(reading) as keyboard:
        monkeypatch.setattr(sys, "stdin", keyboard)
        yield Terminal(writing)
        os.close(writing)


@asynccontextmanager
async def calling(flags: SipFlags, terminal: Terminal) -> AsyncIterator["asyncio.Task[bool]"]:
    """Hold a call while the test types."""
    call = asyncio.create_task(call_sip(flags, terminal.console, scripts=(), plan=None, as_json=False))
    try:
        yield call
    finally:
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)


def flags(uri: str, *, user: str | None = None, password: str | None = None, record: Path | None = None) -> SipFlags:
    return SipFlags(uri, None, user, password, None, record)


async def test_a_call_is_shown_typed_at_and_recorded(terminal: Terminal, tmp_path: Path) -> None:
    machine, file = AnsweringMachine(), tmp_path / "heard.wav"
    async with answering(machine) as target, calling(flags(target.uri, record=file), terminal) as call:
        await terminal.shows("s of sound")
        terminal.types("")
        terminal.types("/help")
        await terminal.shows("the caller hangs up")
        terminal.types("12")
        await terminal.shows("s of sound", 2)
        terminal.types("0")
        assert await call
    assert machine.keys == ["1", "2", "0"]
    text = terminal.text
    assert f"Calling {target.uri} by UDP." in text
    assert text.count("It rings.") == 1
    assert "PCMA." in text
    assert "The other side hung up after" in text
    assert '(Q.850;cause=16;text="enough")' in text
    assert "0.0 % of" in text
    with wave.open(str(file)) as heard:
        assert (heard.getframerate(), heard.getnchannels(), heard.getsampwidth()) == (8000, 1, 2)
        assert loudness(heard.readframes(heard.getnframes())) > 500


async def test_words_are_spoken(terminal: Terminal) -> None:
    machine = AnsweringMachine()
    async with answering(machine) as target, calling(flags(target.uri), terminal) as call:
        await terminal.shows("s of sound")
        terminal.types("hello there")
        terminal.types("1")
        await terminal.shows("s of sound", 2)
        terminal.types("/hangup")
        assert await call
    assert len(machine.heard) > 10
    assert "You hung up after" in terminal.text


async def test_without_a_voice_words_are_not_said(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(softphone, "find_spec", lambda _: None)
    monkeypatch.setattr("ivr.speech.voices.espeak.find_spec", lambda _: None)
    async with answering(AnsweringMachine()) as target, calling(flags(target.uri), terminal) as call:
        await terminal.shows("Answered")
        terminal.types("hello there")
        await terminal.shows("'hello there' is not said. Words need a voice: pip install 'ivr[phone]'.")
        terminal.types("/hangup")
        assert await call


async def test_the_end_of_the_input_hangs_up(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    with Path(os.devnull).open() as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        async with answering(AnsweringMachine()) as target, calling(flags(target.uri), terminal) as call:
            assert await call


async def test_ctrl_c_hangs_up(terminal: Terminal) -> None:
    machine = AnsweringMachine()
    async with answering(machine) as target, calling(flags(target.uri), terminal) as call:
        await terminal.shows("Answered")
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        async with asyncio.timeout(PATIENCE):
            assert (await machine.legs[0].ended()).by == "remote"


async def test_a_call_that_is_not_answered(terminal: Terminal) -> None:
    async with answering(AnsweringMachine(status=486)) as target, calling(flags(target.uri), terminal) as call:
        assert not await call
    assert "Not answered: 486 Not Now" in terminal.text


async def test_nobody_is_there(terminal: Terminal) -> None:
    async with calling(flags("sip:a@127.0.0.1:9;transport=tcp"), terminal) as call:
        assert not await call
    assert "Not answered: 127.0.0.1:9 cannot be reached" in terminal.text


async def test_what_is_no_address_is_told(terminal: Terminal) -> None:
    with pytest.raises(NotDiallable):
        await call_sip(flags("http://127.0.0.1"), terminal.console, scripts=(), plan=None, as_json=False)


class Password(Open):
    """Wants a password."""

    def admit(self, request: Request, link: Link, now: float) -> Admission:
        return Challenge()

    def password_of(self, user: str) -> str | None:
        return {"anna": "secret"}.get(user)


@pytest.mark.parametrize(("password", "answered"), [("secret", True), ("other", False)])
async def test_a_password_is_proved(terminal: Terminal, password: str, *, answered: bool) -> None:
    machine = AnsweringMachine()
    async with (
        answering(machine, policy=Password()) as target,
        calling(flags(target.uri, user="anna", password=password), terminal) as call,
    ):
        if answered:
            await terminal.shows("Answered")
            terminal.types("/hangup")
        assert await call == answered
    assert password not in terminal.text
    assert ("Not answered: 40" in terminal.text) != answered


async def test_who_calls_the_telephone_gets_no_answer() -> None:
    async with party() as anna, answering(AnsweringMachine()) as target, softphone.softphone(target) as phone:
        heard = asyncio.Event()
        anna.agent.endpoint.receive = lambda *_: heard.set() or []  # type: ignore[method-assign]
        own = phone.agent.addresses[0]
        await anna.agent.dial(f"sip:a@{own.host}:{own.port}", anna.hop(), caller="<sip:b@c>")
        assert phone.agent.legs == {}
        assert not heard.is_set()


async def test_hold_is_shown(terminal: Terminal) -> None:
    machine = AnsweringMachine()
    async with answering(machine) as target, calling(flags(target.uri), terminal) as call:
        await terminal.shows("s of sound")
        (leg,) = machine.legs
        leg.hold()
        await terminal.shows("the other side holds the call")
        leg.resume()
        await terminal.shows("the call goes on")
        leg.hang_up()
        assert await call


async def test_over_tls_a_private_authority_is_named(terminal: Terminal, tmp_path: Path) -> None:
    files = Authority(tmp_path, "authority").issue("127.0.0.1")
    machine = AnsweringMachine()
    async with party("tls", tls=files, on_call=machine.take) as callee:
        hop = callee.hop("tls")
        uri = f"sips:support@{hop.host}:{hop.port}"
        trusting = SipFlags(uri, None, None, None, files.authorities, None)
        async with calling(trusting, terminal) as call:
            await terminal.shows("PCMA, encrypted")
            terminal.types("/hangup")
            assert await call
        async with calling(flags(uri), terminal) as call:
            assert not await call
    assert "cannot be trusted" in terminal.text
