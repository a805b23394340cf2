"""Documents as they are written, with plain addresses, and the questions of them."""

import json
from typing import Any

from ivr.channels.jambonz.speaking import DocumentContext, document
from ivr.channels.jambonz.voices import Voices
from ivr.engine.commands import Audio, Choice, DigitInput, LineCommand, Recognize, Text

MENU = (Choice("sales", "1", ("sales", "the shop")), Choice("support", "2", ("support",)))
PLAIN = DocumentContext(
    step=lambda op: f"https://ivr.example/jambonz/step?t={op}",
    listen=lambda op: f"wss://ivr.example/jambonz/listen/{op}",
    whisper=lambda transfer: f"https://ivr.example/jambonz/whisper?w={transfer.whisper}" if transfer.whisper else None,
    file=lambda segment: (
        segment.url or f"https://ivr.example/media/{segment.asset}.wav"
        if isinstance(segment, Audio)
        else f"https://ivr.example/recordings/{segment.media}"
    ),
    speaker=Voices().of,
)


def said(text: str, language: str = "en-US") -> Text:
    return Text(text, "female", language)


def menu(op: str = "1.1", **more: Any) -> Recognize:
    return Recognize(op, (said("Press 1 or say sales."),), choices=MENU, **more)


def digits(op: str = "1.1", *, maximum: int = 4, terminators: str = "#", **more: Any) -> Recognize:
    return Recognize(op, (said("Your number?"),), digits=DigitInput(1, maximum, terminators, 2.0), **more)


def verbs(*commands: LineCommand, refers: bool = False) -> list[dict[str, Any]]:
    written = json.loads(document(commands, PLAIN, last=commands[-1], refers=refers))
    assert isinstance(written, list)
    return written
