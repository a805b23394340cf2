"""Plivo's signatures, version 3: HMAC-SHA-256 over address, fields and a nonce (carriers: 8; package `plivo`).

The header may hold several signatures, with commas between: an account has two tokens while one is being replaced.
That of the account itself is in a field of its own where a call belongs to one of its subaccounts.
"""

import base64
import hmac
from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import parse_qsl

from ivr.channels.twiml.form_signing import FORM_TYPE, content_type, public_addresses, refusal
from ivr.channels.twiml.reading import MAX_FIELDS, pairs
from ivr.errors import WebhookError
from ivr.ports import WebhookRequest

SIGNATURE: Final = "x-plivo-signature-v3"
MAIN_SIGNATURE: Final = "x-plivo-signature-ma-v3"
NONCE: Final = "x-plivo-signature-v3-nonce"
_MOST: Final = 1024
"Characters of a header field of these."


class PlivoVerifier:
    """A `Verifier` for the webhooks of one account."""

    def __init__(self, *, public: str, auth_token: str) -> None:
        """`public` is the address that the carrier calls."""
        if not auth_token:
            raise ValueError("without a token, everybody's requests would be accepted")
        self._public = public
        self._key = auth_token.encode()

    async def verify(self, request: WebhookRequest, *, now: float) -> None:
        """Return if the head can be that of a request that is signed; else raise WebhookError (403)."""
        nonce = request.headers.get(NONCE, "")
        if not _given(request) or not nonce or len(nonce) > _MOST:
            raise refusal("no-signature", "A signature is required.")

    def verify_body(self, request: WebhookRequest) -> None:
        """Return if one of the signatures is the carrier's; else raise WebhookError (403)."""
        given = _given(request)
        good = False
        for expected in self._expected(request):
            for one in given:
                good |= hmac.compare_digest(one, expected)
        if not good:
            raise refusal("signature", "The signature is invalid.")

    def remembered(self, authorization: str, *, now: float) -> None:
        """Return nothing: each request is signed by itself."""

    def _expected(self, request: WebhookRequest) -> Iterator[bytes]:
        nonce = request.headers.get(NONCE, "").encode("utf-8", "surrogatepass")
        text = signed_text(request).encode("utf-8", "surrogatepass")
        for base in public_addresses(self._public):
            whole = base.encode() + text + b"." + nonce
            yield base64.b64encode(hmac.digest(self._key, whole, "sha256"))


def signed_text(request: WebhookRequest) -> str:
    """Return what is signed behind the address of the host: path, query and fields, both sorted.

    Raises WebhookError (400, 403) for a body that cannot have been signed.
    """
    if content_type(request) != FORM_TYPE:
        raise refusal("signature-body", "Only forms are signed.")
    path, _, query = request.target.partition("?")
    try:
        asked = parse_qsl(query, keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    except ValueError:
        raise WebhookError(400, "malformed", "The query cannot be read.") from None
    fields = pairs(request.body)
    text = path
    if asked or fields:
        text += "?" + "&".join(f"{name}={value}" for name, value in _sorted(asked))
    if asked and fields:
        text += "."
    return text + "".join(name + value for name, value in _sorted(fields))


def _sorted(fields: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
    """Return fields by name, and values of one name by value."""
    return sorted(fields)


def _given(request: WebhookRequest) -> Sequence[bytes]:
    given = ",".join(request.headers.get(name, "")[:_MOST] for name in (SIGNATURE, MAIN_SIGNATURE))
    return [one.strip().encode("utf-8", "replace") for one in given.split(",") if one.strip()]
