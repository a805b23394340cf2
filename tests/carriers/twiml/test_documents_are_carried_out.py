"""What becomes of a document, for each thing that a caller can do: the carrier's words, verb by verb."""

import pytest

from ivr.carriers.twiml.run_state import Ask, CallOver
from ivr.carriers.twiml.twiml_document import Target
from ivr.engine.commands import Record, Text
from ivr.line import (
    CallerLeft,
    Connected,
    KeyDown,
    Listening,
    PromptFailed,
    PromptStarted,
    PromptStopped,
    TransferFailed,
    Transferred,
    TransferStarted,
    Trouble,
    VoiceSignal,
    WordsUnderstood,
)
from tests.carriers.twiml.played_documents import HERE, carry_out

NEXT = "<Redirect>/next</Redirect>"
ASKED = "https://bot.example/next"
GATHER = '<Gather action="/step" {}><Say>Which?</Say></Gather>' + NEXT


def pressed(keys: str, at: float = 3.0) -> list[tuple[float, KeyDown]]:
    return [(at + 0.5 * number, KeyDown(key)) for number, key in enumerate(keys)]


# --- verbs without an answer -----------------------------------------------------------------------------------------


def test_a_document_is_carried_out_in_order_and_then_the_carrier_hangs_up() -> None:
    played = carry_out('<Say>One.</Say><Pause length="3"/><Play>two.wav</Play>', prompt=1.5)
    assert played.next == CallOver("hangup")
    assert played.at == 4.5
    first = next(effect for effect in played.effects if isinstance(effect, PromptStarted))
    assert first.segments == (Text("One.", "female", "en-US"),)


@pytest.mark.parametrize(
    ("address", "asked"),
    [
        ("/next", "https://bot.example/next"),
        ("next?a=1&amp;b=2", "https://bot.example/voice/next?a=1&b=2"),
        ("https://other.example/x#rc=2", "https://other.example/x#rc=2"),
        ("?y=2", "https://bot.example/voice/call?y=2"),
    ],
)
def test_relative_addresses_count_from_the_document(address: str, asked: str) -> None:
    assert carry_out(f"<Redirect>{address}</Redirect>").url == asked


def test_a_redirect_may_ask_by_get() -> None:
    assert carry_out('<Redirect method="GET">/a</Redirect>').next == Ask(Target("https://bot.example/a", "GET"))


def test_what_is_heard_repeatedly_is_heard_as_often_as_it_says() -> None:
    played = carry_out('<Say loop="3">Again.</Say>')
    assert played.at == 6.0
    assert played.next == CallOver("hangup")


def test_an_endless_prompt_ends_when_the_caller_leaves() -> None:
    played = carry_out('<Play loop="0">music.mp3</Play>', (33.0, CallerLeft()))
    assert (played.next, played.at) == (CallOver("left"), 33.0)


def test_a_file_that_cannot_be_played_does_not_end_the_document() -> None:
    assert carry_out("<Play>no.wav</Play>" + NEXT, (0.5, PromptFailed("404"))).url == ASKED


def test_a_broken_line_ends_the_call() -> None:
    assert carry_out("<Say>One.</Say>", (0.5, Trouble())).next == CallOver("failed")


@pytest.mark.parametrize(
    ("xml", "answers"),
    [
        ("<Say>Hello.</Say>", True),
        ("<Hangup/>", True),
        ("<Gather/>", True),
        ("<Reject/>", False),
        ("<Pause/><Reject/>", False),
        ("<Redirect>/next</Redirect>", False),
    ],
)
def test_the_first_verb_answers_unless_it_rejects_or_waits(xml: str, answers: bool) -> None:
    played = carry_out(xml, answered=False)
    assert any(isinstance(effect, Connected) for effect in played.effects) == answers


def test_a_call_is_rejected_with_a_reason() -> None:
    assert carry_out('<Reject reason="busy"/>', answered=False).next == CallOver("reject", "busy")


def test_a_call_that_was_answered_can_only_be_hung_up() -> None:
    assert carry_out("<Say>Hello.</Say><Reject/>", answered=False).next == CallOver("hangup")


# --- Gather ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "keys", "digits", "finished_on", "at"),
    [
        ('numDigits="1"', "5", "5", "", 3.0),
        ('numDigits="3"', "123", "123", "", 4.0),
        ('numDigits="3" timeout="4"', "12", "12", "", 7.5),
        ("", "42#", "42", "#", 4.0),
        ('finishOnKey="*"', "4#2*", "4#2", "*", 4.5),
        ('finishOnKey="" numDigits="4"', "42#1", "42#1", "", 4.5),
        ("", "42", "42", "", 8.5),
    ],
)
def test_keys_end_with_the_count_the_finishing_key_or_a_pause(
    said: str, keys: str, digits: str, finished_on: str, at: float
) -> None:
    played = carry_out(GATHER.format(said), *pressed(keys))
    assert played.url == "https://bot.example/step"
    assert (played.fields["Digits"], played.fields["FinishedOnKey"], played.at) == (digits, finished_on, at)


def test_the_first_key_interrupts_the_prompt() -> None:
    played = carry_out(GATHER.format('numDigits="2"'), (0.5, KeyDown("1")), (0.9, KeyDown("2")), prompt=30.0)
    assert played.fields["Digits"] == "12"
    assert sum(isinstance(effect, PromptStopped) for effect in played.effects) == 1


def test_the_timeout_begins_when_the_prompt_is_over() -> None:
    played = carry_out(GATHER.format('timeout="3"'), prompt=10.0)
    assert (played.url, played.at) == (ASKED, 13.0)


def test_a_pause_in_a_gather_puts_the_timeout_off() -> None:
    """Two times out of one: the first key has prompt, pause and timeout, the next keys have the timeout alone."""
    played = carry_out('<Gather action="/step" timeout="2"><Say>Which?</Say><Pause length="3"/></Gather>', prompt=4.0)
    assert played.at == 6.0


@pytest.mark.parametrize("keys", ["", "#"])
def test_nothing_leads_to_the_next_verb(keys: str) -> None:
    assert carry_out(GATHER.format(""), *pressed(keys)).url == ASKED


@pytest.mark.parametrize(("keys", "finished_on"), [("", ""), ("#", "#")])
def test_nothing_is_told_if_that_is_wanted(keys: str, finished_on: str) -> None:
    played = carry_out(GATHER.format('actionOnEmptyResult="true"'), *pressed(keys))
    assert played.url == "https://bot.example/step"
    assert (played.fields["Digits"], played.fields["FinishedOnKey"]) == ("", finished_on)


def test_without_an_action_the_document_is_asked_for_again() -> None:
    assert carry_out('<Gather numDigits="1"/>', *pressed("1")).url == HERE


def test_keys_before_the_gather_are_lost() -> None:
    played = carry_out(
        "<Say>Long.</Say>" + GATHER.format('numDigits="2"'), (1.0, KeyDown("9")), *pressed("12", 5.0), prompt=2.0
    )
    assert played.fields["Digits"] == "12"


def test_what_is_collected_is_told_to_the_caller() -> None:
    played = carry_out('<Gather input="dtmf speech" numDigits="4" hints="sales, support"/>', *pressed("1234"))
    (listening,) = [effect.command for effect in played.effects if isinstance(effect, Listening)]
    assert not isinstance(listening, Record)
    assert [choice.name for choice in listening.choices] == ["sales", "support"]
    assert listening.digits is not None
    assert (listening.digits.maximum, listening.digits.terminators) == (4, "#")


SPEECH = 'input="speech dtmf" speechTimeout="2" timeout="5"'


def test_words_are_told_after_a_silence() -> None:
    played = carry_out(GATHER.format(SPEECH), (3.0, WordsUnderstood("sales")))
    assert (played.fields["SpeechResult"], played.at) == ("sales", 5.0)
    assert "Digits" not in played.fields


def test_words_after_a_short_pause_belong_together() -> None:
    played = carry_out(GATHER.format(SPEECH), (3.0, WordsUnderstood("the sales")), (4.5, WordsUnderstood("people")))
    assert (played.fields["SpeechResult"], played.at) == ("the sales people", 6.5)


def test_words_interrupt_the_prompt_where_they_may() -> None:
    played = carry_out(GATHER.format(SPEECH), (0.5, WordsUnderstood("sales")), prompt=60.0)
    assert played.fields["SpeechResult"] == "sales"
    assert played.at == 2.5


def test_words_do_not_interrupt_where_they_may_not_but_keys_always_do() -> None:
    said = SPEECH + ' bargeIn="false" numDigits="1"'
    played = carry_out(GATHER.format(said), (0.5, WordsUnderstood("sales")), (1.0, KeyDown("7")), prompt=60.0)
    assert (played.fields.get("Digits"), played.at) == ("7", 1.0)


def test_a_key_counts_more_than_words() -> None:
    played = carry_out(GATHER.format(SPEECH + ' numDigits="1"'), (3.0, WordsUnderstood("sales")), (3.5, KeyDown("7")))
    assert played.fields["Digits"] == "7"
    assert "SpeechResult" not in played.fields


def test_words_mean_nothing_where_keys_alone_are_collected() -> None:
    assert carry_out(GATHER.format(""), (3.0, WordsUnderstood("sales"))).url == ASKED


def test_keys_mean_nothing_where_words_alone_are_collected() -> None:
    assert carry_out(GATHER.format('input="speech"'), *pressed("123")).url == ASKED


def test_who_speaks_is_waited_for() -> None:
    played = carry_out(
        GATHER.format(SPEECH), (6.5, VoiceSignal(True)), (9.0, VoiceSignal(False)), (9.2, WordsUnderstood("sales"))
    )
    assert played.fields["SpeechResult"] == "sales"


def test_who_leaves_while_keys_are_collected_is_not_told_to_the_action() -> None:
    assert carry_out(GATHER.format(""), (3.0, KeyDown("1")), (3.5, CallerLeft())).next == CallOver("left")


# --- Record ----------------------------------------------------------------------------------------------------------

RECORD = '<Record action="/step" timeout="3" maxLength="10" trim="do-not-trim" {}/>' + NEXT
"The beep takes a quarter of a second."
SPEAKS = [(1.0, VoiceSignal(True)), (4.0, VoiceSignal(False))]


@pytest.mark.parametrize(
    ("happens", "digits", "seconds"),
    [
        ([*SPEAKS, (5.25, KeyDown("#"))], "#", 5.0),
        (SPEAKS, None, 6.75),
        ([(1.0, VoiceSignal(True))], None, 10.0),
        ([*SPEAKS, (5.25, CallerLeft())], "hangup", 5.0),
    ],
    ids=["key", "silence", "limit", "hangup"],
)
def test_a_recording_ends_with_a_key_silence_its_limit_or_the_call(
    happens: list[tuple[float, VoiceSignal | KeyDown | CallerLeft]], digits: str | None, seconds: float
) -> None:
    played = carry_out(RECORD.format(""), *happens)
    assert isinstance(played.next, Ask)
    assert played.next.recording is not None
    assert played.next.target.url == "https://bot.example/step"
    assert (played.fields.get("Digits"), played.next.recording.told) == (digits, seconds)
    assert played.next.last == (digits == "hangup")


def test_silence_alone_is_no_recording_and_leads_to_the_next_verb() -> None:
    played = carry_out(RECORD.format(""))
    assert (played.url, played.at) == (ASKED, 3.25)
    assert [one.status for one in played.news] == ["in-progress", "absent"]


def test_a_carrier_that_waits_for_the_first_word_waits_to_the_limit() -> None:
    assert carry_out(RECORD.format(""), patient=True).at == 10.25


def test_any_key_ends_a_recording_that_names_none() -> None:
    played = carry_out('<Record action="/step"/>', *SPEAKS, (5.0, KeyDown("7")))
    assert played.fields["Digits"] == "7"


def test_other_keys_do_not_end_a_recording() -> None:
    played = carry_out(RECORD.format('finishOnKey="#*"'), *SPEAKS, (5.0, KeyDown("7")), (5.25, KeyDown("*")))
    assert played.fields["Digits"] == "*"


def test_without_a_beep_a_recording_begins_at_once() -> None:
    played = carry_out(RECORD.format('playBeep="false"'), (1.0, VoiceSignal(True)), (3.0, KeyDown("#")))
    assert isinstance(played.next, Ask)
    assert played.next.recording is not None
    assert played.next.recording.told == 3.0


def test_silence_around_the_words_is_cut_off_unless_told_otherwise() -> None:
    played = carry_out('<Record action="/step" timeout="3"/>', *SPEAKS)
    assert isinstance(played.next, Ask)
    assert played.next.recording is not None
    assert (played.next.recording.told, played.next.recording.seconds) == (3.0, 6.75)


# --- Dial ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("xml", "target"),
    [
        ("<Dial>+4930123</Dial>", "tel:+4930123"),
        ("<Dial><Number>+4930123</Number></Dial>", "tel:+4930123"),
        ("<Dial><Sip>sip:a@pbx.example</Sip></Dial>", "sip:a@pbx.example"),
        ("<Dial><Client>anna</Client></Dial>", "client:anna"),
    ],
)
def test_whom_the_caller_is_connected_with(xml: str, target: str) -> None:
    played = carry_out(xml, (1.0, Transferred()))
    (started,) = [effect for effect in played.effects if isinstance(effect, TransferStarted)]
    assert started.command.target == target
    assert played.next == CallOver("transfer")


@pytest.mark.parametrize(
    ("status", "word"),
    [(486, "busy"), (600, "busy"), (480, "no-answer"), (408, "no-answer"), (404, "failed"), (503, "failed")],
)
def test_the_action_is_told_why_nobody_was_reached(status: int, word: str) -> None:
    played = carry_out('<Dial action="/step">+4930123</Dial>', (1.0, TransferFailed(status)))
    assert (played.url, played.fields) == ("https://bot.example/step", {"DialCallStatus": word})


def test_nobody_answers_in_time() -> None:
    played = carry_out('<Dial action="/step" timeout="20">+4930123</Dial>')
    assert (played.fields["DialCallStatus"], played.at) == ("no-answer", 20.0)


def test_without_an_action_the_document_goes_on_after_a_failure() -> None:
    assert carry_out("<Dial>+4930123</Dial>" + NEXT, (1.0, TransferFailed(486))).url == ASKED


def test_the_action_is_told_of_a_talk_that_is_over_and_with_it_the_call() -> None:
    played = carry_out('<Dial action="/step">+4930123</Dial>' + NEXT, (1.0, Transferred()))
    assert isinstance(played.next, Ask)
    assert played.next.last
    assert played.fields["DialCallStatus"] == "completed"
