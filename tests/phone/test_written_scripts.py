"""A call that was held becomes a script that makes the same call again."""

from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.cli.phone.call_scripts import run_script
from ivr.phone.callers.script.parsing import read_script
from ivr.phone.callers.script.steps import Do, Expect
from ivr.phone.callers.script.writing import as_script
from ivr.phone.callers.turn_based import CallerAction, Leave, Press, Speak
from ivr.phone.phone_events import (
    Done,
    Ended,
    KeyHeard,
    PhoneEvent,
    PromptBegan,
    PromptOver,
    RecordingBegan,
    RecordingOver,
    VoiceHeard,
)
from ivr.phone.platform import Target
from tests.phone.fake_bot import ANSWER, DIGITS, HANG_UP, MENU, RECORD, FakeBot, fake_bot, flow
from tests.phone.people import call

ANSWERS = (flow(ANSWER, MENU), flow(DIGITS), flow(RECORD), flow(MENU), flow(HANG_UP))


def found(bot: FakeBot) -> list[dict[str, Any]]:
    """What the bot was told, without how long it took."""
    timed = {"lengthOfRecordingInSecs"}
    return [{key: value for key, value in outcome.items() if key not in timed} for outcome in bot.outcomes]


def any_caller_action(random: Random) -> CallerAction | None:
    caller_actions: list[CallerAction | None] = [
        None,
        Press("1"),
        Press("9"),
        Press("42#"),
        Speak("sales"),
        Speak("weather"),
        Leave(),
    ]
    return random.choices(caller_actions, [2, 4, 1, 3, 2, 1, 1])[0]


@pytest.mark.parametrize("seed", range(25))
async def test_the_script_of_a_call_makes_the_same_call_again(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    async with fake_bot(*ANSWERS) as bot:
        ended, person = await call(bot, *(any_caller_action(random) for _ in range(5)))
        before, heard = found(bot), person.heard
    file = tmp_path / "again.call.yaml"
    async with fake_bot(*ANSWERS) as bot:
        file.write_text(as_script(person.events, name="again", bot=bot.call))
        played = await run_script(file, Target(bot.call))
        assert played.failure is None, played.failure
        assert found(bot) == before
    assert [line.removeprefix("hears  ") for line in played.transcript if line.startswith("hears")] == heard
    assert played.transcript[-1] == f"ends   {ended.reason}"


def test_keys_that_interrupt_are_written_as_such() -> None:
    events: list[PhoneEvent] = [
        PromptBegan("p", "Press 1.", interruptible=True),
        KeyHeard("4"),
        PromptOver("p", interrupted=True),
        KeyHeard("2"),
        Done("r", ok=True, result="pause", keys="42"),
    ]
    steps = as_script(events, name="x", bot="http://127.0.0.1/call").partition("steps:\n")[2]
    assert steps == '  - expect: "Press 1."\n  - press: "42"\n    during: prompt\n  - silence\n'


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("(audio http://127.0.0.1:8080/media/1f)", ""),
        ("Hear this: (audio http://a/1.wav) and go.", '  - expect: {hears: ["~Hear this:", "~and go."]}\n'),
    ],
)
def test_an_audio_file_is_not_known_by_its_address(text: str, step: str) -> None:
    script = as_script([PromptBegan("p", text, interruptible=False), Ended("bot", "hangup")], name="x", bot="http://a")
    assert script.partition("steps:\n")[2] == f"{step}  - expect: {{ends: hangup}}\n"


def test_what_was_said_into_a_microphone_is_a_place_to_fill_in() -> None:
    events: list[PhoneEvent] = [RecordingBegan("r"), VoiceHeard(active=True), KeyHeard("#"), RecordingOver("r", 2.0)]
    events += [Done("r", ok=True, result="terminator"), Ended("bot", "hangup")]
    steps = as_script(events, name="x", bot="http://127.0.0.1/call").partition("steps:\n")[2]
    assert steps == '  - say: "what the caller said"\n  - press: "#"\n  - expect: {ends: hangup}\n'


@given(text=st.text(min_size=1).filter(lambda text: text.strip("~ \n\t")), name=st.text(min_size=1))
def test_whatever_a_bot_says_the_script_can_be_read(
    tmp_path_factory: pytest.TempPathFactory, text: str, name: str
) -> None:
    file = tmp_path_factory.mktemp("any") / "a.call.yaml"
    events: list[PhoneEvent] = [PromptBegan("p", text, interruptible=False), Done("p", ok=False, result="left")]
    file.write_text(as_script(events, name=name, bot="http://127.0.0.1/call"), "utf-8", newline="")
    script = read_script(file)
    first, last = (step.act for step in script.steps)
    assert script.name == name
    assert isinstance(first, Expect)
    assert isinstance(last, Do)
    assert last.caller_action == Leave()
