"""Texts that look like lists after `in`, and the lists that were meant (LANGUAGE C11)."""

import pytest

from tests.caller import Caller
from tests.flowfile.reading import flow, load, said, whole

GUARDED = """
variables: {size: {type: text, default: small}, sizes: {type: text, default: "small, large"}}
states:
  start: {digits: {prompt: Which size?, into: size}, next: judge}
  judge: {decide: [{guard: "%s", target: bye}, {guard: sizes == size, target: bye}, bye]}
"""


def found(guard: str) -> list[tuple[str, str]]:
    findings = load(whole(GUARDED % guard)).findings
    return [
        (each.excerpt[each.column - 1 :][: each.length], each.suggestion)
        for each in findings
        if each.code == "text-list"
    ]


@pytest.mark.parametrize(
    ("guard", "marked", "suggestion"),
    [
        ("size in 'small, large'", "'small, large'", "Write ['small', 'large']."),
        ("size in 'small,large,'", "'small,large,'", "Write ['small', 'large']."),
        ("size not in 'a; b;c'", "'a; b;c'", "Write ['a', 'b', 'c']."),
        ("size in 'small or large'", "'small or large'", "Write ['small', 'large']."),
        ("size in 'a/b|c'", "'a/b|c'", "Write ['a', 'b', 'c']."),
        ("size in sizes", "sizes", "Write ['small', 'large']."),
        ("(now | weekday) in 'Saturday Sunday'", "'Saturday Sunday'", "Write ['Saturday', 'Sunday']."),
        ("call.from and not (size in 'a, b')", "'a, b'", "Write ['a', 'b']."),
    ],
)
def test_a_text_that_looks_like_a_list_is_found(guard: str, marked: str, suggestion: str) -> None:
    assert found(guard) == [(marked, suggestion)]


@pytest.mark.parametrize(
    "guard",
    [
        "size in ['small', 'large']",
        "size in ['small, large']",
        "'a, b' in size",
        "',' in size",
        "size in 'small'",
        "size in 'New York'",
        "size in '12'",
        "sizes in size",
        "size == 'small, large'",
    ],
)
def test_what_looks_like_no_list_is_not_found(guard: str) -> None:
    assert found(guard) == []


def test_it_is_found_in_what_is_spoken() -> None:
    text = """start: {say: "{{ 'Yes' if call.to in 'a, b' else 'No' }}", next: bye}"""
    assert said(text) == [
        "text-list: This is one text, not a list, so \"in\" looks for a part of it. Write ['a', 'b']."
    ]


def test_a_list_takes_its_items_and_no_pieces_of_them() -> None:
    asking = flow("""
start: {digits: {prompt: Which one?, minDigits: 2, maxDigits: 2, into: one}, next: judge}
judge: {decide: [{guard: "one in ['12', '34']", target: good}, bye]}
good: {say: Good., next: bye}
""")
    assert Caller(asking).presses("34").heard.startswith("Good.")
    assert Caller(asking).presses("23").heard.startswith("Goodbye.")
