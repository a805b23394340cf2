"""Where a bot may have a caller connected to (protocol 23): only to addresses that the operator has named.

A bot that was taken over, or trusts an address that a caller names, could else call anywhere at the operator's cost.
"""

import re
from collections.abc import Iterable
from typing import Final

MAX_TARGET: Final = 256
"Characters of an address."

_SIGNS = r"[A-Za-z0-9\-_.!~*'()&=+$,;?/%:@#\[\]]"  # RFC 3261 25.1, RFC 3966 3; no space, quote or bracket of a header
_TARGET = re.compile(rf"(sips?|tel):{_SIGNS}+")
# What a `*` stands for. Nothing that could end the part it stands in (`@`, `:`, `;`, `?`), be read as such (`%`), or be
# a service code of the telephone network (`*`, `#`).
_ANY = r"[A-Za-z0-9+._\-]*"


def is_target(text: str) -> bool:
    """Return whether a text is an address that a call can be transferred to, or a pattern of some.

    In a pattern `*` stands for any number of letters, digits and `+._-`: `sip:*@pbx.example`, `tel:+4930*`.
    """
    return len(text) <= MAX_TARGET and _TARGET.fullmatch(text) is not None


def may_transfer(target: str, patterns: Iterable[str]) -> bool:
    """Return whether one of the patterns allows an address; each has to match all of it, letter by letter."""
    return is_target(target) and any(_matcher(pattern).fullmatch(target) for pattern in patterns)


def _matcher(pattern: str) -> re.Pattern[str]:
    return re.compile(_ANY.join(map(re.escape, pattern.split("*"))))
