"""The validator against 192 verdicts of Microsoft's own contract classes (`verdicts.json` says how they were got)."""

import json
from pathlib import Path
from typing import Any

import pytest

from ivr.channels.skype import wire
from tests.skype.wire_rules import refusals

CASES = json.loads((Path(__file__).parent / "verdicts.json").read_text())["cases"]
SHAPES: dict[str, Any] = {
    "workflow": wire.Workflow,
    "conversation": wire.Conversation,
    "result": wire.ConversationResult,
}
# Where we differ on purpose. A case that agrees after all fails: the list is exact.
DIFFERENT = {
    "result: digits '123456'": "more than five digits are refused there only because the check reuses the rule for "
    "stop tones (protocol 6); digits are collected by up to twenty",
}


def test_all_verdicts_are_here_and_each_exception_names_one() -> None:
    names = [case["name"] for case in CASES]
    assert len(names) == len(set(names)) == 192
    assert set(names) >= set(DIFFERENT)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_lenient_level_judges_as_microsofts_classes_do(case: dict[str, Any]) -> None:
    found = refusals(SHAPES[case["kind"]], case["json"])
    agrees = bool(found) == (case["verdict"] == "reject")
    assert agrees is (case["name"] not in DIFFERENT), found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_strict_level_refuses_all_that_the_lenient_one_does(case: dict[str, Any]) -> None:
    shape = SHAPES[case["kind"]]
    lenient, strict = (refusals(shape, case["json"], strict=level) for level in (False, True))
    assert strict or not lenient
