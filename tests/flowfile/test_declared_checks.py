"""The declared checks: each bad example shows its check and nothing else, each good one nothing at all."""

from collections.abc import Sequence

import pytest

from ivr.channels.skype import SkypeChannel
from ivr.flowfile.checks import CHECKS, Check, Provided
from ivr.flowfile.finding import Finding
from tests.flowfile.reading import HERE, codes, load, said, whole

BAD = sorted((HERE / "bad").glob("*.yaml"))
SHOWN = [each for each in CHECKS.values() if each.bad]


def findings(each: Check, example: str) -> Sequence[Finding]:
    channel = SkypeChannel.can if each.code == "channel" else None
    missing = no_dictation if each.code == "speech" else None
    provided = Provided(refuses=refuses) if each.code == "settings" else Provided()
    return load(whole(example), channel=channel, missing=missing, provided=provided).findings


def refuses(address: str) -> str:
    return "" if address == "https://api.contoso.example" else "it is not on the list"


def no_dictation(language: str, phrases: bool, audio: str | None) -> Sequence[str]:
    return [] if phrases else ["writes nothing down"]


def codes_of(each: Check, example: str) -> set[str]:
    return {found.code for found in findings(each, example)}


@pytest.mark.parametrize("each", SHOWN, ids=lambda each: each.code)
def test_the_bad_example_yields_exactly_its_code(each: Check) -> None:
    assert codes_of(each, each.bad) == {each.code}


@pytest.mark.parametrize("each", SHOWN, ids=lambda each: each.code)
def test_the_good_example_yields_nothing(each: Check) -> None:
    assert codes_of(each, each.good) == set()


@pytest.mark.parametrize("each", SHOWN, ids=lambda each: each.code)
def test_the_declared_severity_is_the_one_that_is_given(each: Check) -> None:
    severities = {found.severity for found in findings(each, each.bad)}
    assert severities <= ({"error", "warning"} if each.severity == "both" else {each.severity})


def test_a_title_is_a_sentence() -> None:
    assert all(each.title.endswith(".") for each in CHECKS.values())


@pytest.mark.parametrize(
    "each", [each for each in SHOWN if each.fixable and each.group != "Reading"], ids=lambda each: each.code
)
def test_the_fixes_of_a_bad_example_leave_nothing_of_its_code(each: Check) -> None:
    text = whole(each.bad)
    edits = [found.fix for found in load(text).findings if found.fix]
    for edit in sorted(edits, key=lambda edit: edit.start, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    assert each.code not in {found.code for found in load(text).findings}


def test_a_check_is_fixable_if_a_bad_flow_shows_its_fix() -> None:
    shown = {found.code for file in BAD for found in load(file.read_bytes()).findings if found.fix}
    assert shown == {code for code, each in CHECKS.items() if each.fixable}


def test_a_check_with_both_severities_has_no_message_of_either() -> None:
    with pytest.raises(ValueError, match="each message of 'hash' says whether it is an error or a warning"):
        CHECKS["hash"].message(lambda: ("A text.", ""))


def test_a_code_is_declared_once() -> None:
    with pytest.raises(ValueError, match="the check 'silent-key' is declared twice"):
        Check("silent-key", "warning", "The same code again.", group="Dialogue")


def test_a_warning_is_acknowledged_by_the_state_it_stands_in() -> None:
    bad = CHECKS["silent-key"].bad
    assert codes(bad) == ["silent-key"]
    assert codes(bad + "  allow: {silent-key: Who knows that knows it.}\n") == []


def test_an_acknowledgement_holds_for_its_own_state_only() -> None:
    bad = CHECKS["silent-key"].bad
    assert codes(bad + "other: {say: Hello., next: bye, allow: {silent-key: No.}}\n") == ["silent-key", "unreachable"]


def test_only_checks_can_be_acknowledged_and_only_those_that_warn() -> None:
    text = "start: {say: Hello., next: bye, allow: {silent-keys: a, unhandled: b}}\n"
    assert said(text) == [
        'value: No check is called "silent-keys". Did you mean "silent-key"?',
        'value: "unhandled" is an error and cannot be allowed. Correct the error.',
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
