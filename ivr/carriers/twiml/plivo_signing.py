"""How Plivo signs (version 3), and every way in which its signatures can be wrong: HMAC-SHA256 with a nonce."""

import base64
import hmac
import secrets
from collections.abc import Callable, Sequence
from urllib.parse import parse_qsl, urlsplit

from ivr.carriers.twiml.signing import Forgery, Form, Headers, elsewhere


class PlivoSigner:
    """Signs with the token of an account."""

    forgeries: Sequence[Forgery] = ("unsigned", "wrong-key", "wrong-address", "changed-body", "another-nonce")

    def __init__(self, token: str, *, nonce: Callable[[], str] = lambda: secrets.token_hex(10)) -> None:
        self._token = token.encode()
        self._nonce = nonce

    def headers(self, url: str, form: Form, body: bytes) -> Headers:
        """Sign."""
        return self._signed(self._token, url, form, self._nonce())

    def forged(self, url: str, form: Form, body: bytes, how: Forgery) -> Headers:
        """Sign wrongly."""
        nonce = self._nonce()
        match how:
            case "unsigned":
                return ()
            case "wrong-key":
                return self._signed(self._token + b"x", url, form, nonce)
            case "wrong-address":
                return self._signed(self._token, elsewhere(url), form, nonce)
            case "another-nonce":
                (signature, _) = self._signed(self._token, url, form, nonce)
                return (signature, ("X-Plivo-Signature-V3-Nonce", f"{nonce}x"))
        return self._signed(self._token, url, (*form, ("Digits", "0")), nonce)

    @staticmethod
    def _signed(key: bytes, url: str, form: Form, nonce: str) -> Headers:
        digest = hmac.digest(key, f"{_message(url, form)}.{nonce}".encode(), "sha256")
        signature = base64.b64encode(digest).decode()
        return (("X-Plivo-Signature-V3", signature), ("X-Plivo-Signature-V3-Nonce", nonce))


def _message(url: str, form: Form) -> str:
    """Return what is signed but for the nonce: the address, its query and the form, both sorted."""
    parts = urlsplit(url)
    asked = parse_qsl(parts.query, keep_blank_values=True)
    text = f"{parts.scheme}://{parts.netloc}{parts.path}"
    if asked or form:
        text += "?" + "&".join(f"{name}={value}" for name, value in sorted(asked))
    if asked and form:
        text += "."
    return text + "".join(name + value for name, value in sorted(form))
