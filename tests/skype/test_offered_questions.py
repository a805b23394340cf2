"""What is added to questions (protocol 25) is written where the platform offers it, and else as the vendor knows it."""

from typing import Any

import msgspec
from msgspec.structs import replace

from ivr.engine.commands import Answer, Choice, DigitInput, LineCommand, Recognize
from ivr.engine.events import OperationFailed, SpeechHeard
from ivr.phone.wire.workflow import RunnableWorkflow, read_workflow
from ivr.ports import Leg
from tests.skype.skype_line import CHANNEL, conversation, heard, request, result

ROOMS = Recognize(
    "1.1",
    (),
    (Choice("north", "42", ("north",)), Choice("south", "4")),
    barge_in_speech=False,
    type_ahead=True,
    inter_digit=2.0,
    terminators="#",
)
AMOUNT = Recognize("1.1", (), digits=DigitInput(1, 5, "#", 3.0), free="number", language="de-DE")


def leg(member: Any = None) -> Leg:
    """Return what is noted of a call that is announced with this member `ivr`."""
    (incoming,) = CHANNEL.decode(request(conversation(ivr=member)))
    return CHANNEL.hear(Leg(), incoming, now=0.0).leg


def written(command: LineCommand, noted: Leg) -> bytes:
    reply = CHANNEL.speak(noted, [Answer("1.0"), command], now=0.0).reply
    assert reply is not None
    return reply.body


def question(command: Recognize, noted: Leg) -> dict[str, Any]:
    asked: dict[str, Any] = msgspec.json.decode(written(command, noted))["actions"][1]
    return asked


def test_where_it_is_offered_all_of_a_question_goes_there_and_comes_back() -> None:
    offered = leg({"questions": True})
    for command in (ROOMS, AMOUNT):
        read = read_workflow(written(command, offered), questions=True)
        assert isinstance(read, RunnableWorkflow)
        back = read.commands[1]
        assert isinstance(back, Recognize)
        digits = back.digits and replace(back.digits, minimum=1)
        assert replace(back, initial_silence=None, digits=digits) == command


def test_where_it_is_not_offered_choices_of_several_keys_are_collected() -> None:
    asked = question(ROOMS, leg())
    assert asked["collectDigits"] == {"maxNumberOfDtmfs": 2, "stopTones": ["#"]}
    assert "choices" not in asked


def test_where_it_is_not_offered_nothing_is_written_that_the_vendor_does_not_know() -> None:
    known = {
        *("action", "operationId", "playPrompt", "bargeInAllowed", "culture", "initialSilenceTimeoutInSeconds"),
        *("interdigitTimeoutInSeconds", "choices", "collectDigits"),
    }
    for member in (None, {"kind": "sip"}, {"questions": False}, {"questions": 1}):
        for command in (ROOMS, AMOUNT):
            assert question(command, leg(member)).keys() <= known


def test_a_platform_that_has_not_offered_it_takes_one_key_for_a_choice() -> None:
    refused = read_workflow(written(ROOMS, leg({"questions": True})))
    assert not isinstance(refused, RunnableWorkflow)


def test_what_was_said_for_a_value_is_heard() -> None:
    told = result("recognizeOutcome", speechOutcome={"text": "forty two", "confidence": 0.9})
    assert heard(told) == (SpeechHeard("3.2", "forty two", 0.9),)
    assert heard(result("recognizeOutcome", speechOutcome={"text": "forty two", "confidence": 7})) == (
        SpeechHeard("3.2", "forty two"),
    )


def test_what_was_said_beside_another_answer_is_a_failure_of_the_line() -> None:
    digits = {"completionReason": "completedStopToneDetected", "digits": "42"}
    (event,) = heard(result("recognizeOutcome", speechOutcome={"text": "42"}, collectDigitsOutcome=digits))
    assert isinstance(event, OperationFailed)
