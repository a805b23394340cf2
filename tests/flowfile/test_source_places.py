"""Places: a path in the file leads to a line, a column and a length, also inside of texts."""

import pytest

from ivr.flowfile.source import Mark, Source
from ivr.flowfile.yaml.reader import read
from ivr.nearest import only_near

TEXT = """\
flow: example
states:
  main:
    menu: {prompt: To sell press 1., choices: {sell: {dtmf: "1"}}}
    on:
      sell: [ask, {target: bye}]
  ask:
    say: >-
      One line
      and another.
    next: main
"""


def source(text: str) -> Source:
    return read("flow.yaml", text.encode()).source


def test_a_value_is_marked_where_it_stands() -> None:
    assert source(TEXT).mark("states", "main", "on", "sell", 1, "target") == Mark(6, 28, 3)


def test_a_key_is_marked_on_demand() -> None:
    assert source(TEXT).mark("states", "main", "on", "sell", key=True) == Mark(6, 7, 4)


def test_of_a_block_the_key_is_marked() -> None:
    assert source(TEXT).mark("states", "main") == Mark(3, 3, 4)
    assert source(TEXT).mark("states", "ask", "say") == Mark(8, 5, 3)


def test_of_braces_the_braces_are_marked() -> None:
    assert source(TEXT).mark("states", "main", "menu", "choices", "sell") == Mark(4, 54, 11)


def test_a_path_that_leads_too_far_ends_where_it_ends() -> None:
    assert source(TEXT).mark("states", "main", "menu", "prompt", 0, "text") == Mark(4, 20, 16)
    assert source(TEXT).mark("states", "nobody", "say") == source(TEXT).mark("states")


def test_a_mark_ends_with_its_line() -> None:
    assert source('say: "one\n  two"').mark("say") == Mark(1, 6, 4)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: one two three", Mark(1, 8, 3)),
        ("a: 'one two three'", Mark(1, 9, 3)),
        ("a: 'it''s one two three'", Mark(1, 15, 3)),
        ('a: "one two three"', Mark(1, 9, 3)),
        ('a: "\\"one\\" two three"', Mark(1, 13, 3)),
        ('a: "\\x6fne\\u0020two three"', Mark(1, 17, 3)),
        ('a: "one\\ttwo three"', Mark(1, 10, 3)),
        ('a: "one\\\n   \\ two three"', Mark(2, 6, 3)),
        ("a: one\n  two three", Mark(2, 3, 3)),
        ("a: one\n\n  two three", Mark(3, 3, 3)),
        ("a: >-\n  one\n  two three", Mark(3, 3, 3)),
        ("a: |\n  one\n   two three", Mark(3, 4, 3)),
        ("a: |2\n   one two three", Mark(2, 8, 3)),
        ("a: >\n  one\n\n\n  two three\n", Mark(5, 3, 3)),
        ("a: 'one\n\n  two three'", Mark(3, 3, 3)),
        ("a: one\r\n  two three", Mark(2, 3, 3)),
    ],
)
def test_a_word_is_found_inside_of_every_kind_of_text(text: str, expected: Mark) -> None:
    place = source(text)
    value = place.find(("a",)).value
    offset = value.text.index("two")
    assert place.within(("a",), offset, 3) == expected


def test_a_word_across_two_lines_is_marked_on_the_first() -> None:
    assert source("a: >-\n  one\n  two").within(("a",), 0, 7) == Mark(2, 3, 3)


def test_a_place_past_the_end_of_a_text_is_its_last_character() -> None:
    assert source("a: one").within(("a",), 99, 5) == Mark(1, 6, 1)


def test_a_text_without_characters_is_marked_whole() -> None:
    assert source('a: ""').within(("a",), 0, 1) == Mark(1, 4, 2)
    assert source("a: {b: c}").within(("a",), 0, 1) == Mark(1, 4, 6)


def test_plain_and_quoted_texts_are_told_apart() -> None:
    place = source("a: 12\nb: '12'\nc: {d: |\n")
    assert not place.has(("a", "b"))
    place = source("a: 12\nb: '12'\nc: [x]\n")
    assert place.is_plain(("a",))
    assert not place.is_plain(("b",))
    assert not place.is_plain(("c",))


def test_keys_are_listed_in_file_order() -> None:
    place = source("b: 1\na: [1, 2]\n")
    assert place.keys(()) == ("b", "a")
    assert place.keys(("a",)) == ()
    assert place.has(("a", 1))
    assert not place.has(("a", 2))


RENAMED = "'a': \"it\"\nc: d\ne: 'x''y'\nf: \"{{ nmae }}\"\ng: \"\\x61b\"\nh: &b it\n"


def test_a_word_is_replaced_within_its_quotes_where_it_stands_as_it_is_read() -> None:
    source = read("flow.yaml", RENAMED.encode()).source
    edits = (
        source.replacing(("a",), "that", old="it"),
        source.replacing(("a",), "z", old="a", key=True),
        source.replacing_within(("f",), 3, "nmae", "name"),
    )
    assert [edit and (RENAMED[edit.start : edit.end], edit.text) for edit in edits] == [
        ("it", "that"),
        ("a", "z"),
        ("nmae", "name"),
    ]


@pytest.mark.parametrize(
    ("path", "old"), [((), "x"), (("c",), "other"), (("e",), "x'y"), (("g",), "ab"), (("h",), "it")]
)
def test_what_is_written_otherwise_is_not_replaced(path: tuple[str, ...], old: str) -> None:
    source = read("flow.yaml", RENAMED.encode()).source
    assert source.replacing(path, "new", old=old) is None
    assert source.replacing_within(path, 0, old, "new") is None


def test_the_only_word_that_is_near_is_certain_and_one_of_two_is_not() -> None:
    assert only_near("sale", ["sales", "bye"]) == "sales"
    assert only_near("sale", ["Sales", "sales"]) is None
    assert only_near("sale", ["bye"]) is None
    assert only_near("sale", [f"state{number}" for number in range(201)]) is None
    assert only_near("s" * 61, ["s" * 60]) is None
