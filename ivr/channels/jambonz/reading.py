"""Read what jambonz posts: the fields that mean something here, each checked, all others passed over.

The request's signature is good when it is read, but what stands in it came by telephone networks: a field of the wrong
type or of a length that nobody needs is taken for absent. Only who is meant has to be there, and to look like a name.
"""

import re
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias, get_args

import msgspec
from msgspec import Struct

from ivr.errors import WebhookError

CallStatus: TypeAlias = Literal[
    "trying", "ringing", "early-media", "in-progress", "completed", "failed", "busy", "no-answer", "queued"
]
FINAL = frozenset({"completed", "failed", "busy", "no-answer"})
"The states of a call after which nothing more comes."
GatherReason: TypeAlias = Literal["speechDetected", "dtmfDetected", "timeout", "error", "stt-low-confidence"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,127}", re.ASCII)
"A UUID, or the like: ids go into addresses, logs and the store."
_LONGEST = 512
"Characters of a text that means something."
_STATUSES = range(100, 700)


class Hook(Struct, frozen=True):
    """What a request says, whichever hook it is for."""

    call: str
    account: str
    parent: str | None = None
    "The call of which this one is a part: somebody whom a `dial` rings."
    direction: str = ""
    caller: str = ""
    called: str = ""
    status: CallStatus | None = None
    ended_by: str = ""
    "`caller` or `jambonz`, in the last message."
    sip_status: int = 0
    reason: GatherReason | None = None
    digits: str | None = None
    words: str = ""
    confidence: float | None = None
    details: str = ""
    "What went wrong, in the platform's words."
    dialled: str = ""
    "What became of a `dial`: a status like those of a call."
    dialled_sip_status: int = 0
    refer_status: int = 0
    detected: str = ""
    "What was found out of who has answered a call that we placed, in the platform's words."
    referred_status: int = 0
    "What became of a `sip:refer` that was accepted."


def read_hook(body: bytes) -> Hook:
    """Read a request's body; raise WebhookError (400) if it does not say which call it is about."""
    try:
        tree = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise WebhookError(400, "malformed", "The body is no JSON.") from error
    if not isinstance(tree, dict):
        raise WebhookError(400, "malformed", "The body is no JSON object.")
    words, confidence = _speech(tree.get("speech"))
    return Hook(
        call=_name(tree, "call_sid"),
        account=_name(tree, "account_sid"),
        parent=_name(tree, "parent_call_sid") if tree.get("parent_call_sid") else None,
        direction=_text(tree, "direction"),
        caller=_text(tree, "from"),
        called=_text(tree, "to"),
        status=_word(tree, "call_status", get_args(CallStatus)),
        ended_by=_text(tree, "call_termination_by"),
        sip_status=_status(tree, "sip_status"),
        reason=_word(tree, "reason", get_args(GatherReason)),
        digits=_text(tree, "digits") if isinstance(tree.get("digits"), str) else None,
        words=words,
        confidence=confidence,
        detected=_text(tree, "type"),
        details=_details(tree.get("details")),
        dialled=_text(tree, "dial_call_status"),
        dialled_sip_status=_status(tree, "dial_sip_status"),
        refer_status=_status(tree, "refer_status"),
        referred_status=_status(tree, "final_referred_call_status"),
    )


def _name(tree: Mapping[str, Any], member: str) -> str:
    name = tree.get(member)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise WebhookError(400, "bad-id", f"The {member} is missing, or is no name.")
    return name


def _text(tree: Mapping[str, Any], member: str) -> str:
    value = tree.get(member)
    return _plain(value) if isinstance(value, str) else ""


def _plain(text: str) -> str:
    """Return a text on one line, no longer than anybody needs."""
    return "".join(letter if letter.isprintable() else " " for letter in text[:_LONGEST]).strip()


def _word(tree: Mapping[str, Any], member: str, words: tuple[Any, ...]) -> Any:
    value = tree.get(member)
    return value if value in words else None


def _status(tree: Mapping[str, Any], member: str) -> int:
    """Return a SIP status; 0: there is none."""
    value = tree.get(member)
    return value if type(value) is int and value in _STATUSES else 0


def _speech(speech: Any) -> tuple[str, float | None]:
    """Return the best of what was understood, and how sure the recogniser is."""
    found = speech.get("alternatives") if isinstance(speech, dict) else None
    best = found[0] if isinstance(found, list) and found else None
    if not isinstance(best, dict) or not isinstance(best.get("transcript"), str):
        return "", None
    return _plain(best["transcript"]), _share(best.get("confidence"))


def _share(confidence: Any) -> float | None:
    return float(confidence) if type(confidence) in (int, float) and 0 <= confidence <= 1 else None


def _details(details: object) -> str:
    """Return an error in the platform's words; it may be a text, or an object with one."""
    if isinstance(details, dict):
        details = details.get("message") or details.get("error") or details.get("reason")
    return _plain(details) if isinstance(details, str) else ""
