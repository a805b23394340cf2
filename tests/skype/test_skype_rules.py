"""What the verdicts leave out: the strict column of protocol 18, and where the lenient one is more lenient than C#."""

import json
from typing import Any

import pytest

from ivr.channels.skype import wire
from tests.skype.skype_line import EXAMPLES, choice, conversation, digits, example, recording, result, roster_update
from tests.skype.wire_rules import refusals

LINKS = {"callback": "https://bot.example/callback"}
SAY = {"operationId": "1", "action": "playPrompt", "prompts": [{"value": "hi"}]}
ANSWER = {"operationId": "0", "action": "answer"}


def workflow(*actions: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"links": LINKS, "actions": list(actions), **members}


def say(**prompt: Any) -> dict[str, Any]:
    return workflow({**SAY, "prompts": [prompt]})


def recognize(**members: Any) -> dict[str, Any]:
    choices = [{"name": "a", "dtmfVariation": "1"}]
    return workflow({"operationId": "2", "action": "recognize", "choices": choices} | members)


def collect(**members: Any) -> dict[str, Any]:
    return workflow({"operationId": "2", "action": "recognize", "collectDigits": members})


def record(**members: Any) -> dict[str, Any]:
    return workflow({"operationId": "3", "action": "record"} | members)


def levels(shape: Any, tree: Any) -> tuple[bool, bool]:
    """Return whether the lenient level allows it, and whether the strict one does."""
    return not refusals(shape, tree), not refusals(shape, tree, strict=True)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("reply-*.json")), ids=lambda path: path.stem)
def test_the_published_replies_pass_the_strict_level(path: Any) -> None:
    assert refusals(wire.Workflow, json.loads(path.read_text()), strict=True) == ()


BOTH, LENIENT, NEITHER = (True, True), (True, False), (False, False)


@pytest.mark.parametrize(
    ("tree", "allowed"),
    [
        (workflow(ANSWER, SAY), BOTH),
        (workflow(SAY, SAY), LENIENT),  # until May 2017 nothing could repeat
        (workflow({"operationId": "2", "action": "record"}, SAY), LENIENT),  # its audio would be lost
        (workflow(), NEITHER),
        (workflow({"operationId": "1", "action": "reject"}), BOTH),
        (workflow(SAY, colour="blue"), LENIENT),
        ({"Links": LINKS, "actions": [SAY]}, LENIENT),
        ({"actions": [SAY]}, BOTH),
        (workflow(SAY, links={"callback": "http://127.0.0.1:8080/callback"}), LENIENT),
        (workflow(SAY, links={"callback": "http://localhost/callback"}), LENIENT),
        (workflow(SAY, links={"callback": "http://[::1]/callback"}), LENIENT),
        (workflow(SAY, links={"callback": "http://bot.example/callback"}), NEITHER),
        (workflow(SAY, links={"callback": "http://10.0.0.1/callback"}), NEITHER),
        (workflow(SAY, links={"callback": "https://[::1/callback"}), NEITHER),
        (workflow(SAY, links={"callback": "https://bot.example:port/callback"}), NEITHER),
        (workflow(SAY, appState="€" * 342), LENIENT),  # 1,026 bytes
        (workflow(SAY, appState="x" * 1024), BOTH),
        (workflow(SAY, appState=" " * 1025), LENIENT),
        (workflow(SAY, appState="😀" * 513), NEITHER),
        (workflow({**ANSWER, "acceptModalityTypes": ["audio", "audio"]}), NEITHER),
        (say(value="x" * 2048), BOTH),
        (say(value="😀" * 1025), NEITHER),
        (say(value="hi", silenceLengthInMilliseconds=0), LENIENT),
        (say(silenceLengthInMilliseconds=0), NEITHER),
        (say(silenceLengthInMilliseconds=60_000.4), LENIENT),  # fractions are rounded
        (say(silenceLengthInMilliseconds=60_000.6), NEITHER),
        (say(value=" " * 2049, fileUri="https://a.example/p.wav"), LENIENT),  # blank counts as absent
        (say(fileUri="p.wav"), LENIENT),
        (say(fileUri="https://a.example/p.wav"), BOTH),
        (say(value="hi", voice="robot"), LENIENT),
        (say(value="hi", voice=True), LENIENT),  # any other value is a word that is not known
        (say(value="hi", voice=["male"]), NEITHER),
        (workflow(SAY, notificationSubscriptions=[None]), NEITHER),
        (workflow(SAY, appState="here", AppState=None), NEITHER),  # named twice
        (recognize(initialSilenceTimeoutInSeconds=30), BOTH),
        (recognize(initialSilenceTimeoutInSeconds=2.5), LENIENT),
        (recognize(initialSilenceTimeoutInSeconds="5"), LENIENT),
        (recognize(choices=[]), NEITHER),
        (recognize(choices=[{"name": "a"}]), NEITHER),
        (recognize(choices=[{"name": "a", "dtmfVariation": "1", "speechVariation": []}]), LENIENT),
        (recognize(choices=[{"name": "a", "dtmfVariation": "1"}, {"name": "b", "dtmfVariation": "1"}]), NEITHER),
        (recognize(choices=[{"name": "a", "speechVariation": ["b", " "]}]), NEITHER),
        (collect(maxNumberOfDtmfs=20, stopTones=["#", "*"]), BOTH),
        (collect(maxNumberOfDtmfs=4, stopTones=[]), LENIENT),
        (collect(stopTones=["#", "#"]), LENIENT),
        (record(maxDurationInSeconds=10, maxSilenceTimeoutInSeconds=1), BOTH),
        (record(maxDurationInSeconds=2), LENIENT),
        (record(maxDurationInSeconds=1), NEITHER),
        (record(maxSilenceTimeoutInSeconds=0), LENIENT),
        (record(stopTones=["#", "#"]), LENIENT),
        (record(playBeep="true"), LENIENT),
    ],
)  # fmt: skip
def test_what_a_workflow_may_hold(tree: Any, allowed: tuple[bool, bool]) -> None:
    assert levels(wire.Workflow, tree) == allowed


@pytest.mark.parametrize(
    ("tree", "allowed"),
    [
        (result("worfklowValidationOutcome", outcome="failure"), BOTH),
        (result("workflowValidationOutcome", outcome="failure"), LENIENT),
        (result("transferOutcome"), NEITHER),
        (digits("completedStopToneDetected", "12345"), BOTH),
        (digits("completedStopToneDetected", "1" * 20), LENIENT),
        (digits("completedStopToneDetected", "1" * 21), NEITHER),
        (digits("completedStopToneDetected", ""), NEITHER),
        (digits("completedStopToneDetected", outcome="failure"), BOTH),
        (digits("initialSilenceTimeout"), BOTH),
        (choice("dtmfOptionMatched", " "), NEITHER),
        (recording("completedSilenceDetected", 5), BOTH),
        (recording("completedSilenceDetected", 0), NEITHER),
        (recording("initialSilenceTimeout", 0, outcome="failure"), BOTH),
        (recording("initialSilenceTimeout", 1, outcome="failure"), NEITHER),
        ({**result("answerOutcome"), "id": " "}, NEITHER),
    ],
)
def test_what_a_result_may_hold(tree: Any, allowed: tuple[bool, bool]) -> None:
    assert levels(wire.ConversationResult, tree) == allowed


@pytest.mark.parametrize(
    ("tree", "allowed"),
    [
        ({"id": "c", "type": "callStateChange", "currentState": "terminated"}, True),
        ({"id": "c", "type": "callStateChange"}, False),
        ({"id": " ", "type": "callStateChange", "currentState": "established"}, False),
        (roster_update(), True),
        ({**roster_update(), "participants": []}, False),
        ({"id": "c", "type": "somethingNew"}, True),
    ],
)
def test_what_a_notification_may_hold(tree: Any, allowed: bool) -> None:
    assert (refusals(wire.Notification, tree) == ()) is allowed


def test_the_published_call_passes_the_strict_level() -> None:
    assert levels(wire.Conversation, example("call-incoming")) == BOTH


def test_a_call_with_two_originators_is_none_of_our_business() -> None:
    both = [{"identity": "29:a", "originator": True}, {"identity": "29:b", "originator": True}]
    assert levels(wire.Conversation, conversation(participants=both)) == BOTH
