"""What a caller keyed in confidence, in every member of a message that a platform writes freely: it stands nowhere."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from tests.cli.stored_calls import ivr
from tests.console.visiting import Visit, visiting
from tests.server.harness import form, texts

KEYED = "8643179"
PIN = """\
flow: pin
initial: ask
on: {exhausted: bye, error: bye}
states:
  ask:
    digits: {prompt: Your PIN please., minDigits: 4, maxDigits: 8, into: pin, sensitive: true}
    next: inside
    on: {error.system: inside, error.workflow: inside}
  inside:
    menu: {prompt: Press 1., choices: {one: {dtmf: "1"}}}
    on: {one: bye}
  bye: {say: Goodbye., final: true, outcome: unresolved}
"""
FAILS = {"type": "recognizeOutcome", "outcome": "failure"}
GOES_WRONG = {**FAILS, "collectDigitsOutcome": {"completionReason": "temporarySystemFailure"}}
KEYS = {
    "type": "recognizeOutcome",
    "outcome": "success",
    "collectDigitsOutcome": {"completionReason": "completedStopToneDetected", "digits": KEYED},
}
RECORDED = {"type": "recordOutcome", "outcome": "success", "completionReason": "completedSilenceDetected"}

MEMBERS: dict[str, dict[str, Any]] = {
    "failureReason": {**GOES_WRONG, "failureReason": f"the caller keyed {KEYED}"},
    "failureReason of a refusal": {
        "type": "workflowValidationOutcome",
        "outcome": "failure",
        "failureReason": f"bad prompt: {KEYED}",
    },
    "failureReason beside an answer": {**KEYS, "failureReason": KEYED},
    "choiceName": {
        "type": "recognizeOutcome",
        "outcome": "success",
        "choiceOutcome": {"completionReason": "dtmfOptionMatched", "choiceName": KEYED},
    },
    "completionReason": {**FAILS, "collectDigitsOutcome": {"completionReason": KEYED}},
    "digits": KEYS,
    "digits of a failure": {**FAILS, "collectDigitsOutcome": {"completionReason": "unknown", "digits": KEYED}},
    "outcome": {**GOES_WRONG, "outcome": KEYED},
    "type": {**GOES_WRONG, "type": KEYED},
    "length": {**RECORDED, "lengthOfRecordingInSecs": int(KEYED) / 1000},
    "operation's id": {**GOES_WRONG, "id": KEYED},
    "operation's id, counted": {**GOES_WRONG, "id": f"{KEYED[:4]}.{KEYED[4:]}"},
    "operation's id of a prompt": {**KEYS, "id": f"{KEYED}.prompt"},
}
AROUND: dict[str, dict[str, Any]] = {
    "appState": {"appState": KEYED},
    "callState": {"callState": KEYED},
    "links": {"links": {"next": KEYED}},
    "unknown": {"keys": KEYED},
}


class Line:
    """The platform, as far as it goes with one call."""

    def __init__(self, visit: Visit) -> None:
        self.visit = visit
        self.replies = b""
        self.messages = 0

    async def post(self, message: dict[str, Any], *, path: str = "/callback", named: str | None = "") -> Any:
        """Post a message; `named` is its id, a plain one if empty, and None for one without."""
        body, kind = json.dumps({"id": "call-1", **message}).encode(), {"Content-Type": "application/json"}
        if message.get("operationOutcome", {}).get("type") == "recordOutcome":
            body, kind = form(b"audio", message=body), {"Content-Type": "multipart/form-data; boundary=B"}
        self.messages += 1
        name = {} if named is None else {"X-Microsoft-Skype-Message-ID": named or f"message-{self.messages}"}
        async with self.visit.client.post(f"{self.visit.url}{path}", data=body, headers=kind | name) as answer:
            reply = await answer.read()
        self.replies += reply
        assert answer.status == 200, reply
        return json.loads(reply or b"null")

    async def dials(self) -> str:
        """Call, and return the id of the operation that asks for the PIN."""
        people = [{"identity": "29:anna", "originator": True}, {"identity": "28:bot", "originator": False}]
        call = {"participants": people, "presentedModalityTypes": ["audio"], "callState": "incoming"}
        workflow = await self.post(call, path="/call/pin")
        return str(workflow["actions"][-1]["operationId"])

    async def report(self, outcome: dict[str, Any], *, named: str | None = "", **around: Any) -> None:
        await self.post({"operationOutcome": outcome, "callState": "established", **around}, named=named)


async def nowhere(line: Line, caplog: pytest.LogCaptureFixture) -> None:
    """Look for what was keyed wherever something of a call is kept or shown."""
    visit = line.visit
    await visit.log_in()
    address = await visit.call_address()
    shown = [await visit.see(), await visit.see(address), await visit.see("/console/flows/pin")]
    told = ivr("calls", "show", address.rpartition("/")[2], "--data", str(visit.data)).output
    kept = b"".join(file.read_bytes() for file in visit.data.rglob("*") if file.is_file())
    logged = texts(record for record in caplog.records if record.name.startswith("ivr"))
    for form_of in (KEYED, f"{KEYED[:4]}.{KEYED[4:]}"):
        assert form_of not in "".join([*shown, told, logged])
        assert form_of.encode() not in line.replies + kept


@pytest.mark.parametrize("named", ["", None], ids=["named message", "message without a name"])
@pytest.mark.parametrize("late", [False, True], ids=["in time", "too late"])
@pytest.mark.parametrize("member", MEMBERS)
async def test_it_stands_nowhere_whatever_member_of_an_outcome_it_comes_in(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, member: str, late: bool, named: str | None
) -> None:
    caplog.set_level(logging.DEBUG)
    async with visiting(tmp_path, more={"pin.yaml": PIN}) as visit:
        line = Line(visit)
        op = await line.dials()
        if late:
            await line.report({**KEYS, "id": op})
        await line.report({"id": op, **MEMBERS[member]}, named=named)
        await nowhere(line, caplog)


@pytest.mark.parametrize("member", AROUND)
async def test_nor_where_it_comes_in_what_is_around_the_outcome(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, member: str
) -> None:
    caplog.set_level(logging.DEBUG)
    async with visiting(tmp_path, more={"pin.yaml": PIN}) as visit:
        line = Line(visit)
        await line.report({"id": await line.dials(), **GOES_WRONG}, **AROUND[member])
        await nowhere(line, caplog)


async def test_nor_where_it_is_a_message_s_own_name_or_comes_beside_the_workflow(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with visiting(tmp_path, more={"pin.yaml": PIN}) as visit:
        line = Line(visit)
        op = await line.dials()
        people = [{"identity": f"29:{KEYED}", "originator": True}, {"identity": "28:bot", "originator": False}]
        call = {"participants": people, "presentedModalityTypes": ["audio"], "callState": "incoming"}
        await line.post(call, path="/call/pin")
        await line.post({"type": "callStateChange", "currentState": KEYED, "stateChangeCode": KEYED})
        await line.post({"type": KEYED, "currentState": "established"}, named=KEYED)
        await line.report({**KEYS, "id": op}, named=f"keyed-{KEYED}")
        await nowhere(line, caplog)
