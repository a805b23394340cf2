"""Make the shipped cases again: `python -m recordings.make_cases`, or `… appointment` for those of one flow.

For every transition of every flow in `flows/` the shortest call that takes it is looked for, and then made for real:
against `ivr serve`, over HTTP, in the platform's own JSON, with the scripted speech engine. What the server stored is
exported as `ivr calls export` does. Calls whose every transition another case takes are left out. Then the texts are
edited one by one: for each that no case notices, a call that hears it is added.

Ids and times are replaced by ones that say nothing, so that making the cases again changes only what a flow changed.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from itertools import takewhile
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from rich.progress import track

from ivr.cli.datafolder import exported
from ivr.cli.stored_calls import StoredCalls
from ivr.engine.call import Taken
from ivr.engine.flow import Flow
from ivr.engine.handlers import handler
from ivr.flowfile.load import load_flow
from ivr.store.data_folder import DataFolder
from ivr.store.location import StoreLocation
from ivr.store.opening import open_for_command
from ivr.trace.case import Case, CaseLine
from ivr.trace.files import case_files, dumps, read_case
from ivr.trace.replay import replay
from recordings import reports
from recordings.reports import Report
from recordings.service import DELAY, PATIENCE, PORT, Service
from recordings.shortest_calls import CallerStep, calls_hearing, shortest_calls
from recordings.surroundings import BEGINNINGS, CONNECTS, NOT_UNDERSTOOD, SAID, SLOW, Beginning
from recordings.texts import SpokenText, edited, texts_of

ROOT = Path(__file__).parents[1]
CASES = ROOT / "recordings" / "cases"
STARTED = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
PACE = 4.0
"Seconds between two things that happen, in a case."
ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
"What a WMA file begins with."


def main() -> None:
    """Make all cases."""
    with tempfile.TemporaryDirectory() as folder, Service.running() as service, serving(Path(folder)) as address:
        for file in sorted((ROOT / "flows").glob("*.yaml")):
            if not sys.argv[1:] or file.stem in sys.argv[1:]:
                make(load_flow(file).served(), partial(Caller, address, service), Path(folder) / "data")


def make(flow: Flow, caller: Callable[[str], "Caller"], data: Path) -> None:
    """Make the cases of one flow."""
    folder = CASES / flow.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    covered: set[Taken] = set()
    # Long calls take the transitions of many short ones with them.
    wanted = sorted(shortest_calls(flow), key=lambda found: -len(found[1]))
    for taken, caller_steps in track(wanted, f"{flow.name:12}"):
        if taken in covered:
            continue
        name = _name(flow, taken)
        caller(f"{flow.name}-{name}").makes(flow.name, caller_steps)
        recorded = _without_chance(_stored(data), f"{flow.name}/{name}", _began(flow, caller_steps))
        covered |= {one for line in recorded.lines for one in line.path}
        assert taken in covered, f"{name}: the call over HTTP went another way"
        (folder / f"{name}.jsonl").write_bytes(dumps(recorded))
    make_hearing(flow, caller, data)


def make_hearing(flow: Flow, caller: Callable[[str], "Caller"], data: Path) -> None:
    """Make the cases of the texts that no other case hears in a way that an edit would change."""
    folder = CASES / flow.name
    for said, caller_steps in calls_hearing(flow, [said for said in texts_of(flow) if not _noticed(flow, said)]):
        if _noticed(flow, said):
            continue
        name = f"{said.state}-says-{'-'.join(re.findall('[a-z]+', said.words.lower())[:4])}"
        caller(f"{flow.name}-{name}").makes(flow.name, caller_steps)
        (folder / f"{name}.jsonl").write_bytes(
            dumps(_without_chance(_stored(data), f"{flow.name}/{name}", _began(flow, caller_steps)))
        )
        assert _noticed(flow, said), f"{name}: the call over HTTP heard something else"


def _noticed(flow: Flow, said: SpokenText) -> bool:
    """Return whether some case is changed by other words."""
    other = edited(flow, {said: "Other words."})
    cases = (read_case(file) for file in case_files([CASES / flow.name]))
    return any(replay(one, other).verdict == "changed" for one in cases)


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Run a server of our own."""
    script = {
        _sha(name): {"text": text, "confidence": 0.9, "delay": DELAY if name in SLOW else 0.0}
        for name, text in SAID.items()
    }
    script |= {_sha(name): {"error": name} for name in NOT_UNDERSTOOD}
    (folder / "script.json").write_text(json.dumps(script))
    command = [sys.executable, "-m", "ivr", "serve", "--dev", "--port", "0", "--data", str(folder / "data")]
    command += ["--stt", "scripted", "--stt-script", str(folder / "script.json")]
    command += [str(ROOT / "flows")]
    asks = {**os.environ, "IVR_HTTP_HOSTS": f"127.0.0.1:{PORT}"}
    with subprocess.Popen(command, env=asks, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        try:
            line = server.stdout.readline()
            assert " at http://" in line, f"the server does not start: {line}"
            yield line.split(" at ")[1].split(" ")[0]
        finally:
            server.terminate()
            server.stdout.read()


class Caller:
    """The platform's side of one call, over HTTP."""

    def __init__(self, address: str, service: "Service", call: str) -> None:
        self._address = address
        self._service = service
        self._call = call
        self._messages = 0

    def makes(self, flow: str, caller_steps: Sequence[CallerStep]) -> None:
        """Make the call to its end."""
        self._service.will_answer(list(takewhile(lambda step: step.does == "service", caller_steps[1:])))
        workflow = self._begin(flow, BEGINNINGS[caller_steps[0].what])
        for number, caller_step in enumerate(caller_steps[1:], 1):
            if caller_step.does == "service":
                continue  # it was told before what it is asked
            served = list(takewhile(lambda step: step.does == "service", caller_steps[number + 1 :]))
            self._service.will_answer(served)
            workflow = self._post("/callback", self._report(caller_step, workflow), audio=caller_step.what)
            while workflow and workflow["actions"][-1]["action"] == "playPrompt":  # while something is waited for
                workflow = self._post("/callback", reports.done(self._call, workflow["actions"][-1]))
        if workflow and workflow["actions"][-1]["action"] in {"hangup", "reject"}:
            self._post("/callback", reports.done(self._call, workflow["actions"][-1]))

    def _begin(self, flow: str, begins: Beginning) -> dict[str, Any]:
        report = reports.incoming(
            self._call,
            caller=begins.caller or "29:caller",
            withheld=begins.caller is None,
            language=begins.language,
            transfer=begins.transfers,
        )
        at = {"X-IVR-Pretended-Time": begins.at} if begins.at else {}
        return self._post(f"/call/{flow}", report, **at)

    def _report(self, caller_step: CallerStep, workflow: dict[str, Any]) -> Report:
        action = workflow["actions"][-1]
        if caller_step.what == "prompt":
            action = next(action for action in workflow["actions"] if action["action"] == "playPrompt")
        match caller_step.does:
            case "hangs up":
                return reports.hang_up(self._call, action)
            case "somebody":
                return self._connected(action, CONNECTS[caller_step.what])
            case "line fails":
                return self._broken(action)
            case "line refuses":
                refused = {"type": "workflowValidationOutcome", "id": action["operationId"], "outcome": "failure"}
                refused["failureReason"] = "InvalidWorkflow"
                return self._message({"id": self._call, "operationOutcome": refused, "callState": "established"})
            case "keeps silent":
                return reports.silence(self._call, workflow)
            case "answers wrong":
                return self._wrong(action)
        return self._answer(caller_step, action)

    def _connected(self, action: dict[str, Any], failed: tuple[str, int] | None) -> Report:
        if failed is None:
            return self._message(reports.outcome(self._call, action, outcome="success", state="terminated"))
        return self._outcome(action, outcome="failure", status=failed[1], failureReason="NotConnected")

    def _broken(self, action: dict[str, Any]) -> Report:
        reason: dict[str, Any] = {"completionReason": "temporarySystemFailure"}
        match action["action"]:
            case "recognize":
                part = "choiceOutcome" if action.get("choices") else "collectDigitsOutcome"
                return self._outcome(action, outcome="failure", **{part: reason})
            case "record":
                return self._outcome(action, outcome="failure", lengthOfRecordingInSecs=0, **reason)
        return self._outcome(action, outcome="failure", failureReason="InternalServerError")

    def _wrong(self, action: dict[str, Any]) -> Report:
        if action.get("choices"):
            return self._outcome(action, outcome="failure", choiceOutcome={"completionReason": "incorrectDtmf"})
        digits = {"completionReason": "completedStopToneDetected", "digits": "**"}
        return self._outcome(action, outcome="success", collectDigitsOutcome=digits)

    def _answer(self, caller_step: CallerStep, action: dict[str, Any]) -> Report:
        match caller_step.does:
            case "chooses":
                choice = {"completionReason": "dtmfOptionMatched", "choiceName": caller_step.what}
                return self._outcome(action, outcome="success", choiceOutcome=choice)
            case "keys":
                digits = {"completionReason": "completedStopToneDetected", "digits": caller_step.what}
                return self._outcome(action, outcome="success", collectDigitsOutcome=digits)
        made = {"completionReason": "completedStopToneDetected", "lengthOfRecordingInSecs": 2.5, "format": "wma"}
        return self._message(reports.outcome(self._call, action, outcome="success", **made), audio=True)

    def _outcome(self, action: dict[str, Any], **members: Any) -> Report:
        return self._message(reports.outcome(self._call, action, **members))

    def _message(self, tree: dict[str, Any], *, audio: bool = False) -> Report:
        return Report(json.dumps(tree).encode(), audio)

    def _post(self, path: str, report: Report, audio: str = "", **fields: str) -> dict[str, Any]:
        self._messages += 1
        body, kind = report.body, "application/json"
        if report.audio:
            body, kind = _multipart(report.body, _audio(audio)), "multipart/form-data; boundary=B"
        headers = {"Content-Type": kind, "X-Microsoft-Skype-Message-ID": f"{self._call}-{self._messages}", **fields}
        request = urllib.request.Request(self._address + path, body, headers)  # our own server
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                content = answer.read()
        except urllib.error.HTTPError as refused:
            raise RuntimeError(f"{self._call}: {refused.read().decode()}") from refused
        workflow: dict[str, Any] = json.loads(content) if content else {}
        return workflow


def _multipart(message: bytes, audio: bytes) -> bytes:
    parts = (("conversationResult", "application/json", message), ("recordedAudio", "audio/x-ms-wma", audio))
    head = '--B\r\nContent-Disposition: form-data; name="{}"; filename="{}"\r\nContent-Type: {}\r\n\r\n'
    return (
        b"".join(head.format(name, name, kind).encode() + data + b"\r\n" for name, kind, data in parts) + b"--B--\r\n"
    )


def _audio(name: str) -> bytes:
    """Make a recording: the speech engine knows it by its bytes, nobody listens to it."""
    return ASF + name.encode() * 200


def _sha(name: str) -> str:
    return sha256(_audio(name)).hexdigest()


def _stored(data: Path) -> Case:
    """Return the call that was made last, once it is over: it can go on without its caller."""
    ends = time.monotonic() + PATIENCE
    with StoredCalls(open_for_command(StoreLocation(DataFolder(data)))) as archive:
        while True:
            recorded = exported(archive, next(archive.recent()).id)
            if recorded.header.outcome is not None:
                return recorded
            assert time.monotonic() < ends, "the call does not end"
            time.sleep(0.05)


def _began(flow: Flow, caller_steps: Sequence[CallerStep]) -> datetime:
    at = BEGINNINGS[caller_steps[0].what].at
    return datetime.fromisoformat(at).replace(tzinfo=flow.zone).astimezone(UTC) if at else STARTED


def _without_chance(recorded: Case, name: str, started: datetime) -> Case:
    lines = tuple(_timed(number, line) for number, line in enumerate(recorded.lines))
    header = replace(recorded.header, call=sha256(name.encode()).hexdigest()[:32], started=started)
    return Case(header, lines)


def _timed(number: int, line: CaseLine) -> CaseLine:
    at = number * PACE
    held = replace(line.held, at=at + 1) if line.held else None
    return replace(
        line, at=at, held=held, paced=min(line.paced, 1), then=tuple(at + later for later, _ in enumerate(line.then, 1))
    )


def _name(flow: Flow, taken: Taken) -> str:
    found = handler(flow, flow.states[taken.state], taken.event)
    is_one_of_several = found is not None and len(found[1]) > 1
    return f"{taken.state}-{taken.event}" + (f"-{taken.target}" if is_one_of_several else "")


if __name__ == "__main__":
    started = time.monotonic()
    main()
    made = len(list(CASES.rglob("*.jsonl")))
    print(f"{made} cases made in {time.monotonic() - started:.0f} s, in {CASES.relative_to(ROOT)}.")
