"""SignalWire's signatures: HMAC-SHA-1 with the project's signing key, written in two ways.

Forms are signed as Twilio signs them, in base64; its newer services sign address and raw body, in hexadecimal digits.
Both are looked at with the same key, so neither is weaker than the other (its own validators try both).
"""

import hmac
from typing import Final

from ivr.channels.twiml.form_signing import FORM_TYPE, content_type, is_among, public_addresses, refusal, signature
from ivr.channels.twiml.form_signing import signed_texts as of_form
from ivr.ports import WebhookRequest

SIGNATURE: Final = "x-signalwire-signature"
_AS_TWILIO: Final = "x-twilio-signature"


class SignalWireVerifier:
    """A `Verifier` for the webhooks of one project."""

    def __init__(self, *, public: str, signing_key: str) -> None:
        """`public` is the address that the carrier calls."""
        if not signing_key:
            raise ValueError("without a key, everybody's requests would be accepted")
        self._public = public
        self._key = signing_key.encode()

    async def verify(self, request: WebhookRequest, *, now: float) -> None:
        """Return if the head can be that of a request that is signed; else raise WebhookError (403)."""
        if not _given(request):
            raise refusal("no-signature", "A signature is required.")

    def verify_body(self, request: WebhookRequest) -> None:
        """Return if the signature is the carrier's; else raise WebhookError (403)."""
        if not is_among(_given(request), self._expected(request)):
            raise refusal("signature", "The signature is invalid.")

    def remembered(self, authorization: str, *, now: float) -> None:
        """Return nothing: each request is signed by itself."""

    def _expected(self, request: WebhookRequest) -> list[bytes]:
        raw = [
            hmac.new(self._key, f"{base}{request.target}".encode() + request.body, "sha1").hexdigest().encode()
            for base in public_addresses(self._public)
        ]
        if content_type(request) != FORM_TYPE:
            return raw
        return raw + [signature(self._key, text, "sha1") for text in of_form(request, self._public)]


def _given(request: WebhookRequest) -> str:
    return request.headers.get(SIGNATURE) or request.headers.get(_AS_TWILIO, "")
