"""`ivr talk`: a person at the keys hears what a caller would hear."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ivr.cli import main

FLOWS = Path(__file__).parents[2] / "flows"


def talk(flow: Path, *typed: str, options: tuple[str, ...] = ()) -> Result:
    result = CliRunner().invoke(main, ["talk", str(flow), *options], input="".join(f"{line}\n" for line in typed))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_a_caller_is_heard_by_keys_by_words_and_by_what_is_recorded() -> None:
    said = talk(FLOWS / "flight-desk.yaml", "problem", "my flight was late").output
    assert "To report a problem, press 1" in said
    assert "main — problem → report" in said
    assert "Thank you. We heard my flight was late. Goodbye." in said
    assert "The call is over: resolved." in said


def test_silence_is_an_empty_line_and_the_end_of_the_input_is_a_hang_up() -> None:
    said = talk(FLOWS / "flight-desk.yaml", "", "").output
    assert "I did not hear you." in said
    assert "I still cannot hear you." in said
    assert "The call is over: abandoned." in said


def test_what_matches_nothing_shows_the_line_that_would_have() -> None:
    said = talk(FLOWS / "flight-desk.yaml", "9", "tea please", "/hangup").output
    assert 'To add one, under states.main.menu.choices:  name: {dtmf: "9"}' in said
    assert "name: {speech: [tea please]}" in said


def test_keys_that_were_asked_for_in_private_are_not_shown(tmp_path: Path) -> None:
    flow = tmp_path / "pin.yaml"
    flow.write_text("""\
flow: pin
initial: ask
on: {exhausted: bye, error: bye}
variables: {pin: {type: text, sensitive: true}, tries: 0}
states:
  ask:
    digits: {prompt: Your number., maxDigits: 4, sensitive: true, into: pin}
    next: [{guard: "pin == '4711'", target: bye}, second]
  bye: {say: Goodbye., final: true}
  second: {menu: {prompt: "Press 1.", choices: {one: {dtmf: "1"}}}, on: {one: bye}}
""")
    said = talk(flow, "1234#", "/state", "/odd", "/fail").output
    assert "pin = (sensitive)" in said
    assert "1234" not in said.replace("1234#", "")
    assert "state second, attempt 1" in said
    assert "keys" in said
    assert "Goodbye." in said


def test_a_flow_that_rejects_and_one_that_plays_a_file_say_so(tmp_path: Path) -> None:
    flow = tmp_path / "gate.yaml"
    flow.write_text("""\
flow: gate
initial: gate
on: {error: no}
states:
  gate: {decide: [{guard: call.from is none, target: no}, yes]}
  no: {reject: {}, outcome: unresolved}
  yes: {say: [{audio: "https://audio.example/tune.wav"}, {silence: 2s}], final: true}
""")
    assert "(the flow rejects the call)" in talk(flow, options=("--from", "")).output
    said = talk(flow, options=("--at", "2026-12-24 18:00:00", "--language", "de")).output
    assert "(audio https://audio.example/tune.wav) (2 s of silence)" in said


def test_a_broken_flow_is_shown_with_its_mistakes_and_not_run(tmp_path: Path) -> None:
    flow = tmp_path / "broken.yaml"
    flow.write_text("flow: broken\ninitial: start\nstates:\n  begin: {say: Hello., final: true}\n")
    result = talk(flow)
    assert result.exit_code == 1
    assert 'No state is called "start"' in result.output


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("10:00", "It is 10:00 AM"),
        ("22:05:30", "It is 10:05 PM"),
        ("2026-11-22 10:00", "It is 10:00 AM on Sunday, November 22"),
        ("2026-11-22T10:00:01", "It is 10:00 AM on Sunday, November 22"),
        ("2026-11-22", "It is 12:00 AM on Sunday, November 22"),
    ],
)
def test_it_is_whatever_time_one_likes(tmp_path: Path, at: str, said: str) -> None:
    flow = tmp_path / "clock.yaml"
    flow.write_text("""\
flow: clock
initial: tell
timeZone: America/New_York
on: {error: tell}
states:
  tell: {say: "It is {{ now | time }} on {{ now | date }}.", final: true}
""")
    assert said in talk(flow, options=("--at", at)).output


@pytest.mark.parametrize("at", ["ten", "25:00", "10:00+01:00", "1000", "2026-02-30"])
def test_a_time_that_is_none_is_told_with_how_to_write_one(at: str) -> None:
    result = talk(FLOWS / "flight-desk.yaml", options=("--at", at))
    assert result.exit_code == 2
    assert f'"{at}" is not a time. Write 10:00, 2026-12-24 or "2026-12-24 10:00".' in " ".join(result.output.split())


DIGITS = """\
flow: digits
initial: ask
on: {exhausted: bye, error: bye}
states:
  ask: {digits: {prompt: Key it., KEYS, noMatch: Wrong., into: keyed}, next: told}
  told: {say: "You keyed {{ keyed | digits }}.", next: bye}
  bye: {say: Goodbye., final: true}
"""


@pytest.mark.parametrize(
    ("keys", "typed", "told"),
    [
        ("minDigits: 4, maxDigits: 4", "123456", "1 2 3 4"),  # a full count ends it, and the rest is for nobody
        ('terminators: "*"', "12*34", "1 2"),
        ('terminators: "#*"', "7*", "7"),
        ("terminators: none", "12#", "1 2 pound"),
        ("maxDigits: 3", "AB", "A B"),
        ("maxDigits: 3", "BAD", "B A D"),
    ],
)
def test_keys_are_what_they_are_on_the_phone(tmp_path: Path, keys: str, typed: str, told: str) -> None:
    flow = tmp_path / "digits.yaml"
    flow.write_text(DIGITS.replace("KEYS", keys))
    said = talk(flow, typed).output
    assert f"You keyed {told}." in said
    assert "Wrong." not in said


def test_words_are_no_keys(tmp_path: Path) -> None:
    flow = tmp_path / "digits.yaml"
    flow.write_text(DIGITS.replace("KEYS", "maxDigits: 2"))
    said = talk(flow, "hello", "12").output
    assert "not understood; the bot expects keys" in said
    assert "You keyed 1 2." in said


def test_a_recording_is_as_long_as_it_takes_to_say_it_and_the_silence_after_it(tmp_path: Path) -> None:
    flow = tmp_path / "note.yaml"
    flow.write_text("""\
flow: note
initial: ask
on: {exhausted: bye, error: bye, hangup: bye}
states:
  ask: {record: {prompt: Speak., maxSilence: 2s, transcribe: true, into: note}, next: told}
  told: {say: "{{ note.seconds | round }} seconds: {{ note.transcript or 'nothing' }}.", next: bye}
  bye: {say: Goodbye., final: true}
""")
    assert "5 seconds: it has been raining for two days and nights." in (
        talk(flow, "it has been raining for two days and nights").output
    )
    assert "(recorded " in talk(flow, "hello").output
    pressed = talk(flow, "1", "#").output  # a key that ends nothing, then one that does
    assert "nothing." in pressed
    assert "you kept silent" in talk(flow, "", "", "").output


CLOSING = """\
flow: office-line
initial: look
on: {exhausted: bye, error: bye}
calendars: {office: {weekly: {mon-sun: "00:00-24:00"}}}
states:
  look: {decide: [{guard: calendar.office.open, target: open}, closed]}
  open: {say: We are here., next: bye}
  closed: {say: "We are closed. {{ calendar.office.notice }}", next: bye}
  bye: {say: Goodbye., final: true, outcome: unresolved}
"""


def test_a_calendar_is_closed_as_by_its_operator(tmp_path: Path) -> None:
    flow = tmp_path / "office.yaml"
    flow.write_text(CLOSING)
    assert "We are here." in talk(flow).output
    assert "We are closed. A pipe has burst." in talk(flow, options=("--closed", "office=A pipe has burst.")).output
    assert (
        'the flow has no calendar "ofice". Did you mean "office"?' in talk(flow, options=("--closed", "ofice")).output
    )
    assert "Its calendars: none." in talk(FLOWS / "pin-check.yaml", options=("--closed", "office")).output


def test_a_web_service_is_answered_by_hand_or_from_a_file(tmp_path: Path) -> None:
    flow = tmp_path / "look.yaml"
    flow.write_text("""\
flow: look
initial: look
on: {error: bye}
states:
  look:
    http: {url: "https://api.example.com/x", query: {from: "{{ call.from }}"}, returns: {name: text}, into: found}
    next: tell
    on: {error.http: bye}
  tell: {say: "Hello {{ found.name }}.", next: bye}
  bye: {say: Goodbye., final: true}
""")
    by_hand = talk(flow, "what", '200 {"name": "Anna"}').output
    assert "GET https://api.example.com/x  from: terminal" in by_hand
    assert "Type a status and JSON, or timeout, connect, body." in by_hand
    assert "Hello Anna. Goodbye." in by_hand
    answers = tmp_path / "answers.yaml"
    answers.write_text("- {state: look, body: {name: Ben}}\n")
    assert "Hello Ben. Goodbye." in talk(flow, options=("--answers", str(answers))).output
    answers.write_text("- {fails: never}\n")
    assert "answers.yaml:1" in talk(flow, options=("--answers", str(answers))).output
    assert "The call is over" in talk(flow).output


REMINDER = """\
flow: reminder
initial: who
on: {exhausted: bye, error: bye}
variables: {patient: {type: text, default: none, parameter: true}, number: {type: integer, default: 0, parameter: true}}
states:
  who:
    decide:
      - {guard: "call.direction == 'incoming'", target: wrong}
      - {guard: "call.answeredBy == 'machine'", target: later}
      - ask
  ask:
    menu: {prompt: "{{ patient or 'You' }}, number {{ number }}. Press 1.", choices: {yes: {dtmf: "1"}}}
    on: {yes: bye}
  later: {say: Please call us back., final: true, outcome: voicemail}
  wrong: {say: We call you., final: true, outcome: unresolved}
  bye: {say: Goodbye., final: true}
"""


def test_a_call_that_is_placed_begins_with_its_values(tmp_path: Path) -> None:
    flow = tmp_path / "reminder.yaml"
    flow.write_text(REMINDER)
    said = talk(flow, "1", options=("--placed", "--value", "patient=Anna", "--value", "number=3")).output
    assert "Anna, number 3. Press 1." in said
    assert "The call is over: resolved." in said
    assert "Please call us back." in talk(flow, options=("--placed", "--machine")).output
    assert "We call you." in talk(flow).output


def test_a_value_that_does_not_fit_is_told(tmp_path: Path) -> None:
    flow = tmp_path / "reminder.yaml"
    flow.write_text(REMINDER)
    assert 'the flow has no parameter "doctor"' in talk(flow, options=("--placed", "--value", "doctor=Bo")).output
    assert '"number"' in talk(flow, options=("--placed", "--value", "number=many")).output
    assert "go with --placed" in talk(flow, options=("--value", "patient=Anna")).output
    assert "is not NAME=VALUE" in talk(flow, options=("--placed", "--value", "Anna")).output


SIGN_IN = """\
flow: desk
initial: login
on: {exhausted: bye, error: bye}
signIns: {calendar: {}}
states:
  login:
    signIn: {name: calendar, BY}
    on: {signedIn: hello, declined: bye, expired: bye, failed: bye}
  hello: {say: You are signed in., final: true}
  bye: {say: Goodbye., final: true, outcome: unresolved}
"""


def test_what_becomes_of_a_sign_in_is_for_the_typist_to_say(tmp_path: Path) -> None:
    flow = tmp_path / "desk.yaml"
    flow.write_text(SIGN_IN.replace("BY", 'prompt: "Open {{ signIn.page }}, enter {{ signIn.ticket }}."'))
    said = talk(flow, "12345678", "odd", "wrong", "12345678", "").output
    assert "Open sign-in.example, enter 123456789." in said
    assert "Type signedIn, pending, wrong" in said
    assert "login — signedIn → hello" in said
    assert "You are signed in." in said
    assert "login — failed.burnt → bye" in talk(flow, "12345678", "burnt").output
    assert "The call is over: abandoned." in talk(flow, "12345678").output


def test_a_device_code_is_made_up_as_well(tmp_path: Path) -> None:
    flow = tmp_path / "desk.yaml"
    flow.write_text(SIGN_IN.replace("BY", 'by: device, prompt: "Enter {{ signIn.code }} at {{ signIn.page }}."'))
    said = talk(flow, "2", "").output
    assert "Enter ABCD1234 at sign-in.example." in said
    assert "You are signed in." in said
