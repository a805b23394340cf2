"""What a line makes of what the caller does (protocol 2, 5, 7)."""

from typing import Literal

import pytest
from msgspec.structs import replace

from ivr.engine.commands import Answer, Choice, HangUp, Play, Reject
from ivr.line import (
    CallerLeft,
    Finished,
    KeyDown,
    KeyUp,
    Outcome,
    PromptEnded,
    PromptFailed,
    PromptStarted,
    TransferFailed,
    Transferred,
    TransferStarted,
    Trouble,
    VoiceSignal,
    WordsUnderstood,
)
from tests.line.line_driver import HELP, PROMPT, SALES, LineDriver, digits, menu, record, transfer

WELCOME = Play("welcome", PROMPT)

# --- the list --------------------------------------------------------------------------------------------------------


def test_actions_run_in_order_and_only_the_last_is_reported() -> None:
    driver = LineDriver(Answer("a"), WELCOME, menu())
    assert driver.names() == ["Connected", "PromptStarted"]
    driver.hear_out().hear_out().press("1")
    assert driver.names() == ["Connected", "PromptStarted", "PromptStarted", "Listening", "Finished"]
    assert driver.outcome == Outcome("menu", ok=True, result="key", choice="sales")


def test_the_first_failure_is_reported_and_the_rest_is_skipped() -> None:
    driver = LineDriver(WELCOME, menu(), HangUp("bye")).apply(PromptFailed("no such file"))
    assert driver.outcome == Outcome("welcome", ok=False, result="system", why="no such file")
    assert "Listening" not in driver.names()


def test_an_answer_in_the_middle_is_lost_and_the_call_goes_on() -> None:
    driver = LineDriver(menu(), HangUp("bye")).press("1")
    assert driver.effects[-1] == Finished(Outcome("bye", ok=True, result="done"), "hangup")


def test_a_rejected_call_is_over() -> None:
    assert LineDriver(Reject("no")).effects == [Finished(Outcome("no", ok=True, result="done"), "reject")]


def test_a_caller_who_was_transferred_is_gone() -> None:
    driver = LineDriver(WELCOME, transfer("tel:+4930")).hear_out()
    assert driver.effects[-1] == TransferStarted("transfer", transfer("tel:+4930"))
    driver.apply(Transferred(), after=20)
    assert driver.effects[-1] == Finished(Outcome("transfer", ok=True, result="done"), "transfer")


def test_a_caller_who_cannot_be_transferred_is_still_there() -> None:
    driver = LineDriver(transfer()).apply(KeyDown("1")).apply(TransferFailed(486, "busy"), after=20)
    assert driver.effects[-1] == Finished(Outcome("transfer", ok=False, result="system", why="busy", status=486))


def test_a_transfer_is_not_waited_for_for_ever() -> None:
    driver = LineDriver(transfer()).wait(89)
    assert not driver.over
    driver.wait(2)
    assert driver.outcome == Outcome("transfer", ok=False, result="system", why="nobody answered")


@pytest.mark.parametrize("signal", [CallerLeft(), Trouble(), KeyDown("1"), PromptEnded(), Transferred()])
def test_nothing_happens_after_the_end(signal: KeyDown) -> None:
    driver = LineDriver(HangUp("bye"))
    line = driver.line
    assert driver.apply(signal).line == line
    assert driver.names() == ["Finished"]


def test_a_caller_who_leaves_fails_what_is_running() -> None:
    driver = LineDriver(WELCOME, menu()).apply(CallerLeft(), after=1)
    assert driver.names()[-2:] == ["PromptStopped", "Finished"]
    assert driver.effects[-1] == Finished(Outcome("welcome", ok=False, result="left"), "left")


@pytest.mark.parametrize("kind", ["system", "unknown"])
def test_a_broken_line_fails_what_is_running(kind: Literal["system", "unknown"]) -> None:
    assert LineDriver(menu()).hear_out().apply(Trouble(kind)).outcome == Outcome("menu", ok=False, result=kind)


# --- interrupting ----------------------------------------------------------------------------------------------------


def test_a_key_interrupts_the_prompt() -> None:
    driver = LineDriver(menu()).press("2")
    assert driver.names() == ["PromptStarted", "Listening", "PromptStopped", "Finished"]
    assert driver.outcome.choice == "help"


def test_a_voice_interrupts_the_prompt_before_its_words_are_known() -> None:
    driver = LineDriver(menu()).apply(VoiceSignal(active=True), after=1)
    assert driver.names()[-1] == "PromptStopped"
    driver.apply(VoiceSignal(active=False), after=1).apply(WordsUnderstood("sales"), after=0.3)
    assert driver.outcome.result == "speech"


def test_a_voice_does_not_interrupt_a_menu_of_keys() -> None:
    assert LineDriver(menu(HELP)).apply(VoiceSignal(active=True)).names() == ["PromptStarted", "Listening"]


def test_a_prompt_that_may_not_be_interrupted_swallows_keys_and_words() -> None:
    driver = (
        LineDriver(menu(barge_in=False))
        .press("1")
        .apply(VoiceSignal(active=True), WordsUnderstood("sales"), VoiceSignal(active=False))
    )
    assert driver.names() == ["PromptStarted"]
    assert driver.hear_out().names()[-1] == "Listening"


def test_keys_are_ignored_in_a_menu_of_words() -> None:
    driver = LineDriver(menu(Choice("sales", None, ("sales",)))).press("1").hear_out().press("1")
    assert not driver.over
    assert driver.apply(WordsUnderstood("sales")).outcome.choice == "sales"


# --- choices ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", ["sales", "Sales!", "  SALES ", "Buy something."])
def test_words_are_matched_as_they_are_heard(words: str) -> None:
    assert LineDriver(menu()).hear_out().apply(WordsUnderstood(words)).outcome.choice == "sales"


def test_spelling_decides_between_words_that_sound_the_same() -> None:
    driver = LineDriver(menu(Choice("one", None, ("Yes",)), Choice("two", None, ("yes",)))).hear_out()
    assert driver.apply(WordsUnderstood("yes")).outcome.choice == "two"


def test_other_words_change_nothing_and_end_in_silence() -> None:
    driver = LineDriver(menu()).hear_out().apply(WordsUnderstood("weather"), after=1)
    assert driver.wait(3.9).over is False
    assert driver.wait(0.1).outcome == Outcome("menu", ok=False, result="silence")


def test_a_wrong_key_fails_at_once() -> None:
    assert LineDriver(menu()).hear_out().press("9").outcome == Outcome("menu", ok=False, result="wrong key")


def test_a_key_that_is_never_let_go_is_a_pause() -> None:
    driver = LineDriver(menu(), choice_pause=2.0).hear_out().apply(KeyDown("1"))
    assert driver.wait(1.9).over is False
    assert driver.wait(0.1).outcome == Outcome("menu", ok=False, result="pause")


def test_silence_counts_from_the_end_of_the_prompt() -> None:
    driver = LineDriver(menu(silence=2.0)).wait(60).hear_out()
    assert driver.wait(1.9).over is False
    assert driver.wait(0.1).outcome.result == "silence"


def test_a_key_at_the_deadline_is_too_late() -> None:
    assert LineDriver(menu(silence=2.0)).hear_out().apply(KeyDown("1"), after=2.0).outcome.result == "silence"


def test_somebody_who_is_speaking_is_heard_out() -> None:
    driver = LineDriver(menu(silence=2.0)).hear_out().apply(VoiceSignal(active=True), after=1.5).wait(3)
    assert driver.over is False
    assert driver.apply(VoiceSignal(active=False)).apply(WordsUnderstood("sales"), after=0.5).outcome.choice == "sales"


def test_a_noise_that_does_not_end_is_not_waited_for_for_ever() -> None:
    driver = LineDriver(menu(silence=2.0)).hear_out().apply(VoiceSignal(active=True))
    assert driver.wait(16.9).over is False
    assert driver.wait(0.1).outcome.result == "silence"


# --- digits ----------------------------------------------------------------------------------------------------------


def test_a_stop_tone_ends_the_keys_and_is_not_one_of_them() -> None:
    assert LineDriver(digits()).press("42#").outcome == Outcome("digits", ok=True, result="terminator", keys="42")


def test_a_stop_tone_alone_ends_the_keys_and_is_no_success() -> None:
    assert LineDriver(digits()).press("#").outcome == Outcome("digits", ok=False, result="terminator")


def test_a_stop_tone_that_is_held_alone_is_no_success_either() -> None:
    assert LineDriver(digits(pause=2.0)).apply(KeyDown("#")).wait(2.0).outcome == Outcome(
        "digits", ok=False, result="terminator"
    )


def test_what_follows_a_question_is_skipped_after_a_stop_tone_alone() -> None:
    driver = LineDriver(digits(), HangUp("bye")).press("#")
    assert driver.outcome.op == "digits"


def test_as_many_keys_as_are_wanted_end_them() -> None:
    assert LineDriver(digits(3)).press("123456").outcome == Outcome("digits", ok=True, result="count", keys="123")


def test_a_pause_ends_the_keys() -> None:
    driver = LineDriver(digits(pause=2.0)).hear_out().press("42")
    assert driver.wait(1.9).over is False
    assert driver.wait(0.1).outcome == Outcome("digits", ok=True, result="pause", keys="42")


def test_a_key_that_is_held_counts_when_the_pause_is_over() -> None:
    driver = LineDriver(digits(pause=2.0)).press("4").apply(KeyDown("2"), after=1)
    assert driver.wait(2.0).outcome == Outcome("digits", ok=True, result="pause", keys="42")


def test_a_second_key_lets_go_of_the_first() -> None:
    driver = (
        LineDriver(digits()).apply(KeyDown("4")).apply(KeyDown("2"), after=0.1).apply(KeyUp(), after=0.1).press("#")
    )
    assert driver.outcome.keys == "42"


def test_no_key_at_all_is_silence() -> None:
    assert LineDriver(digits()).hear_out().wait(5).outcome == Outcome("digits", ok=False, result="silence")


# --- recording -------------------------------------------------------------------------------------------------------


def test_a_recording_begins_after_the_beep_and_keys_before_it_are_lost() -> None:
    driver = LineDriver(record()).press("#")
    assert driver.names() == ["PromptStarted"]
    assert isinstance(driver.effects[0], PromptStarted)
    assert driver.effects[0].beep
    assert driver.hear_out().names()[-2:] == ["Listening", "RecordingStarted"]


def test_silence_after_speech_ends_a_recording() -> None:
    driver = (
        LineDriver(record(silence=2.0))
        .hear_out()
        .apply(VoiceSignal(active=True), after=1)
        .apply(VoiceSignal(active=False), after=4)
    )
    assert driver.wait(1.9).over is False
    assert driver.wait(0.5).outcome == Outcome("record", ok=True, result="spoken", seconds=7.0)


def test_a_pause_between_words_does_not_end_a_recording() -> None:
    driver = LineDriver(record(silence=2.0)).hear_out()
    for active in (True, False, True, False):
        driver.apply(VoiceSignal(active=active), after=1.5)
    assert driver.over is False


def test_a_stop_tone_ends_a_recording_when_it_begins() -> None:
    driver = LineDriver(record()).hear_out().apply(VoiceSignal(active=True)).apply(KeyDown("#"), after=2.5)
    assert driver.outcome == Outcome("record", ok=True, result="terminator", seconds=2.5)


def test_other_keys_do_not_end_a_recording() -> None:
    assert LineDriver(record()).hear_out().press("123").over is False


def test_the_longest_recording_is_exactly_that_long() -> None:
    driver = LineDriver(record(longest=10)).hear_out().apply(VoiceSignal(active=True)).wait(11)
    assert driver.outcome == Outcome("record", ok=True, result="limit", seconds=10.0)


def test_a_recording_in_which_nothing_is_said_fails() -> None:
    assert LineDriver(record()).hear_out().wait(5).outcome == Outcome("record", ok=False, result="silence")


def test_what_was_said_before_the_caller_left_is_a_recording() -> None:
    driver = LineDriver(record()).hear_out().apply(CallerLeft(), after=0.476)
    assert driver.outcome.ok
    assert driver.outcome.result == "left"
    assert driver.outcome.seconds == pytest.approx(0.476)


def test_a_caller_who_is_speaking_already_is_recorded_as_speaking() -> None:
    driver = LineDriver(record()).apply(VoiceSignal(active=True)).hear_out().wait(6)
    assert driver.over is False
    assert driver.apply(VoiceSignal(active=False)).wait(2).outcome.result == "spoken"


def test_without_prompt_and_beep_recording_begins_at_once() -> None:
    assert LineDriver(replace(record(beep=False), prompt=())).names() == ["Listening", "RecordingStarted"]


def test_a_menu_without_a_prompt_listens_at_once() -> None:
    assert LineDriver(replace(menu(SALES), prompt=())).names() == ["Listening"]


def test_a_recording_that_is_left_as_it_begins_ends_all_the_same() -> None:
    driver = LineDriver(record(beep=False)).hear_out().apply(CallerLeft())
    assert driver.names()[-2:] == ["RecordingEnded", "Finished"]
    assert driver.outcome == Outcome("record", ok=False, result="left")
