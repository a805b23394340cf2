"""A server with a console, somebody who visits it, and callers for them to look at."""

import io
import json
import math
import re
import shutil
import wave
from array import array
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any, Self

import aiohttp
from yarl import URL

from ivr.server.run import running
from ivr.settings import Settings

SHIPPED = Path(__file__).parents[2] / "flows"
TOKEN = "open-sesame-and-quickly"

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
    record: {prompt: Speak after the beep., transcribe: true, into: problem}
    next: heard
    on: {error.transcribe: thanks}
  confide:
    record: {prompt: Whisper after the beep., transcribe: true, into: whisper, sensitive: true}
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
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((1, 2, 16000, 0, "NONE", ""))
        samples = array("h", (int(9000 * math.sin(n / 6)) for n in range(int(16000 * seconds))))
        sound.writeframes(samples.tobytes())
    return file.getvalue()


class Caller:
    """Somebody on the phone, by way of the platform (development mode asks for no tokens)."""

    _numbers = count(1)

    def __init__(self, visit: "Visit", who: str) -> None:
        self._visit = visit
        self.who = who
        self.platform_id = f"call-{next(self._numbers)}"
        self.actions: list[Mapping[str, Any]] = []
        self._messages = 0

    async def dials(self) -> Self:
        people = [{"identity": self.who, "originator": True}, {"identity": "28:bot", "originator": False}]
        call = {"id": self.platform_id, "participants": people, "callState": "incoming"}
        return await self._send("/call", json=call | {"presentedModalityTypes": ["audio"]})

    async def chooses(self, choice: str) -> Self:
        made = {"completionReason": "dtmfOptionMatched", "choiceName": choice}
        return await self._reports("recognize", choiceOutcome=made)

    async def is_silent(self) -> Self:
        made = {"completionReason": "initialSilenceTimeout"}
        return await self._reports("recognize", choiceOutcome=made, outcome="failure")

    async def keys(self, digits: str) -> Self:
        made = {"completionReason": "completedStopToneDetected", "digits": digits}
        return await self._reports("recognize", collectDigitsOutcome=made)

    async def speaks(self, seconds: float = 0.5) -> Self:
        outcome = self._outcome(
            "record", completionReason="completedSilenceDetected", lengthOfRecordingInSecs=seconds, format="wav"
        )
        form = aiohttp.FormData()
        form.add_field("conversationResult", json.dumps(self._result(outcome)), content_type="application/json")
        form.add_field("recordedAudio", tone(seconds), content_type="audio/wav", filename="sound.wav")
        return await self._send("/callback", data=form)

    async def hears(self) -> Self:
        """Hear the last prompt, or the line go dead."""
        kind = str(self.actions[-1]["action"])
        return await self._reports(kind, state="terminated" if kind == "hangup" else "established")

    async def leaves(self) -> Self:
        kind = str(self.actions[-1]["action"])
        ended: dict[str, object] = {"outcome": "failure", "failureReason": "callTerminated"}
        if kind == "record":
            ended |= {"completionReason": "callTerminated", "lengthOfRecordingInSecs": 0}
        return await self._reports(kind, state="terminated", **ended)

    async def _reports(self, kind: str, *, state: str = "established", **fields: object) -> Self:
        return await self._send("/callback", json=self._result(self._outcome(kind, **fields), state))

    def _outcome(self, kind: str, **fields: object) -> Mapping[str, object]:
        return {"type": f"{kind}Outcome", "id": self.actions[-1]["operationId"], "outcome": "success", **fields}

    def _result(self, outcome: Mapping[str, object], state: str = "established") -> Mapping[str, object]:
        return {"id": self.platform_id, "operationOutcome": outcome, "callState": state}

    async def _send(self, path: str, **content: Any) -> Self:
        self._messages += 1
        headers = {"X-Microsoft-Skype-Message-ID": f"{self.platform_id}-{self._messages}"}
        async with self._visit.client.post(self._visit.url + path, headers=headers, **content) as answer:
            assert answer.status == 200, await answer.text()
            self.actions = json.loads(await answer.text() or "{}").get("actions", [])
        return self


class Visit:
    """A person's way through the pages."""

    def __init__(self, url: str, client: aiohttp.ClientSession, folder: Path) -> None:
        self.url = url
        self.client = client
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

    async def log_in(self, token: str = TOKEN, **headers: str) -> tuple[int, Mapping[str, str], str]:
        form = {"token": token}
        async with self.client.post(
            f"{self.url}/console/login", data=form, headers=headers, allow_redirects=False
        ) as answer:
            return answer.status, answer.headers, await answer.text()

    async def calls(self, who: str = "+43 664 5550100") -> Caller:
        return await Caller(self, who).dials()

    async def call_page(self, number: int = 0) -> str:
        """Open the page of a call of the list, live ones first."""
        return await self.see(await self.call_address(number))

    async def call_address(self, number: int = 0) -> str:
        found = re.findall(r'href="(/console/calls/[0-9a-f]{32})"', await self.see())
        return str(found[number])


@asynccontextmanager
async def visiting(
    folder: Path, *, transcript: str = "the radio is broken", shipped: bool = False
) -> AsyncIterator[Visit]:
    """Serve the desk, or the flows that we ship, with a speech engine that always understands the same."""
    flows = folder / "flows"
    if shipped:
        shutil.copytree(SHIPPED, flows)
    else:
        flows.mkdir()
        (flows / "desk.yaml").write_text(DESK)
    script = folder / "speech.json"
    script.write_text(json.dumps({"*": {"text": transcript}}))
    settings = Settings(
        port=0, data=folder / "data", console_token=TOKEN, stt="scripted", stt_script=script, reply_budget=5.0
    )
    async with running(settings, [flows], dev=True, cases=folder / "cases") as server:
        jar = aiohttp.CookieJar(unsafe=True)  # of an address, not a name
        async with aiohttp.ClientSession(cookie_jar=jar) as client:
            yield Visit(server.url, client, folder)
