"""The token in each address that is handed to a platform: it names the step of a call, and nobody else can make one.

A platform that drives a call by addresses gives back the one that it was told for the step at hand. So the token is the
name of the message: the same token is the same step, and gets the same reply (carriers: rule 2 of an adapter). It holds
the step's name and an HMAC of it, of the call and of the account, under a key of this server. So a token of one call is
none of another, and whoever can sign as the platform, or repeats one of its requests, reaches no step by guessing.
"""

import hmac
import re
from base64 import urlsafe_b64encode
from typing import Final

import msgspec

from ivr.ports import CallKey

MAX_STEP: Final = 64
"Characters of the name of a step."
_SIGNED = 16
"Bytes of the HMAC-SHA-256 that are kept (RFC 2104, 5: half of it at least)."
_STEP = re.compile(rf"[A-Za-z0-9._-]{{1,{MAX_STEP}}}", re.ASCII)
_LONGEST = MAX_STEP + 1 + 22
_BETWEEN = "~"


class AddressTokens:
    """Makes tokens, and reads them. Pure: the same step of the same call has the same token."""

    def __init__(self, key: bytes) -> None:
        """`key` is for nothing else, and stays the same as long as a call of this server may last."""
        self._key = key

    def make(self, call: CallKey, step: str) -> str:
        """Return the token for a step; it can stand in an address as it is. Raise ValueError for a name that cannot."""
        if not _STEP.fullmatch(step):
            raise ValueError(f"a step cannot be called {step!r}")
        return f"{step}{_BETWEEN}{self._signature(call, step)}"

    def read(self, call: CallKey, token: str) -> str | None:
        """Return the step that a token names; None: it is none of this call's, whatever the reason is."""
        if len(token) > _LONGEST or not token.isascii():
            return None
        step, _, signature = token.rpartition(_BETWEEN)
        if not _STEP.fullmatch(step) or not hmac.compare_digest(signature, self._signature(call, step)):
            return None
        return step

    def _signature(self, call: CallKey, step: str) -> str:
        content = msgspec.json.encode([call.channel, call.account, call.id, step])
        digest = hmac.digest(self._key, content, "sha256")[:_SIGNED]
        return urlsafe_b64encode(digest).rstrip(b"=").decode()
