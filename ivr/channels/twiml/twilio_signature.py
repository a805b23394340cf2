"""Twilio's signatures: HMAC-SHA-1 with the account's auth token, or HMAC-SHA-256 with a key made for webhooks.

Rule: the settings decide by what a request is verified, and a request never does. Where keys for webhooks are set, what
names none of them is refused, be it signed with the auth token; and a key is for the one algorithm that it was made
for, whatever the header says (carriers: 4.1).
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from ivr.channels.twiml.form_signing import Hash, is_among, refusal, signature, signed_texts
from ivr.ports import WebhookRequest

SIGNATURE: Final = "x-twilio-signature"
SETTINGS: Final = "x-twilio-webhooks-signature-settings"
_ALGORITHM = "HMAC_SHA256"


class _Key(Struct, frozen=True):
    secret: bytes
    hash: Hash


class TwilioVerifier:
    """A `Verifier` for the webhooks of one account."""

    def __init__(self, *, public: str, auth_token: str, webhook_keys: Mapping[str, str] | None = None) -> None:
        """`public` is the address that the carrier calls; `webhook_keys` are secrets by the names of keys."""
        if not auth_token or any(not name or not secret for name, secret in (webhook_keys or {}).items()):
            raise ValueError("without a secret, everybody's requests would be accepted")
        self._public = public
        self._token = _Key(auth_token.encode(), "sha1")
        self._keys = {name: _Key(secret.encode(), "sha256") for name, secret in (webhook_keys or {}).items()}

    async def verify(self, request: WebhookRequest, *, now: float) -> None:
        """Return if the head can be that of a request that is signed; else raise WebhookError (403)."""
        if not request.headers.get(SIGNATURE):
            raise refusal("no-signature", "A signature is required.")
        self._key(request)

    def verify_body(self, request: WebhookRequest) -> None:
        """Return if the signature is the carrier's; else raise WebhookError (403)."""
        key = self._key(request)
        expected = [signature(key.secret, text, key.hash) for text in signed_texts(request, self._public)]
        if not is_among(request.headers.get(SIGNATURE, ""), expected):
            raise refusal("signature", "The signature is invalid.")

    def remembered(self, authorization: str, *, now: float) -> None:
        """Return nothing: each request is signed by itself."""

    def _key(self, request: WebhookRequest) -> _Key:
        settings = request.headers.get(SETTINGS)
        if not self._keys:
            if settings is not None:
                raise refusal("signature-key", "The request is signed with a key that is not set here.")
            return self._token
        told = dict(_parameters(settings or ""))
        key = self._keys.get(told.get("key", ""))
        if key is None:
            raise refusal("signature-key", "The request must be signed with a key that is set here.")
        if told.get("algorithm") != _ALGORITHM:
            raise refusal("signature-algorithm", "The key is for another algorithm.")
        return key


def _parameters(header: str) -> list[tuple[str, str]]:
    found = [part.partition("=")[::2] for part in header.split(",")]
    return [(name.strip(), value.strip()) for name, value in found]
