"""The member `ivr`, by which a line tells of itself (protocol 22): for display alone, and as hostile as the rest."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ivr.channels.skype.line_member import MAX_TEXT
from ivr.engine.events import CallEnded, CallReceived, ChoiceMade, Event, LineReported, OperationDone
from ivr.engine.line_facts import LineFacts
from tests.skype.skype_line import call_state_change, choice, conversation, heard, result

SIP: dict[str, Any] = {
    "kind": "sip",
    "trunk": "192.0.2.7:5060",
    "transport": "tls",
    "codec": "PCMA",
    "encrypted": True,
    "called": "+4930123456",
    "diverted": "+4930654321",
    "withheld": False,
    "transfer": True,
}
END: dict[str, Any] = {"packets": 5000, "loss": 0.4, "jitter": 3.25, "ended": "BYE"}
CALLER = CallReceived("29:caller", "28:bot", "en-US")
NAMES = [*SIP, *END, "status", "x"]
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=20,
)


OFFERED = replace(CALLER, transfers=True)


def facts(member: Any) -> LineFacts | None:
    """Return what is understood of a member."""
    first, *more = heard(conversation(ivr=member))
    told = more[0].facts if more and isinstance(more[0], LineReported) else None
    expected = replace(CALLER, transfers=told is not None and told.transfer is True)
    assert first == (replace(expected, caller=None) if told is not None and told.withheld else expected)
    return told


MESSAGES: dict[str, tuple[Any, tuple[Event, ...]]] = {
    "Conversation": (conversation(ivr=SIP), (OFFERED, LineReported(LineFacts(**SIP)))),
    "ConversationResult": (
        {**choice("dtmfOptionMatched", "1"), "ivr": {"codec": "PCMU"}},
        (ChoiceMade("3.2", "1", "keys"), LineReported(LineFacts(codec="PCMU"))),
    ),
    "the last one": (
        {**result("hangupOutcome", state="terminated"), "ivr": END},
        (OperationDone("3.2"), CallEnded("caller", "3.2"), LineReported(LineFacts(**END))),
    ),
    "a notification": (
        call_state_change("terminated", ivr=END),
        (CallEnded("caller"), LineReported(LineFacts(**END))),
    ),
    "its name in another case": (conversation(IVR=SIP), (OFFERED, LineReported(LineFacts(**SIP)))),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_what_a_line_tells_comes_after_what_happened(name: str) -> None:
    message, events = MESSAGES[name]
    assert heard(message) == events


@pytest.mark.parametrize("member", [None, {}, [], "sip", 5, True, {"colour": "red"}, {"Kind": "sip"}, {"kind": " \n"}])
def test_a_member_that_tells_nothing_is_none(member: Any) -> None:
    assert heard(conversation(ivr=member)) == (CALLER,)


@pytest.mark.parametrize(
    ("member", "understood"),
    [
        ({"kind": 5, "codec": "opus"}, LineFacts(codec="opus")),
        ({"trunk": "a\x1b[2Jb\r\nc\u202ed"}, LineFacts(trunk="a [2Jb  c d")),
        ({"called": "9" * 10_000}, LineFacts(called="9" * MAX_TEXT)),
        ({"encrypted": "yes", "transfer": 1, "withheld": None, "codec": "G722"}, LineFacts(codec="G722")),
        ({"loss": 100.5, "jitter": -1, "packets": 2.5, "kind": "sip"}, LineFacts(kind="sip")),
        ({"loss": True, "jitter": "3", "packets": True, "kind": "sip"}, LineFacts(kind="sip")),
        ({"loss": 1e300, "packets": 2**41, "kind": "sip"}, LineFacts(kind="sip")),
        ({"loss": 1 / 3, "jitter": 2}, LineFacts(loss=0.33, jitter=2.0)),
        ({"kind": {"kind": "sip"}, "ended": ["BYE"], "packets": 0}, LineFacts(packets=0)),
        ({"status": 486, "ended": "Busy Here"}, LineFacts(status=486, ended="Busy Here")),
        ({"status": 99, "kind": "sip"}, LineFacts(kind="sip")),
        ({"status": 700, "kind": "sip"}, LineFacts(kind="sip")),
        ({"status": 486.0, "packets": -1, "kind": "sip"}, LineFacts(kind="sip")),
        ({"status": True, "kind": "sip"}, LineFacts(kind="sip")),
    ],
)
def test_what_is_not_as_it_has_to_be_is_left_out(member: Any, understood: LineFacts) -> None:
    assert facts(member) == understood


@given(JUNK)
def test_no_member_refuses_a_call_or_leaves_its_bounds(member: Any) -> None:
    found = facts(member)
    if found is not None:
        texts = [value for value in (found.kind, found.trunk, found.called, found.ended) if value is not None]
        assert all(text.isprintable() and 0 < len(text) <= MAX_TEXT for text in texts)
        assert found.loss is None or 0 <= found.loss <= 100
        assert found.status is None or 100 <= found.status < 700


def test_a_caller_who_wants_to_stay_unknown_has_no_name_for_the_flow() -> None:
    received, told = heard(conversation(ivr={"withheld": True}))
    assert received == CallReceived(None, "28:bot", "en-US")
    assert told == LineReported(LineFacts(withheld=True))
