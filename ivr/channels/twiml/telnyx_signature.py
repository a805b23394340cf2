"""Telnyx's signatures: Ed25519 over the time and the raw body, by a key of theirs whose public half is set here.

The address is not signed. What an address of ours may be used for is in its token, which no other call has.
"""

from base64 import b64decode
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ivr.channels.twiml.form_signing import refusal
from ivr.ports import WebhookRequest

SIGNATURE: Final = "telnyx-signature-ed25519"
TIMESTAMP: Final = "telnyx-timestamp"
WINDOW: Final = 300.0
"Seconds by which the carrier's clock may differ from ours, and in which a request that was overheard is still good."
_MAX_DIGITS = 12


class TelnyxVerifier:
    """A `Verifier` for the webhooks of one account."""

    def __init__(self, *, public_key: str) -> None:
        """`public_key` is in base64, as the carrier shows it; raise ValueError if it is no key."""
        self._key = Ed25519PublicKey.from_public_bytes(b64decode(public_key, validate=True))

    async def verify(self, request: WebhookRequest, *, now: float) -> None:
        """Return if the head can be that of a request signed by `now`; else raise WebhookError (403)."""
        if not request.headers.get(SIGNATURE):
            raise refusal("no-signature", "A signature is required.")
        when = request.headers.get(TIMESTAMP, "")
        if not (when.isascii() and when.isdigit() and len(when) <= _MAX_DIGITS):
            raise refusal("signature-time", "The time of the signature is required.")
        if abs(now - int(when)) > WINDOW:
            raise refusal("signature-time", "The signature is too old, or of a clock that is wrong.")

    def verify_body(self, request: WebhookRequest) -> None:
        """Return if the signature is the carrier's; else raise WebhookError (403)."""
        when = request.headers.get(TIMESTAMP, "").encode("utf-8", "replace")
        try:
            given = b64decode(request.headers.get(SIGNATURE, ""), validate=True)
            self._key.verify(given, when + b"|" + request.body)
        except (ValueError, InvalidSignature):
            raise refusal("signature", "The signature is invalid.") from None

    def remembered(self, authorization: str, *, now: float) -> None:
        """Return nothing: each request is signed by itself."""
