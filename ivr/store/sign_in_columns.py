"""Sign-ins as the columns of a row, for every store: attempts, and the tokens that came of them, each sealed.

Their key is derived from that of other sealed values, so that a value of one kind opens as no other.
"""

from typing import Final

from msgspec import MsgspecError, json

from ivr.errors import BrokenSeal
from ivr.sign_in_storage import Attempt, SignIn, Tokens
from ivr.store.sealing import Sealer

PURPOSE: Final = "sealed sign-ins"
"Of the key that is derived for these columns."
_ATTEMPT, _TOKENS = json.Decoder(Attempt).decode, json.Decoder(Tokens).decode


class SignInColumns:
    """Writes and reads the columns with the key of one store."""

    def __init__(self, key: bytes) -> None:
        """`key`: what the store derives from its key for `PURPOSE`."""
        self._sealer = Sealer(key, source="the one of sign-ins")

    def written(self, sign_in: SignIn) -> tuple[bytes, bytes | None]:
        """Return the columns of an attempt and of its tokens; None: it has none."""
        attempt, tokens = sign_in.attempt, sign_in.tokens
        body = self._sealer.seal(json.encode(attempt), _place(attempt.id))
        return body, None if tokens is None else self._sealer.seal(json.encode(tokens), _token_place(attempt.id))

    def read(self, name: str, body: bytes, tokens: bytes | None) -> SignIn | None:
        """Read an attempt back, by its id; None: it cannot be read.

        Whoever waits for such a one hears that it has expired, and can begin anew.
        """
        try:
            attempt = _ATTEMPT(self._sealer.unseal(body, _place(name)))
            if tokens is None:
                return SignIn(attempt)
            return SignIn(attempt, _TOKENS(self._sealer.unseal(tokens, _token_place(name))))
        except (BrokenSeal, MsgspecError, UnicodeDecodeError, RecursionError):
            return None


def _place(attempt: str) -> str:
    return f"sign-in {attempt}"


def _token_place(attempt: str) -> str:
    return f"tokens {attempt}"
