"""What a flow speaks is known before anybody calls: all of it, in each language, but for what only a call knows."""

from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.engine.commands import Text
from ivr.engine.flow import Flow
from ivr.flowfile.bundle import Bundle
from ivr.flowfile.load import LoadedFlow, load_flow, texts_of
from ivr.flowfile.spoken_texts import FlowText
from tests.caller import Caller
from tests.flowfile.reading import load, whole
from tests.flows import flow_at, flow_of

FLOWS = sorted((Path(__file__).parents[2] / "flows").glob("*.yaml"))

DESK = """
flow: desk
language: en-GB
voice: female
initial: greet
defaults: {noInput: [Hello?, Are you there?]}
on:
  exhausted: {target: bye, say: That did not work.}
  error: bye
variables: {company: Contoso, opens: {type: time, default: "09:00"}, tries: 0}
states:
  greet:
    say:
      - "Welcome   to {{ company }}."
      - {text: Willkommen., language: de-DE, voice: male, emphasize: true}
      - "{{ call.channel }}"
      - {silence: 1s}
    next: ask
  ask:
    menu:
      prompt: {text: AB, sayAs: letters}
      reprompt: Once more.
      noMatch: No.
      choices:
        german: {dtmf: "1", prompt: "For German press {{ key }}."}
        hours: {dtmf: "2"}
        note: {dtmf: "3"}
        again: {dtmf: "4"}
    on:
      german: {target: ask, set: {language: de-DE}, say: Jetzt deutsch.}
      hours: hours
      note: note
      again: {target: self, say: Again., set: {tries: "{{ tries + 1 }}"}}
  hours: {say: "We open at {{ opens | time }}.", next: ask}
  note:
    record: {prompt: Speak., transcribe: true, holdPrompt: One moment., into: note}
    next: bye
    on: {error.transcribe: bye}
  bye: {set: {language: en-US}, say: Goodbye., final: true}
"""
LANGUAGES = ("de-DE", "en-GB")


@cache
def texts(example: str) -> tuple[FlowText, ...]:
    return texts_of(bundle_of(load(whole(example))))


@cache
def texts_at(file: Path) -> tuple[FlowText, ...]:
    return texts_of(bundle_of(load_flow(file)))


def bundle_of(loaded: LoadedFlow) -> Bundle:
    assert loaded.bundle is not None, loaded.findings
    return loaded.bundle


def written(found: tuple[FlowText, ...], text: str) -> FlowText:
    return next(one for one in found if one.written == text)


def said(found: tuple[FlowText, ...], text: str) -> list[tuple[str, str]]:
    return [(one.value, one.language) for one in written(found, text).spoken]


def test_texts_come_in_the_order_of_the_file_with_the_place_where_they_stand() -> None:
    found = [(one.state, ".".join(map(str, one.path)), one.line) for one in texts(DESK)]
    assert found == [
        ("greet", "states.greet.say.0", 13),
        ("greet", "states.greet.say.1", 14),
        ("greet", "states.greet.say.2", 15),
        ("ask", "states.ask.menu.prompt.0", 20),
        ("ask", "states.ask.menu.reprompt.0", 21),
        ("ask", "states.ask.menu.noMatch.0.0", 22),
        ("ask", "states.ask.menu.choices.german.prompt.0", 24),
        ("ask", "states.ask.on.german.0.say.0", 29),
        ("ask", "states.ask.on.again.0.say.0", 32),
        ("hours", "states.hours.say.0", 33),
        ("note", "states.note.record.prompt.0", 35),
        ("note", "states.note.record.holdPrompt.0", 35),
        ("bye", "states.bye.say.0", 38),
        (None, "on.exhausted.0.say.0", 7),
        (None, "defaults.noInput.0.0", 5),
        (None, "defaults.noInput.1.0", 5),
    ]


def test_a_text_is_ordered_as_the_engine_orders_it() -> None:
    found = texts(DESK)
    assert written(found, "Willkommen.").spoken == (Text("Willkommen.", "male", "de-DE", None, True),)
    assert written(found, "AB").spoken == tuple(Text("AB", "female", one, "letters") for one in LANGUAGES)


def test_of_a_card_its_text_is_spoken() -> None:
    card = "[{card: hero, title: A, text: Good morning., voice: female}, {card: hero, title: A, guard: %s}]"
    found = texts("start: {say: " + card % """'call.channel == "chat"'""" + ", next: bye}")
    assert [text for one in found for text in one.spoken] == [
        Text("Good morning.", "female", "en-US"),
        Text("Goodbye.", "male", "en-US"),
    ]


def test_constants_and_the_key_of_a_choice_are_known_before_a_call() -> None:
    found = texts(DESK)
    assert said(found, "Welcome to {{ company }}.") == [("Welcome to Contoso.", "en-GB")]
    assert said(found, "For German press {{ key }}.") == [("For German press 1.", one) for one in LANGUAGES]
    assert said(found, "We open at {{ opens | time }}.") == [
        ("We open at 9 Uhr.", "de-DE"),  # each language has its own form of a time
        ("We open at 9:00 AM.", "en-GB"),
    ]


def test_what_only_a_call_knows_is_named() -> None:
    found = texts(DESK)
    assert (written(found, "{{ call.channel }}").spoken, written(found, "{{ call.channel }}").reads) == (
        (),
        ("call.channel",),
    )
    assert [one.written for one in found if one.reads] == ["{{ call.channel }}"]


def test_a_text_without_a_language_is_spoken_in_each_that_a_call_can_have_there() -> None:
    found = texts(DESK)
    assert said(found, "Jetzt deutsch.") == [("Jetzt deutsch.", "de-DE")]
    assert said(found, "Goodbye.") == [("Goodbye.", "en-US")]  # the state sets it each time it is entered
    assert said(found, "Hello?") == [("Hello?", one) for one in LANGUAGES]
    assert said(found, "Again.") == [("Again.", one) for one in LANGUAGES]
    # Said before the state is entered that sets another language.
    assert said(found, "That did not work.") == [("That did not work.", one) for one in LANGUAGES]


def test_a_language_that_only_a_call_knows_is_named_beside_those_that_are_known() -> None:
    found = texts(
        """
variables: {tongue: {type: text, default: fr-FR}}
states:
  start: {digits: {prompt: Number?, into: tongue}, next: {target: bye, say: Soon., set: {language: "{{ tongue }}"}}}
  bye: {say: [Bye., {text: Adieu., language: fr-FR}], final: true}
"""
    )
    assert (said(found, "Soon."), written(found, "Soon.").reads) == ([], ("language",))
    assert (said(found, "Bye."), written(found, "Bye.").reads) == ([("Bye.", "en-US")], ("language",))  # after an error
    assert (said(found, "Adieu."), written(found, "Adieu.").reads) == ([("Adieu.", "fr-FR")], ())


def test_a_language_that_is_a_constant_is_known() -> None:
    found = texts(
        """
variables: {tongue: fr-FR}
states:
  start: {set: {language: "{{ tongue }}"}, say: Bonjour., next: bye}
  bye: {say: Bye., final: true}
"""
    )
    assert said(found, "Bonjour.") == [("Bonjour.", "fr-FR")]


def test_a_comparison_that_needs_the_zone_of_the_flow_is_left_to_the_call() -> None:
    found = texts(
        """
variables: {sale: {type: datetime, default: "2026-12-24T10:00+01:00"}}
states:
  start: {say: ["{{ 'Sale.' if sale < '10:00' else 'Over.' }}", "{{ sale | time }}"], next: bye}
"""
    )
    assert [(one.spoken, one.reads) for one in found][:2] == [
        ((), ("now",)),
        ((Text("10:00 AM", "male", "en-US"),), ()),
    ]


def test_blank_texts_and_texts_that_fail_in_every_call_are_left_out() -> None:
    found = texts(
        """
variables: {nothing: {type: text, default: ""}, some: 4, naught: 0}
states:
  start: {say: ["{{ nothing }}", "{{ some / naught }}", Hello.], next: bye}
"""
    )
    assert [one.written for one in found] == ["Hello.", "Goodbye."]


def test_a_text_for_what_never_happens_is_in_the_language_of_the_flow() -> None:
    found = texts(
        """
language: de-DE
on: {error: bye, exhausted: {target: bye, say: Niemals.}}
states:
  start: {say: Hallo., next: bye}
  bye: {say: Ende., final: true}
"""
    )
    assert said(found, "Niemals.") == [("Niemals.", "de-DE")]


# --- what is listed is what is spoken --------------------------------------------------------------------------------

EVENTS = st.sampled_from(
    ["1", "2", "3", "4", "5", "#", "silence", "wrong", "recorded", "understood", "hold", "done", "fails"]
)


def played(flow: Flow, events: list[str]) -> set[Text]:
    """Play a call, and return the texts that were ordered of the line."""
    call = Caller(flow)
    heard: set[Text] = set()
    for event in events:
        match event:
            case "silence":
                call.keeps_silent()
            case "wrong":
                call.answers_wrong()
            case "recorded":
                call.speaks()
            case "understood" if call.call.waiting:
                call.understood("some words")
            case "hold":
                call.holds()
            case "done":
                call.listens()
            case "fails":
                call.fails()
            case _:
                call.presses(event)
        for command in call.commands:
            heard |= {one for one in getattr(command, "prompt", ()) if isinstance(one, Text)}
    return heard


@settings(max_examples=40)
@given(st.lists(EVENTS, max_size=40))
def test_no_call_speaks_a_text_that_is_not_listed(events: list[str]) -> None:
    listed = {text for one in texts(DESK) for text in one.spoken}
    spoken = played(flow_of(DESK), events)
    assert {text for text in spoken if text.value != "test"} <= listed


@pytest.mark.parametrize("file", FLOWS, ids=lambda file: file.stem)
@settings(max_examples=20)
@given(events=st.lists(EVENTS, max_size=30))
def test_texts_of_shipped_flows_are_listed_or_have_a_value_of_the_call(file: Path, events: list[str]) -> None:
    found = texts_at(file)
    listed = {text for one in found for text in one.spoken}
    open_texts = [one.written.partition("{{")[0] for one in found if one.reads]
    for text in played(flow_at(file), events) - listed:
        assert any(text.value.startswith(begin) for begin in open_texts), text
