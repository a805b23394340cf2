"""The phone refuses exactly the workflows that Microsoft's own classes refuse, and translates all others."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.engine import actions as line
from ivr.phone.workflow import REMEMBERED, Refusal, Workflow, read_workflow

VERDICTS = json.loads((Path(__file__).parents[1] / "skype" / "verdicts.json").read_text("utf-8"))["cases"]
WORKFLOWS = [case for case in VERDICTS if case["kind"] == "workflow"]


def read(*actions: dict[str, Any], **more: Any) -> Workflow:
    found = read_workflow(json.dumps({"actions": list(actions), **more}).encode())
    assert isinstance(found, Workflow), found
    return found


@pytest.mark.parametrize("case", WORKFLOWS, ids=lambda case: case["name"])
def test_the_verdict_is_the_one_of_microsofts_classes(case: dict[str, Any]) -> None:
    found = read_workflow(json.dumps(case["json"]).encode())
    assert isinstance(found, Refusal) is (case["verdict"] == "reject")
    if isinstance(found, Refusal):
        assert found.problems
        assert found.op.strip()


def test_what_a_bot_leaves_out_has_the_protocol_s_defaults() -> None:
    recognize = {"operationId": "1", "action": "recognize", "choices": [{"name": "a", "dtmfVariation": "1"}]}
    record = {"operationId": "2", "action": "record"}
    asked, recorded = read(recognize, record).actions
    assert asked == line.Recognize("1", (), (line.Choice("a", "1"),), None, barge_in=True, initial_silence=5.0)
    assert recorded == line.Record("2", (), 180.0, 5.0, "", beep=True, initial_silence=5.0, format="wma")


def test_prompts_become_segments_with_their_silence_first() -> None:
    prompts = [
        {"value": "12", "voice": "female", "sayAs": "ordinal", "emphasize": True, "silenceLengthInMilliseconds": 200},
        {"fileUri": "http://127.0.0.1/a.wav", "value": None},
        {"value": "b", "voice": "robot", "sayAs": "sung"},
    ]
    (played,) = read({"operationId": "1", "action": "playPrompt", "prompts": prompts}).actions
    assert isinstance(played, line.Play)
    assert played.prompt == (
        line.Silence(200),
        line.Text("12", "female", "en-US", "ordinal", emphasize=True),
        line.Audio(url="http://127.0.0.1/a.wav"),
        line.Text("b", "male", "en-US"),
    )


def test_digits_without_a_maximum_end_at_twenty() -> None:
    collect = {"operationId": "1", "action": "recognize", "collectDigits": {"stopTones": "#"}}
    (asked,) = read(collect | {"interdigitTimeoutInSeconds": 2.5}).actions
    assert isinstance(asked, line.Recognize)
    assert asked.digits == line.DigitInput(0, 20, "#", 2.5)


def test_a_bot_s_spelling_is_its_own() -> None:
    found = read({"operationId": "1", "action": "hangup"}, Links={"callBack": "https://bot.example/"}, APPSTATE="x")
    assert (found.callback, found.app_state) == ("https://bot.example/", "x")


def test_a_callback_that_is_not_allowed_is_told_nothing() -> None:
    found = read_workflow(b'{"actions": [], "links": {"callback": "http://bot.example/"}}')
    assert isinstance(found, Refusal)
    assert found.callback is None


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_judged(body: bytes) -> None:
    assert isinstance(read_workflow(body), Refusal | Workflow)


@pytest.mark.parametrize("depth", [10, REMEMBERED + 1])
def test_depth_and_size_are_no_way_in(depth: int) -> None:
    assert isinstance(read_workflow(b"[" * depth), Refusal)
    assert isinstance(read_workflow(b'{"actions":' * depth + b"[]" + b"}" * depth), Refusal)
