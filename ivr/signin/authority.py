"""The identity provider, as sign-in needs it: OAuth 2.0 with OpenID Connect, spoken by Entra and others.

The Protocol and its errors; `ivr.services.sign_in_authority` asks the provider over the web.
"""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from ivr.errors import IvrError
from ivr.sign_in_storage import Tokens


class AuthorityRefused(IvrError):
    """The provider says no; `error` is its word for why (RFC 6749, 5.2; RFC 8628, 3.5), or one of ours.

    Ours begin with `id-token`: what it says of who has signed in cannot be believed, or must not be let in.
    """

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


class AuthorityAway(IvrError):
    """The provider gives no answer, or none that can be read; another try can go better."""


class DeviceCode(Struct, frozen=True):
    """What the provider gave for a device (RFC 8628, 3.2)."""

    user_code: str
    device_code: str
    page: str
    lasts: float
    "Seconds."
    interval: float
    "Seconds between two polls."


class Redirect(Struct, frozen=True):
    """What a browser is sent to the provider with."""

    scopes: Sequence[str]
    state: str
    nonce: str
    challenge: str
    "Of PKCE, by S256."


class Authority(Protocol):
    """One application of ours at one provider. Raises AuthorityRefused and AuthorityAway."""

    def trusts(self, tenant: str) -> bool:
        """Return whether people of this directory may sign in."""

    def is_issuer(self, issuer: str) -> bool:
        """Return whether this is the provider's own name for itself (RFC 9207, 2.4)."""

    def address(self, redirect: Redirect) -> str:
        """Return where a browser is sent to sign in."""

    async def redeem(self, code: str, *, verifier: str, nonce: str, scopes: Sequence[str]) -> Tokens:
        """Exchange what a browser came back with for tokens of somebody whom the provider vouches for."""

    async def refresh(self, tokens: Tokens, *, scopes: Sequence[str], device: bool) -> Tokens:
        """Exchange the refresh token for new tokens of the same person; `device`: they came by a device code."""

    async def device_code(self, scopes: Sequence[str]) -> DeviceCode:
        """Ask for a code that is entered at the provider's page."""

    async def poll(self, device_code: str) -> Tokens:
        """Return the tokens of whoever has entered the code; AuthorityRefused says how it stands else."""

    async def close(self) -> None:
        """Let go of the connections."""
