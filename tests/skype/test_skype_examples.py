"""The published examples and their like, read to events; then damaged on purpose."""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.engine.events import CallReceived, ChoiceMade, Event, InputTimedOut, OperationDone, RecordingMade
from ivr.errors import WebhookError
from ivr.ports import Leg
from tests.skype.skype_line import (
    AUDIO,
    CHANNEL,
    EXAMPLES,
    call_state_change,
    choice,
    conversation,
    digits,
    example,
    heard,
    recording,
    request,
    result,
    roster_update,
)

CALLER = "29:12BgCTOvVtWCWb0LlRkes7g428GXh_A4Gl9qbfce7YteH4zcD5pqSlQB-OMF1MVRM"
WIRE: dict[str, Event] = {
    "call-incoming": CallReceived(CALLER, "28:d82c7c25-ddb4-426a-8b59-76a8a034abb4", "en"),
    "callback-playPromptOutcome": OperationDone("030eeb97-8210-48fd-b497-d761154f0b5a"),
    "callback-recognizeOutcome-dtmf": ChoiceMade("09c78c7c-33fc-488c-808b-0db83de1b433", "1", "keys"),
    "callback-recognizeOutcome-initialSilenceTimeout": InputTimedOut("32e1a166-f557-4b22-9fd7-64a742d5f040"),
    "callback-recordOutcome-part": RecordingMade(
        "efe617d7-4de5-42e9-b4e1-90dfd5850e49", 5.045999999999999, AUDIO.media, "silence"
    ),
}


def test_every_published_message_of_the_platform_is_in_the_table() -> None:
    assert {path.stem for path in EXAMPLES.glob("call*.json")} == set(WIRE)


@pytest.mark.parametrize("name", WIRE)
def test_a_published_message_becomes_its_event(name: str) -> None:
    assert heard(example(name), AUDIO) == (WIRE[name],)


MESSAGES = [
    *(example(name) for name in WIRE),
    conversation(threadId="19:x@thread.skype", subject="s", appId="a", appState="s", links={"call": "http://x/"}),
    choice("speechOptionMatched", "Yes", failureReason=""),
    digits("completedStopToneDetected", "42#*A"),
    recording("callTerminated", state="terminated"),
    result("worfklowValidationOutcome", outcome="failure", failureReason="no"),
    result("transferOutcome"),
    call_state_change("terminated"),
    roster_update(),
]
JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.just(10**4000),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def objects(tree: Any) -> Iterator[dict[str, Any]]:
    """Return every object of a tree, itself first."""
    if isinstance(tree, dict):
        yield tree
    for item in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from objects(item)


def is_heard_or_refused(body: bytes) -> bool:
    """Decode and hear; any error but a WebhookError comes through."""
    try:
        (incoming,) = CHANNEL.decode(request(body, AUDIO))
    except WebhookError as error:
        return error.status == 400
    return len(CHANNEL.hear(Leg(), incoming, now=0.0).events) <= 2


@given(st.data())
def test_damaged_members_raise_nothing_but_a_400(data: st.DataObject) -> None:
    tree = deepcopy(data.draw(st.sampled_from(MESSAGES)))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from([found for found in objects(tree) if found] or [{"": 0}]))
        name = data.draw(st.sampled_from(sorted(place)))
        match data.draw(st.sampled_from(["drop", "rename", "retype", "add"])):
            case "drop":
                del place[name]
            case "rename":
                place[data.draw(st.text(max_size=8))] = place.pop(name)
            case "retype":
                place[name] = data.draw(JUNK)
            case "add":
                place[data.draw(st.sampled_from([name.upper(), name.lower(), "colour"]))] = data.draw(JUNK)
    assert is_heard_or_refused(json.dumps(tree).encode())


@given(st.sampled_from(MESSAGES), st.integers(0, 400), st.integers(0, 8), st.binary(max_size=8))
def test_damaged_bytes_raise_nothing_but_a_400(message: Any, start: int, length: int, junk: bytes) -> None:
    body = json.dumps(message).encode()
    assert is_heard_or_refused(body[:start] + junk + body[start + length :])


EXACT = {"type", "id", "identity", "choiceName", "digits", "failureReason", "languageId"}


@given(st.sampled_from(MESSAGES), st.data())
def test_names_and_words_are_read_in_any_case(message: Any, data: st.DataObject) -> None:
    def in_another_case(text: str) -> str:
        return "".join(data.draw(st.sampled_from([letter.upper(), letter.lower()])) for letter in text)

    def rewritten(tree: Any) -> Any:
        if isinstance(tree, dict):
            return {in_another_case(name): item if name in EXACT else rewritten(item) for name, item in tree.items()}
        if isinstance(tree, list):
            return [rewritten(item) for item in tree]
        return in_another_case(tree) if isinstance(tree, str) else tree

    assert heard(rewritten(message), AUDIO) == heard(message, AUDIO)


@given(st.sampled_from(MESSAGES), JUNK)
def test_members_that_nobody_knows_are_ignored(message: Any, junk: Any) -> None:
    tree = deepcopy(message)
    expected = heard(tree, AUDIO)
    for place in list(objects(tree)):
        place["joinToken"] = deepcopy(junk)
    tree.pop("links", None)  # its members are all names
    assert heard(tree, AUDIO) == expected
