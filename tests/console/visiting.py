"""A server with a console, somebody who visits it, and callers for them to look at."""

import asyncio
import json
import re
import shutil
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from yarl import URL

from ivr.media import sound
from ivr.media.recorder import wav
from ivr.phone.wire.line_news import LookAtLine
from ivr.server.assembly import running
from ivr.settings import Settings
from tests.phone.calling import Phone, Signer, phone_to
from tests.phone.step_by_step import HUM, Caller
from tests.waiting import PATIENCE, Clock

SHIPPED = Path(__file__).parents[2] / "flows"
TOKEN = "open-sesame-and-quickly"
LOOK = 0.25
"Seconds that the server has to find an edit, until its clock is turned once more."

DESK = """\
flow: desk
description: Takes messages.
initial: main
on: {exhausted: bye, error: bye}
states:
  main:
    menu:
      prompt: Press 1 to leave a message.
      choices:
        message: {dtmf: "1", speech: [message]}
        secret: {dtmf: "2"}
        pin: {dtmf: "3"}
      noMatch: That is no choice.
    on: {message: report, secret: confide, pin: ask_pin}
  report:
    record: {prompt: Speak after the beep., transcribe: true, format: wav, into: problem}
    next: heard
    on: {error.transcribe: thanks}
  confide:
    record: {prompt: Whisper after the beep., transcribe: true, format: wav, into: whisper, sensitive: true}
    next: thanks
    on: {error.transcribe: thanks}
  ask_pin:
    digits: {prompt: Your PIN please., minDigits: 4, maxDigits: 4, into: pin, sensitive: true}
    next: check
  check:
    decide:
      - {guard: pin == '8642', target: thanks}
      - bye
  heard: {say: "Thank you. We heard {{ problem.transcript or 'you' }}.", final: true}
  thanks: {say: Thank you., final: true}
  bye: {say: Goodbye., final: true, outcome: unresolved}
"""


def tone(seconds: float = 0.5) -> bytes:
    """A WAV file of a line that hums."""
    return wav(sound.tone(HUM, seconds)).data


class Visit:
    """A person's way through the pages."""

    def __init__(self, url: str, client: aiohttp.ClientSession, phone: Phone, folder: Path, clock: Clock) -> None:
        self.url = url
        self.client = client
        self._phone = phone
        self._clock = clock
        self._callers: list[Caller] = []
        self.flows, self.data, self.cases = folder / "flows", folder / "data", folder / "cases"

    async def get(self, path: str, **options: Any) -> tuple[int, Mapping[str, str], str]:
        """Ask for a page as it is, without following anything."""
        async with self.client.get(URL(self.url + path, encoded=True), allow_redirects=False, **options) as answer:
            return answer.status, answer.headers, await answer.text()

    async def see(self, path: str = "/console") -> str:
        """Open a page that has to be there."""
        status, _, text = await self.get(path)
        assert status == 200, text
        return text

    async def sees(self, what: str, path: str, *, gone: bool = False) -> str:
        """Open a page until an edit of the flows is seen there, which the server looks for once a second.

        The clock is turned now and then, and not with each look at the page: on a busy machine a flow takes long to be
        loaded, and all that has a time limit would be over by then. Patience goes by the machine's clock therefore.
        """
        begun = turned = time.monotonic() - LOOK
        while (what not in (page := await self.see(path))) is not gone:
            now = time.monotonic()
            assert now < begun + PATIENCE, f"{what!r} was not seen"
            if now >= turned + LOOK:
                self._clock.turn(1.0)
                turned = now
        return page

    async def log_in(self, token: str = TOKEN, **headers: str) -> tuple[int, Mapping[str, str], str]:
        form = {"token": token}
        async with self.client.post(
            f"{self.url}/console/login", data=form, headers=headers, allow_redirects=False
        ) as answer:
            return answer.status, answer.headers, await answer.text()

    async def calls(self, who: str = "+43 664 5550100", line: LookAtLine | None = None) -> Caller:
        """Let somebody call, and get as far as the first prompt; `line`: what the server is told of it."""
        caller = Caller(self._phone, who, line)
        self._callers.append(caller)
        return await caller.dials()

    async def ends(self) -> None:
        """Let nobody be on the phone any more."""
        await asyncio.gather(*(caller.vanishes() for caller in self._callers))

    async def call_page(self, number: int = 0) -> str:
        """Open the page of a call of the list, live ones first."""
        return await self.see(await self.call_address(number))

    async def call_address(self, number: int = 0) -> str:
        found = re.findall(r'href="(/console/calls/[0-9a-f]{32})"', await self.see())
        return str(found[number])


@asynccontextmanager
async def visiting(
    folder: Path,
    *,
    transcript: str = "the radio is broken",
    shipped: bool = False,
    tokens: bool = False,
    more: Mapping[str, str] | None = None,
    settings: Mapping[str, Any] | None = None,
) -> AsyncIterator[Visit]:
    """Serve the desk, or the flows that we ship, with a speech engine that always understands the same.

    `more` are further flow files, by name, `settings` further settings. With `tokens` the server believes the phone
    alone; without, it serves for development, and has a phone itself.
    """
    flows = folder / "flows"
    if shipped:
        shutil.copytree(SHIPPED, flows)
    else:
        flows.mkdir()
        (flows / "desk.yaml").write_text(DESK)
    for name, text in (more or {}).items():
        (flows / name).write_text(text)
    script = folder / "speech.json"
    script.write_text(json.dumps({"*": {"text": transcript}}))
    chosen: dict[str, Any] = {
        "port": 0,
        "data": folder / "data",
        "console_token": TOKEN,
        "calls_token": TOKEN,
        "stt": "scripted",
        "stt_script": script,
        "reply_budget": 5.0,
    }
    signer = Signer()
    async with AsyncExitStack() as stack:
        clock = stack.enter_context(Clock.of_this_loop())
        if tokens:
            await signer.start()
            stack.push_async_callback(signer.stop)
            chosen |= signer.settings
            chosen |= {"bot_state_apps": "a-bot", "bot_state_openid_metadata": signer.metadata_url}
        serving = running(Settings(**{**chosen, **(settings or {})}), [flows], dev=not tokens, cases=folder / "cases")
        server = await stack.enter_async_context(serving)
        url = URL(server.url)
        assert url.port
        jar = aiohttp.CookieJar(unsafe=True, treat_as_secure_origin=url)  # an address, and as good as https
        client = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=jar))
        phone = await stack.enter_async_context(phone_to(url.port, signer))
        visit = Visit(server.url, client, phone, folder, clock)
        stack.push_async_callback(visit.ends)
        yield visit
