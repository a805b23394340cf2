"""Commands as documents: what callers hear, what they can interrupt, how long they are waited for."""

import re
from typing import Any
from xml.etree.ElementTree import Element, fromstring, tostring

import pytest
from hypothesis import given, settings
from twilio.twiml import TwiMLException
from twilio.twiml import voice_response as vendor

from ivr.channels.twiml import PROFILES, wire
from ivr.channels.twiml.xml_text import xml_text
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
from tests.channels.orders import WORDS, batches
from tests.twiml.twiml_line import CALL, PUBLIC, Line, query, verb

OF_TWIML = [name for name, profile in PROFILES.items() if profile.twiml is not None]
HELLO = Text("Hello & welcome.", "female", "en-US")
MENU = Recognize("1.2", (HELLO,), choices=(Choice("sales", "1", ("sales", "the sales, please")), Choice("two", "2")))
DIGITS = Recognize("1.2", (HELLO,), digits=DigitInput(1, 5, "*#", 2.5), initial_silence=8.0)
RECORD = Record("1.2", (HELLO,), 60.0, 3.0, "#*A", True, 5.0)


def shown(root: Element) -> list[tuple[str, dict[str, str]]]:
    """Return the verbs of a document with their attributes, addresses by their path."""
    return [(one.tag, {name: re.sub(r"\?.*", "", value) for name, value in one.attrib.items()}) for one in root]


def test_a_prompt_is_spoken_and_the_carrier_comes_back() -> None:
    root = Line().says(Answer("1.0"), Play("1.1", (HELLO, Audio(asset="a" * 64), Recorded("r.wav"))))
    assert [one.tag for one in root] == ["Say", "Play", "Play", "Redirect"]
    say, asset, recorded, redirect = root
    assert (say.text, say.attrib) == ("Hello & welcome.", {"voice": "Polly.Joanna", "language": "en-US"})
    assert (asset.text, recorded.text) == (f"{PUBLIC}/media/{'a' * 64}.wav", f"{PUBLIC}/recordings/r.wav")
    assert redirect.text is not None
    assert redirect.text.startswith(f"{PUBLIC}/twilio/step?c={CALL}&t=step.1.1")
    assert redirect.get("method") == "POST"


def test_an_answer_alone_is_followed_by_the_next_step() -> None:
    assert [one.tag for one in Line().says(Answer("1.0"))] == ["Redirect"]


def test_a_menu_is_asked_by_keys_and_words() -> None:
    root = Line().says(MENU)
    assert shown(root) == [
        (
            "Gather",
            {
                "input": "dtmf speech",
                "action": f"{PUBLIC}/twilio/step",
                "method": "POST",
                "actionOnEmptyResult": "true",
                "numDigits": "1",
                "timeout": "5",
                "finishOnKey": "",
                "bargeIn": "true",
                "language": "en-US",
                "hints": "sales,the sales please",
                "speechTimeout": "auto",
                "profanityFilter": "false",
            },
        )
    ]
    assert [one.tag for one in verb(root, "Gather")] == ["Say"]


def test_keys_have_one_end_key_and_the_first_may_take_its_time() -> None:
    gather = verb(Line().says(DIGITS), "Gather")
    assert {name: gather.get(name) for name in ("numDigits", "timeout", "finishOnKey", "hints", "bargeIn")} == {
        "numDigits": "5", "timeout": "3", "finishOnKey": "*", "hints": None, "bargeIn": None,
    }  # fmt: skip
    assert [(one.tag, one.get("length")) for one in gather] == [("Say", None), ("Pause", "5")]


@pytest.mark.parametrize(("name", "timeout"), [("telnyx", "8"), ("signalwire", "8")])
def test_where_a_pause_does_not_help_the_longer_time_counts_for_both(name: str, timeout: str) -> None:
    gather = verb(Line(name).says(DIGITS), "Gather")
    assert gather.get("timeout") == timeout
    assert [one.tag for one in gather] == ["Say"]


def test_a_carrier_that_does_not_tell_of_silence_is_sent_on() -> None:
    root = Line("telnyx").says(DIGITS)
    assert [one.tag for one in root] == ["Gather", "Redirect"]
    assert "actionOnEmptyResult" not in root[0].attrib
    assert query(root[1].text or "")["t"].startswith("step.1.2.empty~")


KEYS_ONLY = Recognize("1.2", (HELLO,), choices=(Choice("one", "1"),))
WORDS_ONLY = Recognize("1.2", (HELLO,), choices=(Choice("one", None, ("one",)),))


@pytest.mark.parametrize(
    ("question", "keys", "words", "nested", "attribute"),
    [
        (KEYS_ONLY, True, None, True, None),
        (KEYS_ONLY, False, None, False, None),
        (WORDS_ONLY, True, None, True, "true"),
        (WORDS_ONLY, True, False, False, "false"),
        (WORDS_ONLY, False, True, True, "true"),
        (MENU, True, False, True, "false"),
        (MENU, False, None, False, "false"),
        (MENU, False, True, False, "true"),  # keys would interrupt, too
    ],
)
def test_what_may_interrupt_a_prompt(
    question: Recognize, keys: bool, words: bool | None, nested: bool, attribute: str | None
) -> None:
    changed = Recognize(question.op, question.prompt, question.choices, barge_in=keys, barge_in_speech=words)
    root = Line().says(changed)
    assert [one.tag for one in root] == (["Gather"] if nested else ["Say", "Gather"])
    assert [one.tag for one in verb(root, "Gather")] == (["Say"] if nested else [])
    assert verb(root, "Gather").get("bargeIn") == attribute


def test_who_speaks_during_the_pause_is_heard_or_there_is_none() -> None:
    asked: dict[str, Any] = {"choices": (Choice("a", "42", ("a",)),), "inter_digit": 2.0, "terminators": "#"}
    for by_voice, pauses in ((True, 1), (False, 0)):
        gather = verb(Line().says(Recognize("1.2", (), **asked, barge_in_speech=by_voice)), "Gather")
        assert len(gather.findall("Pause")) == pauses
        assert (gather.get("numDigits"), gather.get("finishOnKey")) == ("2", "#")


def test_a_recording_is_followed_by_an_address_that_means_silence() -> None:
    root = Line().says(RECORD)
    assert shown(root)[1:] == [
        (
            "Record",
            {
                "action": f"{PUBLIC}/twilio/step",
                "method": "POST",
                "maxLength": "60",
                "timeout": "5",
                "finishOnKey": "#*",
                "playBeep": "true",
                "trim": "do-not-trim",
                "recordingStatusCallback": f"{PUBLIC}/twilio/recording",
                "recordingStatusCallbackMethod": "POST",
                "recordingStatusCallbackEvent": "completed absent",
            },
        ),
        ("Redirect", {"method": "POST"}),
    ]
    assert query(root[2].text or "")["t"].startswith("step.1.2.empty~")


def test_telnyx_counts_silence_after_speech_alone_and_records_one_channel() -> None:
    record = verb(Line("telnyx").says(RECORD), "Record")
    assert (record.get("timeout"), record.get("channels"), record.get("trim")) == ("3", "single", None)


@pytest.mark.parametrize(("longest", "written"), [(0.5, "2"), (2.2, "3"), (90_000.0, "14400")])
def test_a_recording_has_a_length_that_carriers_take(longest: float, written: str) -> None:
    assert verb(Line().says(Record("1.2", (), longest, 1.0, "")), "Record").get("maxLength") == written


@pytest.mark.parametrize(
    ("target", "noun", "callee"),
    [
        ("tel:+43123456", "Number", "+43123456"),
        ("tel:123;phone-context=example.com", "Number", "123"),
        ("sip:desk@pbx.example", "Sip", "sip:desk@pbx.example"),
        ("SIPS:desk@pbx.example", "Sip", "sip:desk@pbx.example;transport=tls"),
    ],
)
def test_a_caller_is_connected_by_number_or_address(target: str, noun: str, callee: str) -> None:
    dial = verb(Line().says(Transfer("1.2", target, 20.5)), "Dial")
    assert (dial.get("timeout"), dial[0].tag, dial[0].text) == ("21", noun, callee)
    assert dial[0].get("url") is None
    assert (dial[0].get("statusCallback") or "").startswith(f"{PUBLIC}/twilio/dialled?")


def test_whoever_takes_a_transfer_is_told_of_the_caller_in_the_language_of_the_call() -> None:
    line = Line()
    line.says(Play("1.1", (Text("Guten Tag", "male", "de-DE"),)))
    dial = verb(line.says(Transfer("1.2", "tel:+43123456", None, "A caller & more")), "Dial")
    told = line.post(dial[0].get("url") or "", {"CallSid": "CAother", "ParentCallSid": CALL})
    assert told.events == ()
    assert told.reply is not None
    (say,) = fromstring(told.reply.body.decode())
    assert (say.text, say.get("voice")) == ("A caller & more", "Polly.Hans")


def test_ends_of_calls() -> None:
    assert shown(Line().says(Reject("1.0"))) == [("Reject", {"reason": "busy"})]
    assert [one.tag for one in Line().says(Play("1.1", (HELLO,)), HangUp("1.2"))] == ["Say", "Hangup"]
    reply = Line().channel.nothing("commands")
    assert reply.body == b'<?xml version="1.0" encoding="UTF-8"?><Response/>'
    assert Line().channel.nothing("ack").status == 204
    assert list(Line().says()) == []


def test_pauses_are_as_long_as_they_are_and_answer_the_call() -> None:
    root = Line().says(Answer("1.0"), Play("1.1", (Silence(350), Silence(12_000))))
    assert [tostring(one, "unicode").strip() for one in root][:3] == [
        f'<Say voice="Polly.Joanna"><break time="{time}ms" /></Say>' for time in (350, 10_000, 2_000)
    ]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (Text("42", "male", "en-US", "ordinal"), '<say-as interpret-as="ordinal">42</say-as>'),
        (Text("1 2", "male", "en-US", "monthDay"), '<say-as interpret-as="date" format="md">1 2</say-as>'),
        (Text("now", "male", "en-US", None, True), '<emphasis level="strong">now</emphasis>'),
        (
            Text("42", "male", "en-US", "letters", True),
            '<emphasis level="strong"><say-as interpret-as="characters">42</say-as></emphasis>',
        ),
        (Text("Ann", "male", "en-US", "name"), "Ann"),
    ],
)
def test_how_a_text_is_read(text: Text, written: str) -> None:
    say = verb(Line().says(Play("1.1", (text,))), "Say")
    assert tostring(say, "unicode") == f'<Say voice="Polly.Matthew" language="en-US">{written}</Say>'


def test_a_language_without_a_voice_is_left_to_the_carrier() -> None:
    assert verb(Line().says(Play("1.1", (Text("qapla'", "male", "tlh"),))), "Say").attrib == {}


# --- whatever is ordered ---------------------------------------------------------------------------------------------


@given(WORDS)
def test_a_hostile_text_stays_a_text(words: str) -> None:
    written = xml_text(wire.Response((wire.Say(words, voice=words),)))
    (say,) = fromstring(written)
    allowed = "".join(sign for sign in words if re.match("[\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", sign))
    assert (say.text or "") == allowed
    assert say.get("voice") == allowed


@given(batches())
@settings(max_examples=200, deadline=None)
def test_the_vendor_s_own_library_nests_whatever_is_ordered_the_same(commands: tuple[LineCommand, ...]) -> None:
    for name in OF_TWIML:
        root = Line(name).says(*commands)
        again = vendor.VoiceResponse()
        for one in root:
            _append(again, one)
        assert fromstring(again.to_xml()).tag == "Response"
        assert [one.tag for one in fromstring(again.to_xml())] == [one.tag for one in root]


@given(batches())
@settings(max_examples=200, deadline=None)
def test_no_document_ends_a_call_that_goes_on(commands: tuple[LineCommand, ...]) -> None:
    for name in OF_TWIML:
        last = Line(name).says(*commands)[-1]
        if not isinstance(commands[-1], HangUp | Reject):
            assert last.get("action") or last.tag == "Redirect"


_METHODS = {"Say": "say", "Play": "play", "Pause": "pause", "Gather": "gather", "Record": "record", "Dial": "dial",
            "Redirect": "redirect", "Reject": "reject", "Hangup": "hangup", "Number": "number", "Sip": "sip",
            "break": "break_", "emphasis": "emphasis", "say-as": "say_as"}  # fmt: skip


def _append(parent: Any, element: Element) -> None:
    """Build an element by the vendor's library, which knows what may stand in what."""
    method = getattr(parent, _METHODS[element.tag], None)
    if method is None:
        raise TwiMLException(f"{element.tag} cannot stand in {type(parent).__name__}")
    texts = [element.text] if element.text and element.tag not in {"Gather", "Dial"} else []
    attributes = {name.replace("-", "_"): value for name, value in element.attrib.items()}
    if element.tag == "Say" and len(element):
        texts = []
    made = method(*texts, **attributes)
    for one in element:
        _append(made, one)
