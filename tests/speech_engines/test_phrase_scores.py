"""How a phrase is chosen by what Whisper finds likely and by what it writes down."""

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

pytest.importorskip("faster_whisper", reason="faster-whisper is not installed (pip install 'ivr[local-speech]')")

import numpy as np

from ivr.speech.engines.whisper.phrase_scores import (
    MOST_SCORED,
    Choice,
    Likelihood,
    choose,
    chosen,
    nearest,
    spellings,
    tokens_of,
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
@example("", ['<"0AA0'], -30.0)  # just not likely enough
@given(st.text(max_size=30), st.lists(st.text(max_size=12), max_size=6), st.floats(-30, 0))
def test_nothing_but_a_phrase_is_ever_chosen(transcript: str, phrases: list[str], log: float) -> None:
    likely = {text: log for phrase in phrases for text in spellings(phrase)}
    choice = chosen(Heard(transcript, likely), phrases)
    assert choice.phrase is None or choice.phrase in phrases
    assert (choice.phrase is not None) == (choice.confidence >= 0.5)


class Model:
    """CTranslate2's, which finds only texts of one length likely, and takes as many frames as bands for a picture."""

    n_mels = 80

    def __init__(self, likely: int) -> None:
        self._likely = likely
        self.batches: list[tuple[int, int]] = []
        "Texts and frames of each."

    def generate(self, _encoded: Any, _start: Any, **_options: Any) -> list[Any]:
        return [SimpleNamespace(sequences_ids=[[7]], scores=[-0.1])]

    def align(self, view: Any, start: list[int], texts: list[list[int]], frames: int) -> list[Any]:
        shape = np.array(view).shape
        assert shape[1] != self.n_mels
        assert (shape[0], 2 * shape[1], start) == (len(texts), frames, [1])
        self.batches.append((shape[0], shape[1]))
        return [SimpleNamespace(text_token_probs=[0.9 if len(text) == self._likely else 0.0]) for text in texts]


class Tokens:
    """A tokenizer that has a token for each letter, and for one word."""

    sot_sequence = (1,)
    no_timestamps = 2
    tokenizer = SimpleNamespace(token_to_id={"Ġtechnical": 500}.get)

    def encode(self, text: str) -> list[int]:
        return list(map(ord, text))

    def decode(self, _tokens: list[int]) -> str:
        return " I hear this."


def listening(model: Model) -> Any:
    return SimpleNamespace(
        model=model,
        feature_extractor=lambda wave: np.zeros((80, len(wave) // 160), np.float32),
        encode=lambda _picture: np.zeros((1, 1500, 4), np.float32),
    )


@pytest.mark.parametrize("frames", [30, 54, 55, 56, 400])
def test_a_sound_is_cut_to_what_is_said_and_never_taken_for_a_picture_of_it(frames: int) -> None:
    model = Model(likely=len(" Yes."))
    choice = choose(listening(model), Tokens(), np.zeros(frames * 320, np.float32), ("yes", "nobody"))
    assert choice.phrase == "yes"
    assert model.batches == [(4, 81 if frames == 55 else frames + 25), (3, 1500)]


def test_many_phrases_are_compared_in_batches_that_fit_into_memory() -> None:
    tens = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
    phrases = [f"chapter {ten} {one}" for ten in tens for one in ("one", "two", "three", "four", "five", "six", "nine")]
    model = Model(likely=len(" Chapter forty three."))
    choice = choose(listening(model), Tokens(), np.zeros(32_000, np.float32), phrases)
    assert choice.phrase is None  # "fifty three" is as likely
    assert all(texts * frames <= 7500 and texts * 15 <= 320 for texts, frames in model.batches)


def test_a_word_that_the_model_knows_is_one_token_also_where_the_tokenizer_cannot_put_it_together() -> None:
    tokens = tokens_of(" Technical technical, it's 4.", Tokens())
    assert tokens == [*map(ord, " Technical"), 500, *map(ord, ", it's 4.")]
