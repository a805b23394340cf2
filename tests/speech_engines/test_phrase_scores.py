"""How a phrase is chosen by what Whisper finds likely and by what it writes down."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.speech.engines.whisper.phrase_scores import (
    MOST_SCORED,
    Choice,
    Likelihood,
    chosen,
    nearest,
    spellings,
)

MENU = ("sales", "technical support", "support", "jobs", "john smith")


class Heard:
    """A `Sound` for which the texts have these likelihoods, and all others -20."""

    def __init__(self, transcript: str, likely: Mapping[str, float], *, probability: float = 0.7) -> None:
        self.transcript = transcript
        self.probability = probability
        self._likely = likely
        self.exactly: list[str] = []

    def likelihoods(self, texts: Sequence[str], *, exactly: bool) -> list[Likelihood]:
        if exactly:
            self.exactly += texts
        return [Likelihood(self._likely.get(text, -20.0), len(text.split()) + 1) for text in texts]


def test_a_phrase_nearly_as_likely_as_the_transcript_is_what_was_said() -> None:
    choice = chosen(Heard("Thanks.", {" Thanks.": -1.7, " Jobs.": -3.0}), MENU)
    assert choice.phrase == "jobs"
    assert choice.confidence == pytest.approx(1 / (1 + 2.718281828 ** -(2.0 - 1.3 / 2)), abs=0.001)


def test_a_phrase_much_less_likely_than_the_transcript_is_not() -> None:
    assert chosen(Heard("Excuse me.", {" Excuse me.": -2.9, " Jobs.": -7.7}), MENU) == Choice(None, 0.401)


def test_two_phrases_that_are_equally_likely_are_no_answer() -> None:
    choice = chosen(Heard("John, see?", {" John, see?": -11.0, " John Smith.": -9.7, " Jobs.": -9.8}), MENU)
    assert choice.phrase is None
    assert choice.confidence < 0.5


def test_a_sentence_around_a_phrase_is_understood_by_its_words() -> None:
    heard = Heard("I'd like technical support, please.", {" I'd like technical support, please.": -2.0})
    assert chosen(heard, MENU) == Choice("technical support", 0.7)


def test_a_word_that_is_only_written_like_a_phrase_is_none() -> None:
    assert chosen(Heard("Shopping.", {" Shopping.": -1.1, " Shipping.": -7.0}), ("shipping", "returns")).phrase is None


def test_a_choice_by_words_is_believed_though_the_model_doubts_them() -> None:
    assert chosen(Heard("Sales, I think.", {}, probability=0.2), MENU) == Choice("sales", 0.5)


def test_the_transcript_is_compared_with_the_best_few_in_their_best_spelling() -> None:
    heard = Heard("Seat 14B.", {" Seat 14B.": -1.0, " Gate 2.": -9.0})
    assert chosen(heard, ("gate two", "seat fourteen b")).phrase == "seat fourteen b"
    assert heard.exactly == [" Seat 14B.", " Seat 14B.", " Gate 2."]


@pytest.mark.parametrize("phrases", [[], [""], ["...", "\u2014"]])
def test_phrases_that_cannot_be_said_are_never_chosen(phrases: list[str]) -> None:
    assert chosen(Heard("", {" .": -0.1}), phrases) == Choice(None, 0.0)


def test_of_many_phrases_those_are_scored_that_are_written_most_like_the_transcript() -> None:
    phrases = [f"room {number} {word}" for number in range(100) for word in ("north", "south")]
    scored = nearest("Room fifty six, south.", phrases)
    assert len(scored) == MOST_SCORED
    assert scored[0] == "room 56 south"
    assert nearest("anything", MENU) == list(MENU)


def test_a_phrase_is_scored_as_a_writer_may_put_it() -> None:
    assert spellings("july fourth") == (" july fourth.", " July fourth.", " July Fourth.", " July 4th.")
    assert spellings("9 A.M.") == (" 9 A.M.", " 9 a.m.")


@settings(max_examples=50)
@given(st.text(max_size=30), st.lists(st.text(max_size=12), max_size=6), st.floats(-30, 0))
def test_nothing_but_a_phrase_is_ever_chosen(transcript: str, phrases: list[str], log: float) -> None:
    likely = {text: log for phrase in phrases for text in spellings(phrase)}
    choice = chosen(Heard(transcript, likely), phrases)
    assert choice.phrase is None or choice.phrase in phrases
    assert (choice.phrase is not None) == (choice.confidence >= 0.5)
