"""What a signature of Twilio's scheme is made over: the public address, then the fields of the form (carriers: 4.1).

The address is the one that the carrier called, letter by letter: the public address of this server, which its operator
sets, and path and query as they came. What a proxy says of the address that it was asked for is not looked at.
"""

import base64
import hmac
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Final, Literal, TypeAlias
from urllib.parse import parse_qs, urlsplit

from ivr.channels.twiml.reading import pairs
from ivr.errors import WebhookError
from ivr.ports import WebhookRequest

Hash: TypeAlias = Literal["sha1", "sha256"]

FORM_TYPE: Final = "application/x-www-form-urlencoded"
_BODY_HASH: Final = "bodySHA256"
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}


def refusal(code: str, message: str) -> WebhookError:
    """Return the answer to what is not the carrier's."""
    return WebhookError(403, code, message)


def signed_texts(request: WebhookRequest, public: str) -> Iterator[str]:
    """Return what may have been signed: carriers write the port of an address or leave it out.

    Raises WebhookError (400, 403) for a body that cannot have been signed.
    """
    if content_type(request) == FORM_TYPE:
        fields = _sorted(pairs(request.body))
    else:
        _require_hash(request)
        fields = ""
    for base in public_addresses(public):
        yield f"{base}{request.target}{fields}"


def content_type(request: WebhookRequest) -> str:
    """Return the kind of a body, without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def signature(key: bytes, text: str, hash_: Hash) -> bytes:
    """Return the signature of a text, in base64."""
    return base64.b64encode(hmac.digest(key, text.encode("utf-8", "surrogatepass"), hash_))


def is_among(given: str, expected: Sequence[bytes]) -> bool:
    """Return whether a signature is one of those expected, in a time that tells nothing."""
    found = False
    for one in expected:
        found |= hmac.compare_digest(given.encode("utf-8", "replace"), one)
    return found


def public_addresses(public: str) -> Sequence[str]:
    """Return the spellings of the address under which the carrier reaches this server."""
    parts = urlsplit(public)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    port = _DEFAULT_PORTS.get(parts.scheme) if parts.port is None else parts.port
    spelled = [f"{parts.scheme}://{parts.netloc}", f"{parts.scheme}://{host}", f"{parts.scheme}://{host}:{port}"]
    return [f"{one}{parts.path.rstrip('/')}" for one in dict.fromkeys(spelled)]


def _sorted(fields: Sequence[tuple[str, str]]) -> str:
    """Return names and values, one after the other; a value that is there twice for one name counts once."""
    return "".join(name + value for name, value in sorted(set(fields)))


def _require_hash(request: WebhookRequest) -> None:
    """Refuse a body that is no form and not the one whose hash is in the address, which is what is signed of it."""
    told = parse_qs(urlsplit(request.target).query).get(_BODY_HASH, [""])[0]
    if not hmac.compare_digest(told.lower().encode("utf-8", "replace"), sha256(request.body).hexdigest().encode()):
        raise refusal("signature-body", "The body is not the one that was signed.")
