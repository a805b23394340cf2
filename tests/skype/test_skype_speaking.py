"""What we write: the published replies, nothing that is not needed, and never what the strict level refuses."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.channels.skype import wire
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
    Reject,
    Segment,
    Silence,
    Text,
)
from ivr.ports import Leg, WebhookReply
from ivr.spoken_text import divided, utf16_units
from tests.skype.skype_line import CALLBACK, CHANNEL, EXAMPLES, example
from tests.skype.wire_rules import refusals


def male(text: str) -> Text:
    return Text(text, "male", "en-US")


def spoken(*actions: LineCommand) -> Any:
    exchange = CHANNEL.speak(Leg(), actions, now=0.0)
    assert exchange.reply is not None
    assert (exchange.leg, exchange.events, exchange.outbound, exchange.wake) == (Leg(), (), (), None)
    assert (exchange.reply.status, exchange.reply.content_type) == (200, "application/json; charset=utf-8")
    return json.loads(exchange.reply.body)


def prompts_of(*segments: Segment) -> list[dict[str, Any]]:
    prompts: list[dict[str, Any]] = spoken(Play("1.0", segments))["actions"][0]["prompts"]
    return prompts


def anonymous(tree: Any) -> Any:
    """Replace what differs from call to call: operation ids and the callback address."""
    if isinstance(tree, dict):
        return {name: "…" if name in {"operationId", "callback"} else anonymous(item) for name, item in tree.items()}
    return [anonymous(item) for item in tree] if isinstance(tree, list) else tree


MENU = "If you want to report technical issues, press 1. You want to ask about our products, press 2."
REPLIES: dict[str, tuple[LineCommand, ...]] = {
    "reply-answer": (Answer("1.0"),),
    "reply-answer-then-playPrompt": (Answer("1.0"), Play("1.1", (male("Welcome to test bot"),))),
    "reply-hangup": (HangUp("1.0"),),
    "reply-playPrompt-fileUri": (Play("1.0", (Audio(url="http://example.com/test.wma"),)),),
    "reply-recognize-dtmf": (Recognize("1.0", (male(MENU),), choices=(Choice("1", "1"), Choice("2", "2"))),),
    "reply-recognize-speech": (
        Recognize(
            "1.0",
            (male("Please answer yes or no."),),
            choices=(Choice("Yes", speech=("Yes", "Okay")), Choice("No", speech=("No", "None"))),
        ),
    ),
    "reply-record": (
        Record(
            "1.0",
            (male("What is your flight ?"),),
            max_duration=10.0,
            max_silence=2.0,
            terminators="#",
            initial_silence=5.0,
        ),
    ),
}


def test_every_published_reply_is_in_the_table() -> None:
    assert {path.stem for path in EXAMPLES.glob("reply*.json")} == set(REPLIES)


@pytest.mark.parametrize("name", REPLIES)
def test_a_published_reply_is_what_we_write(name: str) -> None:
    assert anonymous(spoken(*REPLIES[name])) == anonymous(example(name))


# --- what is written, and what is not --------------------------------------------------------------------------------


def test_no_actions_is_an_empty_answer() -> None:
    assert CHANNEL.speak(Leg(), (), now=0.0).reply == WebhookReply(200, b"")


def test_every_reply_says_where_to_report_to() -> None:
    reply = spoken(Reject("1.0"))
    assert reply["links"] == {"callback": CALLBACK}
    assert reply["notificationSubscriptions"] == ["callStateChange"]
    assert reply["actions"] == [{"action": "reject", "operationId": "1.0"}]


def test_operation_and_action_come_first_and_whole_numbers_are_integers() -> None:
    record = Record("1.0", (male("Go"),), 10.0, 2.0, "#")
    body = CHANNEL.speak(Leg(), (record,), now=0.0).reply
    assert body is not None
    assert b'"actions":[{"action":"record","operationId":"1.0","playPrompt":{"action":"playPrompt"' in body.body
    assert b'"maxDurationInSeconds":10,' in body.body


def test_a_question_without_a_prompt_has_none() -> None:
    (action,) = spoken(Recognize("1.0", (), choices=(Choice("a", "1"),), barge_in=False))["actions"]
    assert action == {
        "operationId": "1.0",
        "action": "recognize",
        "bargeInAllowed": False,
        "choices": [{"name": "a", "dtmfVariation": "1"}],
    }


def test_digits_are_collected_by_count_and_terminators() -> None:
    digits = DigitInput(minimum=2, maximum=4, terminators="#*", inter_digit=3.0)
    (action,) = spoken(Recognize("1.0", (male("Pin?"),), digits=digits, initial_silence=7.0))["actions"]
    assert action["collectDigits"] == {"maxNumberOfDtmfs": 4, "stopTones": ["#", "*"]}
    assert (action["interdigitTimeoutInSeconds"], action["initialSilenceTimeoutInSeconds"]) == (3, 7)
    assert action["playPrompt"]["operationId"] == "1.0.prompt"
    assert "choices" not in action


def test_what_the_wire_does_anyway_is_not_written() -> None:
    digits = DigitInput(minimum=1, maximum=1, terminators="", inter_digit=1.0)
    (asked,) = spoken(Recognize("1.0", (), digits=digits))["actions"]
    assert asked == {
        "operationId": "1.0",
        "action": "recognize",
        "bargeInAllowed": True,
        "collectDigits": {"maxNumberOfDtmfs": 1},
    }
    (recorded,) = spoken(Record("1.0", (), 180.0, 3.0, "", beep=False))["actions"]
    assert recorded == {
        "operationId": "1.0",
        "action": "record",
        "maxSilenceTimeoutInSeconds": 3,
        "playBeep": False,
    }


def test_what_the_author_wrote_is_written_though_it_is_the_default() -> None:
    (action,) = spoken(Record("1.0", (), 120.0, 3.0, "#", initial_silence=5.0, format="wma"))["actions"]
    assert (action["recordingFormat"], action["initialSilenceTimeoutInSeconds"]) == ("wma", 5)


def test_fractions_of_a_second_are_rounded_in_the_callers_favour() -> None:
    (action,) = spoken(Record("1.0", (), 10.5, 1.2, "#", initial_silence=2.5))["actions"]
    assert action["maxDurationInSeconds"] == 11
    assert action["maxSilenceTimeoutInSeconds"] == 2
    assert action["initialSilenceTimeoutInSeconds"] == 3


# --- prompts ---------------------------------------------------------------------------------------------------------


def test_texts_files_and_silences_become_prompts_in_order() -> None:
    assert prompts_of(
        Text("12", "female", "en-US", say_as="cardinal", emphasize=True),
        Audio(asset="ab" * 32, text="welcome"),
        Silence(500),
        Text("42", "male", "de", say_as="nonsense"),
    ) == [
        {"value": "12", "voice": "female", "emphasize": True, "sayAs": "cardinal"},
        {"fileUri": "https://ivr.example/media/" + "ab" * 32},
        {"silenceLengthInMilliseconds": 500},
        {"value": "42", "voice": "male", "culture": "de"},
    ]


def test_blank_texts_are_dropped_and_an_empty_prompt_is_a_moment_of_silence() -> None:
    silence = {"silenceLengthInMilliseconds": 1}
    assert prompts_of(male(" "), male("Hello"), male("\u2003\n")) == [{"value": "Hello", "voice": "male"}]
    assert prompts_of(male(""), male("\x00\ud800")) == [silence]
    assert prompts_of() == [silence]
    (action,) = spoken(Recognize("1.0", (male(" "),), choices=(Choice("a", "1"),)))["actions"]
    assert action["playPrompt"]["prompts"] == [silence]


def test_control_characters_and_halves_of_pairs_are_replaced() -> None:
    assert prompts_of(male("a\x00b\x1b[0m\nc\x85d\udc00e"))[0]["value"] == "a b [0m c d e"


def test_a_long_text_is_divided_at_sentence_ends() -> None:
    sentence = "word " * 199 + "end."
    pieces = [prompt["value"] for prompt in prompts_of(male(" ".join([sentence] * 5)))]
    assert pieces == [f"{sentence} {sentence}"] * 2 + [sentence]


@pytest.mark.parametrize(("language", "written"), [("en-US", None), ("EN-us", None), ("de-DE", "de-DE"), ("en", "en")])
def test_another_language_than_the_wires_own_is_written(language: str, written: str | None) -> None:
    menu = Recognize("1.0", (Text("Go?", "male", language),), (Choice("go", "1", ("go",)),), language=language)
    (asked,) = spoken(menu)["actions"]
    assert asked.get("culture") == asked["playPrompt"]["prompts"][0].get("culture") == written


def test_a_sentence_ends_after_its_quotation_marks() -> None:
    assert list(divided('He said: "Go." Then he went away', 20)) == ['He said: "Go."', "Then he went away"]


def test_a_long_text_without_sentences_is_divided_at_spaces_then_hard() -> None:
    assert list(divided("one two three", 9)) == ["one two", "three"]
    assert list(divided("abcdefghij", 4)) == ["abcd", "efgh", "ij"]
    assert list(divided("exactly", 7)) == ["exactly"]


def test_a_pair_is_never_cut_in_two() -> None:
    assert list(divided("a😀😀", 4)) == ["a😀", "😀"]


@given(st.text(st.sampled_from("ab. !😀")), st.integers(2, 9))
def test_nothing_but_space_is_lost_by_dividing(text: str, limit: int) -> None:
    folded = " ".join(text.split())
    pieces = list(divided(folded, limit))
    assert "".join(pieces).replace(" ", "") == folded.replace(" ", "")
    assert all(piece.strip() == piece and 0 < utf16_units(piece) <= limit for piece in pieces)


# --- whatever the engine orders --------------------------------------------------------------------------------------

WORDS = st.text(st.characters(exclude_categories=[]), max_size=40) | st.builds(
    lambda text, times: text * times, st.text(min_size=1, max_size=12), st.integers(200, 3000)
)
SEGMENTS = st.lists(
    st.builds(
        Text,
        WORDS,
        st.sampled_from(["male", "female"]),
        st.sampled_from(["en-US", "de"]),
        st.none() | st.sampled_from(["cardinal", "telephone", "nonsense"]),
        st.booleans(),
    )
    | st.builds(Audio, asset=st.text("0123456789abcdef", min_size=64, max_size=64))
    | st.builds(Audio, url=st.just("https://files.example/p.wma"))
    | st.builds(Silence, st.integers(1, 60_000)),
    max_size=8,
).map(tuple)
KEYS = st.text("0123456789*#ABCD", max_size=5).map(lambda keys: "".join(dict.fromkeys(keys)))
NAMES = st.from_regex(r"\A[a-z][A-Za-z0-9_]{0,9}\Z")
OPS = st.builds("{}.{}".format, st.integers(1, 200), st.integers(0, 9))


def seconds(low: int, high: int) -> st.SearchStrategy[float]:
    return st.floats(low, high) | st.integers(low, high).map(float)


@st.composite
def choices(draw: st.DrawFn) -> tuple[Choice, ...]:
    names = draw(st.lists(NAMES, min_size=1, max_size=12, unique=True))
    words = draw(st.lists(NAMES, min_size=len(names), max_size=len(names) * 5, unique=True))
    keys = draw(st.permutations("0123456789*#ABCD"))
    return tuple(
        Choice(name, keys[index] if draw(st.booleans()) else None, tuple(words[index :: len(names)]))
        for index, name in enumerate(names)
    )


DIGITS = st.builds(DigitInput, st.integers(0, 20), st.integers(1, 20), KEYS, seconds(1, 5))
SILENCE = st.none() | seconds(1, 30)
LAST = st.one_of(
    st.none(),
    st.builds(HangUp, OPS),
    st.builds(Recognize, OPS, SEGMENTS, choices(), st.none(), st.booleans(), SILENCE),
    st.builds(Recognize, OPS, SEGMENTS, st.just(()), DIGITS, st.booleans(), SILENCE),
    st.builds(
        Record,
        OPS,
        SEGMENTS,
        seconds(10, 600),
        seconds(1, 30),
        KEYS,
        st.booleans(),
        SILENCE,
        st.sampled_from([None, "wma", "wav", "mp3"]),
    ),
)


@st.composite
def batches(draw: st.DrawFn) -> tuple[LineCommand, ...]:
    """Make a reply as the engine puts it together (LANGUAGE C14), with anything in it that the language allows."""
    if draw(st.integers(0, 9)) == 0:
        return (Reject(draw(OPS)),)
    parts = (
        draw(st.none() | st.builds(Answer, OPS)),
        draw(st.none() | st.builds(Play, OPS, SEGMENTS)),
        draw(LAST),
    )
    return tuple(part for part in parts if part is not None) or (Answer("1.0"),)


@given(batches())
def test_whatever_the_engine_orders_passes_the_strict_level(actions: tuple[LineCommand, ...]) -> None:
    reply = spoken(*actions)
    assert refusals(wire.Workflow, reply, strict=True) == ()
    assert len(reply["actions"]) == len(actions)


def test_the_line_says_what_it_can() -> None:
    can = CHANNEL.can
    assert (can.push, can.recording, can.reply_within, can.reject) == (False, "with the event", 5.0, True)
    assert (can.terminators, can.speech, can.languages) == (5, True, frozenset({"en-US"}))
