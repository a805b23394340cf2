"""`gather` as jambonz's feature server 0.9.8 does it: its code was run, and these are its results and its timers."""

from typing import Any

import pytest

from ivr.line import PromptStarted, PromptStopped, VoiceSignal, WordsUnderstood
from tests.carriers.jambonz.by_hand import ByHand, bot_of, gather

SAY = {"text": "Press one."}


def asked(**properties: Any) -> ByHand:
    return ByHand(bot_of([gather(**properties)]))


# --- the five results that were measured -----------------------------------------------------------------------------


def test_the_key_that_ends_an_input_is_never_told() -> None:
    call = asked(input=["digits"], finishOnKey="#", minDigits=1, timeout=1).presses("42#")
    assert call.results == [{"digits": "42", "reason": "dtmfDetected"}]


def test_silence_is_told_when_the_time_is_over() -> None:
    call = asked(input=["digits"], timeout=1).after(0.99)
    assert call.results == []
    assert call.after(0.01).results == [{"reason": "timeout"}]


def test_a_key_and_a_pause_are_told_after_the_inter_digit_time() -> None:
    call = asked(input=["digits"], minDigits=1, interDigitTimeout=1, timeout=5).after(2).presses("7").after(0.99)
    assert call.results == []
    assert call.after(0.01).results == [{"digits": "7", "reason": "dtmfDetected"}]


def test_a_key_interrupts_the_prompt() -> None:
    call = asked(say=SAY, numDigits=2)
    assert call.seen(PromptStarted)[-1].interruptible
    call.after(0.5).presses("1")
    assert [stopped.op for stopped in call.seen(PromptStopped)] == ["1"]


def test_an_unknown_property_is_refused() -> None:
    call = ByHand(bot_of([gather(bogus=1)]))
    assert call.machine.ended is not None
    assert call.machine.ended.reason == "refused"


# --- timers ----------------------------------------------------------------------------------------------------------


def test_the_time_begins_when_the_prompt_is_over() -> None:
    call = asked(say=SAY, timeout=3).after(60).hears().after(2.99)
    assert call.results == []
    assert call.after(0.01).results == [{"reason": "timeout"}]


def test_keys_are_dropped_at_the_end_of_the_time_where_no_least_number_is_given() -> None:
    call = asked(timeout=5, interDigitTimeout=1).presses("42").after(5)
    assert call.results == [{"reason": "timeout"}]


def test_keys_count_at_the_end_of_the_time_if_they_are_enough() -> None:
    assert asked(timeout=5, minDigits=2).presses("42").after(5).results == [{"digits": "42", "reason": "dtmfDetected"}]
    assert asked(timeout=5, minDigits=3).presses("42").after(5).results == [{"reason": "timeout"}]


def test_each_key_begins_the_pause_anew() -> None:
    call = asked(timeout=30, minDigits=1, interDigitTimeout=2)
    call.presses("1").after(1.9).presses("2").after(1.9).presses("3").after(2)
    assert call.results == [{"digits": "123", "reason": "dtmfDetected"}]


def test_the_pause_takes_the_place_of_the_time_for_all() -> None:
    call = asked(timeout=2, minDigits=1, interDigitTimeout=5).presses("1").after(4.9)
    assert call.results == []
    assert call.after(0.1).results == [{"digits": "1", "reason": "dtmfDetected"}]


def test_a_key_into_a_prompt_sets_both_times() -> None:
    """The prompt's end, which the key brings about, begins the time for all beside the pause."""
    call = asked(say=SAY, timeout=2, minDigits=1, interDigitTimeout=5).presses("1").after(2)
    assert call.results == [{"digits": "1", "reason": "dtmfDetected"}]


def test_zero_is_no_limit() -> None:
    assert asked(timeout=0).after(600).results == []


def test_the_time_is_fifteen_seconds_where_nothing_is_said() -> None:
    assert asked().after(14.9).results == []
    assert asked().after(15).results == [{"reason": "timeout"}]


@pytest.mark.parametrize("limit", [{"numDigits": 2}, {"maxDigits": 2}])
def test_enough_keys_end_it(limit: dict[str, int]) -> None:
    assert asked(**limit).presses("12").results == [{"digits": "12", "reason": "dtmfDetected"}]


def test_an_end_key_alone_is_an_input_of_no_keys() -> None:
    assert asked(finishOnKey="#").presses("#").results == [{"digits": "", "reason": "dtmfDetected"}]


def test_an_end_key_is_one_key_and_not_a_set() -> None:
    assert asked(finishOnKey="#*", minDigits=1, timeout=1).presses("1#").after(1).results == [
        {"digits": "1#", "reason": "dtmfDetected"}
    ]


# --- the prompt ------------------------------------------------------------------------------------------------------


def test_keys_in_a_prompt_that_they_do_not_interrupt_are_kept() -> None:
    call = asked(say=SAY, dtmfBargein=False, minDigits=1, interDigitTimeout=9, numDigits=2).presses("1")
    assert call.seen(PromptStopped) == []
    assert call.hears().presses("2").results == [{"digits": "12", "reason": "dtmfDetected"}]


def test_keys_in_a_prompt_during_which_nothing_is_listened_to_are_lost() -> None:
    call = asked(say=SAY, listenDuringPrompt=False, numDigits=1).presses("1")
    assert call.results == []
    assert call.hears().presses("2").results == [{"digits": "2", "reason": "dtmfDetected"}]


def test_a_prompt_is_heard_as_often_as_it_says() -> None:
    call = asked(say={**SAY, "loop": 3}, timeout=1).hears().hears().after(5)
    assert len(call.seen(PromptStarted)) == 3
    assert call.results == []
    assert call.hears().after(1).results == [{"reason": "timeout"}]


# --- words -----------------------------------------------------------------------------------------------------------


def words(call: ByHand) -> list[str]:
    return [result["speech"]["alternatives"][0]["transcript"] for result in call.results]


def test_words_are_told_as_they_were_understood() -> None:
    call = asked(input=["speech"], timeout=5).take(WordsUnderstood("two coffees"))
    assert call.results[0]["reason"] == "speechDetected"
    assert words(call) == ["two coffees"]


def test_hints_are_no_grammar() -> None:
    call = asked(input=["speech"], recognizer={"vendor": "default", "hints": ["sales"]})
    assert words(call.take(WordsUnderstood("something else"))) == ["something else"]


def test_a_final_transcript_ends_it_even_in_a_prompt_that_words_do_not_interrupt() -> None:
    call = asked(input=["speech"], say=SAY, bargein=False).take(VoiceSignal(active=True))
    assert call.seen(PromptStopped) == []
    assert words(call.take(WordsUnderstood("sales"))) == ["sales"]


def test_a_voice_interrupts_the_prompt_where_it_may() -> None:
    call = asked(input=["speech"], say=SAY, bargein=True).take(VoiceSignal(active=True))
    assert len(call.seen(PromptStopped)) == 1


def test_words_are_not_heard_in_a_prompt_during_which_nothing_is_listened_to() -> None:
    call = asked(input=["speech"], say=SAY, listenDuringPrompt=False, timeout=1).take(WordsUnderstood("sales"))
    assert call.results == []


def test_one_who_speaks_is_waited_for() -> None:
    call = asked(input=["speech"], timeout=2).after(1.5).take(VoiceSignal(active=True)).after(10)
    assert call.results == []
    assert call.take(VoiceSignal(active=False)).after(2).results == [{"reason": "timeout"}]


def test_a_key_ends_the_listening_for_words() -> None:
    call = asked(input=["digits", "speech"], minDigits=1, interDigitTimeout=1).presses("1").take(WordsUnderstood("two"))
    assert call.after(1).results == [{"digits": "1", "reason": "dtmfDetected"}]


def test_keys_are_not_told_where_words_alone_are_listened_for() -> None:
    assert asked(input=["speech"], timeout=1).presses("1").after(1).results == [{"reason": "timeout"}]


def test_words_that_are_hardly_understood_are_told_as_such() -> None:
    recognizer = {"vendor": "default", "minConfidence": 0.99}
    call = asked(input=["speech"], recognizer=recognizer).take(WordsUnderstood("sales"))
    assert call.results[0]["reason"] == "stt-low-confidence"


# --- the end ---------------------------------------------------------------------------------------------------------


def test_nobody_is_told_of_a_question_whose_caller_has_gone() -> None:
    call = asked(say=SAY).leaves()
    assert call.results == []
    assert call.statuses[-1] == ("completed", 200)
