"""How jambonz signs its hooks, and every way in which that can be wrong.

`Jambonz-Signature: t=<seconds since 1970>,v1=<hex>`: HMAC-SHA256 with the account's webhook secret over the time, a
dot and the body. Tests hold it against jambonz's own library.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Literal, TypeAlias

HEADER = "Jambonz-Signature"
STALE = 900
"Seconds; a signature of that age is no longer taken."

Forgery: TypeAlias = Literal["unsigned", "wrong-key", "changed-body", "stale", "other-scheme", "moved-time", "cut"]
FORGERIES: Mapping[Forgery, str] = {
    "unsigned": "there is none",
    "wrong-key": "it is made with another secret",
    "changed-body": "the body is another one",
    "stale": "it is right, and old",
    "other-scheme": "it says to be of another scheme",
    "moved-time": "it is old, and its time was set to now",
    "cut": "a part of it is missing",
}


def signature(body: bytes, secret: str, at: int) -> str:
    """Return the header of a hook that is posted at `at`, in seconds since 1970."""
    return f"t={at},v1={_hex(body, secret, at)}"


def forged(body: bytes, secret: str, at: int, how: Forgery) -> str | None:
    """Return a header that is wrong in one way; None: none is sent."""
    match how:
        case "unsigned":
            return None
        case "wrong-key":
            return signature(body, f"{secret}x", at)
        case "changed-body":
            return signature(body + b" ", secret, at)
        case "stale":
            return signature(body, secret, at - STALE)
        case "other-scheme":
            return f"t={at},v0={_hex(body, secret, at)}"
        case "moved-time":
            return f"t={at},v1={_hex(body, secret, at - STALE)}"
    return signature(body, secret, at)[:-1]


def _hex(body: bytes, secret: str, at: int) -> str:
    return hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
