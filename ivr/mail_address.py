"""What a mail address is, for flows, settings and senders: the form of RFC 5321 without quoted names and comments."""

import re

_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"{_LOCAL}@({_LABEL}(?:\.{_LABEL})*)")
LONGEST = 254
"Characters (RFC 5321, 4.5.3.1.3)."


def is_address(text: str) -> bool:
    """Return whether a text is one mail address and nothing else.

    One that looks like an encoded word (RFC 2047) is none: a mail program reads another address in it.
    """
    return len(text) <= LONGEST and "=?" not in text and _ADDRESS.fullmatch(text) is not None
