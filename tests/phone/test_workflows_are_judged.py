"""The phone refuses exactly the workflows that Microsoft's own classes refuse, and translates all others."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.channels.skype import wire
from ivr.engine import commands as line
from ivr.phone.wire.reports import result, validation_outcome
from ivr.phone.wire.workflow import REMEMBERED, RefusedWorkflow, RunnableWorkflow, read_workflow
from tests.phone.any_workflow import Tree, damaged
from tests.phone.fake_bot import ANSWER, HANG_UP
from tests.skype.wire_rules import refusals

VERDICTS = json.loads((Path(__file__).parents[1] / "skype" / "verdicts.json").read_text("utf-8"))["cases"]
WORKFLOWS = [case for case in VERDICTS if case["kind"] == "workflow"]
TOGETHER = (
    "actions: answer, answer cannot be combined. Allowed: reject alone, or answer, then playPrompt, "
    "record and recognize, then hangup. Only playPrompt may repeat"
)


def read(*actions: dict[str, Any], **more: Any) -> RunnableWorkflow:
    found = read_workflow(json.dumps({"actions": list(actions), **more}).encode())
    assert isinstance(found, RunnableWorkflow), found
    return found


@pytest.mark.parametrize("case", WORKFLOWS, ids=lambda case: case["name"])
def test_the_verdict_is_the_one_of_microsofts_classes(case: dict[str, Any]) -> None:
    found = read_workflow(json.dumps(case["json"]).encode())
    assert isinstance(found, RefusedWorkflow) is (case["verdict"] == "reject")
    if isinstance(found, RefusedWorkflow):
        assert found.problems
        assert found.op.strip()


def test_what_a_bot_leaves_out_has_the_protocol_s_defaults() -> None:
    recognize = {"operationId": "1", "action": "recognize", "choices": [{"name": "a", "dtmfVariation": "1"}]}
    record = {"operationId": "2", "action": "record"}
    asked, recorded = read(recognize, record).commands
    assert asked == line.Recognize("1", (), (line.Choice("a", "1"),), None, barge_in=True, initial_silence=5.0)
    assert recorded == line.Record("2", (), 180.0, 5.0, "", beep=True, initial_silence=5.0)
    assert isinstance(recorded, line.Record)
    assert line.recorded_as(recorded) == "wma"


def test_prompts_become_segments_with_their_silence_first() -> None:
    prompts = [
        {"value": "12", "voice": "female", "sayAs": "ordinal", "emphasize": True, "silenceLengthInMilliseconds": 200},
        {"fileUri": "http://127.0.0.1/a.wav", "value": None},
        {"value": "b", "voice": "robot", "sayAs": "sung"},
    ]
    (played,) = read({"operationId": "1", "action": "playPrompt", "prompts": prompts}).commands
    assert isinstance(played, line.Play)
    assert played.prompt == (
        line.Silence(200),
        line.Text("12", "female", "en-US", "ordinal", emphasize=True),
        line.Audio(url="http://127.0.0.1/a.wav"),
        line.Text("b", "male", "en-US"),
    )


@pytest.mark.parametrize(
    ("culture", "language"),
    [(None, "en-US"), ("unknown", "en-US"), ("EN-US", "en-US"), (1, "en-US"), ("smell", "en-US"), ("de-DE", "de-DE")],
)
def test_what_is_said_and_listened_for_is_in_the_language_that_the_bot_names(culture: Any, language: str) -> None:
    prompt = {"operationId": "1.p", "action": "playPrompt", "prompts": [{"value": "a", "culture": culture}]}
    menu = {"operationId": "1", "action": "recognize", "culture": culture, "playPrompt": prompt}
    (asked,) = read(menu | {"choices": [{"name": "a", "dtmfVariation": "1"}]}).commands
    assert isinstance(asked, line.Recognize)
    assert (asked.language, asked.prompt) == (language, (line.Text("a", "male", language),))


def test_digits_without_a_maximum_end_at_twenty() -> None:
    collect = {"operationId": "1", "action": "recognize", "collectDigits": {"stopTones": "#"}}
    (asked,) = read(collect | {"interdigitTimeoutInSeconds": 2.5}).commands
    assert isinstance(asked, line.Recognize)
    assert asked.digits == line.DigitInput(0, 20, "#", 2.5)


def test_a_bot_s_spelling_is_its_own() -> None:
    found = read({"operationId": "1", "action": "hangup"}, Links={"callBack": "https://bot.example/"}, APPSTATE="x")
    assert (found.callback, found.app_state) == ("https://bot.example/", "x")


def test_a_callback_that_is_not_allowed_is_told_nothing() -> None:
    found = read_workflow(b'{"actions": [], "links": {"callback": "http://bot.example/"}}')
    assert isinstance(found, RefusedWorkflow)
    assert found.callback is None


def test_a_byte_order_mark_and_half_of_a_character_are_read_as_dotnet_reads_them() -> None:
    prompts = b'[{"value": "Hi \\ud83d"}, {"value": "\\ud83d\\ude00"}]'
    actions = b'[{"action": "playPrompt", "operationId": "1", "prompts": ' + prompts + b"}]"
    found = read_workflow(b'\xef\xbb\xbf{"actions": ' + actions + b', "unheardOf": "\\ude00"}')
    assert isinstance(found, RunnableWorkflow)
    (play,) = found.commands
    assert isinstance(play, line.Play)
    assert [part.value for part in play.prompt if isinstance(part, line.Text)] == ["Hi \ufffd", "😀"]


@pytest.mark.parametrize("second", ["appState", "APPSTATE"])
def test_a_member_that_is_named_twice_counts_neither_time(second: str) -> None:
    found = read_workflow(f'{{"actions": [{json.dumps(HANG_UP)}], "appState": "a", "{second}": "b"}}'.encode())
    assert found == RefusedWorkflow("bye", ("appState: is given twice",), None, None)
    ignored = read_workflow(f'{{"actions": [{json.dumps(HANG_UP)}], "agent": 1, "{second}": "b", "agent": 2}}'.encode())
    assert isinstance(ignored, RunnableWorkflow)


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        ({"prompts": [{"value": "a"}, {"value": ["b"]}]}, "actions[1].prompts[1].value: must be text"),
        ({"prompts": [{"silenceLengthInMilliseconds": "long"}]},
         "actions[1].prompts[0].silenceLengthInMilliseconds: must be a number"),
        ({"prompts": [{"emphasize": "yes"}]}, "actions[1].prompts[0].emphasize: must be true or false"),
        ({"prompts": [{"voice": {}}]}, "actions[1].prompts[0].voice: must be a word"),
        ({"prompts": None}, "actions[1].prompts: is missing"),
        ({"prompts": {}}, "actions[1].prompts: must be a list"),
        ({"prompts": [7]}, "actions[1].prompts[0]: must be an object"),
        ({"prompts": [{}]}, "actions[1].prompts[0]: needs a value, a fileUri or a silence above 0"),
        ({"action": "transfer"},
         "actions[1].action: must be answer or reject or hangup or playPrompt or recognize or record"),
        ({"action": "record", "stopTones": ["##"]},
         "actions[1].stopTones[0]: must be one of the keys 0-9, *, #, A-D, as text"),
        ({"action": "record", "maxDurationInSeconds": 601}, "actions[1].maxDurationInSeconds: must be 2 to 600"),
        ({"action": "answer"}, TOGETHER),
    ],
)  # fmt: skip
def test_a_refusal_says_where_and_what(bad: dict[str, Any], problem: str) -> None:
    play = {"operationId": "1", "action": "playPrompt", "prompts": [{"value": "a"}]} | bad
    found = read_workflow(json.dumps({"actions": [ANSWER, play]}).encode())
    assert isinstance(found, RefusedWorkflow)
    assert found.problems == (problem,)


def test_a_refusal_of_a_long_list_stays_short() -> None:
    found = read_workflow(json.dumps({"actions": [HANG_UP] * 500}).encode())
    assert isinstance(found, RefusedWorkflow)
    assert [problem[:20] for problem in found.problems] == ["actions: hangup, han"]
    assert len(found.problems[0]) < 300


@given(damaged())
def test_what_is_refused_can_be_reported(tree: Tree) -> None:
    found = read_workflow(json.dumps(tree).encode())
    if isinstance(found, RefusedWorkflow):
        outcome = validation_outcome(found.op, found.problems)
        report = result("call", outcome, state="establishing", app_state=found.app_state)
        assert refusals(wire.ConversationResult, json.loads(report.json)) == ()


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_judged(body: bytes) -> None:
    assert isinstance(read_workflow(body), RefusedWorkflow | RunnableWorkflow)


@pytest.mark.parametrize("depth", [10, REMEMBERED + 1])
def test_depth_and_size_are_no_way_in(depth: int) -> None:
    assert isinstance(read_workflow(b"[" * depth), RefusedWorkflow)
    assert isinstance(read_workflow(b'{"actions":' * depth + b"[]" + b"}" * depth), RefusedWorkflow)
