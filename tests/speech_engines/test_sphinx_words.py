"""From phrases to what the embedded engine reads: words, phones, a grammar."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.speech.engines.sphinx.listen import grammar
from ivr.speech.engines.sphinx.pronunciation import Dictionary, pronounced, spoken

PHONES = set(
    re.findall(
        "[A-Z]+",
        "AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH",
    )
)
"The 39 of the model."
LISTED = Dictionary(b"a EY\na. EY\ncall K AO L\ncenter S EH N T ER\ncenter(2) S EH N ER\nyes Y EH S\n")


@pytest.mark.parametrize(
    ("phrase", "words"),
    [
        ("Technical Support", "technical support"),
        ("Flight 42, 9 a.m.", "flight forty two nine a. m."),
        ("10", "ten"),
        ("19", "nineteen"),
        ("20", "twenty"),
        ("99", "ninety nine"),
        ("007", "zero zero seven"),
        ("09", "zero nine"),
        ("1234", "one two three four"),
        ("Q&A", "q and a"),
        ("50%", "fifty percent"),
        ("café Ångström", "cafe angstrom"),
        ("Straße", "strasse"),
        ("don’t 'quote'", "don't quote"),
        ("U.S.", "u. s."),
        ("U.S.A", "u. s. a."),
        ("check-in", "check in"),
        ("日本語", ""),
        ("!?", ""),
        ("''", ""),
        ("", ""),
    ],
)
def test_a_phrase_is_the_words_that_a_caller_says(phrase: str, words: str) -> None:
    assert " ".join(spoken(phrase)) == words


@given(st.text())
def test_whatever_an_author_writes_becomes_plain_words(phrase: str) -> None:
    assert all(re.fullmatch(r"[a-z]+(?:'+[a-z]+)*|[a-z]\.", word) for word in spoken(phrase))


@given(st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=30))
def test_every_word_has_a_sound_that_the_model_knows(word: str) -> None:
    phones = pronounced(word).split()
    assert phones
    assert set(phones) <= PHONES


@pytest.mark.parametrize("word", ["gh", "h", "e", "ghgh", "hhh"])
def test_letters_that_are_silent_elsewhere_sound_where_they_are_all_there_is(word: str) -> None:
    assert pronounced(word)


@pytest.mark.parametrize(
    ("word", "phones"),
    [
        ("contoso", "K AA N T OW S OW"),
        ("fabrikam", "F AE B R IH K AE M"),
        ("phone", "F OW N"),
    ],
)
def test_unknown_words_are_read_by_rule(word: str, phones: str) -> None:
    similar = sum(a == b for a, b in zip(pronounced(word).split(), phones.split(), strict=True))
    assert similar >= len(phones.split()) - 2


def test_a_listed_word_has_all_its_pronunciations() -> None:
    assert LISTED.pronunciations("center") == ("S EH N T ER", "S EH N ER")


def test_a_compound_is_said_as_its_parts() -> None:
    assert LISTED.pronunciations("callcenter") == ("K AO L S EH N T ER",)


def test_an_apostrophe_does_not_hide_a_word() -> None:
    assert LISTED.pronunciations("c'all") == ("K AO L",)


def test_a_word_is_not_found_inside_another() -> None:
    assert LISTED.pronunciations("ye") != ("Y EH S",)


def test_a_grammar_holds_numbers_for_words_and_nothing_that_was_written() -> None:
    made = grammar(["Yes!", "yes | <no>;", "Call center"], LISTED.pronunciations)
    assert made is not None
    assert made.jsgf == "#JSGF V1.0;\ngrammar phrases;\npublic <phrase> = w0 | w0 w1 | w2 w3;\n"
    assert made.phrases == {"w0": "Yes!", "w0 w1": "yes | <no>;", "w2 w3": "Call center"}
    assert made.dictionary.startswith("w0 Y EH S\n")
    assert "w3 S EH N T ER\nw3(2) S EH N ER\n" in made.dictionary


def test_of_two_phrases_that_sound_alike_the_first_is_meant() -> None:
    made = grammar(["Yes", "yes!"], LISTED.pronunciations)
    assert made is not None
    assert made.phrases == {"w0": "Yes"}


def test_phrases_that_nobody_can_say_make_no_grammar() -> None:
    assert grammar(["!!!", ""], LISTED.pronunciations) is None


@given(st.lists(st.text(min_size=1), max_size=8))
def test_a_grammar_never_holds_a_word_without_sound(phrases: list[str]) -> None:
    made = grammar(phrases, LISTED.pronunciations)
    for line in made.dictionary.splitlines() if made else []:
        assert re.fullmatch(r"w[0-9]+(?:\([2-5]\))?(?: [A-Z]+)+", line)
