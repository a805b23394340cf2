"""One flow, several languages: the caller's, another that a choice sets, and texts by language (LANGUAGE C2, C9)."""

import pytest

from ivr.engine.commands import Recognize, Text
from ivr.engine.language_choice import among
from tests.caller import Caller
from tests.flowfile.reading import flow

GREETS = flow("""
languages: [en-US, de-DE]
states:
  start:
    menu:
      prompt:
        - {en: For sales press 1., de: [Für den Verkauf, {text: "drücken Sie die 1."}], voice: female}
        - {text: Pour le français appuyez 2., language: fr-FR}
      choices: {sales: {dtmf: "1"}, other: {dtmf: "2"}}
    on: {sales: bye, other: {set: {language: de}, target: start}}
    allow: {silent-key: The second part says it in French.}
  bye: {say: {en: Goodbye., de: Auf Wiederhören.}, final: true, outcome: unresolved}
on: {exhausted: bye, error: bye}
""")


def heard(caller: Caller) -> list[tuple[str, str]]:
    """Return what the caller heard in the last reply, each text with its language."""
    prompts = [command.prompt for command in caller.commands if hasattr(command, "prompt")]
    return [(part.language, part.value) for prompt in prompts for part in prompt if isinstance(part, Text)]


FRENCH = ("fr-FR", "Pour le français appuyez 2.")
ENGLISH = [("en-US", "For sales press 1."), FRENCH]
GERMAN = [("de-DE", "Für den Verkauf"), ("de-DE", "drücken Sie die 1."), FRENCH]


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        (None, ENGLISH),
        ("de-DE", GERMAN),
        ("DE-de", GERMAN),
        ("de-AT", GERMAN),
        ("de", GERMAN),
        ("en-GB", ENGLISH),
        ("it-IT", ENGLISH),
    ],
)
def test_a_call_begins_in_the_callers_language_if_the_flow_has_it_else_in_the_first(
    language: str | None, expected: list[tuple[str, str]]
) -> None:
    assert heard(Caller(GREETS, language=language)) == expected


def test_a_choice_changes_the_language_of_what_follows_and_of_what_is_listened_for() -> None:
    caller = Caller(GREETS)
    assert isinstance(asked := caller.commands[-1], Recognize)
    assert asked.language == "en-US"
    caller.chooses("other")
    assert heard(caller) == GERMAN
    assert isinstance(asked := caller.commands[-1], Recognize)
    assert asked.language == "de-DE"
    assert heard(caller.chooses("sales")) == [("de-DE", "Auf Wiederhören.")]


def test_a_part_by_language_hands_its_voice_on() -> None:
    caller = Caller(GREETS, language="de")
    asked = caller.commands[-1]
    assert isinstance(asked, Recognize)
    assert [part.voice for part in asked.prompt if isinstance(part, Text)] == ["female", "female", "male"]


def test_a_language_that_only_a_call_knows_is_the_first_where_the_flow_does_not_have_it() -> None:
    flow_ = flow("""
languages: [en-US, de-DE]
states:
  start:
    set: {language: "{{ call.from or 'de' }}"}
    say: {en: "{{ language }}: hello.", de: "{{ language }}: hallo."}
    next: bye
  bye: {say: {en: Goodbye., de: Auf Wiederhören.}, final: true, outcome: unresolved}
on: {error: bye}
""")
    assert heard(Caller(flow_, caller="fr-FR"))[0] == ("en-US", "en-US: hello.")
    assert heard(Caller(flow_, caller=None))[0] == ("de-DE", "de-DE: hallo.")


def test_a_part_with_a_language_of_its_own_is_the_same_for_all_callers() -> None:
    flow_ = flow("""
languages: [en-US, de-DE]
states:
  start: {say: {en: Emergency., de: Notfall., language: de}, next: bye}
  bye: {say: {en: Goodbye., de: Auf Wiederhören.}, final: true, outcome: unresolved}
on: {error: bye}
""")
    assert heard(Caller(flow_, language="en-US"))[0] == ("de-DE", "Notfall.")


def test_what_is_put_into_a_text_is_in_the_language_of_the_text() -> None:
    flow_ = flow("""
start: {say: [{text: "{{ language }}"}, {text: "{{ language }}", language: de-DE}], next: bye}
""")
    assert heard(Caller(flow_))[:2] == [("en-US", "en-US"), ("de-DE", "de-DE")]


def test_a_flow_of_one_language_speaks_it_whatever_the_callers_is() -> None:
    assert heard(Caller(flow("start: {say: Hello., next: bye}\n"), language="de-DE"))[0] == ("en-US", "Hello.")


@pytest.mark.parametrize(
    ("tag", "meant"), [("de-AT", "de-AT"), ("DE-at", "de-AT"), ("de", "de-DE"), ("de-CH", "de-DE"), ("fr", None)]
)
def test_the_same_tag_is_meant_before_one_that_begins_alike(tag: str, meant: str | None) -> None:
    assert among(tag, ["en-US", "de-DE", "de-AT"]) == meant
