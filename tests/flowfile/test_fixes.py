"""Fixes: what has one plain correction is corrected, and nothing else in the file moves."""

from collections import defaultdict
from collections.abc import Sequence

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from ivr.flowfile.finding import Edit, Finding, as_text
from ivr.flowfile.fixing import MOST_CHECKS, ROUNDS, Fixed, fixed
from tests.flowfile.reading import load

FLOW = """\
# A desk, as an author keeps it.
flow: "desk"   # its name
initial: greet
timeZone: Europe/Berlin
variables:
  number: {type: text, default: none}
defaults: {initialSilence: 6s, interDigit: 2000ms}   # patience
on: {exhausted: bye, error: bye}
states:
  # The first words.
  greet:
    say: "{{ call.to }}"   # whom they called
    next: ask
  ask:
    menu:
      prompt: "For sales press 1, for service press star, for help press pound."
      noInput: "I didn't hear you: try again."
      bargeIn: true
      choices:
        sales: {dtmf: "1"}   # one
        service: {dtmf: "*"}
        help:
          dtmf: "#"
    on:
      sales: number
      service: bye
      help: spoken
  number:
    digits:
      prompt: Key your number.
      maxDigits: 8
      into: number
    next: told
  told:
    say: ["Your number is {{ number | digits }}.", 'Thank you.']
    next: bye
  spoken:
    say:
      - 'One "moment".'   # said twice
      - Well.
    next: bye
  bye: {say: Goodbye., final: true}   # the end
"""
PLANTED = {
    "a unit written out": ("initialSilence: 6s", "initialSilence: 6 seconds"),
    "a unit in capitals": ("initialSilence: 6s", "initialSilence: 6S"),
    "a short unit": ("initialSilence: 6s", "initialSilence: 6sec"),
    "no unit, where one alone is possible": ("interDigit: 2000ms", "interDigit: 2000"),
    "no unit, where seconds alone are possible": ("initialSilence: 6s", "initialSilence: 6"),
    "yes": ("bargeIn: true", "bargeIn: yes"),
    "a star": ('dtmf: "*"', "dtmf: *"),
    "a pound sign": ('dtmf: "#"', "dtmf: #"),
    "braces": ('"{{ call.to }}"', "{{ call.to }}"),
    "one pair of braces": ('"{{ call.to }}"', "{ call.to }"),
    "a colon": ('"I didn\'t hear you: try again."', "I didn't hear you: try again."),
    "an apostrophe": ('"I didn\'t hear you: try again."', "'I didn't hear you: try again.'"),
    "a missing quote": ('"I didn\'t hear you: try again."', "\"I didn't hear you: try again."),
    "curly quotes": ('dtmf: "1"', "dtmf: “1”"),
    "curly quotes around a name": ('flow: "desk"', "flow: “desk”"),
    "a full-width colon": ("initial: greet", "initial：greet"),
    "a no-break space": ("    next: told", "   \u00a0next: told"),
    "a zero-width space": ("into: number", "into: number\u200b"),
    "no space after a colon": ("next: ask", "next:ask"),
    "no space after the colon of a choice": ("sales: number", "sales:number"),
    "no space after the dash": ("- Well.", "-Well."),
    "a tab": ("      maxDigits: 8", "\t\t\tmaxDigits: 8"),
    "a character that cannot be seen": ("Key your number.", "Key your\x07 number."),
    "a key": ("noInput:", "noInptu:"),
    "no colon": ("    menu:", "    menu"),
    "a target": ("next: told", "next: tolld"),
    "an event": ("      help: spoken", "      halp: spoken"),
    "a name in an expression": ("{{ number | digits }}", "{{ nubmer | digits }}"),
    "a filter": ("{{ number | digits }}", "{{ number | digts }}"),
    "a word of a list": ("type: text", "type: txt"),
}
"What is right, and what an author wrote instead."


def fix(text: str) -> Fixed:
    return fixed(text, lambda edited: load(edited).findings)


def planted(names: Sequence[str]) -> str:
    text = FLOW
    for name in names:
        right, wrong = PLANTED[name]
        assert right in text
        text = text.replace(right, wrong, 1)
    return text


def test_the_flow_is_right_before_anything_is_planted() -> None:
    assert as_text(load(FLOW).findings) == ""


@pytest.mark.parametrize("name", PLANTED)
def test_a_mistake_is_put_right_where_it_is(name: str) -> None:
    text = planted([name])
    result = fix(text)
    assert result.text == FLOW
    assert (len(result.made), result.left) == (1, ())
    changed = [
        number
        for number, (one, other) in enumerate(zip(text.split("\n"), FLOW.split("\n"), strict=True), 1)
        if one != other
    ]
    assert [found.line for found in result.made] == changed


APART: dict[int, list[str]] = defaultdict(list)
"The mistakes by the line that they are in: two in one line are no longer those."
for _name, (_right, _) in PLANTED.items():
    APART[FLOW[: FLOW.index(_right)].count("\n")].append(_name)


@settings(max_examples=25, deadline=None, phases=[Phase.generate])
@given(st.lists(st.sampled_from(sorted(APART)), max_size=4, unique=True), st.data())
def test_several_mistakes_are_put_right_and_no_other_byte_moves(places: list[int], data: st.DataObject) -> None:
    names = [data.draw(st.sampled_from(APART[place])) for place in places]
    right, wrong = FLOW, planted(names)
    if data.draw(st.booleans()):
        right, wrong = right.rstrip("\n"), wrong.rstrip("\n")
    if data.draw(st.booleans()):
        right, wrong = right.replace("\n", "\r\n"), wrong.replace("\n", "\r\n")
    result = fix(wrong)
    assert result.text == right, as_text(result.left)
    assert len(result.made) >= len(names)
    assert fix(result.text) == Fixed(right, (), ())


# --- what is not fixed ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("bargeIn: true", "bargeIn: ja"),
        ("maxDigits: 8", "maxDigits: eight"),
        ("initialSilence: 6s", "initialSilence: 0.5"),
        ("initialSilence: 6s", "initialSilence: soon"),
        ("Key your number.", "Key # your number."),
        ('["Your number is {{ number | digits }}.", ', "[Well, and "),
        ("      - Well.", '      - Well\\ "that": it\'s.'),
        ("      maxDigits: 8", "      maxDigits: 8\n      maxDigits: 9"),
        ('"{{ call.to }}"', '"Hello" @you'),
        ('"{{ call.to }}"', "{{ call.to\n      }}"),
        ("on: {exhausted: bye, error: bye}", "on: error:bye"),
    ],
)
def test_what_only_the_author_knows_is_left(right: str, wrong: str) -> None:
    text = FLOW.replace(right, wrong, 1)
    result = fix(text)
    assert result == Fixed(text, (), load(text).findings)


def line(number: int, code: str, message: str = "Wrong.", fix: Edit | None = None, *, error: bool = True) -> Finding:
    return Finding(code, "error" if error else "warning", "f", number, 1, 1, message, fix=fix)


def test_a_fix_whose_finding_stays_is_taken_back() -> None:
    found = (line(1, "value", fix=Edit(0, 1, "b")),)
    assert fixed("a", lambda text: found) == Fixed("a", (), found)


def test_a_fix_that_brings_another_error_is_taken_back() -> None:
    before = (line(1, "value", fix=Edit(0, 1, "b")), line(1, "unit", error=False))
    assert fixed("a", lambda text: before if text == "a" else (line(1, "missing"),)) == Fixed("a", (), before)


def test_of_several_fixes_those_are_made_that_help() -> None:
    def check(text: str) -> Sequence[Finding]:
        return [
            *(line(1, "value", f"{at}.", Edit(at, at + 1, "x")) for at, char in enumerate(text) if char == "a"),
            *(line(1, "missing") for char in text[1:2] if char == "x"),
        ]

    result = fixed("aaaa", check)
    assert (result.text, len(result.made), [found.message for found in result.left]) == ("xaxx", 3, ["1."])


def test_what_a_fix_brings_to_light_is_fixed_with_it_or_not_at_all() -> None:
    def check(text: str) -> Sequence[Finding]:
        last = "abcdef".index(text)
        return [line(1, f"code-{last}", fix=Edit(0, 1, "abcdef"[last + 1]))] if last < 5 else []

    assert fixed("b", check).text == "f"
    assert fixed("a", check).text == "a", "five fixes, one upon the other, are too many to be certain"


def test_fixes_that_overlap_are_made_one_after_the_other() -> None:
    def check(text: str) -> Sequence[Finding]:
        wide = [line(1, "value", fix=Edit(0, 2, text[:2].upper()))] if text[1:2] == "b" else []
        narrow = [line(1, "unit", fix=Edit(1, 2, "c"))] if text[1:2] in {"b", "B"} else []
        return [*wide, *narrow]

    result = fixed("ab", check)
    assert (result.text, [found.code for found in result.made]) == ("Ac", ["value", "unit"])


def test_one_fix_can_put_two_findings_right() -> None:
    same = Edit(0, 1, "b")
    result = fixed("a", lambda text: [line(1, "value", fix=same), line(1, "unit", fix=same)] if text == "a" else [])
    assert (result.text, len(result.made)) == ("b", 2)


def test_not_more_texts_are_checked_than_a_limit() -> None:
    checked: list[str] = []

    def check(text: str) -> Sequence[Finding]:
        checked.append(text)
        return [line(number, "value", fix=Edit(number, number + 1, "b")) for number in range(1000)]

    assert fixed("a" * 1000, check).text == "a" * 1000
    assert len(checked) == MOST_CHECKS + 1


def test_fixes_that_never_end_end() -> None:
    def check(text: str) -> Sequence[Finding]:
        first = line(1, f"code-{len(text)}", fix=Edit(0, 0, "a"))
        return [first, *(line(1, f"code-{number}") for number in range(len(text) + 1, 1000))]

    assert len(fixed("", check).text) == ROUNDS
