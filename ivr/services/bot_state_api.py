"""A state service as its bots ask it (Bot State, activity protocol A8): ours, or any other with the same addresses.

The bot's token goes to the service's own host alone. Nothing is tried again: who writes knows best what to do then.
"""

import secrets
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final, Literal
from urllib.parse import quote

import msgspec
from msgspec import Raw, Struct
from yarl import URL

from ivr.errors import IvrError, StateChanged
from ivr.ports import Outbound
from ivr.services.client_credentials import ClientCredentials
from ivr.services.connector_api import ConnectorApi
from ivr.services.egress import Network
from ivr.services.platform_api import PlatformAnswer, PlatformUnreachable

NO_ADDRESS: Final = "must be an address such as https://state.example.com"


class StatePlace(Struct, frozen=True):
    """Which record is meant; at least one of the two ids has to be there."""

    channel: str
    user: str = ""
    conversation: str = ""

    @property
    def path(self) -> str:
        """Where it is, below the address of the service."""
        parts = ["v3", "botstate", self.channel]
        parts += ["conversations", self.conversation] if self.conversation else []
        parts += ["users", self.user] if self.user else []
        return "".join(f"/{quote(part, safe='')}" for part in parts)


class KeptState(Struct, frozen=True):
    """What a service has under one name."""

    data: bytes
    "JSON."
    tag: str


class StateRefused(IvrError):
    """A service has refused a request, or cannot be asked; the text is ours, or what the service said."""

    def __init__(self, message: str, *, status: int = 0, code: str = "") -> None:
        """`status`: that of the answer; 0: there was none. Then `code` says why, as `PlatformUnreachable` does."""
        super().__init__(message)
        self.status = status
        self.code = code


class _Kept(Struct):
    data: Raw = Raw(b"null")
    tag: str = msgspec.field(default="*", name="eTag")


class _Refusal(Struct):
    message: str = ""


class _Refused(Struct):
    error: _Refusal


class BotStateApi:
    """One service, asked for one bot. All methods raise StateRefused; those that write, StateChanged, too."""

    def __init__(self, base: str, credentials: ClientCredentials | None, *, private: Sequence[Network] = ()) -> None:
        """Ask the service at `base`, whose path is kept; raise ValueError where that is no address.

        Without `credentials` no token is sent. `private`: networks beside the public internet to which names may lead.
        """
        self._base = base.rstrip("/")
        address = URL(self._base)
        if not address.raw_host or address.port is None or address.scheme not in {"http", "https"}:
            raise ValueError(NO_ADDRESS)
        own = f"[{address.raw_host}]" if ":" in address.raw_host else address.raw_host
        self._api = ConnectorApi([f"{own}:{address.port}"], credentials, private=private)

    async def get(self, place: StatePlace) -> KeptState:
        """Return a record; one that is not there has the data `null` and the tag `*`."""
        return _kept(await self._asked("GET", place.path))

    async def put(self, place: StatePlace, data: bytes, tag: str | None) -> KeptState:
        """Keep data, which is JSON, where the record has a tag; None: whatever it has. `null` drops the record."""
        answer = await self._asked("POST", place.path, {"eTag": tag or "*", "data": Raw(data)})
        return _kept(answer)

    async def drop_user(self, channel: str, user: str) -> Sequence[str] | None:
        """Forget what is kept of a user, in conversations, too; return the ids of it, if the service tells them."""
        answer = await self._asked("DELETE", StatePlace(channel, user).path)
        try:
            return msgspec.json.decode(answer.body, type=list[str]) if answer.body.strip() else None
        except (msgspec.DecodeError, UnicodeError) as error:
            raise _strange() from error

    async def close(self) -> None:
        """Let go of the connections."""
        await self._api.close()

    async def _asked(self, method: Literal["GET", "POST", "DELETE"], path: str, body: object = None) -> PlatformAnswer:
        request = Outbound("state", method, f"{self._base}{path}", body)
        try:
            answer = await self._api.send(request, secrets.token_hex(16))
        except PlatformUnreachable as error:
            raise StateRefused(str(error), code=error.code) from error
        if answer.status == HTTPStatus.PRECONDITION_FAILED:
            raise StateChanged("the record has another tag")
        if answer.status >= HTTPStatus.MULTIPLE_CHOICES:
            raise StateRefused(_said(answer.body), status=answer.status)
        return answer


def _kept(answer: PlatformAnswer) -> KeptState:
    try:
        kept = msgspec.json.decode(answer.body, type=_Kept)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise _strange() from error
    return KeptState(bytes(kept.data), kept.tag)


def _said(body: bytes) -> str:
    try:
        return msgspec.json.decode(body, type=_Refused).error.message
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return ""


def _strange() -> StateRefused:
    return StateRefused("what came is not what a state service answers")
