"""The phone calls a bot on Microsoft's own SDK, whose token check is on: the protocol, and not our dialect of it."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ivr.engine.line_facts import LineFacts
from ivr.media.recorder import Recorder
from ivr.media.sound import SilentRenderer, Sound
from ivr.phone.callers.turn_based import CallerAction, Fail, Leave, Press, Situation, Speak, TurnBased
from ivr.phone.net.limits import PhoneLimits
from ivr.phone.phone_events import Ended, PhoneEvent, PromptBegan, Replied, Sent, StateChanged, WorkflowRefused
from ivr.phone.platform import Target, platform
from ivr.phone.wire.line_news import LookAtLine
from tests.waiting import PATIENCE

HERE = Path(__file__).parent
APP = "peer-app"
NODE = shutil.which("node")

pytestmark = [
    pytest.mark.skipif(NODE is None, reason="Node is not installed"),
    pytest.mark.skipif(
        not (HERE / "node_modules/botbuilder-calling").exists(),
        reason="run `npm install` in tests/peers (make test does)",
    ),
]


@dataclass
class Peer:
    """The bot's process, and what it said it got."""

    url: str
    process: asyncio.subprocess.Process

    async def got(self) -> list[tuple[str, Any]]:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        rest = await self.process.stdout.read()
        lines = [json.loads(line) for line in rest.splitlines() if line.startswith(b"{")]
        return [(line["got"], line["value"]) for line in lines]


@asynccontextmanager
async def node_bot(metadata: str, *, app: str = APP, trouble: int = 0) -> AsyncIterator[Peer]:
    settings = json.dumps({"appId": app, "metadata": metadata, "trouble": trouble})
    process = await asyncio.create_subprocess_exec(
        *(NODE or "node", "bot.js", settings),
        cwd=HERE,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,  # Node warns of the SDK's age
    )
    assert process.stdout
    try:
        async with asyncio.timeout(PATIENCE):
            line = await process.stdout.readline()
            yield Peer(json.loads(line)["url"], process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@dataclass
class CallerActions:
    """Somebody who does one thing after the other, whenever it is time."""

    left: list[CallerAction | None]
    events: list[PhoneEvent] = field(default_factory=list)
    waits: bool = False

    def tell(self, event: PhoneEvent) -> None:
        self.events.append(event)
        if type(event).__name__ == "Done":
            self.waits = False

    async def act(self, situation: Situation) -> CallerAction | None:
        if situation.prompt or situation.listening is None or self.waits:
            return None
        self.waits = True
        return self.left.pop(0) if self.left else Leave()

    @property
    def heard(self) -> str:
        return " | ".join(event.text for event in self.events if isinstance(event, PromptBegan))

    def reported(self) -> Sequence[dict[str, Any]]:
        bodies = [json.loads(event.body) for event in self.events if isinstance(event, Sent)]
        return [body["operationOutcome"] for body in bodies if "operationOutcome" in body]


@dataclass
class Held:
    """A call that is over."""

    ended: Ended
    caller: CallerActions
    got: list[tuple[str, Any]]

    @property
    def states(self) -> list[str]:
        return [event.state for event in self.caller.events if isinstance(event, StateChanged)]

    def statuses(self) -> list[int]:
        return [event.status for event in self.caller.events if isinstance(event, Replied)]


async def hold(
    *caller_actions: CallerAction | None,
    trouble: int = 0,
    app: str = APP,
    retries: int = 2,
    line: LookAtLine | None = None,
    transfers: tuple[str, ...] = (),
) -> Held:
    limits = PhoneLimits(retry_after=0.0, retries=retries)
    async with (
        platform(Target("http://127.0.0.1/", app_id=APP, limits=limits, transfers=transfers)) as phone,
        node_bot(phone.metadata, trouble=trouble, app=app) as peer,
    ):
        caller = CallerActions(list(caller_actions))
        handset = TurnBased(caller, Sound(SilentRenderer(), Recorder(encodes=False)))
        ended = await phone.place(handset, bot=peer.url, line=line)
        return Held(ended, caller, await peer.got())


async def test_a_menu_by_key_is_answered_and_the_bot_hangs_up() -> None:
    call = await hold(Press("3"))
    assert call.caller.heard == (
        "Welcome. | For digits press 1 or say digits. To leave a message press 2. To end press 3. | Goodbye."
    )
    assert call.got == [("choice", "end")]
    assert (call.ended.by, call.ended.reason) == ("bot", "hangup")
    assert call.states == ["incoming", "established", "terminated"]
    assert set(call.statuses()) == {200}


async def test_what_a_line_tells_of_itself_and_offers_is_passed_over() -> None:
    sip = LineFacts(kind="sip", trunk="192.0.2.7:5060", called="+4930", codec="PCMA", encrypted=False, loss=0.1)
    call = await hold(Press("1"), Press("4711#"), line=lambda: sip, transfers=("sip:*@pbx.example",))
    told = [json.loads(event.body).get("ivr") for event in call.caller.events if isinstance(event, Sent)]
    assert told[0] == {
        "kind": "sip",
        "trunk": "192.0.2.7:5060",
        "called": "+4930",
        "transfer": True,
        "codec": "PCMA",
        "encrypted": False,
    }
    assert told[-1] == {"loss": 0.1}
    assert call.got == [("choice", "digits"), ("digits", "4711")]
    assert set(call.statuses()) == {200}


async def test_a_menu_by_voice_and_digits_with_a_stop_tone() -> None:
    call = await hold(Speak("Digits"), Press("4711#"))
    assert call.got == [("choice", "digits"), ("digits", "4711")]
    assert call.caller.heard.endswith("Thank you for 4 digits.")


async def test_all_the_digits_that_are_wanted_need_no_stop_tone() -> None:
    call = await hold(Press("1"), Press("0123456789"))
    assert call.got == [("choice", "digits"), ("digits", "0123456789")]


async def test_a_stop_tone_alone_is_taken_for_no_digits() -> None:
    call = await hold(Press("1"), Press("#"))
    assert call.got == [("choice", "digits"), ("digits", None)]
    assert call.caller.heard.endswith("No digits.")
    reported = next(found for found in call.caller.reported() if "collectDigitsOutcome" in found)
    assert (reported["outcome"], reported["collectDigitsOutcome"]) == (
        "failure",
        {"completionReason": "completedStopToneDetected"},
    )


async def test_a_recording_arrives_whole() -> None:
    call = await hold(Press("2"), Speak("my telephone is broken, please call me back"))
    (_, message) = call.got[-1]
    assert message["riff"] == "RIFF"
    assert message["seconds"] > 2
    size = next(event.audio for event in call.caller.events if isinstance(event, Sent) and event.audio)
    assert message["bytes"] == size
    assert call.caller.heard.endswith("Your message is kept.")


async def test_silence_and_a_wrong_key_are_asked_again_in_the_sdk_s_own_words() -> None:
    call = await hold(None, Press("9"), Press("3"))
    assert call.caller.heard.count("For digits press 1") == 3
    assert "I couldn't hear anything." in call.caller.heard
    assert "That's an invalid option." in call.caller.heard
    assert call.got == [("choice", "end")]


async def test_a_caller_who_never_answers_is_let_go() -> None:
    call = await hold(None, None, None)
    assert call.got == [("choice", None)]
    assert call.ended.by == "bot"


async def test_nothing_said_after_the_beep_is_asked_again() -> None:
    call = await hold(Press("2"), None, Speak("here I am"))
    assert call.caller.heard.count("Speak after the beep.") == 2
    assert call.got[-1][0] == "message"


async def test_a_caller_who_leaves_ends_the_call_for_the_bot_too() -> None:
    call = await hold(Leave())
    assert (call.ended.by, call.ended.reason) == ("caller", "left")
    last = call.caller.reported()[-1]
    assert last["choiceOutcome"]["completionReason"] == "callTerminated"
    assert call.statuses()[-1] == 200


async def test_a_line_that_breaks_is_told_and_the_bot_goes_on() -> None:
    call = await hold(Fail())
    assert call.got == [("choice", None)]
    assert call.caller.reported()[0]["choiceOutcome"]["completionReason"] == "temporarySystemFailure"


async def test_every_workflow_of_the_sdk_is_valid() -> None:
    call = await hold(None, Speak("message"), Speak("hello"))
    assert not [event for event in call.caller.events if isinstance(event, WorkflowRefused)]


async def test_a_bot_in_trouble_gets_the_same_message_again() -> None:
    call = await hold(Press("3"), trouble=2)
    assert call.statuses()[:3] == [503, 503, 200]
    sent = [event for event in call.caller.events if isinstance(event, Sent)]
    assert len({event.message for event in sent[:3]}) == 1
    assert call.got == [("choice", "end")]


async def test_a_bot_that_stays_in_trouble_is_hung_up_on() -> None:
    call = await hold(Press("3"), trouble=9)
    assert (call.ended.by, call.ended.reason) == ("platform", "refused")
    assert call.statuses() == [503, 503, 503]


async def test_the_sdk_refuses_a_token_that_is_made_out_to_another_bot() -> None:
    call = await hold(Press("3"), app="another-app")
    assert call.statuses() == [403]
    assert (call.ended.by, call.ended.reason) == ("platform", "refused")
