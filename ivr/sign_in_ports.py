"""The plug point of sign-in: what a call orders of it, and what it promises (docs/sign-in.md).

A caller is asked to sign in at the organisation's identity provider, with a browser that is none of the call's. What
binds the two is an *attempt*: it belongs to one call, is good for minutes, and ends with the call. Tokens never leave
whoever keeps this promise but for the request that is to bear one.
"""

from collections.abc import Sequence
from typing import Literal, Protocol, TypeAlias

from msgspec import Struct

from ivr.errors import IvrError

SignInWay: TypeAlias = Literal["code", "link", "device"]
"""How the browser and the call are bound to each other.

`code`: the browser shows a code, which the caller keys or types. `link`: a link that an authenticated chat has carried
to the very user who then signs in. `device`: the call says a code, which is entered at the provider (RFC 8628).
"""

SignInResult: TypeAlias = Literal["signedIn", "pending", "wrong", "burnt", "declined", "expired", "failed"]
"""How an attempt stands.

`pending`: nothing is decided. `wrong`: this code was not the one, and another may be tried. All others are the end of
the attempt: signed in; too many wrong codes; the person said no; its time is over, or its call; the provider refused.
"""


class SignInRefused(IvrError):
    """Nobody can be asked to sign in, or no token can be had; `code` is one word, for a flow and for the log.

    `off`: the settings name no provider, or not for this way. `throttled`: this caller has begun too many attempts, or
    all together have. `unreachable`: the provider gives no answer. `refused`: it says no, such as by a rule of the
    directory. `host`: the token must not be sent to that address.
    """

    def __init__(self, code: Literal["off", "throttled", "unreachable", "refused", "host"], message: str) -> None:
        super().__init__(message)
        self.code = code


class DirectoryUser(Struct, frozen=True):
    """A person as a directory names them: both ids are the directory's, in lower case, and never a mail address."""

    tenant: str
    "The directory: `tid` of a token."
    user: str
    "The person in it: `oid` of a token."


class SignInCaller(Struct, frozen=True):
    """Who is on the line, as far as the line knows."""

    channel: str
    party: str | None
    "Who is on the line, as the platform writes it; None: withheld."
    directory: DirectoryUser | None = None
    "Who it is by the directory, where the channel has authenticated that."


class SignInOrder(Struct, frozen=True):
    """What a call orders: somebody is to sign in."""

    job: str
    "The order's name within the call. An order that is carried out again takes the place of the first."
    name: str
    "What the flow calls it: tokens are kept and found by it."
    by: SignInWay
    scopes: Sequence[str]
    "What the token is to be good for, beside `openid profile offline_access`."
    language: str = "en"
    "Of the pages, BCP 47; one that they are not written in is English."


class Begun(Struct, frozen=True):
    """An attempt, and what a caller is told to use it. Every text here is a secret of the call."""

    attempt: str
    "Its name: 32 hexadecimal digits."
    by: SignInWay
    "`link` becomes `code` where the line does not say who the caller is by the directory."
    page: str
    "Where a browser is to go, short enough to be said; of `device`, the provider's page."
    ticket: str = ""
    "What is to be entered there: 9 digits; of `device` there is none."
    link: str = ""
    "The whole way in one address, good once; of `device` there is none."
    code: str = ""
    "Of `device` alone: what is to be entered at the provider's page."


class SignIns(Protocol):
    """Attempts and tokens of all calls. All but `settled` are done within seconds. Raises StoreUnavailable."""

    async def begin(self, call: str, order: SignInOrder, caller: SignInCaller) -> Begun:
        """Begin an attempt, which takes the place of the call's last one of that name; raise SignInRefused.

        `call` is our id of the call, here as everywhere.
        """

    async def check(self, call: str, attempt: str, code: str | None) -> SignInResult:
        """Judge a code that a caller entered, or (None) say how the attempt stands.

        An attempt of another call is `expired`, as one that there never was: nothing is looked up by a code.
        """

    async def settled(self, call: str, attempt: str) -> SignInResult:
        """Wait until an attempt is decided, which is minutes at most, and return how."""

    async def close(self, call: str) -> None:
        """End all attempts of a call that is over, and erase its tokens. May be told twice."""

    async def bearer(self, call: str, name: str, *, address: str, refused: str | None = None) -> str | None:
        """Return the access token for one request to an address, renewed where that is due; None: nobody is signed in.

        `refused`: a token that this address has refused; another one is fetched, once, and None if there is none.
        Raises SignInRefused: `host` where the operator does not let the token go there, `unreachable` where it has to
        be renewed and cannot be now.
        """
