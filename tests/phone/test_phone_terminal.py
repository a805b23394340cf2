"""The phone in a terminal: what is typed is done, what happens is shown."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from ivr.cli.phone import phone as command
from ivr.cli.phone.screen import Screen
from ivr.cli.phone.terminal import Typist, caller_action
from ivr.phone.callers.turn_based import CallerAction, Fail, Leave, Press, Speak, TurnBased
from ivr.phone.phone_events import HangingUp, KeyHeard, Replied, Sent, WordsHeard
from ivr.phone.platform import Target, platform, sound_of
from tests.phone.fake_bot import ANSWER, DIGITS, HANG_UP, MENU, RECORD, SAY, Answer, fake_bot, flow, nobody
from tests.phone.people import QUICK, QUIET


class Typing:
    """Somebody who types lines; remembers what was asked."""

    def __init__(self, *lines: str) -> None:
        self.lines: Iterator[str] = iter(lines)
        self.asked: list[str] = []

    async def line(self, question: str) -> str | None:
        self.asked.append(question)
        return next(self.lines, None)


async def typed(*lines: str, answers: list[Answer], wire: bool = False) -> tuple[str, Typing]:
    """Type lines at a bot; give what was shown, and the keyboard."""
    output, keyboard = io.StringIO(), Typing(*lines)
    console = Console(file=output, width=200, color_system=None)
    transfers = ("sip:*@pbx.example",)
    async with fake_bot(*answers) as bot, platform(Target(bot.call, limits=QUICK, transfers=transfers)) as phone:
        await phone.place(TurnBased(Typist(Screen(console, wire=wire), keyboard.line), QUIET))
    return output.getvalue(), keyboard


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("1", Press("1")),
        ("42#", Press("42#")),
        ("  *  ", Press("*")),
        ("sales", Speak("sales")),
        ("1 o'clock", Speak("1 o'clock")),
        ("", None),
        ("/hangup", Leave()),
        ("/fail", Fail()),
    ],
)
def test_a_line_is_a_caller_action(line: str, found: CallerAction | None) -> None:
    assert caller_action(line) == found


async def test_a_whole_call_is_typed_and_shown() -> None:
    answers: list[Answer] = [flow(ANSWER, MENU), flow(DIGITS), flow(RECORD), flow(SAY, HANG_UP)]
    shown, keyboard = await typed("sales", "42#", "my flight was late", answers=answers)
    assert "Press 1 or say sales." in shown
    assert "(recording)" in shown
    assert "(recorded " in shown
    assert shown.rstrip().endswith("The bot hung up.")
    assert keyboard.asked == ["keys or words> ", "keys> ", "say something> "]


async def test_enter_is_silence_until_the_question_has_had_enough() -> None:
    shown, keyboard = await typed("", "1", answers=[flow(ANSWER, MENU), flow(MENU), flow(HANG_UP)])
    assert shown.count("Press 1 or say sales.") == 2
    assert len(keyboard.asked) == 2


async def test_no_more_lines_hang_up() -> None:
    shown, _ = await typed(answers=[flow(ANSWER, MENU), b""])
    assert shown.rstrip().endswith("You hung up.")


async def test_help_is_shown_and_asked_again() -> None:
    shown, keyboard = await typed("/help", "/hepl", "1", answers=[flow(ANSWER, MENU), flow(HANG_UP)])
    assert shown.count("the caller leaves (Ctrl-D does too)") == 2
    assert len(keyboard.asked) == 3


async def test_words_that_are_not_offered_are_told_to_be_so() -> None:
    shown, _ = await typed("weather", "Sales!", answers=[flow(ANSWER, MENU), flow(HANG_UP)])
    assert shown.count("(not understood; the choices are: 1 or sales)") == 1


async def test_words_where_keys_are_wanted_are_told_to_be_lost() -> None:
    shown, _ = await typed("four two", "42#", answers=[flow(ANSWER, DIGITS), flow(HANG_UP)])
    assert shown.count("(not understood; the bot expects keys)") == 1


async def test_a_key_in_a_menu_of_words_alone_is_told_to_be_lost() -> None:
    words = MENU | {"choices": [{"name": "sales", "speechVariation": ["sales", "the shop"]}]}
    shown, _ = await typed("1", "sales", answers=[flow(ANSWER, words), flow(HANG_UP)])
    assert shown.count("(not understood; the choices are: sales or the shop)") == 1


async def test_why_a_prompt_could_not_be_played_is_shown() -> None:
    output = io.StringIO()
    song = SAY | {"prompts": [{"fileUri": "BASE/files/song.wav"}]}
    async with fake_bot(flow(ANSWER, song), flow(HANG_UP)) as bot, platform(Target(bot.call, limits=QUICK)) as phone:
        screen = Screen(Console(file=output, width=200, color_system=None), wire=False)
        await phone.place(TurnBased(Typist(screen, Typing().line), sound_of(phone)))
    assert "the file's server answered 404" in output.getvalue()


async def test_what_became_of_a_question_that_failed_is_shown() -> None:
    shown, _ = await typed("9", "", answers=[flow(ANSWER, MENU), flow(MENU), flow(HANG_UP)])
    assert "(that key is not one of the choices)" in shown
    assert "(you kept silent)" in shown


async def test_that_a_bot_wants_to_hear_no_more_is_said_once() -> None:
    shown, _ = await typed(answers=[flow(ANSWER, SAY, links=None)])
    assert shown.rstrip().endswith("The call is over. The bot did not ask for a report.")


def test_who_hangs_up_while_the_bot_thinks_sees_that_it_takes_a_while() -> None:
    output = io.StringIO()
    screen = Screen(Console(file=output, width=200, color_system=None), wire=False)
    for event in (Sent("http://bot", "m", 1, "{}"), HangingUp(), Replied("m", 200, "{}", 3.0), HangingUp()):
        screen.show(event)
    assert output.getvalue() == "Hanging up…\n"


def test_what_is_typed_when_nobody_listens_is_told_to_be_lost_once() -> None:
    output = io.StringIO()
    screen = Screen(Console(file=output, width=200, color_system=None), wire=False)
    for event in (KeyHeard("4"), KeyHeard("2"), WordsHeard("sales", typed=True)):
        screen.show(event)
    assert output.getvalue() == "  (the bot is not listening now)\n"


async def test_a_refused_workflow_and_its_reason_are_shown() -> None:
    shown, _ = await typed(answers=[flow(ANSWER, MENU, MENU), flow(ANSWER, HANG_UP)])
    assert "answer, recognize, recognize cannot be combined" in shown


async def test_where_a_bot_transfers_the_call_to_is_shown() -> None:
    transfer = {"operationId": "go", "action": "transfer", "target": "sip:sales@pbx.example"}
    shown, _ = await typed(answers=[flow(ANSWER, transfer)])
    assert "(transferring to sip:sales@pbx.example)" in shown
    assert "The bot transferred the call." in shown


async def test_whoever_types_says_what_becomes_of_a_transfer() -> None:
    transfer = {"operationId": "go", "action": "transfer", "target": "sip:sales@pbx.example", "whisper": "Miller"}
    shown, _ = await typed("what", "busy", answers=[flow(ANSWER, transfer), flow(SAY, HANG_UP)])
    assert '(transferring to sip:sales@pbx.example, which is shown "Miller")' in shown
    assert "what becomes of a transfer" in shown, "the list of what can be typed"
    assert "the other side answered 486" in shown
    assert "The bot hung up." in shown


async def test_the_wire_is_shown_when_asked_for() -> None:
    shown, _ = await typed("1", answers=[503, flow(ANSWER, MENU), flow(HANG_UP)], wire=True)
    assert "(attempt 2)" in shown
    assert '"choiceName":"sales"' in shown
    assert "< 503" in shown


async def test_what_a_bot_says_cannot_dress_up_as_the_phone() -> None:
    say = SAY | {"prompts": [{"value": "[red]The call is over[/red] [/]\x1b[2J\x9b2J"}]}
    shown, _ = await typed(answers=[flow(ANSWER, say, HANG_UP)])
    assert "[red]The call is over[/red] [/] [2J" in shown
    assert "\x1b" not in shown
    assert "\x9b" not in shown


def test_a_bot_that_is_not_there_fails_the_command() -> None:
    with nobody() as address:
        done = CliRunner().invoke(command, ["--bot", f"{address}/call", "--retries", "0"])
    assert done.exit_code == 1
    assert "cannot be reached" in done.output


def test_another_machine_has_to_be_allowed() -> None:
    done = CliRunner().invoke(command, ["--bot", "http://192.0.2.1/call"])
    assert done.exit_code == 1
    assert "--allow 192.0.2.1" in done.output


def test_a_load_says_what_went_wrong_as_json() -> None:
    with nobody() as address:
        options = ["--bot", f"{address}/call", "--calls", "2", "--json", "--retries", "0"]
        done = CliRunner().invoke(command, options)
    assert done.exit_code == 1
    assert json.loads(done.stdout)["errors"] == {"connect": 2, "ended.unreachable": 2}


@pytest.mark.parametrize("way", ["pipe", "file"])
def test_what_is_typed_comes_line_by_line(tmp_path: Path, way: str) -> None:
    program = """
import asyncio
from ivr.cli.keyboard import Keyboard
async def main():
    keyboard = Keyboard(lambda question: None)
    while (line := await keyboard.line("? ")) is not None:
        print(repr(line))
asyncio.run(main())
"""
    typed = "1\n\nsch\u00f6n\r\nno end".encode()
    (tmp_path / "typed").write_bytes(typed)
    command = [sys.executable, "-c", program]
    if way == "pipe":
        done = subprocess.run(command, input=typed, capture_output=True, check=True)
    else:
        with (tmp_path / "typed").open("rb") as file:
            done = subprocess.run(command, stdin=file, capture_output=True, check=True)
    assert done.stdout.decode().split("\n") == ["'1'", "''", "'sch\u00f6n'", "'no end'", ""]


def test_ctrl_c_ends_the_phone_while_it_waits_for_a_line() -> None:
    program = "from ivr.cli.keyboard import Keyboard; import asyncio; asyncio.run(Keyboard(print).line('waiting'))"
    with subprocess.Popen(
        [sys.executable, "-u", "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline() == b"waiting\n"
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)
        assert b"Fatal" not in process.stderr.read()
    assert process.returncode != 0
