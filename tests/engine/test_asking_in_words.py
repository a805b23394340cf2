"""C4: `ask`, one value by keys or in words."""

import pytest
from msgspec.structs import replace

from ivr.engine.commands import Recognize
from ivr.engine.events import KeysJudged, SpeechHeard
from ivr.engine.values import pack
from tests.caller import Caller
from tests.flowfile.reading import flow

ROOMS = flow("""
variables: {rooms: {type: integer, min: 1, max: 20}}
on: {exhausted: bye, error: bye, operator: person}
commands: {operator: {speech: [operator], dtmf: "0"}}
states:
  start:
    ask: {prompt: "How many rooms?", speech: number, maxDigits: 2, into: rooms, noMatch: Pardon?}
    next: told
  told: {say: "{{ rooms }} rooms.", next: bye}
  person: {say: One moment., next: bye}
""")


def test_the_line_is_asked_for_keys_and_told_what_words_are_to_mean() -> None:
    command = Caller(ROOMS).commands[-1]
    assert isinstance(command, Recognize)
    assert (command.free, command.digits is not None, command.choices) == ("number", True, ())


@pytest.mark.parametrize("words", ["twelve", "Twelve.", "12"])
def test_words_are_judged_as_the_keys_that_mean_the_same(words: str) -> None:
    Caller(ROOMS).says(words).hears("12 rooms. Goodbye.")
    Caller(ROOMS).presses("12").hears("12 rooms. Goodbye.")


@pytest.mark.parametrize("words", ["a few", "thirty", "one hundred", ""])
def test_other_words_and_what_does_not_fit_are_wrong_answers(words: str) -> None:
    Caller(ROOMS).says(words).hears("Pardon? How many rooms?")


def test_a_command_can_be_said_and_its_key_is_no_word() -> None:
    Caller(ROOMS).says("operator").hears("One moment. Goodbye.")
    Caller(ROOMS).presses("0").hears("One moment. Goodbye.")
    Caller(ROOMS).says("zero").hears("Pardon? How many rooms?")


def test_a_date_is_what_its_variable_reads_as_keys() -> None:
    dated = flow("""
variables: {day: {type: date, format: mmddyyyy}}
on: {exhausted: bye, error: bye}
states:
  start: {ask: {prompt: Which day?, speech: date, into: day}, next: told}
  told: {say: "{{ day | date }}.", next: bye}
""")
    Caller(dated).says("the third of December 2026").hears("Thursday, December 3. Goodbye.")
    Caller(dated).presses("12032026").hears("Thursday, December 3. Goodbye.")
    Caller(dated).says("tomorrow").hears("Saturday, November 21. Goodbye.")


def test_yes_and_no_are_true_and_false_to_the_variable_that_into_declares() -> None:
    sure = flow("""
on: {exhausted: bye, error: bye}
states:
  start: {ask: {prompt: Are you sure?, speech: yesno, into: sure}, next: [{guard: sure, target: yes_told}, bye]}
  yes_told: {say: Sure., next: bye}
""")
    Caller(sure).says("yes").hears("Sure. Goodbye.")
    Caller(sure).presses("1").hears("Sure. Goodbye.")
    Caller(sure).says("no").hears("Goodbye.")
    assert Caller(sure).presses("2").variable("sure") is False
    assert Caller(sure).presses("3").call.wrong == 1


def test_without_a_variable_the_event_has_the_keys() -> None:
    plain = flow("""
states:
  start:
    ask: {prompt: Which line?, speech: number}
    next: {say: "Line {{ digits | digits }}.", target: bye}
""")
    Caller(plain).says("four").hears("Line 4. Goodbye.")


def test_an_answer_in_words_can_be_confirmed_in_words() -> None:
    confirmed = flow("""
states:
  start:
    ask: {prompt: Which line?, speech: number, confirm: "{{ digits | digits }}?"}
    next: {say: "Line {{ digits | digits }}.", target: bye}
""")
    Caller(confirmed).says("four").hears("4?").says("yes please").hears("Line 4. Goodbye.")
    Caller(confirmed).says("four").hears("4?").says("no").hears("Which line?")


def test_private_words_are_masked_and_a_command_among_them_is_not() -> None:
    private = flow("""
on: {exhausted: bye, error: bye, operator: bye}
commands: {operator: {speech: [operator], dtmf: "*"}}
states:
  start:
    ask: {prompt: Your code?, speech: number, minDigits: 3, into: code, sensitive: true}
    next: [{guard: code == '123', target: inside}, bye]
  inside: {say: Welcome., next: bye}
""")
    caller = Caller(private).says("one two three").hears("Welcome. Goodbye.")
    assert caller.last.traced == KeysJudged("1.2", "accepted")
    assert Caller(private).says("one").last.traced == KeysJudged("1.2", "refused")
    assert isinstance(Caller(private).says("operator").last.traced, SpeechHeard)
    assert isinstance(Caller(private).presses("123").last.traced, KeysJudged)


def test_a_variable_of_a_flow_that_is_called_today_is_no_date_to_count_from() -> None:
    own = flow("""
variables: {today: {type: text, default: busy}, day: {type: date}}
on: {exhausted: bye, error: bye}
states:
  start: {ask: {prompt: "Today is {{ today }}. Which day?", speech: date, into: day}, next: told}
  told: {say: "{{ day | date }}.", next: bye}
""")
    assert Caller(own).says("tomorrow").call.wrong == 1
    caller = Caller(own)
    memory = caller.call.memory
    caller.call = replace(caller.call, memory=replace(memory, variables={"today": pack("free")}))
    caller.says("3 December 2026").hears("Thursday, December 3. Goodbye.")
