"""What whoever takes a transfer is shown of the caller: the subject of the call that is placed (RFC 3261 20.36).

A Refer-To or a Contact names an address, and the header fields of the request that is to be sent there. So the text is
a `Subject` of that address, and most telephones show one. Telephone systems that place the call themselves may drop it.
"""

from typing import Final
from urllib.parse import quote

MAX_WHISPER: Final = 160
"Characters."
_UNRESERVED = "-_.!~*'()"  # RFC 3261 25.1; letters and digits are, too, and all else is escaped


def with_whisper(target: str, whisper: str | None) -> str:
    """Return an address with what is to be shown there; a `tel:` address has no place for it."""
    text = " ".join((whisper or "").split())[:MAX_WHISPER]
    if not text or target[:4].lower() == "tel:":
        return target
    return f"{target}{'&' if '?' in target else '?'}Subject={quote(text, safe=_UNRESERVED)}"
