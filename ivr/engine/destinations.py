"""Whom a call can be transferred to: a telephone number, a SIP address, or a name that the flow gives to one.

And what it means that they could not be reached.
"""

import re
from collections.abc import Mapping

from ivr.engine.events import NotAnswered, TransferFailure
from ivr.engine.naming import normal

MAX_ADDRESS = 256
"Characters of an address."

_NUMBER = re.compile(r"\+[0-9]{3,20}", re.ASCII)
_BETWEEN_DIGITS = re.compile(r"[ ().\-/\u00a0]")
"What people put between the digits of a number, to read it more easily."
_PART = r"[A-Za-z0-9\-_.!~*'()&=+$,/%]"
_HOST = r"(?:[A-Za-z0-9\-.]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?"
# No header fields (`?…`): they would be written into the request of whoever rings the other side (RFC 3261 19.1.5).
_ADDRESS = re.compile(rf"sips?:(?:{_PART}+@)?{_HOST}(?:;{_PART}+)*|tel:\+?[0-9.\-()]+(?:;{_PART}+)*", re.ASCII)

_WHY: Mapping[int, TransferFailure] = {
    0: "noAnswer",
    **dict.fromkeys((408, 480, 487), "noAnswer"),
    **dict.fromkeys((486, 600), "busy"),
    **dict.fromkeys((401, 403, 407, 603, 607, 608), "rejected"),
    **dict.fromkeys((405, 501), "unsupported"),
}
"By what the other side answered, as a SIP status; 0: nothing."
_NOT_PLACED = frozenset({401, 407, 500})
"Of a call that we placed: who should have rung somebody wants another password, or cannot do it itself."


def why_not(status: int) -> TransferFailure:
    """Return why a caller could not be connected, by the SIP status of the other side; 0: nobody answered."""
    return _WHY.get(status, "unreachable")


def why_not_answered(status: int) -> NotAnswered:
    """Return why nobody took a call that we placed, by the SIP status of the other side; 0: nobody answered."""
    why = why_not(status)
    return "failed" if why == "unsupported" or status in _NOT_PLACED else why


def address(written: str) -> str | None:
    """Return the address of a number (`+43 1 234`) or of an address; None: it is neither."""
    text = written.strip()
    digits = _BETWEEN_DIGITS.sub("", text)
    if _NUMBER.fullmatch(digits):
        return f"tel:{digits}"
    return text if len(text) <= MAX_ADDRESS and _ADDRESS.fullmatch(text) else None


def address_of(written: str, destinations: Mapping[str, str]) -> str | None:
    """Return the address of a number, of an address or of a destination by name; None: it is nothing of that."""
    return destinations.get(normal(written.strip())) or address(written)
