"""Which elements a document of Plivo may have, with which attributes, and in which others they may stand.

Attributes and nesting are those of the carrier's own package (`plivo.xml` of 4.63; a test compares them), words and
bounds those of its pages. What the emulator does not play is not in it, and refused like what nobody knows.
"""

from collections.abc import Mapping
from typing import Final

from ivr.carriers.twiml.attribute_kinds import Kind, address, anything, flag, method, one_of, some_of, whole
from ivr.carriers.twiml.grammar import DAY, GRAMMAR, Element

_END_KEY: Final = one_of("0 1 2 3 4 5 6 7 8 9 * # none")


def _end_key(text: str) -> str:
    return "" if text == "" else _END_KEY(text) and "one key of 0-9, *, #, or none"


def _end_keys(text: str) -> str:
    right = text in ("", "none") or (set(text) <= set("0123456789*#") and len(text) <= 12)
    return "" if right else "keys of 0-9, *, #, or none"


def _seconds_or_auto(text: str) -> str:
    return "" if text == "auto" or not whole(2, 10)(text) else "auto, or a whole number from 2 to 10"


_CALLED: Final[Mapping[str, Kind]] = {
    "sendDigits": anything,
    "sendOnPreanswer": flag,
}
_SSML: Final = {name: element for name, element in GRAMMAR.items() if name[0].islower()}
_AUDIBLE: Final = ("Speak", "Play", "Wait")

PLIVO_GRAMMAR: Final[Mapping[str, Element]] = {
    "Response": Element(children=(*_AUDIBLE, "GetInput", "Record", "Dial", "Redirect", "Hangup")),
    "Speak": Element(
        {"voice": anything, "language": anything, "loop": whole(0, 1000)},
        children=GRAMMAR["Say"].children,
        text="allowed",
    ),
    "Play": Element({"loop": whole(0, 1000)}, text="needed"),
    "Wait": Element({"length": whole(1, DAY), "silence": flag, "minSilence": whole(1, 100_000), "beep": flag}),
    "GetInput": Element(
        {
            "action": address,
            "method": method,
            "inputType": some_of("dtmf speech"),
            "executionTimeout": whole(5, 60),
            "digitEndTimeout": _seconds_or_auto,
            "speechEndTimeout": _seconds_or_auto,
            "finishOnKey": _end_key,
            "numDigits": whole(1, 32),
            "speechModel": anything,
            "hints": anything,
            "language": anything,
            "interimSpeechResultsCallback": address,
            "interimSpeechResultsCallbackMethod": method,
            "log": flag,
            "redirect": flag,
            "profanityFilter": flag,
        },
        children=_AUDIBLE,
    ),
    "Record": Element(
        {
            "action": address,
            "method": method,
            "fileFormat": one_of("mp3 wav"),
            "redirect": flag,
            "timeout": whole(1, 3600),
            "maxLength": whole(2, 14_400),
            "playBeep": flag,
            "finishOnKey": _end_keys,
            "recordSession": flag,
            "startOnDialAnswer": flag,
            "transcriptionType": one_of("auto hybrid"),
            "transcriptionUrl": address,
            "transcriptionMethod": method,
            "transcriptionReportType": anything,
            "callbackUrl": address,
            "callbackMethod": method,
            "recordChannelType": one_of("mono stereo"),
        }
    ),
    "Dial": Element(
        {
            "action": address,
            "method": method,
            "hangupOnStar": flag,
            "timeLimit": whole(1, DAY),
            "timeout": whole(1, 600),
            "callerId": anything,
            "callerName": anything,
            "confirmSound": address,
            "confirmTimeout": whole(1, 600),
            "confirmKey": _end_key,
            "dialMusic": anything,
            "callbackUrl": address,
            "callbackMethod": method,
            "redirect": flag,
            "digitsMatch": anything,
            "digitsMatchBLeg": anything,
            "sipHeaders": anything,
        },
        children=("Number", "User"),
    ),
    "Number": Element({**_CALLED, "sendDigitsMode": anything}, text="needed"),
    "User": Element({**_CALLED, "sipHeaders": anything}, text="needed"),
    "Redirect": Element({"method": method}, text="needed"),
    "Hangup": Element({"reason": one_of("rejected busy"), "schedule": whole(0, DAY)}),
    **_SSML,
}
