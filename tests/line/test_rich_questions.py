"""What a question can ask of a line beyond Microsoft's: keys kept, interruption by kind, spoken values, long keys."""

import pytest
from msgspec.structs import replace

from ivr.engine.commands import Choice, Play, Recognize
from ivr.engine.events import ChoiceMade, InputInvalid, SpeechHeard
from ivr.line import (
    CallerLeft,
    KeyDown,
    KeyUp,
    Listening,
    PromptEnded,
    PromptStopped,
    VoiceSignal,
    WordsUnderstood,
)
from ivr.line.engine_events import events_of
from tests.line.line_driver import PROMPT, LineDriver, digits, menu

ROOMS = Recognize(
    "rooms",
    PROMPT,
    (Choice("one", "1"), Choice("north", "42"), Choice("south", "43"), Choice("hall", "4")),
    inter_digit=2.0,
    terminators="#",
)


def pressed(driver: LineDriver, keys: str) -> LineDriver:
    for key in keys:
        driver.apply(KeyDown(key), after=0.1)
        driver.apply(KeyUp(), after=0.1)
    return driver


@pytest.mark.parametrize(("keys", "choice"), [("42", "north"), ("43", "south"), ("1", "one"), ("4#", "hall")])
def test_a_choice_of_several_keys_is_made_by_all_of_them(keys: str, choice: str) -> None:
    driver = pressed(LineDriver(ROOMS), keys)
    assert events_of(ROOMS, driver.outcome, None) == (ChoiceMade("rooms", choice, "keys"),)


def test_where_more_keys_could_follow_the_pause_decides() -> None:
    driver = pressed(LineDriver(ROOMS), "4")
    assert not driver.line.over
    assert driver.wait(1.9).line.over is False
    assert driver.wait(0.2).outcome.choice == "hall"


@pytest.mark.parametrize("keys", ["9", "44", "1#"[1:]])
def test_keys_that_begin_no_choice_are_a_wrong_answer_at_once(keys: str) -> None:
    driver = pressed(LineDriver(ROOMS), keys)
    assert events_of(ROOMS, driver.outcome, None) == (InputInvalid("rooms"),)


def test_keys_pressed_in_a_prompt_before_a_question_that_keeps_them_answer_it_and_skip_its_prompt() -> None:
    driver = LineDriver(Play("hello", PROMPT), replace(menu(), type_ahead=True))
    pressed(driver, "1").apply(PromptEnded())
    assert driver.outcome.result == "key"
    assert sum(isinstance(effect, Listening) for effect in driver.effects) == 1


def test_keys_before_a_question_that_keeps_none_are_lost() -> None:
    driver = LineDriver(Play("hello", PROMPT), menu())
    pressed(driver, "1").apply(PromptEnded())
    assert not driver.line.over
    assert driver.line.typed == ""


def test_what_one_question_leaves_of_the_keys_is_there_for_the_next_one() -> None:
    asked = replace(digits(), type_ahead=True)
    driver = LineDriver(Play("hello", PROMPT), replace(menu(), type_ahead=True))
    pressed(driver, "1234#").apply(PromptEnded())
    assert driver.line.typed == "234#"
    following = LineDriver(asked, typed=driver.line.typed)
    assert (following.outcome.result, following.outcome.keys) == ("terminator", "234")


def test_keys_in_a_prompt_that_only_words_interrupt_wait_for_its_end() -> None:
    asked = replace(menu(), barge_in=False, barge_in_speech=True, type_ahead=True)
    driver = pressed(LineDriver(asked), "1")
    assert not driver.line.over
    assert driver.apply(PromptEnded()).outcome.result == "key"


def test_words_do_not_interrupt_a_prompt_that_only_keys_interrupt() -> None:
    asked = replace(menu(), barge_in_speech=False)
    driver = LineDriver(asked).apply(VoiceSignal(active=True)).apply(WordsUnderstood("help"))
    assert not any(isinstance(effect, PromptStopped) for effect in driver.effects)
    assert pressed(driver, "1").outcome.result == "key"


def test_a_value_is_said_where_words_count_beside_keys() -> None:
    asked = replace(digits(), free="number")
    driver = LineDriver(asked).apply(WordsUnderstood("forty two"))
    assert events_of(asked, driver.outcome, None) == (SpeechHeard("digits", "forty two"),)


def test_keys_count_where_words_do_too() -> None:
    assert pressed(LineDriver(replace(digits(), free="number")), "42#").outcome.keys == "42"


def test_once_keys_were_pressed_words_mean_nothing() -> None:
    driver = pressed(LineDriver(replace(digits(), free="number")), "4").apply(WordsUnderstood("forty two"))
    assert not driver.line.over
    assert driver.apply(CallerLeft()).outcome.result == "left"


def test_a_voice_that_is_heard_puts_off_the_end_of_the_silence() -> None:
    driver = LineDriver(replace(digits(), free="number")).apply(PromptEnded()).apply(VoiceSignal(active=True))
    assert driver.wait(8).line.over is False
    driver.apply(VoiceSignal(active=False)).apply(WordsUnderstood("forty two"), after=0.5)
    assert driver.outcome.words == "forty two"
