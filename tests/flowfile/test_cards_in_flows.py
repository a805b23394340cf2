"""Cards as an author writes them: what is refused, and what is said of it (LANGUAGE C9)."""

import jsonschema
import pytest
from ruamel.yaml import YAML

from ivr.capabilities import Capabilities
from ivr.channels.botframework.codec import BotFrameworkChannel
from ivr.channels.skype import SkypeChannel
from ivr.flowfile.card_parts import JsonText
from ivr.flowfile.load import load_text
from ivr.flowfile.schema import schema
from tests.flowfile.reading import NOWHERE, codes, load, said, whole

KINDS = "hero, thumbnail, receipt, signIn, image, audio, video, file, custom"
SAY = "start: {say: %s, next: bye}"


@pytest.mark.parametrize(
    ("part", "wrong"),
    [
        ("{card: hreo, text: Hi.}", 'value: "hreo" is not possible here. Did you mean "hero"?'),
        (
            "{card: advert, text: Hi.}",
            f'value: "advert" is not possible here. Possible: {KINDS}.',
        ),
        ("{crd: hero, title: A}", 'unknown-key: "crd" is not known here. Did you mean "card"?'),
        ("{crd: hero, text: Hi.}", 'unknown-key: "crd" is not known here. Did you mean "card"?'),
        ("{card: hero, text: Hi., titel: A}", 'unknown-key: "titel" is not known here. Did you mean "title"?'),
        (
            "{card: custom, text: Hi., channelData: {a: 1}}",
            f"value: The JSON is to be a text, so that it stays as it is. {JsonText.ADVICE}",
        ),
        *(
            (
                f"{{card: custom, text: Hi., channelData: '{json}'}}",
                "value: This is not JSON, or no object. A value that is put in stands in quotes.",
            )
            for json in ("{a: 1}", '{"a": {{ call.from }}}', "12", "[" * 5000)
        ),
        ("{card: receipt, text: Hi.}", 'missing: "say" needs "title".'),
        ("{card: hero, text: Hi., buttons: [{value: A}]}", 'missing: An item of "buttons" needs "title".'),
        (
            "{card: hero, text: Hi., buttons: [A]}",
            "value: Expected a mapping (key: value). Write one key: value on each line.",
        ),
        ("{card: hero, text: Hi., title: '{{ nme }}'}", 'undefined: Unknown name "nme".'),
        (
            "{card: hero, text: Hi., buttons: [{title: '{{ now }}', guard: call.frm}]}",
            'undefined: Unknown field "frm". Did you mean "from"?',
        ),
        (
            "{card: receipt, title: A, text: Hi., items: [{foreach: call.from, title: A}]}",
            'type: "foreach" needs a list, and this is text. Name a variable with a type such as [text].',
        ),
    ],
)
def test_what_is_said_of_a_wrong_card(part: str, wrong: str) -> None:
    assert wrong in said(SAY % part)


@pytest.mark.parametrize("lines", [{"chat": BotFrameworkChannel.can}, {"a": BotFrameworkChannel.can}])
def test_on_lines_that_show_cards_none_needs_a_text(lines: dict[str, Capabilities]) -> None:
    text = whole(SAY % "{card: hero, title: A}").encode()
    assert load_text(text, file="flow.yaml", folder=NOWHERE, lines=lines).findings == ()
    lines = {**lines, "skype": SkypeChannel.can}
    (found,) = load_text(text, file="flow.yaml", folder=NOWHERE, lines=lines).findings
    assert found.code == "card-text"


def test_a_list_of_a_card_knows_its_item_and_nothing_else_does() -> None:
    part = """{card: receipt, title: Open, text: Hi., facts: [
        {foreach: calendar.office.days(2), item: day, guard: day | weekday != 'Friday', key: Day,
         value: "{{ day | weekday }}"}], total: "%s"}"""
    flow = 'calendars: {office: {weekly: {mon-fri: "09:00-17:00"}}}\nstates:\n  ' + SAY
    assert load(whole(flow % part % "0")).findings == ()
    assert codes(flow % part % "{{ day }}") == ["undefined"]


def test_the_text_of_a_card_is_one_that_callers_hear() -> None:
    menu = """
start:
  menu:
    prompt: {card: hero, text: "For sales press 1, for service press 2."}
    choices: {sales: {dtmf: "1"}}
  next: bye
"""
    assert codes(menu) == ["prompt-key"]


def test_a_card_is_in_the_manner_of_what_it_stands_in() -> None:
    loaded = load(
        whole(
            SAY % "{foreach: calendar.office.days(1), voice: female, text: [{carousel: [{card: hero, text: Hi.}]}]}"
        ).replace("initial:", 'calendars: {office: {weekly: {mon-fri: "09:00-17:00"}}}\ninitial:')
    )
    assert loaded.findings == ()


def test_an_editor_takes_what_the_reader_takes() -> None:
    validator = jsonschema.Draft202012Validator(schema())
    part = """
    [{card: hero, title: A, text: Hi., images: [{url: "https://x.example/a.png", alt: A, tap: {title: A}}],
      buttons: [{type: messageBack, title: A, value: B, text: C, displayText: D, guard: call.from}], tap: {title: A}},
     {carousel: [{card: image, url: "https://x.example/a.png", text: A., contentType: image/png, name: a.png}]},
     {card: signIn, title: A, url: "https://x.example", text: A.}]"""
    text = whole(SAY % part)
    assert load(text).findings == ()
    assert list(validator.iter_errors(YAML(typ="safe").load(text))) == []
    wrong = whole(SAY % "{card: receipt, title: A, subtitle: B, text: Hi.}")
    assert list(validator.iter_errors(YAML(typ="safe").load(wrong)))
