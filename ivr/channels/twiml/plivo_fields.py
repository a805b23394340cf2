"""What Plivo posts, in the names and words of TwiML, so that one reader understands all carriers of this family."""

import re
from collections.abc import Mapping
from typing import Final

from ivr.channels.twiml import plivo_wire as plivo
from ivr.channels.twiml import wire

_NAMES: Final[Mapping[str, str]] = {
    plivo.CALL: wire.CALL,
    plivo.SPEECH: wire.SPEECH,
    plivo.CONFIDENCE: wire.CONFIDENCE,
    plivo.RECORDING: wire.RECORDING,
    plivo.RECORDING_ID: wire.RECORDING_ID,
    plivo.RECORDING_SECONDS: wire.RECORDING_SECONDS,
    plivo.DIAL_STATUS: wire.DIAL_STATUS,
}
_STATES: Final[Mapping[str, str]] = {"cancel": "canceled", "timeout": "no-answer"}
"States that have another word in TwiML."
_OWN: Final = frozenset({wire.CALL_STATUS, wire.DIAL_STATUS})
"Fields whose values are such words."
_NUMBERS: Final = (wire.CALLER, wire.CALLED, wire.FORWARDED)
_WITHOUT_PLUS: Final = re.compile(r"[1-9][0-9]{7,14}", re.ASCII)
"A number as E.164 has it (ITU-T), without the sign that says so; what is shorter may be a number of the company's own."
_MOST_DIGITS: Final = 9
_ANSWERED_BY: Final[Mapping[str, str]] = {"true": "machine_start", "false": "human"}


def twiml_fields(posted: Mapping[str, str]) -> Mapping[str, str]:
    """Return the fields of a form as a carrier of TwiML would post them; what has no name there keeps its own."""
    fields = {_NAMES.get(name, name): value for name, value in posted.items()}
    for name in _OWN & fields.keys():
        fields[name] = _STATES.get(fields[name], fields[name])
    for name in _NUMBERS:
        if _WITHOUT_PLUS.fullmatch(fields.get(name, "")):
            fields[name] = f"+{fields[name]}"
    parent = next((posted[name] for name in plivo.PARENT_CALLS if name in posted), None)
    if parent is not None:
        fields[wire.PARENT_CALL] = parent
    if (answered_by := _ANSWERED_BY.get(posted.get(plivo.MACHINE, ""))) is not None:
        fields[wire.ANSWERED_BY] = answered_by
    if plivo.RECORDING in posted:
        fields |= _of_recording(posted)
    return fields


def _of_recording(posted: Mapping[str, str]) -> Mapping[str, str]:
    """Return how long a recording is, as exactly as is told, and that there is one.

    Its length in seconds is -1 as long as nobody knows it.
    """
    found = {wire.RECORDING_STATUS: "completed"}
    milliseconds = posted.get(plivo.RECORDING_MILLISECONDS, "")
    if milliseconds.isascii() and milliseconds.isdecimal() and len(milliseconds) <= _MOST_DIGITS:
        found[wire.RECORDING_SECONDS] = str(int(milliseconds) / 1000)
    return found
