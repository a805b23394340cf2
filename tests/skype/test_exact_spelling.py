"""What is spelled as in the contract is read without folding, and is the same message, or refused for the same."""

import copy
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ivr.channels.skype import reading, wire
from ivr.channels.skype.spelling import exact
from ivr.errors import WebhookError
from tests.skype.skype_line import call_state_change, choice, conversation, decoded, digits, result, roster_update

SHAPES: tuple[Any, ...] = (wire.Conversation, wire.ConversationResult, wire.Notification, wire.Workflow)
LINKS = {"callback": "https://bot.example/callback", "Callback": "x"}
MESSAGES: list[Any] = [
    conversation(),
    conversation(threadId="t", subject=None, appState="s", links=LINKS, isMultiparty=True),
    conversation(callState="terminated", ivr={"kind": "sip", "codec": " PCMA\n"}),
    choice("dtmfOptionMatched", "message", failureReason=None),
    digits("completedStopToneDetected", "12#"),
    result("recordOutcome", completionReason="callTerminated", lengthOfRecordingInSecs=2.5, format="wma"),
    result("answerOutcome"),
    result("hangupOutcome", state="terminated"),
    result("transferOutcome", outcome="failure", status=486),
    result(wire.WORKFLOW_VALIDATION, outcome="failure"),
    result("unknown"),
    call_state_change("terminated", stateChangeCode="0"),
    roster_update(),
]
ODD = (
    st.none()
    | st.booleans()
    | st.integers(-3, 40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "1", "2.5", "true", "SUCCESS", "Audio", "recordOutcome", "RecordOutcome", "en-us"])
    | st.sampled_from([[], {}, [None], {"type": "unknown"}, {"Callback": None}]).map(copy.deepcopy)
)
CASES = (str.upper, str.capitalize, str.lower, lambda name: name.swapcase())


def objects(tree: Any) -> list[dict[str, Any]]:
    """Return the objects of a tree, the outermost first."""
    if isinstance(tree, dict):
        return [tree, *(inner for item in tree.values() for inner in objects(item))]
    return [inner for item in tree for inner in objects(item)] if isinstance(tree, list) else []


@st.composite
def trees(draw: st.DrawFn) -> Any:
    """Make messages as they should be, and such as are not quite."""
    tree = copy.deepcopy(draw(st.sampled_from(MESSAGES)))
    for _ in range(draw(st.integers(0, 3))):
        one = draw(st.sampled_from(objects(tree)))
        name = draw(st.sampled_from([*one, "notificationType", "stranger", "operationOutcome", "type"]))
        other = draw(st.sampled_from(CASES))(name)
        match draw(st.sampled_from(["odd", "drop", "rename", "twice", "add"])):
            case "odd":
                one[name] = draw(ODD)
            case "drop":
                one.pop(name, None)
            case "rename":
                one[other] = one.pop(name, None)
            case "twice":
                one[other] = draw(st.just(one.get(name)) | ODD)
            case "add":
                one.setdefault(name, draw(ODD))
    return tree


def outcome(read: Any, *arguments: Any) -> Any:
    """Return what was read, or how it was refused."""
    try:
        return read(*arguments)
    except WebhookError as error:
        return error.status, error.code, error.message


@given(trees())
@example(conversation(ivr={"trunk": "a\x1b[2Jb"}))
@example(conversation(PARTICIPANTS=None))
@example({**conversation(), "OperationOutcome": None})
@example(result("answerOutcome", Type="recordOutcome"))
@example(call_state_change("terminated", notificationType="rosterUpdate"))
def test_folded_or_not_it_is_the_same_message_or_the_same_refusal(tree: Any) -> None:
    for shape in SHAPES:
        before = copy.deepcopy(tree)
        assert outcome(reading.read, shape, tree) == outcome(reading.read_folded, shape, tree)
        assert tree == before


def capitals(tree: Any) -> Any:
    """Write the names of all members in capitals, but for those that are nobody's spelling."""
    if isinstance(tree, list):
        return [capitals(item) for item in tree]
    if not isinstance(tree, dict):
        return tree
    return {name.upper(): item if name in {"links", "ivr"} else capitals(item) for name, item in tree.items()}


@pytest.mark.parametrize("message", MESSAGES)
def test_in_capitals_it_is_the_same_message(message: Any) -> None:
    assert decoded(capitals(message)) == decoded(message)


def test_what_platforms_send_is_spelled_exactly_and_unknown_members_are_no_other_spelling() -> None:
    shapes = {name: exact(shape) for name, shape in zip(("call", "result", "notification"), SHAPES, strict=False)}
    call, report, notification = (shapes[name] for name in ("call", "result", "notification"))
    assert call is not None
    assert report is not None
    assert notification is not None
    assert call(conversation())
    assert call(conversation(etag="1", Etag="2"))
    assert report(choice("dtmfOptionMatched", "message"))
    assert report({**result("hangupOutcome"), "correlationId": "1"})
    assert notification(call_state_change("terminated"))
    assert notification(roster_update())
    assert not call(conversation(callstate="incoming"))
    assert not call(conversation(ivr={"kind": "sip"}))
    assert not report(result("HangupOutcome"))
    assert not report(result("hangupOutcome", ID="3.2"))


def test_json_that_is_written_closely_names_no_member_twice_either() -> None:
    body = msgspec.json.encode(conversation())
    assert reading.parse(body) == conversation()
    twice = body[:-1] + b',"id":"call-2"}'
    assert outcome(reading.parse, twice) == (400, "malformed", "an object names a member twice")
