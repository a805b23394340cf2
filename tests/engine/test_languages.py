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


SPEAKS = flow("""
languages: [en-US, de-DE]
commands: {operator: {dtmf: "0", speech: {en: [operator], de: [Zentrale]}}}
calendars: {office: {weekly: {mon-sat: "09:00-17:00"}}}
states:
  start:
    menu:
      prompt: {en: "For sales press 1, for help press 0.", de: "Für den Verkauf die 1, für Hilfe die 0."}
      choices:
        sales: {dtmf: "1", speech: {en: [sales, products], de-DE: Verkauf}}
    on: {sales: days, operator: bye}
    allow: {silent-key: It is said.}
  days:
    menu:
      prompt: {en: Which day?, de: Welcher Tag?}
      choices:
        day:
          foreach: calendar.office.days(2)
          prompt: {en: "{{ day | weekday }}, press {{ key }}.", de: "{{ day | weekday }}, die {{ key }}."}
          speech: {en: ["{{ day | weekday }}"], de: ["{{ day | weekday }}", "am {{ day | weekday }}"]}
    on: {day: bye, operator: bye, empty: bye}
    allow: {silent-key: It is said.}
  bye: {say: {en: Goodbye., de: Auf Wiederhören.}, final: true, outcome: unresolved}
on: {exhausted: bye, error: bye}
""")


def words_of(caller: Caller) -> dict[str, tuple[str, ...]]:
    """Return what is listened for now, by choice."""
    asked = caller.commands[-1]
    assert isinstance(asked, Recognize)
    return {choice.name: choice.speech for choice in asked.choices}


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en-US", {"sales": ("sales", "products"), "operator": ("operator",)}),
        ("de-AT", {"sales": ("Verkauf",), "operator": ("Zentrale",)}),
    ],
)
def test_what_is_listened_for_is_in_the_language_of_the_call(language: str, words: dict[str, tuple[str, ...]]) -> None:
    assert words_of(Caller(SPEAKS, language=language)) == words


def test_a_word_of_another_language_is_no_answer() -> None:
    caller = Caller(SPEAKS, language="de-DE").says("sales")
    assert caller.call.wrong == 1
    assert caller.says("Verkauf").call.state == "days"


def test_the_items_of_a_list_are_said_and_heard_in_the_language_of_the_call() -> None:
    caller = Caller(SPEAKS, language="de-DE").presses("1")
    assert list(words_of(caller).values())[:2] == [("Freitag", "am Freitag"), ("Samstag", "am Samstag")]
    assert caller.says("am Samstag").call.state == "bye"
    english = Caller(SPEAKS).presses("1")
    assert next(iter(words_of(english).values())) == ("Friday",)
