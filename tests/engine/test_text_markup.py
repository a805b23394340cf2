"""Texts with markup: what is heard of them, and what is put in stays text (LANGUAGE C9)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.engine.commands import Card, Play, Segment, Text, as_spoken
from ivr.engine.text_markup import Markup, as_text, without_markup
from tests.caller import Caller
from tests.flowfile.reading import load, whole

FLOW = """
variables: {said: {type: text, default: '*Anna* [x](http://evil.example) "<b>'}}
states:
  start: {say: %s, next: bye}
"""
SAID = '*Anna* [x](http://evil.example) "<b>'


def first(part: str) -> Segment:
    """Return what a part of a prompt comes to in a call."""
    caller = Caller(load(whole(FLOW % part)).served())
    (played,) = (action for action in caller.commands if isinstance(action, Play))
    return played.prompt[0]


def marked(markup: str, text: str) -> Text:
    made = first(f'{{textFormat: {markup}, text: "{text}"}}')
    assert isinstance(made, Text)
    return made


def custom(json: str) -> str | None:
    made = first(f"{{card: custom, text: Hi., channelData: '{json}'}}")
    assert isinstance(made, Card)
    return made.face.channel_data


@pytest.mark.parametrize(
    ("markup", "written", "heard"),
    [
        ("markdown", "# To **Botland**\n\nSee [it](https://x.example).\n\n---\n\nBye.", "To Botland See it. Bye."),
        ("markdown", "- one\n- *two*\n+ `three`\n> four", "one two three four"),
        ("markdown", "![a fish](https://x.example/a.png) a__b snake_case ~~no~~", "a fish a__b snake_case no"),
        ("markdown", "__very__ _much_, 2 \\* 3 &amp; 4", "very much, 2 * 3 & 4"),
        ("markdown", "Go to <b>Botland</b> <ss type =\"wink\">;)</ss>", "Go to Botland"),
        ("xml", "To <b>Botland</b> &amp; <a href=\"https://x.example\">back</a> <ss>;)</ss> *", "To Botland & back *"),
    ],
)  # fmt: skip
def test_what_is_heard_has_no_markup(markup: Markup, written: str, heard: str) -> None:
    assert without_markup(written, markup) == heard


@given(st.sampled_from(["markdown", "xml"]), st.text(st.characters(exclude_categories=["Co", "Cs"]), max_size=40))
def test_what_somebody_has_said_is_heard_as_it_was_said(markup: Markup, value: str) -> None:
    assert without_markup(f"Hello, {as_text(value, markup)}!", markup) == f"Hello, {' '.join(value.split())}!"


def test_what_is_put_in_is_no_markup() -> None:
    said = marked("markdown", "**Hello**, {{ said }}!")
    assert said.value == f"Hello, {SAID}!"
    assert said.marked == r"""**Hello**, \*Anna\* \[x\]\(http\://evil\.example\) "\<b\>!"""
    said = marked("xml", "<b>Hello</b>, {{ said }}!")
    assert said.value == f"Hello, {SAID}!"
    assert said.marked == "<b>Hello</b>, *Anna* [x](http://evil.example) &quot;&lt;b&gt;!"


def test_a_telephone_gets_the_words_alone() -> None:
    said = marked("markdown", "**Hello**, {{ said }}!")
    assert as_spoken([said]) == (Text(said.value, said.voice, said.language),)


def test_of_an_emoticon_nothing_is_heard() -> None:
    assert as_spoken([marked("xml", "<ss type='wink'>;)</ss>")]) == ()


def test_a_text_that_comes_out_blank_is_not_there() -> None:
    made = first("""[{textFormat: xml, text: "{{ '' if said else said }}"}, Hello.]""")
    assert made == Text("Hello.", "male", "en-US")


def test_a_value_that_fails_is_told_with_its_line() -> None:
    caller = Caller(load(whole(FLOW % '{textFormat: xml, text: "{{ 1 / (said | length - 36) }}"}')).served())
    assert [failed.line for failed in caller.last.failures] == [6]


def test_a_plain_text_has_no_markup() -> None:
    assert marked("plain", "**Hello**") == Text("**Hello**", "male", "en-US")


def test_what_one_channel_knows_keeps_each_letter() -> None:
    written = '{"b": 1.10,  "a":[12345678901234567890, 1E5, true]}'
    assert custom(written) == written


def test_a_value_cannot_break_out_of_its_text() -> None:
    assert custom('{"a": "{{ said }}"}') == '{"a": "*Anna* [x](http://evil.example) \\"<b>"}'
