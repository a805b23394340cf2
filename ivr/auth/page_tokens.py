"""The tokens of the chat on a page: who may begin a conversation there, and who may go on with one.

A token is `<claims>.<proof>`, both base64url: JSON, and its HMAC-SHA-256 (RFC 2104) by a key of the store, so that it
is good after a restart. It names no algorithm and no key, since there is one of each. Nothing of a token reaches a log.
"""

import base64
import binascii
import hmac
from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct

from ivr.errors import WebhookError

LONGEST = 2048
"Characters of a token."

Purpose: TypeAlias = Literal["begin", "talk"]


class Grant(Struct, frozen=True):
    """What a token lets its bearer do."""

    purpose: Purpose
    "`begin`: begin conversations; `talk`: write and read in one."
    user: str
    flow: str
    "Empty: the server's own choice."
    site: str
    "The origin of the page around it, such as `https://www.example.com`; empty: a page of this server."
    ends: float
    "When it is good no more, in seconds since 1970, like all times here."
    conversation: str = ""
    begun: float = 0.0
    "When the conversation began."


class PageTokens:
    """Makes tokens, and reads them."""

    def __init__(self, key: bytes) -> None:
        """`key` is that of tokens in addresses; what is used here is derived from it."""
        self._key = hmac.digest(key, b"tokens of the chat page", "sha256")

    def issue(self, grant: Grant) -> str:
        """Return a token."""
        return self._signed(msgspec.json.encode(grant))

    def read(self, token: str, purpose: Purpose, *, now: float) -> Grant:
        """Return what a token grants; raise WebhookError (401) unless it is ours, for this, and still good."""
        if len(token) > LONGEST:
            raise _refused()
        try:
            claims = _bytes(token.partition(".")[0])
            if not hmac.compare_digest(self._signed(claims).encode(), token.encode()):  # to the letter
                raise _refused()
            grant = msgspec.json.decode(claims, type=Grant)
        except (msgspec.DecodeError, binascii.Error, ValueError) as error:
            raise _refused() from error
        if grant.purpose != purpose or grant.ends <= now:
            raise _refused()
        return grant

    def _signed(self, claims: bytes) -> str:
        return f"{_text(claims)}.{_text(hmac.digest(self._key, claims, 'sha256'))}"


def _refused() -> WebhookError:
    return WebhookError(401, "token", "A token is needed here, and this is none that is good.")


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
