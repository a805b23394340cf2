"""C4: `consent`, a yes that a recording can depend on."""

import pytest

from ivr.engine.commands import Choice, Recognize
from tests.caller import Caller
from tests.flowfile.reading import codes, flow

RECORDED = flow("""
on: {exhausted: bye, error: bye, operator: person}
commands: {operator: {dtmf: "0"}}
states:
  start:
    consent:
      prompt: May we record you? Press 1 for yes, 2 for no.
      noInput: I hear nothing.
      into: agreed
    next: speak
    on: {refused: told}
  speak: {record: {prompt: Please speak., needsConsent: true}, next: told}
  told: {say: [{guard: agreed, text: Agreed.}, {guard: not agreed, text: Refused.}], next: bye}
  person: {say: One moment., next: bye}
""")
PROMPT = "May we record you? Press 1 for yes, 2 for no."


def test_yes_and_no_have_their_usual_keys_and_words_and_commands_are_understood() -> None:
    command = Caller(RECORDED).hears(PROMPT).commands[-1]
    assert isinstance(command, Recognize)
    given, refused, operator = command.choices
    assert (given.name, given.key, given.speech[0]) == ("given", "1", "yes")
    assert (refused.name, refused.key, refused.speech[0]) == ("refused", "2", "no")
    assert operator == Choice("operator", "0")


@pytest.mark.parametrize("answer", ["1", "yes", "Yes please."])
def test_yes_gives_consent(answer: str) -> None:
    caller = Caller(RECORDED)
    (caller.presses if answer == "1" else caller.says)(answer).hears("Please speak.")
    caller.speaks().hears("Agreed. Goodbye.")


def test_no_refuses_it_and_next_never_stands_for_that() -> None:
    Caller(RECORDED).chooses("refused").hears("Refused. Goodbye.")
    assert Caller(RECORDED).chooses("refused").variable("agreed") is False


def test_silence_is_no_consent() -> None:
    caller = Caller(RECORDED).keeps_silent().hears(f"I hear nothing. {PROMPT}").keeps_silent().keeps_silent()
    caller.hears("Goodbye.")


def test_a_command_is_neither() -> None:
    Caller(RECORDED).presses("0").hears("One moment. Goodbye.")


def test_both_answers_can_have_own_keys_words_and_prompts() -> None:
    own = flow("""
on: {exhausted: bye, error: bye}
states:
  start:
    consent:
      prompt: May we record you?
      yes: {dtmf: "8", speech: [agreed], prompt: "To agree press {{ key }}."}
      no: {prompt: "Else press {{ key }}."}
    on: {given: bye, refused: bye}
""")
    command = Caller(own).hears("May we record you? To agree press 8. Else press 2.").commands[-1]
    assert isinstance(command, Recognize)
    assert command.choices[0] == Choice("given", "8", ("agreed",))


NEEDS = """
variables: {{again: {{type: text, default: no}}}}
on: {{exhausted: bye, error: bye}}
states:
  start:
    consent: {{prompt: "May we record you? Press 1 for yes, 2 for no."}}
    next: speak
    on: {{refused: {refused}}}
  speak: {{record: {{prompt: Please speak., needsConsent: true, into: message}}, next: {then}}}
  ask_again:
    consent: {{prompt: "And again? Press 1 for yes, 2 for no."}}
    on: {{given: bye, refused: [{{guard: again == 'no', target: speak}}, bye]}}
"""


def test_a_refusal_takes_back_what_was_given() -> None:
    assert "consent" in codes(NEEDS.format(refused="bye", then="ask_again"))
    assert "consent" in codes(NEEDS.format(refused="speak", then="bye"))
    assert "consent" not in codes(NEEDS.format(refused="bye", then="bye"))
