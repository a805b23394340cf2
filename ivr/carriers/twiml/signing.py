"""How carriers sign what they send, and every way in which a signature can be wrong.

Written from the carriers' pages; tests hold it against their own libraries. HMAC over the address and the sorted form
(`X-Twilio-Signature`: SHA-1 with the account's token, or SHA-256 with a key that the header `…-Signature-Settings`
names), or Ed25519 over the time and the body (`telnyx-signature-ed25519`).
"""

import base64
import hmac
import time
from collections.abc import Callable, Sequence
from typing import Literal, Protocol, TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ivr.errors import IvrError

Form: TypeAlias = Sequence[tuple[str, str]]
Headers: TypeAlias = tuple[tuple[str, str], ...]
Forgery: TypeAlias = Literal[
    "unsigned", "wrong-key", "wrong-address", "changed-body", "stale", "downgraded", "another-nonce"
]

STALE = 900
"Seconds; a signature of that age is no longer taken."


class BadKey(IvrError):
    """A key that cannot sign; the text says what is expected."""


class Signer(Protocol):
    """Signs requests."""

    forgeries: Sequence[Forgery]
    "The ways in which one of these signatures can be wrong."

    def headers(self, url: str, form: Form, body: bytes) -> Headers:
        """Return the headers that sign a request; `form` is what is in `body`, and empty for GET."""

    def forged(self, url: str, form: Form, body: bytes, how: Forgery) -> Headers:
        """Return headers that are wrong in one way; `changed-body` signs another body than the one that is sent."""


def _message(url: str, form: Form) -> bytes:
    """Return what an HMAC is made of: the address, then each name with its values, sorted, each value once."""
    return (url + "".join(name + value for name, value in sorted(set(form)))).encode()


class TokenSigner:
    """HMAC-SHA1 with the account's token."""

    forgeries: Sequence[Forgery] = ("unsigned", "wrong-key", "wrong-address", "changed-body")

    def __init__(self, token: str, header: str = "X-Twilio-Signature") -> None:
        self._token = token.encode()
        self._header = header

    def headers(self, url: str, form: Form, body: bytes) -> Headers:
        """Sign."""
        return ((self._header, _hmac(self._token, _message(url, form), "sha1")),)

    def forged(self, url: str, form: Form, body: bytes, how: Forgery) -> Headers:
        """Sign wrongly."""
        match how:
            case "unsigned":
                return ()
            case "wrong-key":
                return ((self._header, _hmac(self._token + b"x", _message(url, form), "sha1")),)
            case "wrong-address":
                return self.headers(elsewhere(url), form, body)
        return self.headers(url, (*form, ("Digits", "0")), body)


class SharedKeySigner:
    """HMAC-SHA256 with a key of its own, which a header names (public beta of 2026)."""

    forgeries: Sequence[Forgery] = ("unsigned", "wrong-key", "wrong-address", "changed-body", "downgraded")

    def __init__(self, name: str, secret: str) -> None:
        """`name` is the key's, as `webhooks_sharedkey_…`."""
        self._name = name
        self._secret = secret.encode()

    def headers(self, url: str, form: Form, body: bytes) -> Headers:
        """Sign."""
        return self._with(_hmac(self._secret, _message(url, form), "sha256"), "HMAC_SHA256")

    def forged(self, url: str, form: Form, body: bytes, how: Forgery) -> Headers:
        """Sign wrongly."""
        match how:
            case "unsigned":
                return ()
            case "wrong-key":
                return self._with(_hmac(self._secret + b"x", _message(url, form), "sha256"), "HMAC_SHA256")
            case "downgraded":  # the weaker algorithm, which the request itself asks for
                return self._with(_hmac(self._secret, _message(url, form), "sha1"), "HMAC_SHA1")
            case "wrong-address":
                return self.headers(elsewhere(url), form, body)
        return self.headers(url, (*form, ("Digits", "0")), body)

    def _with(self, signature: str, algorithm: str) -> Headers:
        settings = ("X-Twilio-Webhooks-Signature-Settings", f"key={self._name},algorithm={algorithm}")
        return (("X-Twilio-Signature", signature), settings)


class Ed25519Signer:
    """Ed25519 over the time and the body."""

    forgeries: Sequence[Forgery] = ("unsigned", "wrong-key", "changed-body", "stale")

    def __init__(self, private: bytes | None = None, *, clock: Callable[[], float] = time.time) -> None:
        """`private` are the 32 bytes of a key, none: a new one; raise BadKey for anything else."""
        try:
            self._key = Ed25519PrivateKey.from_private_bytes(private) if private else Ed25519PrivateKey.generate()
        except (ValueError, UnsupportedAlgorithm) as error:
            raise BadKey("An Ed25519 key has 32 bytes, written in base64.") from error
        self._clock = clock

    @property
    def public(self) -> str:
        """The public key, as the carrier's portal shows it: base64 of 32 bytes."""
        return base64.b64encode(self._key.public_key().public_bytes_raw()).decode()

    def headers(self, url: str, form: Form, body: bytes) -> Headers:
        """Sign."""
        return self._signed(self._key, int(self._clock()), body)

    def forged(self, url: str, form: Form, body: bytes, how: Forgery) -> Headers:
        """Sign wrongly."""
        now = int(self._clock())
        match how:
            case "unsigned":
                return ()
            case "wrong-key":
                return self._signed(Ed25519PrivateKey.generate(), now, body)
            case "stale":
                return self._signed(self._key, now - STALE, body)
        return self._signed(self._key, now, body + b"&Digits=0")

    @staticmethod
    def _signed(key: Ed25519PrivateKey, at: int, body: bytes) -> Headers:
        signature = base64.b64encode(key.sign(b"%d|%b" % (at, body))).decode()
        return (("telnyx-signature-ed25519", signature), ("telnyx-timestamp", str(at)))


def private_key(text: str) -> bytes:
    """Read a private key as it is written in settings; raise BadKey."""
    try:
        key = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise BadKey("An Ed25519 key has 32 bytes, written in base64.") from error
    if len(key) != 32:
        raise BadKey("An Ed25519 key has 32 bytes, written in base64.")
    return key


def _hmac(key: bytes, message: bytes, algorithm: str) -> str:
    return base64.b64encode(hmac.digest(key, message, algorithm)).decode()


def elsewhere(url: str) -> str:
    """Return another address."""
    return f"{url}x" if "?" in url else f"{url}/x"
