"""Call scripts over SIP: what only sound can tell is done, the rest is refused before anybody is called."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from ivr.cli.phone.sip_calls import SipFlags, call_sip
from ivr.phone.callers.script.parsing import ScriptError
from ivr.softphone import sound_script
from tests.softphone.answering import AnsweringMachine, answering


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound_script, "PROMPT_OVER", 0.1)
    monkeypatch.setattr(sound_script, "STILL_LISTENING", 0.3)
    monkeypatch.setattr(sound_script, "NO_PROMPT", 1.0)


async def run(folder: Path, steps: str, machine: AnsweringMachine, head: str = "") -> tuple[bool, str]:
    """Run one script; give whether it passed, and what was printed."""
    file, output = folder / "a.call.yaml", io.StringIO()
    lines = "".join(f"  - {step}\n" for step in steps.split("|"))
    file.write_text(f"{head}steps:\n{lines}")
    async with answering(machine) as target:
        flags = SipFlags(target.uri, None, None, None, None, None)
        console = Console(file=output, width=200, color_system=None)
        passed = await call_sip(flags, console, scripts=[file], plan=None, as_json=False)
    return passed, output.getvalue()


async def test_keys_wait_for_the_end_of_each_prompt(tmp_path: Path) -> None:
    machine = AnsweringMachine()
    steps = 'press: "12"|press: "3"|silence: 0.1s|press: "0"|expect: {ends: hangup}'
    passed, text = await run(tmp_path, steps, machine, "from: '200'\n")
    assert passed, text
    assert machine.keys == ["1", "2", "3", "0"]
    assert "<sip:200@" in (machine.legs[0].invite.headers.get("From") or "")


async def test_a_key_may_be_held(tmp_path: Path) -> None:
    machine = AnsweringMachine()
    passed, text = await run(tmp_path, 'hold: "4"|silence: 0.1s|hangup', machine)
    assert passed, text
    assert machine.keys == ["4"]
    assert text.count("hears") == 0


async def test_a_key_may_interrupt_a_prompt(tmp_path: Path) -> None:
    machine = AnsweringMachine()
    passed, text = await run(tmp_path, 'press: "1"\n    during: prompt|silence|hangup|expect: {ends: left}', machine)
    assert passed, text
    assert machine.keys == ["1"]


async def test_words_are_spoken_and_a_key_ends_them(tmp_path: Path) -> None:
    machine = AnsweringMachine()
    passed, text = await run(tmp_path, 'say: hello|press: "0"|expect: {ends: hangup}', machine)
    assert passed, text
    assert machine.keys == ["0"]
    assert len(machine.heard) > 10


@pytest.mark.parametrize(
    ("steps", "machine", "why"),
    [
        (
            'press: "0"|press: "1"',
            AnsweringMachine(),
            'Step 2 of 2 did not happen: press: "1"\nThe call was over: hangup.',
        ),
        ('press: "1"|expect: {ends: hangup}', AnsweringMachine(), "The call was not over."),
        ('press: "1"', AnsweringMachine(speaks=False), "No prompt was over within 1 s."),
        ('press: "1"', AnsweringMachine(status=486), "The call was over: reject."),
        ("play: missing.wav", AnsweringMachine(), "missing.wav"),
    ],
)
async def test_what_did_not_happen_is_told(tmp_path: Path, steps: str, machine: AnsweringMachine, why: str) -> None:
    passed, text = await run(tmp_path, steps, machine)
    assert not passed
    assert why in text
    assert "1 call, 1 failed." in text


async def test_a_call_that_is_rejected_can_be_expected(tmp_path: Path) -> None:
    passed, text = await run(tmp_path, "expect: {ends: reject}", AnsweringMachine(status=603))
    assert passed, text


@pytest.mark.parametrize(
    ("head", "steps", "why"),
    [
        ("", "expect: ~press 1", "2:5  script\n  Over a telephone line only sound is heard: what a prompt says"),
        ("", "expect: {state: main}", "a state cannot be expected"),
        ("", "expect: {ends: no-workflow}", 'does not end with "no-workflow"'),
        ("", "fail", "a telephone cannot let the line fail"),
        ("bot: http://127.0.0.1/call\n", "hangup", '"bot" has no effect here'),
        ("flow: a.yaml\n", "hangup", '"flow" has no effect here'),
        ('at: "10:00"\n', "hangup", '"at" has no effect here'),
    ],
)
async def test_what_sound_cannot_tell_is_refused_before_anybody_is_called(
    tmp_path: Path, head: str, steps: str, why: str
) -> None:
    machine = AnsweringMachine()
    with pytest.raises(ScriptError) as error:
        await run(tmp_path, steps, machine, head)
    assert why in str(error.value)
    assert machine.legs == []


async def test_words_without_a_voice_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ivr.speech.voices.espeak.find_spec", lambda _: None)
    with pytest.raises(ScriptError, match="Words need a voice"):
        await run(tmp_path, "say: hello", AnsweringMachine())
