"""What the platform reports, and what becomes of it: all outcomes, all completion reasons (protocol 6, 7; C17)."""

from typing import Any, get_args

import pytest
from msgspec.structs import replace

from ivr.channels.skype import wire
from ivr.engine.events import (
    CallEnded,
    CallReceived,
    ChoiceMade,
    Event,
    InputInvalid,
    InputTimedOut,
    KeysPressed,
    OperationDone,
    OperationFailed,
    RecordingMade,
    TransferFailed,
    Transferred,
)
from ivr.ports import Upload
from tests.skype.skype_line import (
    AUDIO,
    call_state_change,
    choice,
    conversation,
    digits,
    heard,
    recording,
    result,
    roster_update,
)

OP = "3.2"
GONE = CallEnded("caller", OP)
TIMED_OUT, INVALID = InputTimedOut(OP), InputInvalid(OP)


def broken(reason: str = "") -> OperationFailed:
    return OperationFailed(OP, "system", reason)


CHOICE_REASONS: dict[str, tuple[Any, Event]] = {
    "speechOptionMatched": (choice("speechOptionMatched", "Yes"), ChoiceMade(OP, "Yes", "speech")),
    "dtmfOptionMatched": (choice("dtmfOptionMatched", "1"), ChoiceMade(OP, "1", "keys")),
    "initialSilenceTimeout": (choice("initialSilenceTimeout"), TIMED_OUT),
    "incorrectDtmf": (choice("incorrectDtmf"), INVALID),
    "interdigitTimeout": (choice("interdigitTimeout"), INVALID),
    "callTerminated": (choice("callTerminated"), GONE),
    "temporarySystemFailure": (choice("temporarySystemFailure"), broken("temporarySystemFailure")),
    "unknown": (choice("unknown"), broken("unknown")),
}
DIGITS_REASONS: dict[str, tuple[Any, Event]] = {
    "completedStopToneDetected": (digits("completedStopToneDetected", "42"), KeysPressed(OP, "42", "terminator")),
    "interdigitTimeout": (digits("interdigitTimeout", "42"), KeysPressed(OP, "42", "silence")),
    "initialSilenceTimeout": (digits("initialSilenceTimeout"), TIMED_OUT),
    "callTerminated": (digits("callTerminated"), GONE),
    "temporarySystemFailure": (digits("temporarySystemFailure"), broken("temporarySystemFailure")),
    "unknown": (digits("unknown"), broken("unknown")),
}
RECORD_REASONS: dict[str, tuple[Event, ...]] = {
    "completedSilenceDetected": (RecordingMade(OP, 2.5, AUDIO.media, "silence"),),
    "completedStopToneDetected": (RecordingMade(OP, 2.5, AUDIO.media, "terminator"),),
    "maxRecordingTimeout": (RecordingMade(OP, 2.5, AUDIO.media, "limit"),),
    "callTerminated": (RecordingMade(OP, 2.5, AUDIO.media, "hangup"), GONE),
    "initialSilenceTimeout": (TIMED_OUT,),
    "temporarySystemFailure": (broken("temporarySystemFailure"),),
    "unknown": (broken("unknown"),),
}


def test_the_tables_hold_every_completion_reason() -> None:
    assert set(CHOICE_REASONS) == set(get_args(wire.ChoiceReason))
    assert set(DIGITS_REASONS) == set(get_args(wire.DigitsReason))
    assert set(RECORD_REASONS) == set(get_args(wire.RecordReason))


@pytest.mark.parametrize("reason", CHOICE_REASONS)
def test_each_reason_of_a_choice(reason: str) -> None:
    message, event = CHOICE_REASONS[reason]
    assert heard(message) == (event,)


@pytest.mark.parametrize("reason", DIGITS_REASONS)
def test_each_reason_of_digits(reason: str) -> None:
    message, event = DIGITS_REASONS[reason]
    assert heard(message) == (event,)


@pytest.mark.parametrize("reason", RECORD_REASONS)
def test_each_reason_of_a_recording_with_audio(reason: str) -> None:
    assert heard(recording(reason), AUDIO) == RECORD_REASONS[reason]


# --- operations ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["answerOutcome", "rejectOutcome", "hangupOutcome", "playPromptOutcome"])
def test_an_operation_is_done_or_has_failed(kind: str) -> None:
    assert heard(result(kind)) == (OperationDone(OP),)
    assert heard(result(kind, outcome="failure")) == (broken(),)
    assert heard(result(kind, outcome="maybe")) == (broken(),)


@pytest.mark.parametrize(
    "spelling", ["worfklowValidationOutcome", "workflowValidationOutcome", "WorkflowValidationOutcome"]
)
def test_a_refused_workflow_is_known_by_every_spelling(spelling: str) -> None:
    refused = result(spelling, outcome="failure", failureReason="no prompts")
    assert heard(refused) == (OperationFailed("3.2", "workflow", "no prompts", whole=True),)


def test_a_refusal_that_names_no_operation_of_ours_means_the_last_reply() -> None:
    refused = result("workflowValidationOutcome", outcome="failure", op="workflow")
    assert heard(refused) == (OperationFailed(None, "workflow", "", whole=True),)


def test_an_unknown_outcome_is_a_failure_even_if_it_says_success() -> None:
    assert heard(result("placeCallOutcome")) == (broken(),)


@pytest.mark.parametrize("status", [None, 200, "200", "high", [], {}])
def test_a_caller_who_was_transferred_is_gone(status: Any) -> None:
    assert heard(result("transferOutcome", state="terminated", status=status)) == (Transferred(OP), GONE)


@pytest.mark.parametrize(
    ("status", "event"),
    [
        (486, TransferFailed(OP, "busy", 486)),
        (603.0, TransferFailed(OP, "rejected", 603)),
        (404, TransferFailed(OP, "unreachable", 404)),
        (None, TransferFailed(OP, "noAnswer")),
        ("busy", TransferFailed(OP, "noAnswer")),
        (-1, TransferFailed(OP, "noAnswer")),
        (7000, TransferFailed(OP, "noAnswer")),
    ],
)
def test_a_transfer_that_failed_says_why_by_the_status_of_the_other_side(status: Any, event: TransferFailed) -> None:
    failed = result("transferOutcome", outcome="failure", status=status, failureReason="the other side answered")
    assert heard(failed) == (event,)


def test_who_leaves_while_it_rings_is_gone_and_the_transfer_did_not_fail() -> None:
    assert heard(result("transferOutcome", outcome="failure", state="terminated", status=487)) == (GONE,)


def test_an_answer_that_failed_is_a_failure_of_the_line() -> None:
    assert heard(result("AnswerOutcome")) == (broken(),)


def test_the_failure_of_a_prompt_inside_a_question_is_the_questions() -> None:
    assert heard(result("playPromptOutcome", op="3.2.prompt", outcome="failure")) == (broken(),)


def test_the_platforms_free_text_is_kept_short_and_printable() -> None:
    (event,) = heard(result("answerOutcome", outcome="failure", failureReason="Internal\nServer\x1bError" + "x" * 500))
    assert isinstance(event, OperationFailed)
    assert event.reason.startswith("Internal Server Error")
    assert len(event.reason) == 200


# --- answers ---------------------------------------------------------------------------------------------------------


def test_a_stop_tone_alone_is_an_empty_answer() -> None:
    empty = KeysPressed(OP, "", "terminator")
    assert heard(digits("completedStopToneDetected", "")) == (empty,)
    assert heard(digits("completedStopToneDetected", outcome="success")) == (empty,)
    # Without digits it is no success in the vendor's classes, and so this phone reports it.
    assert heard(digits("completedStopToneDetected", outcome="failure")) == (empty,)


def test_more_than_five_digits_are_an_answer() -> None:
    assert heard(digits("interdigitTimeout", "0123456789*#ABCD")) == (KeysPressed(OP, "0123456789*#ABCD", "silence"),)


@pytest.mark.parametrize(
    "message",
    [
        choice("dtmfOptionMatched", "1", outcome="failure"),
        choice("dtmfOptionMatched", "1", outcome="maybe"),
        choice("dtmfOptionMatched", outcome="success"),
        choice("dtmfOptionMatched", "", outcome="success"),
        choice("telepathy", "1"),
        digits("interdigitTimeout", "1", outcome="failure"),
        digits("interdigitTimeout", "1", outcome="maybe"),
        digits("interdigitTimeout", outcome="failure"),
        digits("completedStopToneDetected", "1", outcome="failure"),
        digits("completedStopToneDetected", outcome="maybe"),
        digits("interdigitTimeout", "1a"),
        digits("incorrectDtmf", "1"),
        result("recognizeOutcome"),
        result("recognizeOutcome", outcome="failure"),
        result(
            "recognizeOutcome",
            choiceOutcome={"completionReason": "dtmfOptionMatched", "choiceName": "1"},
            collectDigitsOutcome={"completionReason": "interdigitTimeout", "digits": "1"},
        ),
    ],
)
def test_what_does_not_fit_together_is_a_failure_and_never_an_answer(message: Any) -> None:
    (event,) = heard(message)
    assert isinstance(event, OperationFailed)
    assert (event.op, event.code) == (OP, "system")


def test_a_reason_that_is_no_answer_stands_whatever_outcome_says() -> None:
    assert heard(choice("initialSilenceTimeout", "1")) == (TIMED_OUT,)
    assert heard(digits("initialSilenceTimeout", "1")) == (TIMED_OUT,)


def test_a_failure_may_tell_both_parts() -> None:
    reason = {"completionReason": "initialSilenceTimeout"}
    message = result("recognizeOutcome", outcome="failure", choiceOutcome=reason, collectDigitsOutcome=reason)
    assert heard(message) == (TIMED_OUT,)


def test_words_and_numbers_are_read_in_any_spelling() -> None:
    made = (ChoiceMade(OP, "1", "keys"),)
    assert heard(choice("DTMFOPTIONMATCHED", "1", outcome="SUCCESS")) == made
    numbers = result("recognizeOutcome", outcome=0, choiceOutcome={"completionReason": "5", "choiceName": "1"})
    assert heard(numbers) == made
    assert heard(choice("dtmfOptionMatched", "1", outcome=7))[0] == broken("dtmfOptionMatched")
    assert heard(choice("dtmfOptionMatched", "1", outcome=-1))[0] == broken("dtmfOptionMatched")


# --- recordings ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["completedSilenceDetected", "completedStopToneDetected", "maxRecordingTimeout"])
def test_a_recording_without_audio_is_a_failure(reason: str) -> None:
    assert heard(recording(reason)) == (broken(reason),)
    assert heard(recording(reason), Upload("empty.wma", 0, "audio/wav")) == (broken(reason),)


def test_a_full_recording_is_kept_though_some_call_it_a_failure() -> None:
    made = RecordingMade(OP, 600.0, AUDIO.media, "limit")
    assert heard(recording("maxRecordingTimeout", 600, outcome="failure"), AUDIO) == (made,)


def test_an_outcome_that_nobody_knows_is_no_recording() -> None:
    assert heard(recording("completedSilenceDetected", outcome="maybe"), AUDIO) == (broken("completedSilenceDetected"),)


def test_a_caller_who_hung_up_without_a_word_has_only_left() -> None:
    assert heard(recording("callTerminated", 0, outcome="failure", state="terminated")) == (GONE,)


@pytest.mark.parametrize(("told", "seconds"), [(2.5, 2.5), ("2.5", 2.5), (0.476, 0.476), (86400, 86400.0)])
def test_a_length_is_a_number_of_seconds(told: Any, seconds: float) -> None:
    assert heard(recording("completedSilenceDetected", told), AUDIO) == (
        RecordingMade(OP, seconds, AUDIO.media, "silence"),
    )


@pytest.mark.parametrize("told", [None, 0, -1, 10**400, 1e308, 86401, "5 s", "", True, [5], {"a": 5}])
def test_a_recording_whose_length_is_not_told_is_kept_with_the_length_of_its_file(told: Any) -> None:
    message = recording("completedSilenceDetected", told)
    measured = replace(AUDIO, seconds=3.25)
    assert heard(message, measured) == (RecordingMade(OP, 3.25, AUDIO.media, "silence"),)
    assert heard(message, AUDIO) == (RecordingMade(OP, 0.0, AUDIO.media, "silence"),)
    del message["operationOutcome"]["lengthOfRecordingInSecs"]
    assert heard(message, measured) == (RecordingMade(OP, 3.25, AUDIO.media, "silence"),)


# --- the end of a call -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "event"),
    [
        (choice("dtmfOptionMatched", "1", state="terminated"), ChoiceMade(OP, "1", "keys")),
        (digits("interdigitTimeout", "42", state="terminated"), KeysPressed(OP, "42", "silence")),
        (result("playPromptOutcome", state="terminated"), OperationDone(OP)),
        (result("hangupOutcome", state="Terminated"), OperationDone(OP)),
        (
            recording("completedStopToneDetected", state="terminated"),
            RecordingMade(OP, 2.5, AUDIO.media, "terminator"),
        ),
        (recording("callTerminated", state="terminated"), RecordingMade(OP, 2.5, AUDIO.media, "hangup")),
    ],
)
def test_what_was_done_before_the_call_ended_is_heard_first(message: Any, event: Event) -> None:
    assert heard(message, AUDIO) == (event, GONE)


@pytest.mark.parametrize(
    "message",
    [
        choice("callTerminated", state="terminated"),
        choice("initialSilenceTimeout", state="terminated"),
        choice("incorrectDtmf", state="terminated"),
        digits("temporarySystemFailure", state="terminated"),
        result("playPromptOutcome", outcome="failure", state="terminated"),
        result("worfklowValidationOutcome", outcome="failure", state="terminated"),
    ],
)
def test_a_failure_on_an_ended_call_is_just_its_end(message: Any) -> None:
    assert heard(message) == (GONE,)


def test_a_conversation_that_is_over_is_the_end_of_the_call() -> None:
    assert heard(conversation(callState="terminated")) == (CallEnded("caller"),)


# --- notifications ---------------------------------------------------------------------------------------------------


def test_a_notification_that_the_call_is_over_ends_it() -> None:
    assert heard(call_state_change("terminated")) == (CallEnded("caller"),)
    older = {"id": "call-1", "notificationType": "CallStateChange", "currentState": "Terminated"}
    assert heard(older) == (CallEnded("caller"),)


def test_other_notifications_mean_nothing() -> None:
    assert heard(call_state_change("established")) == ()
    assert heard(roster_update()) == ()
    assert heard({"id": "call-1", "type": "somethingNew", "currentState": "terminated"}) == ()


# --- a call comes in -------------------------------------------------------------------------------------------------


def person(identity: str, originator: bool, **more: Any) -> dict[str, Any]:
    return {"identity": identity, "originator": originator, **more}


def test_a_call_tells_who_calls_whom_in_which_language() -> None:
    assert heard(conversation()) == (CallReceived("29:caller", "28:bot", "en-US"),)


@pytest.mark.parametrize(
    ("participants", "caller", "called"),
    [
        ([person("28:bot", False), person("2:+15550100", True)], "2:+15550100", "28:bot"),
        ([person("8:a", True), person("8:b", False), person("28:bot", False)], "8:a", "28:bot"),
        ([person("8:a", True), person("8:b", False)], "8:a", "8:b"),
        ([person("8:a", False), person("28:bot", False)], None, "28:bot"),
        ([person("8:a", True)], "8:a", ""),
        # What has no place in a store, a log or a line of a file is taken out of a name; no call is lost by it.
        ([person("8:a\0\x1b[2J\r\n=1", True), person("28:b\0ot", False)], "8:a  [2J  =1", "28:b ot"),
        ([person(f"8:{'a' * 20_000}", True), person("\0", False)], f"8:{'a' * 510}", ""),
    ],
)
def test_the_caller_is_the_originator_and_the_called_is_the_bot(
    participants: list[Any], caller: str | None, called: str
) -> None:
    assert heard(conversation(participants=participants)) == (CallReceived(caller, called),)


@pytest.mark.parametrize("language", ["", "en US", "<script>", "e" * 99, None])
def test_a_language_that_is_none_is_left_out(language: str | None) -> None:
    people = [person("8:a", True, languageId=language), person("28:bot", False)]
    assert heard(conversation(participants=people)) == (CallReceived("8:a", "28:bot"),)
