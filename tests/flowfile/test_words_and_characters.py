"""Words of other systems get ours, characters that look like others are named, and one mistake is told once."""

import pytest

from tests.flowfile.reading import codes, load, said

MENU = 'start:\n  menu: {prompt: For sales press 1., choices: {sales: {dtmf: "1"}}}\n'


@pytest.mark.parametrize(
    ("word", "ours"),
    [
        ("goto", "next"),
        ("gather", "digits"),
        ("if", "guard"),
        ("play", "audio"),
        ("dial", "transfer"),
        ("wait", "silence"),
    ],
)
def test_a_word_of_another_system_gets_ours(word: str, ours: str) -> None:
    found = [one for one in said(f"start: {{say: Hello., next: bye, {word}: x}}\n") if one.startswith("unknown-key")]
    assert len(found) == 1
    assert ours in found[0]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ("start:\n  say: Hello.\n  next: bye\u200b\n", "U+200B"),
        ("start:\n  say: Hello.\n  next\uff1a bye\n", "U+FF1A"),
        ("start:\n  say: Hello.\n\u00a0\u00a0next: bye\n", "U+00A0"),
        ("start:\n  say: Hello.\n  menu: {\n\u00a0 next: bye\n", "U+00A0"),
        ("start:\n  say: Hello.\n\u3000\u00a0next: bye\n  - x: y: z\n", "U+3000"),
        (MENU.replace('"1"', "\u201c1\u201d") + "  next: bye\n", "U+201C"),
    ],
)
def test_a_character_that_looks_like_another_is_named(wrong: str, code: str) -> None:
    found = said(wrong)
    assert sum(code in one for one in found) == 1, found


@pytest.mark.parametrize("renamed", ["sale", "orders"])
def test_one_renamed_choice_is_one_finding(renamed: str) -> None:
    text = MENU.replace("sales: {", f"{renamed}: {{") + "  on: {sales: told}\ntold: {say: Well., next: bye}\n"
    assert codes(text) == ["never"]


def test_yes_for_true_is_told_once() -> None:
    assert codes("start: {say: Hello., next: done_here}\ndone_here: {say: Bye., final: yes, outcome: resolved}\n") == [
        "value"
    ]


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing yet\n"])
def test_a_file_without_a_flow_gets_an_example(text: str) -> None:
    (found,) = load(text).findings
    assert found.code == "empty"
    assert "ivr new" in found.suggestion
