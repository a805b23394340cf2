"""What is drawn by chance for an attempt, and the digests by which it is known again.

Links, tickets, states and codes stand nowhere as they are: whoever reads the data folder's database cannot use one.
Digests are HMAC-SHA-256 with a key of their own, since a ticket or a code alone could be found by trying them all.
"""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from typing import Final, Literal, TypeAlias

TICKET_DIGITS: Final = 9
"RFC 8628 (6.1) takes as many for numeric pads."
CODE_DIGITS: Final = 8

Kind: TypeAlias = Literal["link", "ticket", "state", "browser", "code", "caller", "address", "shown code"]


def new_id() -> str:
    """Return the name of an attempt, 32 hexadecimal digits."""
    return secrets.token_hex(16)


def new_link() -> str:
    """Return the end of a one-time link: 256 bits, and so long that the log leaves it out of addresses."""
    return secrets.token_urlsafe(32)


def new_ticket() -> str:
    """Return digits that are entered at the page."""
    return _digits(TICKET_DIGITS)


def new_secret() -> str:
    """Return 256 bits for a cookie, a state or a nonce: 43 characters."""
    return secrets.token_urlsafe(32)


def new_verifier() -> str:
    """Return the secret of PKCE: 64 of its characters (RFC 7636, 4.1)."""
    return secrets.token_urlsafe(48)


def challenge(verifier: str) -> str:
    """Return what the provider is told of the secret at first, by S256 (RFC 7636, 4.2)."""
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


class Digests:
    """Makes digests with one key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of(self, kind: Kind, *texts: str) -> str:
        """Return the digest of texts, as something of this kind; of another kind it is another."""
        message = "\n".join((kind, *(f"{len(text)}:{text}" for text in texts)))
        return hmac.new(self._key, message.encode("utf-8", "replace"), hashlib.sha256).hexdigest()

    def code(self, attempt: str) -> str:
        """Return the digits that the page of an attempt shows, and the caller keys or types.

        They follow from the key and the attempt's id, 128 bits drawn by chance: so a page that is loaded again shows
        the same, whichever server it meets, and nobody without the key can tell them.
        """
        return f"{int(self.of('shown code', attempt), 16) % 10**CODE_DIGITS:0{CODE_DIGITS}d}"


def same(one: str, other: str) -> bool:
    """Return whether two digests are the same, in a time that does not tell how much of them is; none is like none."""
    return bool(one) and hmac.compare_digest(one, other)


def only_digits(written: str) -> str:
    """Return the digits of a ticket or a code as people write it: `1234 5678`, `019-450-730`; other signs stay."""
    return "".join(char for char in written if char not in " -.\t\u00a0\u2009\u202f")


def _digits(count: int) -> str:
    return f"{secrets.randbelow(10**count):0{count}d}"
