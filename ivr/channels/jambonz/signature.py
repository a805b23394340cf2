"""Check that a request is jambonz's: `Jambonz-Signature: t=<seconds>,v1=<hex>`, an HMAC-SHA-256 of time and body.

It is checked on the bytes as they came. There can be several signatures in a header and several secrets in force, as
while a secret is replaced; one pair that fits is enough. A retried request carries the signature of the first attempt.
"""

import hmac
import re
from collections.abc import Mapping, Sequence
from typing import Final

from ivr.channels.jambonz import wire
from ivr.errors import WebhookError
from ivr.ports import GoodCredentials, WebhookRequest

TOLERANCE: Final = 300
"Seconds by which a signature's time may differ from ours, as in the vendor's own check."
MOST_SIGNATURES: Final = 8
"In one header; two while a secret is replaced."
_LONGEST: Final = 1024
"Characters of the header."
_TIME: Final = re.compile(r"[0-9]{1,12}", re.ASCII)
_SIGNATURE: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


class SignatureVerifier:
    """`ports.Verifier`: the time of the signature by the head, the signature itself once the body is there."""

    def __init__(self, secrets: Sequence[bytes]) -> None:
        """Take what any of these secrets has signed; without one, nothing is taken."""
        self._secrets = secrets

    async def verify(self, request: WebhookRequest, *, now: float) -> None:
        """Refuse a request without a signature of about now; raise WebhookError (401)."""
        check_time(request.headers, now=now)

    def verify_body(self, request: WebhookRequest) -> None:
        """Refuse a request with a signature that is not of its body; raise WebhookError (401)."""
        check_body(request.headers, request.body, self._secrets)

    def remembered(self, authorization: str, *, now: float) -> GoodCredentials | None:
        """Know nothing: each request has a signature of its own."""
        return None


def check_time(headers: Mapping[str, str], *, now: float) -> None:
    """Refuse a request that has no signature, or one of another time; raise WebhookError (401). Reads no body."""
    time, _ = _read(headers)
    if abs(now - int(time)) > TOLERANCE:
        raise WebhookError(401, "stale", "The signature is too old, or of a time to come.")


def check_body(headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> None:
    """Refuse a request whose signature is none of its body under any of the secrets; raise WebhookError (401)."""
    time, signatures = _read(headers)
    signed = time.encode() + b"." + body
    for secret in secrets:
        right = hmac.new(secret, signed, "sha256").hexdigest()
        if any(hmac.compare_digest(right, signature) for signature in signatures):
            return
    raise WebhookError(401, "signature", "The signature is not right.")


def _read(headers: Mapping[str, str]) -> tuple[str, list[str]]:
    header = headers.get(wire.SIGNATURE, "")
    times, signatures = [], []
    for item in header[:_LONGEST].split(","):
        name, _, value = item.strip().partition("=")
        if name == "t":
            times.append(value)
        elif name == "v1":
            signatures.append(value)
    right = (
        len(header) <= _LONGEST
        and len(times) == 1
        and _TIME.fullmatch(times[0])
        and 1 <= len(signatures) <= MOST_SIGNATURES
        and all(map(_SIGNATURE.fullmatch, signatures))
    )
    if not right:
        raise WebhookError(401, "signature", "The request has no signature that can be read.")
    return times[0], signatures
