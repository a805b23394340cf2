"""Nothing of a document with a mistake is carried out, and each mistake is told with its place."""

import pytest

from ivr.carriers.bot import BotReply
from ivr.carriers.twiml.document_reading import read_document
from ivr.carriers.twiml.grammar import GRAMMAR, grammar_of
from ivr.carriers.twiml.twiml_document import Document, Gather, Prompt, Refused
from ivr.engine.commands import Audio, Silence, Text
from tests.carriers.twiml.played_documents import HERE, read

WRONG = [
    ("<Response><Sya>x</Sya></Response>", 12200, '1:11 no element is called Sya. Did you mean "Say"?'),
    ("<Response>\n  <Say volume='1'>x</Say></Response>", 12200, '2:3 Say has no attribute "volume"'),
    ("<Response><Gather numDigit='1'/></Response>", 12200, 'Gather has no attribute "numDigit". Did you mean'),
    ("<Response><Record><Say>x</Say></Record></Response>", 12200, "1:19 Say cannot stand in Record"),
    ("<Response><Gather><Gather/></Gather></Response>", 12200, "1:19 Gather cannot stand in Gather"),
    ("<Response>Hello</Response>", 12200, "1:1 Response cannot contain text"),
    ("<Response><Gather timeout='soon'/></Response>", 12200, 'timeout="soon" of Gather is not a whole number'),
    ("<Response><Gather timeout='0'/></Response>", 12200, 'timeout="0" of Gather is not a whole number from 1'),
    ("<Response><Gather finishOnKey='*#'/></Response>", 12200, "is not one key of 0-9, *, #, or nothing"),
    ("<Response><Gather input='keys'/></Response>", 12200, "one or several of dtmf, speech, with spaces between"),
    ("<Response><Gather input='dtmf dtmf'/></Response>", 12200, "one or several of dtmf, speech"),
    ("<Response><Gather actionOnEmptyResult='yes'/></Response>", 12200, "is not one of false, true"),
    ("<Response><Record maxLength='1'/></Response>", 12200, "a whole number from 2 to 14400"),
    ("<Response><Say voice='Polly.Nobody'>x</Say></Response>", 12200, "is not a voice such as Polly.Joanna"),
    ("<Response><Say language='en-XX'>x</Say></Response>", 12200, "is not a language of Say"),
    ("<Response><Reject reason='no'/></Response>", 12200, "is not one of busy, rejected"),
    ("<Response><Pause length='0.5'/></Response>", 12200, 'length="0.5" of Pause is not a whole number'),
    ("<Response><Redirect/></Response>", 12200, "Redirect needs a text"),
    ("<Response><Play/></Response>", 12200, "Play needs an address"),
    ("<Response><Gather action='ftp://x/y'/></Response>", 12200, "is not a web address"),
    ("<Response><Gather action='http://[bad'/></Response>", 12200, "is not a web address"),
    ("<Response><Say>x<Play>y</Play></Say></Response>", 12200, "Play cannot stand in Say"),
    ("<response/>", 12102, "the root element is response, not Response"),
    ("<Response>", 12100, "no element found"),
    ("", 12100, "no element found"),
    ("<Response>&nbsp;</Response>", 12100, "undefined entity"),
    ("<!DOCTYPE Response [<!ENTITY a 'aaaa'>]><Response>&a;</Response>", 12100, "a document type is not allowed"),
    ("<a>" * 30 + "</a>" * 30, 12100, "too many elements"),
    ("<Response>" + "<Pause/>" * 3000 + "</Response>", 12100, "too many elements"),
    ("<Response><Say>" + "x" * 70_000 + "</Say></Response>", 11750, "longer than 65,536 bytes"),
    ("<?xml version='1.0' encoding='nothing'?><Response/>", 12100, "unknown encoding"),
]


@pytest.mark.parametrize(("xml", "code", "problem"), WRONG, ids=[problem[:40] for _, _, problem in WRONG])
def test_a_mistake_is_told_with_its_place(xml: str, code: int, problem: str) -> None:
    refused = read(xml)
    assert isinstance(refused, Refused)
    assert refused.code == code
    assert problem in "; ".join(refused.problems)


def test_all_mistakes_are_told_at_once() -> None:
    refused = read("<Response><Say x='1' y='2'>a</Say><Nothing/></Response>")
    assert isinstance(refused, Refused)
    assert len(refused.problems) == 3


def test_another_content_type_is_no_document() -> None:
    refused = read_document(BotReply(200, "application/json", b"<Response/>"), HERE, GRAMMAR)
    assert isinstance(refused, Refused)
    assert refused.code == 12300


def test_other_carriers_have_voices_and_words_of_their_own() -> None:
    gather = b"<Gather minDigits='1' maxDigits='4' finishOnKey='*#'><Say voice='Telnyx.X'>a</Say></Gather>"
    reply = BotReply(200, "text/xml", b"<Response>" + gather + b"</Response>")
    assert isinstance(read_document(reply, HERE, GRAMMAR), Refused)
    document = read_document(reply, HERE, grammar_of(extended=True))
    assert isinstance(document, Document)
    (verb,) = document.verbs
    assert isinstance(verb, Gather)
    assert (verb.most, verb.finish_on) == (4, "*#")


def test_ssml_is_words_and_pauses() -> None:
    document = read(
        "<Response><Say voice='man' language='de-DE'>One <break time='1.5s'/>two <emphasis>three</emphasis>"
        "<break strength='strong'/><sub alias='four'>4</sub><p>five</p>six<break time='20ms'/></Say></Response>"
    )
    assert isinstance(document, Document)
    (verb,) = document.verbs
    assert isinstance(verb, Prompt)
    assert verb.segments == (
        Text("One", "male", "de-DE"),
        Silence(1500),
        Text("two three", "male", "de-DE"),
        Silence(500),
        Text("four five six", "male", "de-DE"),
        Silence(20),
    )


def test_what_is_nested_in_a_gather_is_its_prompt() -> None:
    document = read("<Response><Gather><Say loop='2'>A</Say><Pause length='2'/><Play>b.wav</Play></Gather></Response>")
    assert isinstance(document, Document)
    (verb,) = document.verbs
    assert isinstance(verb, Gather)
    assert verb.prompt == (
        Text("A", "female", "en-US"),
        Text("A", "female", "en-US"),
        Silence(2000),
        Audio(url="https://bot.example/voice/b.wav"),
    )
