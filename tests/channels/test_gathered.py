"""What gathered keys and words mean, against the question that was asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.channels.gathered import (
    MAX_WORDS,
    Gathered,
    as_note,
    between_keys,
    event_of,
    most_keys,
    of_note,
    phrases,
    takes_keys,
    takes_words,
    terminators,
)
from ivr.engine.commands import Choice, DigitInput, Recognize, Text
from ivr.engine.events import (
    PHONE_KEYS,
    ChoiceMade,
    Event,
    InputInvalid,
    InputTimedOut,
    KeysPressed,
    OperationFailed,
    SpeechHeard,
)

OP = "2.1"
MENU = Recognize(
    OP,
    (Text("Yes?", "female", "en-US"),),
    choices=(Choice("sales", "1", ("sales", "Sales department")), Choice("shout", None, ("Yes",)), Choice("no", "#")),
)
LONG = Recognize(
    OP, (), choices=(Choice("a", "4"), Choice("b", "42", ("b",))), inter_digit=2.0, terminators="#*"
)  # fmt: skip
DIGITS = Recognize(OP, (), digits=DigitInput(1, 4, "#*", 3.0))
DATE = Recognize(OP, (), digits=DigitInput(8, 8, "", 3.0), free="date")

HEARD: list[tuple[Recognize, Gathered, Event]] = [
    (MENU, Gathered("1"), ChoiceMade(OP, "sales", "keys")),
    (MENU, Gathered("#"), ChoiceMade(OP, "no", "keys")),
    (MENU, Gathered("2"), InputInvalid(OP)),
    (MENU, Gathered(), InputTimedOut(OP)),
    (MENU, Gathered(words="Sales."), ChoiceMade(OP, "sales", "speech")),
    (MENU, Gathered(words="sales  DEPARTMENT"), ChoiceMade(OP, "sales", "speech")),
    (MENU, Gathered(words="Yes", confidence=0.4), ChoiceMade(OP, "shout", "speech")),
    (MENU, Gathered(words="the weather", confidence=0.4), SpeechHeard(OP, "the weather", 0.4)),
    (MENU, Gathered(words="the weather", confidence=4.0), SpeechHeard(OP, "the weather")),
    (MENU, Gathered(words=" \n "), InputTimedOut(OP)),
    (LONG, Gathered("4"), ChoiceMade(OP, "a", "keys")),
    (LONG, Gathered("42"), ChoiceMade(OP, "b", "keys")),
    (LONG, Gathered("4", terminated=True), ChoiceMade(OP, "a", "keys")),
    (LONG, Gathered("4*"), ChoiceMade(OP, "a", "keys")),
    (LONG, Gathered("9"), InputInvalid(OP)),
    (DIGITS, Gathered("12"), KeysPressed(OP, "12", "silence")),
    (DIGITS, Gathered("12", terminated=True), KeysPressed(OP, "12", "terminator")),
    (DIGITS, Gathered("12*"), KeysPressed(OP, "12", "terminator")),
    (DIGITS, Gathered("1234"), KeysPressed(OP, "1234", "count")),
    (DIGITS, Gathered("1234567"), KeysPressed(OP, "1234", "count")),
    (DIGITS, Gathered("", terminated=True), KeysPressed(OP, "", "terminator")),
    (DIGITS, Gathered("*"), KeysPressed(OP, "", "terminator")),
    (DIGITS, Gathered("1d"), KeysPressed(OP, "1D", "silence")),
    (DIGITS, Gathered("1w"), OperationFailed(OP, "system", "the platform told of keys that no telephone has")),
    (DIGITS, Gathered("1", words="one"), KeysPressed(OP, "1", "silence")),
    (DATE, Gathered(words="the first of May", confidence=1.0), SpeechHeard(OP, "the first of May", 1.0)),
    (DATE, Gathered(words="a\x00b\n" + "c" * 900), SpeechHeard(OP, "a b " + "c" * (MAX_WORDS - 4))),
]


@pytest.mark.parametrize(("question", "gathered", "event"), HEARD)
def test_what_the_caller_did(question: Recognize, gathered: Gathered, event: Event) -> None:
    assert event_of(question, gathered) == event


@given(st.sampled_from([MENU, LONG, DIGITS, DATE]), st.text(), st.booleans(), st.text(), st.floats() | st.none())
def test_whatever_is_gathered_is_an_event_of_the_operation(
    question: Recognize, keys: str, terminated: bool, words: str, confidence: float | None
) -> None:
    event = event_of(question, Gathered(keys, terminated, words, confidence))
    assert event.op == question.op
    if isinstance(event, KeysPressed):
        assert PHONE_KEYS.issuperset(event.keys)
        assert len(event.keys) <= most_keys(question)


@pytest.mark.parametrize("question", [MENU, LONG, DIGITS, DATE])
def test_a_question_is_kept_until_its_answer_comes_without_what_was_spoken(question: Recognize) -> None:
    kept = of_note(as_note(question))
    assert kept.prompt == ()
    assert (kept.choices, kept.digits, kept.free, kept.op) == (
        question.choices, question.digits, question.free, question.op,
    )  # fmt: skip


def test_what_a_platform_is_told_of_a_question() -> None:
    assert [takes_keys(one) for one in (MENU, LONG, DIGITS, DATE, Recognize(OP, ()))] == [True] * 4 + [False]
    assert [takes_words(one) for one in (MENU, LONG, DIGITS, DATE)] == [True, True, False, True]
    assert [most_keys(one) for one in (MENU, LONG, DIGITS, DATE, Recognize(OP, ()))] == [1, 2, 4, 8, 0]
    assert [terminators(one) for one in (MENU, LONG, DIGITS, DATE)] == ["", "#*", "#*", ""]
    assert [between_keys(one) for one in (MENU, LONG, DIGITS, DATE)] == [None, 2.0, 3.0, 3.0]
    assert phrases(MENU) == ("sales", "Sales department", "Yes")
