"""What the carrier posts, in Plivo's names and words: each request is made in those of TwiML, and written anew here."""

from collections.abc import Mapping
from typing import Final

_NAMES: Final[Mapping[str, str]] = {
    "CallSid": "CallUUID",
    "CallStatus": "CallStatus",
    "From": "From",
    "To": "To",
    "Digits": "Digits",
    "SpeechResult": "Speech",
    "Confidence": "SpeechConfidenceScore",
    "RecordingUrl": "RecordUrl",
    "RecordingSid": "RecordingID",
    "RecordingDuration": "RecordingDuration",
    "DialCallStatus": "DialStatus",
    "CallDuration": "Duration",
}
"All others are not posted."
_STATES: Final[Mapping[str, str]] = {"canceled": "cancel", "initiated": "ringing", "queued": "ringing"}
_OVER: Final = frozenset({"completed", "busy", "failed", "no-answer", "cancel", "timeout"})
_CAUSES: Final[Mapping[str, str]] = {"completed": "NORMAL_CLEARING", "busy": "USER_BUSY", "no-answer": "NO_ANSWER"}


def plivo_form(form: Mapping[str, str]) -> dict[str, str]:
    """Return the fields of one request."""
    posted = {_NAMES[name]: value for name, value in form.items() if name in _NAMES}
    for name in ("From", "To"):
        posted[name] = posted.get(name, "").removeprefix("+")
    status = _STATES.get(form.get("CallStatus", ""), form.get("CallStatus", ""))
    inbound = form.get("Direction", "inbound") == "inbound"
    posted |= {"CallStatus": status, "Direction": "inbound" if inbound else "outbound"}
    posted["Event"] = "Hangup" if status in _OVER else "Ring" if "CallbackSource" in form else "StartApp"
    if "Digits" in form or "SpeechResult" in form:
        posted["InputType"] = "speech" if "SpeechResult" in form else "dtmf"
    if "RecordingDuration" in form:
        posted["RecordingDurationMs"] = str(1000 * int(form["RecordingDuration"]))
    if "DialCallStatus" in form:
        word = form["DialCallStatus"]
        posted |= {"DialRingStatus": "true", "DialHangupCause": _CAUSES.get(word, "NORMAL_TEMPORARY_FAILURE")}
    if "AnsweredBy" in form:
        posted["Machine"] = "false" if form["AnsweredBy"] == "human" else "true"
    if parent := form.get("ParentCallSid"):
        posted |= _of_dial(form, parent, status)
    return posted


def _of_dial(form: Mapping[str, str], parent: str, status: str) -> dict[str, str]:
    """Return what is told of whoever is called by `Dial`: the caller's call is the one that it is about."""
    answered = status == "in-progress"
    return {
        "CallUUID": parent,
        "DialALegUUID": parent,
        "DialBLegUUID": form["CallSid"],
        "DialAction": "answer" if answered else "hangup",
        "Event": "DialAnswer" if answered else "DialHangup",
        "CallStatus": "in-progress",
    }
