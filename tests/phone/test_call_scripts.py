"""A call written down: made as it stands, and where it goes otherwise, said where and what was heard."""

import subprocess
import sys
from pathlib import Path

import pytest

from ivr.channels.skype.wire import PRETENDED_TIME
from ivr.cli.phone.call_scripts import run_script
from ivr.flowfile.load import asks_the_clock
from ivr.phone.callers.script.parsing import ScriptError, read_script
from ivr.phone.callers.script.steps import Expect
from ivr.phone.callers.turn_based import Press
from ivr.phone.platform import Target
from tests.phone.fake_bot import ANSWER, HANG_UP, MENU, RECORD, fake_bot, flow

NOBODY = Target("http://127.0.0.1:1/")
NOON = Target("http://127.0.0.1:1/", at="12:00")
SHIPPED = Path(__file__).parent / "calls" / "support.call.yaml"


def written(folder: Path, steps: str, head: str = "") -> Path:
    file = folder / "a.call.yaml"
    lines = "\n".join(f"  - {step.strip()}" for step in steps.strip().splitlines())
    file.write_text(f"{head}\nsteps:\n{lines}\n", "utf-8")
    return file


async def failure(file: Path, *answers: object) -> str:
    """Run a script against a bot; give why it failed, without its place."""
    async with fake_bot(*answers) as bot:  # type: ignore[arg-type]
        played = await run_script(file, Target(bot.call))
    return "\n".join((played.failure or "").splitlines()[1:])


async def test_the_shipped_desk_takes_the_shipped_call_with_its_token_check_on() -> None:
    played = await run_script(SHIPPED, Target("http://127.0.0.1:1/"))
    assert played.failure is None, played.failure
    assert played.transcript[-1] == "ends   hangup"


async def test_a_call_that_goes_as_written_passes(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        """
        expect: "Press 1 or say sales."
        press: "1"
        expect: {state: here, hears: ~press 1}
        say: sales
        expect: {ends: hangup}
        """,
    )
    assert await failure(file, flow(ANSWER, MENU), flow(MENU, state="here"), flow(HANG_UP)) == ""


async def test_what_was_heard_instead_is_shown_with_the_nearest(tmp_path: Path) -> None:
    file = written(tmp_path, "expect: ~press two or say")
    assert await failure(file, flow(ANSWER, MENU), flow(HANG_UP)) == (
        "Step 1 of 1 did not happen: expect: ~press two or say\n"
        'Heard: "Press 1 or say sales.".\n'
        'The nearest to "~press two or say" is "Press 1 or say".\n'
        "The call so far:\n"
        "  hears  Press 1 or say sales."
    )


async def test_another_state_is_named(tmp_path: Path) -> None:
    file = written(tmp_path, "expect: {hears: ~press 1, state: billing}")
    assert 'The call is in state "main".' in await failure(file, flow(ANSWER, MENU, state="main"), flow(HANG_UP))


async def test_a_bot_that_names_no_state_is_said_to_name_none(tmp_path: Path) -> None:
    file = written(tmp_path, "expect: {hears: ~press 1, state: billing}")
    assert 'the bot sends no "appState"' in await failure(file, flow(ANSWER, MENU), flow(HANG_UP))


async def test_a_step_that_nobody_waited_for_fails(tmp_path: Path) -> None:
    file = written(tmp_path, 'press: "1"\npress: "2"')
    told = await failure(file, flow(ANSWER, MENU), flow(HANG_UP))
    assert told.startswith('Step 2 of 2 did not happen: press: "2"\nThe call was over: hangup.')


async def test_a_call_that_ends_otherwise_fails(tmp_path: Path) -> None:
    file = written(tmp_path, "expect: {ends: reject}")
    assert "The call was over: hangup." in await failure(file, flow(ANSWER, HANG_UP))


async def test_speech_and_a_key_belong_to_one_recording(tmp_path: Path) -> None:
    file = written(tmp_path, 'silence: 1s\nsay: hello\npress: "#"\nexpect: {ends: hangup}')
    async with fake_bot(flow(ANSWER, RECORD | {"stopTones": ["#"]}), flow(HANG_UP)) as bot:
        played = await run_script(file, Target(bot.call))
    assert played.failure is None
    assert bot.outcomes[0]["completionReason"] == "completedStopToneDetected"


async def test_a_refused_workflow_is_heard_of(tmp_path: Path) -> None:
    file = written(tmp_path, "expect: ~Hello")
    told = await failure(file, flow(ANSWER), flow(MENU, MENU), flow(HANG_UP))
    assert "the workflow was refused" in told


def test_a_script_is_read_with_the_places_of_its_steps(tmp_path: Path) -> None:
    script = read_script(written(tmp_path, 'expect: [~a]\npress: "12#"'.replace("[~a]", "~a"), "script: name"))
    assert script.name == "name"
    assert [step.line for step in script.steps] == [3, 4]
    assert script.steps[0].act == Expect(("~a",))
    assert getattr(script.steps[1].act, "caller_action", None) == Press("12#")


@pytest.mark.parametrize(
    ("steps", "head", "message"),
    [
        ("pres: 1", "", '"pres" is not a step. Did you mean "press"?'),
        ("hangup now", "", '"hangup now" is not a step.'),
        ("press: 1x", "", '"1x" is not a sequence of keys'),
        ("silence: long", "", '"long" is not a duration'),
        ("expect: {heard: a}", "", '"heard" cannot be expected. Did you mean "hears"?'),
        ("expect: {}", "", "This expectation is empty."),
        ("{press: 1, say: a}", "", "A step is one expectation"),
        ("{press: 1, during: night}", "", 'Only "prompt" is allowed here.'),
        ("press: 1", "scirpt: a", 'Unknown key "scirpt" in a call script. Did you mean "script"?'),
        ("press: 1", "bot: http://127.0.0.1/\nflow: a.yaml", "either a bot or a flow"),
        ('say: ""', "", "needs a text"),
        ("press: 1", "at: tomorrow", '"tomorrow" is not a time. Write 10:00, 2026-12-24 or'),
    ],
)
def test_a_mistake_is_shown_with_a_caret(tmp_path: Path, steps: str, head: str, message: str) -> None:
    with pytest.raises(ScriptError) as error:
        read_script(written(tmp_path, steps, head))
    assert message in str(error.value)
    assert "^" in str(error.value)


async def test_a_script_that_cannot_be_read_fails_as_a_call(tmp_path: Path) -> None:
    played = await run_script(written(tmp_path, "pres: 1"), Target("http://127.0.0.1:1/"))
    assert played.failure is not None
    assert "Did you mean" in played.failure


def test_pytest_collects_scripts_and_shows_only_what_matters(tmp_path: Path) -> None:
    flow_file = SHIPPED.parents[3] / "flows" / "support.yaml"
    written(tmp_path, 'expect: ~press 1\npress: "2"\nexpect: ~after the tone', f"flow: {flow_file}")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:ivr-phone", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, "-p", "ivr.cli.phone_plugin", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "a.call.yaml:5:5" in done.stdout
    assert 'The nearest to "~after the tone"' in done.stdout
    assert "Traceback" not in done.stdout


OFFICE = """
flow: office
initial: door
timeZone: America/New_York
on: {error: shut}
states:
  door: {decide: [{guard: "now >= '09:00' and now < '17:00'", target: open}, shut]}
  open: {say: "It is {{ now | time }}, we are here.", final: true}
  shut: {say: We are closed., final: true}
"""


@pytest.mark.parametrize(
    ("at", "heard"),
    [
        ('"10:00"', "It is 10:00 AM, we are here."),
        ('"2026-12-24 08:59"', "We are closed."),
        ("2026-12-24T16:59:59", "It is 4:59 PM, we are here."),
    ],
)
async def test_a_script_names_the_time_at_which_it_is_made(tmp_path: Path, at: str, heard: str) -> None:
    (tmp_path / "office.yaml").write_text(OFFICE)
    played = await run_script(
        written(tmp_path, f"expect: {{hears: {heard!r}, ends: hangup}}", f"flow: office.yaml\nat: {at}"), NOBODY
    )
    assert played.failure is None, played.failure
    assert played.warning is None


async def test_a_script_that_leaves_the_time_to_chance_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "office.yaml").write_text(OFFICE)
    (tmp_path / "hello.yaml").write_text(
        "flow: hello\ninitial: a\non: {error: a}\nstates: {a: {say: Hello., final: true}}"
    )
    (tmp_path / "broken.yaml").write_text("flow: broken")
    by_chance = await run_script(written(tmp_path, "expect: {ends: hangup}", "flow: office.yaml"), NOBODY)
    assert by_chance.failure is None
    assert by_chance.warning is not None
    assert "a.call.yaml:1:1  clock  (warning)" in by_chance.warning
    assert 'such as  at: "2026-12-01 10:00"' in by_chance.warning
    at_the_flag = await run_script(written(tmp_path, "expect: {ends: hangup}", "flow: office.yaml"), NOON)
    assert at_the_flag.warning is None
    timeless = await run_script(written(tmp_path, "expect: {ends: hangup}", "flow: hello.yaml"), NOBODY)
    assert timeless.warning is None
    assert not asks_the_clock("broken.yaml", b"flow: broken")
    assert not asks_the_clock("broken.yaml", OFFICE.replace("now >=", "now >>=").replace("now |", "later |").encode())


async def test_only_the_first_message_of_a_call_names_the_time(tmp_path: Path) -> None:
    file = written(tmp_path, 'press: "1"\nexpect: {ends: hangup}', "at: 2026-12-24 18:00")
    async with fake_bot(flow(ANSWER, MENU), flow(HANG_UP)) as bot:
        played = await run_script(file, Target(bot.call))
    assert played.failure is None
    assert [told.headers.get(PRETENDED_TIME) for told in bot.told[:2]] == ["2026-12-24 18:00", None]
