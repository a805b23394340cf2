"""Two texts that sound the same are one answer, however they are written (LANGUAGE C5)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.engine.utterance import as_heard
from tests.caller import Caller
from tests.flows import flow_of

COMPOSED, DECOMPOSED = "caf\u00e9", "cafe\u0301"
MENU = """
flow: menu
initial: ask
on: {exhausted: bye, error: bye}
states:
  ask:
    menu:
      prompt: question
      noMatch: not that
      choices: {cafe: {dtmf: "1", speech: ["WORDS"]}}
    next: got
  got: {say: got it, final: true}
  bye: {say: goodbye, final: true}
"""
SAME = [
    (COMPOSED, DECOMPOSED),
    ("sales", "Sales."),
    ("main menu", "  main   menu!"),
    ("STRASSE", "straße"),
    ("don't know", "don’t know"),
    ("check-in", "check in"),
    ("tech\u00adnical", "technical"),
    ("ＳＡＬＥＳ", "sales"),
    ("yes, please", "Yes please?"),
]
OTHER = [("C#", "C"), ("R&D", "R D"), ("cafe", COMPOSED), ("sale", "sales"), ("3 %", "3")]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_sounds_the_same_is_the_same(one: str, other: str) -> None:
    assert as_heard(one) == as_heard(other)


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_what_sounds_different_stays_different(one: str, other: str) -> None:
    assert as_heard(one) != as_heard(other)


@pytest.mark.parametrize(("words", "said"), SAME)
def test_c5_a_choice_is_made_however_the_line_spells_what_it_heard(words: str, said: str) -> None:
    Caller(flow_of(MENU.replace("WORDS", words))).says(said).hears("got it")


@pytest.mark.parametrize(("words", "said"), [*OTHER, ("sales", ""), ("!", "?")])
def test_c5_other_words_are_no_choice(words: str, said: str) -> None:
    Caller(flow_of(MENU.replace("WORDS", words))).says(said).hears("not that question")


@given(st.text())
def test_it_is_settled_at_once(text: str) -> None:
    assert as_heard(as_heard(text)) == as_heard(text)
