"""The catalogue of checks: each bad example shows its check and nothing else, each good one nothing at all."""

from collections.abc import Sequence

import pytest

from ivr.channels.skype import SkypeChannel
from ivr.flowfile.catalogue import GROUPS, RULES, Rule, whole
from ivr.flowfile.finding import Finding
from tests.flowfile.reading import codes, load, said

SHOWN = [rule for rule in RULES.values() if rule.bad]


def findings(rule: Rule, example: str) -> Sequence[Finding]:
    channel = SkypeChannel.can if rule.code == "channel" else None
    missing = no_dictation if rule.code == "speech" else None
    return load(whole(example), channel=channel, missing=missing).findings


def no_dictation(language: str, phrases: bool, audio: str | None) -> Sequence[str]:
    return [] if phrases else ["writes nothing down"]


def found(rule: Rule, example: str) -> set[str]:
    return {each.code for each in findings(rule, example)}


@pytest.mark.parametrize("rule", SHOWN, ids=lambda rule: rule.code)
def test_the_bad_example_yields_exactly_its_code(rule: Rule) -> None:
    assert found(rule, rule.bad) == {rule.code}


@pytest.mark.parametrize("rule", SHOWN, ids=lambda rule: rule.code)
def test_the_good_example_yields_nothing(rule: Rule) -> None:
    assert found(rule, rule.good) == set()


@pytest.mark.parametrize("rule", SHOWN, ids=lambda rule: rule.code)
def test_the_severity_in_the_catalogue_is_the_one_that_is_given(rule: Rule) -> None:
    severities = {each.severity for each in findings(rule, rule.bad)}
    assert severities <= ({"error", "warning"} if rule.severity == "both" else {rule.severity})


def test_codes_are_unique_and_have_a_title() -> None:
    listed = [rule.code for rules in GROUPS.values() for rule in rules]
    assert len(listed) == len(set(listed)) == len(RULES)
    assert all(rule.title.endswith(".") for rule in RULES.values())


def test_a_warning_is_acknowledged_by_the_state_it_stands_in() -> None:
    bad = RULES["silent-key"].bad
    assert codes(bad) == ["silent-key"]
    assert codes(bad + "  allow: {silent-key: Who knows that knows it.}\n") == []


def test_an_acknowledgement_holds_for_its_own_state_only() -> None:
    bad = RULES["silent-key"].bad
    assert codes(bad + "other: {say: Hello., next: bye, allow: {silent-key: No.}}\n") == ["silent-key", "unreachable"]


def test_only_checks_can_be_acknowledged_and_only_those_that_warn() -> None:
    text = "start: {say: Hello., next: bye, allow: {silent-keys: a, unhandled: b}}\n"
    assert said(text) == [
        'value: No check is called "silent-keys". Did you mean "silent-key"?',
        'value: "unhandled" is an error, and cannot be allowed. Correct what it finds.',
    ]


def test_all_errors_of_a_file_come_at_once() -> None:
    text = """
start:
  menu:
    prompt: "To go on press 1.
      And wait."
    choices: {go: {dtmf: "1"}, stay: {dtmf: *, speech: [stay, Stay]}}
    maxAttempts: many
    colour: red
  on: {go: by, stay: self, noInput: bye, never: bye}
ask:
  digits: {prompt: "{{ call.form }} and {{ nobody }} and {{ call.from", initialSilence: 5}
"""
    expected = "star duplicate-speech value unknown-key unknown-target never no-target expression unit"
    assert set(codes(text)) >= set(expected.split())
