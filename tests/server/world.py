"""Everything that a whole call needs outside the server: platform, identity provider, flows and a data folder."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from ivr.ports import CallKey, CallRecord, Stepped
from ivr.server.run import running
from ivr.settings import Settings
from ivr.store.folder import DataFolder
from ivr.store.reader import Reader
from ivr.store.sqlite import SqliteStore
from ivr.store.statements import find_calls
from tests.fakes.identity import Identity
from tests.server.harness import Answer, connected, form, read_answer, request

APP = "an-app-id"
WMA = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c") + bytes(range(256)) * 32  # ASF's first bytes

DESK = """\
flow: desk
initial: main
on: {exhausted: bye, error: bye}
states:
  main:
    menu:
      prompt: Press 1 to leave a message.
      choices:
        message: {dtmf: "1", speech: [message]}
      noMatch: That is no choice.
    on: {message: report}
  report:
    record:
      prompt: Speak after the beep.
      transcribe: true
      holdPrompt: One moment please.
      into: problem
    next: thanks
    on: {error.transcribe: thanks}
  thanks:
    say: "Thank you. We heard {{ problem.transcript or 'your recording' }}. Goodbye."
    final: true
  bye: {say: Goodbye., final: true}
"""


class Platform:
    """The platform's side of one call."""

    def __init__(self, port: int, token: str, call: str = "call-1") -> None:
        self.port, self.token, self.call = port, token, call
        self.messages = 0

    async def post(
        self,
        path: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        message: str | None = None,
        token: str | None = None,
    ) -> Answer:
        self.messages += message is None
        fields = {**headers, "X-Microsoft-Skype-Message-ID": message or f"{self.call}-{self.messages}"}
        async with connected(self.port) as (reader, writer), asyncio.timeout(10):
            writer.write(request("POST", path, body, fields, token=token or self.token))
            return await read_answer(reader)

    async def calls(self, path: str = "/call", *, message: str | None = None, token: str | None = None) -> Answer:
        return await self.post(path, as_json(conversation(self.call)), JSON, message=message, token=token)

    async def reports(
        self, outcome: Mapping[str, Any], *, state: str = "established", message: str | None = None
    ) -> Answer:
        return await self.post("/callback", as_json(self._result(outcome, state)), JSON, message=message)

    async def records(
        self, op: str, audio: bytes = WMA, *, message: str | None = None, state: str = "established"
    ) -> Answer:
        reason = "completedStopToneDetected" if state == "established" else "callTerminated"
        outcome = {
            "type": "recordOutcome",
            "id": op,
            "completionReason": reason,
            "lengthOfRecordingInSecs": 2.5,
            "format": "wma",
            "outcome": "success",
        }
        body = form(audio, message=as_json(self._result(outcome, state)))
        headers = {"Content-Type": 'multipart/form-data; boundary="B", application/json; charset=utf-8'}
        return await self.post("/callback", body, headers, message=message)

    def _result(self, outcome: Mapping[str, Any], state: str) -> dict[str, Any]:
        return {"id": self.call, "operationOutcome": outcome, "callState": state}


JSON = {"Content-Type": "application/json; charset=utf-8"}


def as_json(content: object) -> bytes:
    return json.dumps(content).encode()


def conversation(call: str) -> dict[str, Any]:
    return {
        "id": call,
        "participants": [{"identity": "29:caller", "originator": True}, {"identity": "28:bot", "originator": False}],
        "presentedModalityTypes": ["audio"],
        "callState": "incoming",
    }


def pressed(op: str, choice: str = "message") -> dict[str, Any]:
    made = {"completionReason": "dtmfOptionMatched", "choiceName": choice}
    return {"type": "recognizeOutcome", "id": op, "choiceOutcome": made, "outcome": "success"}


def done(op: str, what: str) -> dict[str, Any]:
    return {"type": f"{what}Outcome", "id": op, "outcome": "success"}


def workflow(answer: Answer) -> list[dict[str, Any]]:
    assert answer.status == 200, answer
    content = json.loads(answer.body)
    assert content["links"]["callback"] == "https://ivr.example/callback"
    actions: list[dict[str, Any]] = content["actions"]
    return actions


def kinds(answer: Answer) -> list[str]:
    return [action["action"] for action in workflow(answer)]


def last_op(answer: Answer) -> str:
    return str(workflow(answer)[-1]["operationId"])


def spoken(answer: Answer) -> str:
    return json.dumps(workflow(answer))


class World:
    """A data folder, flows and an identity provider, between servers."""

    def __init__(self, folder: Path, identity: Identity) -> None:
        self.folder, self.identity = folder, identity
        self.flows = folder / "flows"
        self.flows.mkdir()
        (self.flows / "desk.yaml").write_text(DESK)
        self.script({"text": "my flight was late", "confidence": 0.9})

    def script(self, line: Mapping[str, object]) -> None:
        (self.folder / "script.json").write_text(json.dumps({"*": line}))

    @asynccontextmanager
    async def server(self, **changed: Any) -> AsyncIterator[Platform]:
        chosen: dict[str, Any] = {
            "app_id": APP,
            "openid_metadata": (self.identity.metadata_url,),
            "openid_loopback": True,
            "public_url": "https://ivr.example",
            "port": 0,
            "data": self.folder / "data",
            "stt": "scripted",
            "stt_script": self.folder / "script.json",
            **changed,
        }
        settings = Settings(**chosen)
        async with running(settings, [self.flows], dev=False) as server:
            yield Platform(int(server.url.rpartition(":")[2]), self.identity.token())

    @property
    def audio(self) -> list[Path]:
        return sorted((self.folder / "data" / "audio").iterdir())

    async def is_over(self) -> bool:
        """Look whether the only call is over, while a server runs."""
        reader = Reader(self.folder / "data" / "calls.db")
        (record,) = await reader.read(find_calls)
        await reader.close()
        return record.call.phase == "over"

    async def look(self, call: str = "call-1") -> tuple[CallRecord, list[Stepped]]:
        """Look into the store while no server has it."""
        with DataFolder.open(self.folder / "data") as folder:
            store = await SqliteStore.open(folder.database, seal_key=None, seal_file=folder.seal_key)
            record = await store.load(CallKey("skype", APP, call))
            assert record is not None
            trace = await store.trace(record.id)
            await store.close()
        return record, list(trace)
