"""What we write: each command as its verbs, nothing that jambonz does not know, and always a next step."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ivr.channels.jambonz.prompts import speakable
from ivr.engine.commands import (
    Answer,
    Audio,
    Choice,
    DigitInput,
    HangUp,
    LineCommand,
    Play,
    Recognize,
    Record,
    Recorded,
    Reject,
    Silence,
    Text,
    Transfer,
)
from tests.jambonz.jambonz_documents import MENU, digits, menu, said, verbs
from tests.jambonz.vendor_judges import complaints, needs_node, needs_packages, schema_complaints

ENGLISH = {"vendor": "default", "language": "en-US", "gender": "FEMALE"}
STEP = "https://ivr.example/jambonz/step?t="


def gather(*commands: LineCommand) -> dict[str, Any]:
    return next(verb for verb in verbs(*commands) if verb["verb"] == "gather")


# --- what each command becomes ---


def test_a_prompt_is_spoken_in_its_language_and_the_next_step_is_asked_for() -> None:
    assert verbs(Answer("1.0"), Play("1.1", (said("Hello."),))) == [
        {"verb": "answer"},
        {"verb": "say", "text": "Hello.", "synthesizer": ENGLISH},
        {"verb": "redirect", "actionHook": STEP + "1.1"},
    ]


def test_neighbours_of_one_voice_are_one_text_and_pauses_have_fractions() -> None:
    prompt = (said("One."), said("Two."), Silence(350), Text("Drei.", "male", "de-DE"), Audio(asset="a" * 64))
    heard = verbs(Play("1.0", prompt))[:-1]
    assert [(verb["verb"], verb.get("text") or verb.get("length") or verb.get("url")) for verb in heard] == [
        ("say", "One. Two."),
        ("pause", 0.35),
        ("say", "Drei."),
        ("play", f"https://ivr.example/media/{'a' * 64}.wav"),
    ]
    assert heard[2]["synthesizer"] == {"vendor": "default", "language": "de-DE", "gender": "MALE"}


def test_a_menu_takes_one_key_or_words_while_its_prompt_is_heard() -> None:
    assert verbs(menu(initial_silence=7.5)) == [
        {
            "verb": "gather",
            "actionHook": STEP + "1.1",
            "input": ["digits", "speech"],
            "numDigits": 1,
            "minDigits": 1,
            "timeout": 7.5,
            "dtmfBargein": True,
            "bargein": True,
            "recognizer": {"vendor": "default", "language": "en-US", "hints": ["sales", "the shop", "support"]},
            "say": {"text": "Press 1 or say sales.", "synthesizer": ENGLISH},
        },
        {"verb": "redirect", "actionHook": STEP + "1.1"},
    ]


def test_digits_have_their_own_timers_and_one_key_that_ends_them() -> None:
    asked = gather(digits(maximum=6, terminators="#*"))
    assert (asked["input"], asked["maxDigits"], asked["finishOnKey"]) == (["digits"], 6, "#")
    assert (asked["minDigits"], asked["interDigitTimeout"], asked["timeout"]) == (1, 2.0, 5.0)
    assert not {"recognizer", "bargein", "numDigits"} & asked.keys()


def test_a_value_that_may_be_said_is_listened_for_without_hints() -> None:
    asked = gather(Recognize("1.0", (said("How many?"),), digits=DigitInput(1, 2, "", 2.0), free="number"))
    assert asked["input"] == ["digits", "speech"]
    assert asked["recognizer"] == {"vendor": "default", "language": "en-US"}


def test_choices_of_several_keys_wait_for_the_next_one() -> None:
    choices = (Choice("four", "4"), Choice("answer", "42", ("the answer",)))
    asked = gather(Recognize("1.0", (), choices=choices, inter_digit=2.5, terminators="#"))
    assert (asked["maxDigits"], asked["interDigitTimeout"], asked["finishOnKey"]) == (2, 2.5, "#")


def test_a_prompt_that_may_not_be_interrupted_is_played_before_the_question() -> None:
    spoken, asked, _ = verbs(menu(barge_in=False))
    assert spoken["verb"] == "say"
    assert "say" not in asked
    assert (asked["dtmfBargein"], asked["bargein"], asked["listenDuringPrompt"]) == (False, False, False)


@pytest.mark.parametrize(("by_key", "by_word"), [(True, False), (False, True)])
def test_a_prompt_that_one_of_the_two_may_interrupt_stays_in_the_question(by_key: bool, by_word: bool) -> None:
    asked = gather(menu(barge_in=by_key, barge_in_speech=by_word))
    assert (asked["dtmfBargein"], asked["bargein"], "say" in asked) == (by_key, by_word, True)


def test_of_a_prompt_of_several_parts_the_last_one_can_be_interrupted() -> None:
    prompt = (Audio(asset="a" * 64), said("Press 1."), Silence(2000))
    played, asked, _ = verbs(Recognize("1.0", prompt, choices=MENU))
    assert played["verb"] == "play"
    assert asked["say"]["text"] == "Press 1."
    assert asked["timeout"] == 5.0 + 2.0, "a pause at the end is time in which the caller can answer"


def test_a_question_of_files_plays_them_inside() -> None:
    prompt = (Audio(url="https://a.example/1.wav"), Recorded("r.wav"))
    assert gather(Recognize("1.0", prompt, choices=MENU))["play"] == {
        "url": ["https://a.example/1.wav", "https://ivr.example/recordings/r.wav"]
    }


def test_a_timeout_is_never_zero_which_would_be_for_ever() -> None:
    assert gather(menu(initial_silence=0.0))["timeout"] > 0


def test_a_recording_is_a_stream_to_us() -> None:
    record = Record("1.2", (said("After the beep."),), max_duration=30.0, max_silence=2.0, terminators="#")
    assert verbs(record)[1:] == [
        {
            "verb": "listen",
            "url": "wss://ivr.example/jambonz/listen/1.2",
            "actionHook": STEP + "1.2",
            "mixType": "mono",
            "sampleRate": 8000,
            "playBeep": True,
            "passDtmf": True,
            "maxLength": 40,
            "bidirectionalAudio": {"enabled": False},
        },
        {"verb": "redirect", "actionHook": STEP + "1.2"},
    ]


def test_nothing_follows_a_call_that_ends() -> None:
    assert verbs(Play("1.0", (said("Bye."),)), HangUp("1.1"))[-1] == {"verb": "hangup"}
    assert verbs(Reject("1.0")) == [{"verb": "sip:decline", "status": 603, "reason": "Decline"}]


def test_a_transfer_rings_a_number_or_an_address() -> None:
    number, _ = verbs(Transfer("1.0", "tel:+4312345", timeout=20.0))
    assert (number["target"], number["timeout"]) == ([{"type": "phone", "number": "+4312345"}], 20.0)
    address, _ = verbs(Transfer("1.0", "sip:desk@pbx.example", whisper="Ann"))
    assert address["target"] == [{"type": "sip", "sipUri": "sip:desk@pbx.example"}]
    assert (address["timeout"], address["confirmHook"]) == (30.0, "https://ivr.example/jambonz/whisper?w=Ann")


def test_a_transfer_can_be_left_to_the_callers_own_line() -> None:
    assert verbs(Transfer("1.0", "sip:desk@pbx.example"), refers=True) == [
        {"verb": "sip:refer", "referTo": "sip:desk@pbx.example", "actionHook": STEP + "1.0"},
        {"verb": "redirect", "actionHook": STEP + "1.0"},
    ]


# --- hostile texts ---


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("<speak>hello</speak>", "speak hello /speak"),
        ("silence_stream://99999999", "99999999"),
        ("{loops=100}tone_stream://x", "loops=100 tone_stream://x"),
        ("file:https://evil.example/a.wav", "evil.example/a.wav"),
        ("  line\x00 one\nline two ", "line one line two"),
        ("half \ud83d of a pair", "half of a pair"),
    ],
)
def test_a_text_is_never_an_order_to_the_platform(text: str, spoken: str) -> None:
    assert speakable(text) == spoken


@given(st.text(max_size=60))
def test_no_text_begins_as_an_order(text: str) -> None:
    plain = speakable(text)
    assert not plain.lower().startswith(("<", "{", "silence_stream:", "tone_stream:", "say:", "file:", "http"))
    assert speakable(plain) == plain


# --- the vendor's judgement ---

SEGMENTS = st.one_of(
    st.builds(Text, st.text(min_size=1, max_size=20), st.sampled_from(("male", "female")), st.just("en-GB")),
    st.builds(Silence, st.integers(0, 5000)),
    st.builds(lambda name: Audio(asset=name), st.text("0123456789abcdef", min_size=64, max_size=64)),
)
PROMPTS = st.lists(SEGMENTS, max_size=4).map(tuple)
SECONDS = st.floats(0.5, 60.0)
CHOICES = st.lists(
    st.builds(Choice, st.just("a"), st.sampled_from((None, "1", "42", "#")), st.just(("yes", "ja"))),
    min_size=1,
    max_size=3,
).map(tuple)
COMMANDS: st.SearchStrategy[LineCommand] = st.one_of(
    st.builds(Play, st.just("1.1"), PROMPTS),
    st.builds(
        Recognize,
        st.just("1.1"),
        PROMPTS,
        choices=CHOICES,
        barge_in=st.booleans(),
        barge_in_speech=st.sampled_from((None, True, False)),
        initial_silence=st.none() | SECONDS,
        inter_digit=st.none() | SECONDS,
    ),
    st.builds(
        Recognize,
        st.just("1.1"),
        PROMPTS,
        digits=st.builds(DigitInput, st.just(1), st.integers(1, 20), st.sampled_from(("", "#", "*#")), SECONDS),
        free=st.sampled_from((None, "number")),
    ),
    st.builds(
        Record,
        st.just("1.1"),
        PROMPTS,
        max_duration=SECONDS,
        max_silence=SECONDS,
        terminators=st.sampled_from(("", "#", "0123456789*#")),
        beep=st.booleans(),
    ),
    st.builds(Transfer, st.just("1.1"), st.sampled_from(("tel:+431", "sip:a@b")), whisper=st.none() | st.text()),
    st.just(HangUp("1.1")),
    st.just(Reject("1.1")),
)


@needs_packages
@settings(max_examples=300, deadline=None)
@given(COMMANDS, st.booleans())
def test_the_vendors_schemas_have_nothing_against_any_document(command: LineCommand, refers: bool) -> None:
    assert schema_complaints(verbs(Answer("1.0"), command, refers=refers)) == []


@needs_packages
@settings(max_examples=100, deadline=None)
@given(COMMANDS)
def test_keys_are_never_asked_for_without_the_least_number_that_starts_the_timer(command: LineCommand) -> None:
    for verb in verbs(command):
        if "digits" in verb.get("input", ()):
            assert verb["minDigits"] == 1
            assert verb["timeout"] > 0


@needs_node
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(COMMANDS, min_size=150, max_size=150), st.booleans())
def test_the_feature_server_would_run_every_document(commands: list[LineCommand], refers: bool) -> None:
    """By its own check, which refuses a property that it does not know."""
    documents = [{"verbs": verbs(Answer("1.0"), command, refers=refers)} for command in commands]
    assert set(complaints(documents)) == {None}


@needs_node
def test_the_judges_would_see_a_mistake() -> None:
    wrong = [{"verb": "gather", "minDigit": 1}], [{"verb": "listen"}], [{"verb": "shout"}]
    assert None not in complaints([{"verbs": document} for document in wrong])
    assert schema_complaints([{"verb": "gather", "input": ["voice"]}, {"verb": "redirect"}]) != []
