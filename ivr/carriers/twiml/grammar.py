"""Which elements a document may have, with which attributes, and in which others they may stand.

The attributes and their words are those of the carrier's own typings (`VoiceResponse.d.ts` of twilio 6.3.1; a test
compares them), the bounds of numbers those of its pages. What the emulator does not play (`Connect`, `Enqueue`,
`Pay` …) is not in it, and refused like an element that nobody knows: a call must not go on as if it had been done.
"""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from ivr.carriers.twiml.attribute_kinds import (
    Kind,
    address,
    anything,
    flag,
    keys,
    method,
    one_of,
    one_of_these,
    seconds_or_auto,
    some_of,
    whole,
)
from ivr.carriers.twiml.vendor_names import GATHER_LANGUAGES, SAY_LANGUAGES, SSML_LANGUAGES, say_voices

DAY = 86_400
RECORDING_EVENTS = "in-progress completed absent"
CALL_EVENTS = "initiated ringing answered completed"


class Element(Struct, frozen=True):
    """What may be written of one element."""

    attributes: Mapping[str, Kind] = {}
    children: tuple[str, ...] = ()
    text: Literal["needed", "allowed", "none"] = "none"


_SPOKEN = ("break", "emphasis", "lang", "p", "phoneme", "prosody", "s", "say-as", "sub", "w")
"SSML that may stand in a `Say`."
_IN_SENTENCE = tuple(name for name in _SPOKEN if name not in ("p", "s"))
_IN_WORD = tuple(name for name in _IN_SENTENCE if name not in ("lang", "w"))
_CALLED: Mapping[str, Kind] = {
    "url": address,
    "method": method,
    "statusCallback": address,
    "statusCallbackEvent": some_of(CALL_EVENTS),
    "statusCallbackMethod": method,
}
_MACHINE: Mapping[str, Kind] = {
    "amdStatusCallback": address,
    "amdStatusCallbackMethod": method,
    "machineDetection": one_of("Enable DetectMessageEnd"),
    "machineDetectionSilenceTimeout": whole(2000, 10_000),
    "machineDetectionSpeechEndThreshold": whole(500, 5000),
    "machineDetectionSpeechThreshold": whole(1000, 6000),
    "machineDetectionTimeout": whole(3, 59),
}
_RECORDING_TOLD: Mapping[str, Kind] = {
    "recordingConfigurationId": anything,
    "recordingStatusCallback": address,
    "recordingStatusCallbackEvent": some_of(RECORDING_EVENTS),
    "recordingStatusCallbackMethod": method,
    "trim": one_of("trim-silence do-not-trim"),
}
_RING_TONES = (
    "at au bg br be ch cl cn cz de dk ee es fi fr gr hu il in it lt jp mx my nl no nz ph pl pt ru se sg th uk us us-old"
    " tw ve za"
)

GRAMMAR: Mapping[str, Element] = {
    "Response": Element(children=("Say", "Play", "Pause", "Gather", "Record", "Dial", "Redirect", "Reject", "Hangup")),
    "Say": Element(
        {
            "voice": one_of_these(say_voices, "a voice such as Polly.Joanna or Google.en-US-Standard-C"),
            "language": one_of_these(lambda: SAY_LANGUAGES, "a language of Say such as en-US"),
            "loop": whole(0, 1000),
        },
        children=_SPOKEN,
        text="allowed",
    ),
    "Play": Element({"loop": whole(0, 1000), "digits": anything}, text="allowed"),
    "Pause": Element({"length": whole(1, DAY)}),
    "Gather": Element(
        {
            "action": address,
            "actionOnEmptyResult": flag,
            "bargeIn": flag,
            "debug": flag,
            "enhanced": flag,
            "finishOnKey": keys(1),
            "hints": anything,
            "input": some_of("dtmf speech"),
            "language": one_of_these(lambda: GATHER_LANGUAGES, "a language of Gather such as en-US"),
            "maxSpeechTime": whole(1, 60),
            "method": method,
            "numDigits": whole(1, 100),
            "partialResultCallback": address,
            "partialResultCallbackMethod": method,
            "profanityFilter": flag,
            "speechModel": anything,
            "speechTimeout": seconds_or_auto,
            "timeout": whole(1, 3600),
        },
        children=("Say", "Play", "Pause"),
    ),
    "Record": Element(
        {
            "action": address,
            "finishOnKey": keys(12),
            "maxLength": whole(2, 14_400),
            "method": method,
            "playBeep": flag,
            "timeout": whole(1, 3600),
            "transcribe": flag,
            "transcribeCallback": address,
            **_RECORDING_TOLD,
        }
    ),
    "Dial": Element(
        {
            "action": address,
            "answerOnBridge": flag,
            "callerId": anything,
            "events": one_of("call-progress-event"),
            "hangupOnStar": flag,
            "method": method,
            "passports": anything,
            "record": one_of(
                "do-not-record record-from-answer record-from-ringing record-from-answer-dual record-from-ringing-dual"
            ),
            "recordingTrack": one_of("both inbound outbound"),
            "referMethod": method,
            "referUrl": address,
            "ringTone": one_of(_RING_TONES),
            "sequential": flag,
            "timeLimit": whole(1, DAY),
            "timeout": whole(1, 600),
            **_RECORDING_TOLD,
        },
        children=("Number", "Sip", "Client"),
        text="allowed",
    ),
    "Number": Element({"byoc": anything, "sendDigits": anything, **_CALLED, **_MACHINE}, text="needed"),
    "Sip": Element({"username": anything, "password": anything, **_CALLED, **_MACHINE}, text="needed"),
    "Client": Element(_CALLED, text="needed"),
    "Redirect": Element({"method": method}, text="needed"),
    "Reject": Element({"reason": one_of("rejected busy")}),
    "Hangup": Element(),
    # SSML, of `Say`.
    "break": Element({"strength": one_of("none x-weak weak medium strong x-strong"), "time": anything}),
    "emphasis": Element({"level": one_of("strong moderate reduced")}, _IN_SENTENCE, "allowed"),
    "lang": Element({"xml:lang": one_of_these(lambda: SSML_LANGUAGES, "a language such as en-US")}, _SPOKEN, "allowed"),
    "p": Element({}, ("s", *_IN_SENTENCE), "allowed"),
    "phoneme": Element(
        {
            "alphabet": one_of("ipa x-sampa x-amazon-jyutping x-amazon-pinyin x-amazon-pron-kana x-amazon-yomigana"),
            "ph": anything,
        },
        text="allowed",
    ),
    "prosody": Element({"volume": anything, "rate": anything, "pitch": anything}, _SPOKEN, "allowed"),
    "s": Element({}, _IN_SENTENCE, "allowed"),
    "say-as": Element(
        {
            "interpret-as": one_of(
                "characters spell-out cardinal number ordinal digits fraction unit date time address expletive"
                " telephone"
            ),
            "format": one_of("mdy dmy ymd md dm ym my d m y yyyymmdd"),
        },
        text="allowed",
    ),
    "sub": Element({"alias": anything}, text="allowed"),
    "w": Element({"role": anything}, _IN_WORD, "allowed"),
}


def grammar_of(*, extended: bool, without: tuple[str, ...] = ()) -> Mapping[str, Element]:
    """Return the grammar; `extended`: of TeXML and cXML, whose voices and languages are their own, with more words.

    `without` are attributes of `Gather` that a carrier's pages do not name.
    """
    grammar = _EXTENDED if extended else GRAMMAR
    gather = grammar["Gather"]
    known = {name: kind for name, kind in gather.attributes.items() if name not in without}
    return {**grammar, "Gather": Element(known, gather.children)} if without else grammar


def _extend() -> Mapping[str, Element]:
    say, gather, record = GRAMMAR["Say"], GRAMMAR["Gather"], GRAMMAR["Record"]
    free: Mapping[str, Kind] = {"voice": anything, "language": anything}
    return {
        **GRAMMAR,
        "Say": Element({**say.attributes, **free}, say.children, say.text),
        "Gather": Element(
            {
                **gather.attributes,
                "language": anything,
                "finishOnKey": keys(12),
                "minDigits": whole(1, 128),
                "maxDigits": whole(1, 128),
                "validDigits": keys(12),
                "invalidDigitsAction": address,
                "transcriptionEngine": anything,
                "useEnhanced": flag,
            },
            gather.children,
        ),
        "Record": Element({**record.attributes, "maxLength": whole(0, 14_400), "channels": anything}),
    }


_EXTENDED = _extend()
