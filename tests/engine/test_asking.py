"""Asking, counting, asking again (LANGUAGE C6)."""

import pytest

from tests.caller import Caller, HangUp, Play, Recognize
from tests.flows import flow_of

TABLE = """
flow: table
initial: ask
on: {exhausted: bye, error: bye}
states:
  ask:
    menu:
      prompt: question
      choices: {one: {dtmf: "1"}}
      noInput: ["a", "b"]
      noMatch: c
    on: {one: got}
  got: {say: got it, final: true}
  bye: {say: goodbye, final: true, outcome: unresolved}
"""


@pytest.mark.parametrize(
    ("answers", "heard"),
    [
        ("ssS", ["a question", "b question", "goodbye"]),
        ("swS", ["a question", "c question", "goodbye"]),
        ("w1", ["c question", "got it"]),
        ("www", ["c question", "c question", "goodbye"]),
    ],
)
def test_c6_texts_belong_to_the_nth_failure_and_both_kinds_share_one_counter(answers: str, heard: list[str]) -> None:
    caller = Caller(flow_of(TABLE)).hears("question")
    for answer, text in zip(answers, heard, strict=True):
        match answer.lower():
            case "s":
                caller.keeps_silent()
            case "w":
                caller.answers_wrong()
            case "1":
                caller.presses("1")
        caller.hears(text)


def test_c6_entering_a_state_again_starts_its_attempts_from_zero() -> None:
    flow = flow_of("""
flow: again
initial: ask
on: {exhausted: bye, error: bye}
states:
  ask:
    menu: {prompt: question, choices: {again: {dtmf: "1"}}, noInput: ["a", "b"], maxAttempts: 3}
    on: {again: ask}
  bye: {say: goodbye, final: true}
""")
    caller = Caller(flow).keeps_silent().hears("a question").presses("1").hears("question")
    caller.keeps_silent().hears("a question").keeps_silent().hears("b question").keeps_silent().hears("goodbye")


def test_c6_self_asks_again_without_entering() -> None:
    flow = flow_of("""
flow: hints
initial: ask
on: {exhausted: bye, error: bye}
states:
  ask:
    set: {entered: "{{ entered + 1 }}"}
    menu:
      prompt: "question {{ entered }} {{ visits.ask }}"
      choices: {hint: {dtmf: "9"}, go: {dtmf: "1"}}
      noInput: ["a", "b"]
    on:
      hint: {say: a hint, target: self}
      go: bye
  bye: {say: goodbye, final: true}
variables: {entered: 0}
""")
    caller = Caller(flow).hears("question 1 1").keeps_silent().hears("a question 1 1")
    caller.presses("9").hears("a hint question 1 1").orders(Play, Recognize)
    caller.keeps_silent().hears("b question 1 1").keeps_silent().hears("goodbye")


def test_c6_a_state_that_names_no_input_in_on_is_left_at_once() -> None:
    flow = flow_of("""
flow: hotline
initial: ask
on: {error: bye, exhausted: bye}
states:
  ask:
    menu: {prompt: question, choices: {one: {dtmf: "1"}}}
    on: {one: bye, noInput: operator}
  operator: {say: please hold, final: true}
  bye: {say: goodbye, final: true}
""")
    Caller(flow).keeps_silent().hears("please hold").orders(Play, HangUp)


def test_c6_reprompt_stands_for_the_whole_question_and_false_for_nothing() -> None:
    text = """
flow: short
initial: ask
on: {exhausted: bye, error: bye}
states:
  ask:
    menu:
      prompt: long question
      reprompt: REPROMPT
      noInput: what
      choices: {one: {dtmf: "1", prompt: for one press 1}}
    on: {one: bye}
  bye: {say: goodbye, final: true}
"""
    Caller(flow_of(text.replace("REPROMPT", "short one"))).hears("long question for one press 1").keeps_silent().hears(
        "what short one"
    )
    Caller(flow_of(text.replace("REPROMPT", "false"))).keeps_silent().hears("what")


def test_c6_the_attempt_that_reaches_the_limit_says_nothing_before_exhausted() -> None:
    flow = flow_of("""
flow: once
initial: ask
on: {exhausted: bye, error: bye}
states:
  ask:
    digits: {prompt: number, maxAttempts: 1, into: number}
    on: {digits: done}
  done: {say: "{{ number }}", final: true}
  bye: {say: goodbye, final: true}
""")
    Caller(flow).keeps_silent().hears("goodbye")
    Caller(flow).presses("42").hears("42")
