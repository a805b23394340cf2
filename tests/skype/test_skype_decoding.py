"""Which call a request is about and which message it is; what is refused before anything else sees it."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from ivr.channels.skype import SkypeChannel, reading
from ivr.engine.events import CallReceived
from ivr.errors import WebhookError
from ivr.ports import CallKey
from tests.skype.skype_line import (
    AUDIO,
    CHANNEL,
    call_state_change,
    choice,
    conversation,
    decoded,
    digits,
    heard,
    recording,
    request,
    result,
    roster_update,
)

NO_HEADERS: dict[str, str] = {}


def refused(message: Any, headers: dict[str, str] | None = None) -> WebhookError:
    with pytest.raises(WebhookError) as error:
        CHANNEL.decode(request(message, headers=headers))
    assert error.value.status == 400
    return error.value


# --- kinds -----------------------------------------------------------------------------------------------------------


def test_a_call_that_comes_in_can_open_one() -> None:
    incoming = decoded(conversation())
    assert (incoming.key, incoming.id) == (CallKey("skype", "app-1", "call-1"), "m-1")
    assert (incoming.wants, incoming.starts) == ("commands", True)


def test_a_report_wants_commands_and_opens_nothing() -> None:
    incoming = decoded(choice("dtmfOptionMatched", "1"))
    assert (incoming.wants, incoming.starts) == ("commands", False)


@pytest.mark.parametrize(
    ("message", "events"),
    [(call_state_change("established"), 0), (call_state_change("terminated"), 1), (roster_update(), 0)],
)
def test_a_notification_wants_no_more_than_an_empty_answer(message: Any, events: int) -> None:
    incoming = decoded(message)
    assert (incoming.wants, incoming.starts) == ("ack", False)
    assert len(heard(message)) == events


@pytest.mark.parametrize(
    "message",
    [
        conversation(callState="terminated"),
        result("hangupOutcome", state="terminated"),
        choice("callTerminated"),
        digits("callTerminated"),
        recording("callTerminated"),
    ],
)
def test_what_ends_a_call_wants_no_commands(message: Any) -> None:
    incoming = decoded(message, AUDIO)
    assert (incoming.wants, incoming.starts) == ("ack", False)


def test_what_a_message_is_does_not_depend_on_the_address() -> None:
    for message in (conversation(), result("answerOutcome"), call_state_change("terminated"), roster_update()):
        at_callback = request(message)
        assert CHANNEL.decode(replace(at_callback, path="/call")) == CHANNEL.decode(at_callback)


class NotingMap(dict[str, str]):
    """Header fields that note which of them were looked at."""

    def __init__(self) -> None:
        self.asked: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.asked.add(name)
        return default

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        raise KeyError(name)


@pytest.mark.parametrize(
    "message", [conversation(), result("answerOutcome"), call_state_change("terminated"), roster_update()]
)
def test_no_header_is_looked_at_but_those_that_the_channel_names(message: Any) -> None:
    headers = NotingMap()
    channel = SkypeChannel(account="app-1", callback="https://ivr/callback", media_base="https://ivr", pretends=True)
    channel.decode(request(message, headers=headers))
    assert headers.asked
    assert headers.asked <= SkypeChannel.reads


def test_a_call_with_a_member_that_notifications_have_is_still_a_call() -> None:
    assert decoded(conversation(type="call")).starts


@pytest.mark.parametrize("message", [b"{}", b"[]", b"null", b"7", b'"x"', b'{"id": "call-1"}'])
def test_json_that_is_no_message_is_refused(message: bytes) -> None:
    assert refused(message).code == "malformed"


# --- hostile JSON ----------------------------------------------------------------------------------------------------

GOOD = json.dumps(result("answerOutcome")).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"\xff\xfe",
        b"\xef\xbb\xbf" * 80_000 + GOOD,
        GOOD.decode().encode("utf-16"),
        GOOD.decode().encode("utf-16-be"),
        GOOD.decode().encode("utf-32"),
        b"\xef\xbb\xbf" + GOOD.replace(b'"3.2"', b"NaN"),
        b"\xef\xbb\xbf" + GOOD.replace(b'"3.2"', b"1e5000"),
        b"\xef\xbb\xbf" + GOOD.replace(b'"id": "3.2"', b'"id": "3.2", "id": "3.3"'),
        b"\xef\xbb\xbf" + b'{"a":' * 100_000,
        GOOD[:-1],
        GOOD + GOOD,
        GOOD.replace(b'"3.2"', b'"\xff"'),
        GOOD.replace(b'"3.2"', b"NaN"),
        GOOD.replace(b'"3.2"', b"1e5000"),
        GOOD.replace(b'"3.2"', b"1" + b"0" * 5000),
        GOOD.replace(b'"3.2"', b"1" + b"0" * 4000),
        GOOD.replace(b'"3.2"', b"[" * 100_000 + b"]" * 100_000),
        b"[" * 100_000,
        b'{"a":' * 100_000,
        GOOD.replace(b'"id": "3.2"', b'"id": "3.2", "id": "3.3"'),
        GOOD.replace(b'"id": "3.2"', b'"id": "3.2", "i\\u0064": "3.3"'),
        GOOD.replace(b'"id": "3.2"', b'"id": "3.2", "ID": "3.3"'),
        GOOD.replace(b'"type":', b'"Type": "answerOutcome", "type":'),
    ],
    ids=lambda body: f"{len(body)}:{body[:24]!r}",
)
def test_a_hostile_body_is_a_400_and_never_another_error(body: bytes) -> None:
    refused(body)


def test_a_body_that_is_merely_written_in_another_way_is_read() -> None:
    spaced = json.dumps(conversation(subject="Gr\u00fc\u00df"), indent=4).encode()  # escaped, where we would not
    assert b"\\u00fc" in spaced
    assert isinstance(heard(spaced)[0], CallReceived)


HALVES = {
    "an escape": b"\\ud83d",
    "an escape in capitals": b"\\uD83D",
    "the second half": b"\\ude00",
    "both halves in the wrong order": b"\\ude00\\ud83d",
    "bytes": b"\xed\xa0\xbd",
}


@pytest.mark.parametrize("half", HALVES.values(), ids=HALVES)
@pytest.mark.parametrize("member", ["displayName", "unheardOf", "HALF"])
def test_half_of_a_character_in_a_member_that_is_not_used_keeps_no_caller_out(half: bytes, member: str) -> None:
    call = conversation()
    call["participants"][0][member] = "Ann HALF"
    (received,) = heard(json.dumps(call).encode().replace(b"HALF", half))
    assert isinstance(received, CallReceived)
    assert received.caller == "29:caller"


@pytest.mark.parametrize("half", HALVES.values(), ids=HALVES)
def test_half_of_a_character_in_a_member_that_is_used_is_the_character_for_none(half: bytes) -> None:
    call = conversation()
    call["participants"][0]["identity"] = "29:HALF, 😀"
    (received,) = heard(json.dumps(call).encode().replace(b"HALF", half))
    assert isinstance(received, CallReceived)
    assert received.caller in {"29:\ufffd, 😀", "29:\ufffd\ufffd, 😀"}


def test_an_emoji_in_two_escapes_or_two_encodings_is_whole() -> None:
    call = json.dumps(conversation(subject="\\ud83d")).encode()  # an escaped backslash and letters, no escape
    for written in (b"29:\\ud83d\\ude00 \\ud83d", b"29:\xed\xa0\xbd\xed\xb8\x80 \\ud83d"):
        (received,) = heard(call.replace(b"29:caller", written))
        assert isinstance(received, CallReceived)
        assert received.caller == "29:😀 \ufffd"


@pytest.mark.parametrize("message", [conversation(), result("answerOutcome"), call_state_change("terminated")])
def test_a_byte_order_mark_before_the_json_means_nothing(message: Any) -> None:
    assert decoded(b"\xef\xbb\xbf" + json.dumps(message).encode()) == decoded(message)


def test_an_error_tells_the_place_but_nothing_of_what_was_said() -> None:
    error = refused(digits("interdigitTimeout", ["4711"]))
    assert "$.operationOutcome.collectDigitsOutcome.digits" in error.message
    assert "4711" not in error.message


# --- ids -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", " ", "x" * 513, "a\nb", "a\x00b", "a\x7fb", "a\x85b"])
def test_a_call_id_that_must_not_reach_the_store_is_refused(name: str) -> None:
    refused({**conversation(), "id": name})
    refused({**result("answerOutcome"), "id": name})
    refused({**call_state_change("terminated"), "id": name})
    refused(result("answerOutcome", op=name))


def test_a_call_id_is_opaque_and_may_be_long() -> None:
    assert decoded({**conversation(), "id": "é 😀" * 128}).key.id == "é 😀" * 128
    assert decoded({**conversation(), "id": 7}).key.id == "7"


@pytest.mark.parametrize("name", ["", "a b", "é", "x" * 129, "a\tb", "\udce9"])
def test_a_message_id_must_be_visible_ascii(name: str) -> None:
    assert refused(conversation(), {"x-microsoft-skype-message-id": name}).code == "bad-id"


@pytest.mark.parametrize(
    ("message", "name"),
    [
        (result("answerOutcome"), "operation:3.2"),
        (choice("callTerminated"), "ended:3.2"),
        (conversation(), "conversation:incoming"),
        (call_state_change("terminated"), "notification:callStateChange:terminated"),
        (roster_update(), "notification:rosterUpdate:None"),
    ],
)
def test_without_a_message_id_a_message_is_named_after_what_it_is_about(message: Any, name: str) -> None:
    assert decoded(message, headers=NO_HEADERS).id == name


@pytest.mark.parametrize("op", ["x" * 129, "é", "two words"])
def test_an_operation_whose_name_is_no_message_id_names_its_message_all_the_same(op: str) -> None:
    name = decoded(result("answerOutcome", op=op), headers=NO_HEADERS).id
    assert name.startswith("hashed:")
    assert name == decoded(result("answerOutcome", op=op), headers=NO_HEADERS).id


# --- rules -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "message",
    [
        conversation(participants=[]),
        conversation(participants=[{"identity": " ", "originator": True}]),
        conversation(presentedModalityTypes=[]),
        conversation(isMultiparty=True),
        conversation(appState="x" * 1025),
        {"id": "call-1", "type": "callStateChange"},
    ],
)
def test_a_call_or_notification_that_breaks_a_rule_is_refused(message: Any) -> None:
    assert refused(message).code == "malformed"


def test_a_shape_without_a_folding_rule_is_noticed_when_it_is_written() -> None:
    with pytest.raises(TypeError, match="no rule for folding"):
        reading.read(bytes, "x")
