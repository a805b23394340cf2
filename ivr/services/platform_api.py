"""The API of a channel's platform: where it is, and the credential of this server there.

Both come out of settings, and stand in no row, no log and no error. The credential goes to the API's own host and port
alone; recordings can be on other hosts of the channel's list, which get none. A platform that has its API at many
addresses is `connector_api`.
"""

import asyncio
import base64
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from http import HTTPStatus
from ipaddress import ip_address
from typing import Literal, Protocol
from urllib.parse import urlencode

import aiohttp
from msgspec import Struct, json
from yarl import URL

from ivr.ports import Outbound
from ivr.retry_after import retry_after
from ivr.services.egress import LOOPBACK, Egress, Network, NotAllowed

PATIENCE = 30.0
"Seconds that a platform may take for an answer."
MAX_ANSWER = 64 * 1024
"Bytes that are read of an answer."
SILENT = 30.0
"Seconds without a byte after which a download is over."
_USER_AGENT = "ivr"


_LATER = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
)
"Answers under 500 after which another try can go better."


class Manners(Struct, frozen=True):
    """How a platform is asked again."""

    first_pause: float = 1.0
    "Seconds before the second try; each pause is twice the one before it."
    longest_pause: float = 3600.0
    spread: bool = False
    "A pause is any time up to that one, so that many do not come at once."
    statuses: frozenset[int] | None = None
    "Answers after which another try can go better; None: what is no fault of the request."

    def later(self, status: int) -> bool:
        """Return whether another try can go better."""
        if self.statuses is not None:
            return status in self.statuses
        return status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _LATER


def basic(user: str, password: str) -> str:
    """Return the Authorization header of a name and a password (RFC 7617)."""
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def bearer(token: str) -> str:
    """Return the Authorization header of a token (RFC 6750)."""
    return f"Bearer {token}"


class PlatformUnreachable(Exception):
    """A request got no answer. The text is ours, and names no address and no credential."""

    def __init__(
        self, code: Literal["not-allowed", "unreachable", "timeout", "token"], reason: str, *, sent: bool
    ) -> None:
        """`code` is for logs; `sent`: the platform may have got the request."""
        super().__init__(reason)
        self.code = code
        self.sent = sent
        self.for_good = code == "not-allowed"


class PlatformAnswer(Struct, frozen=True):
    """What a platform answered."""

    status: int
    body: bytes
    "Its first part."
    pause: float | None
    "Seconds for which it wants not to be asked again; None: it does not say."


class Download:
    """A resource as it comes."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer
        self.status = answer.status
        self.content_type = answer.content_type.lower()
        self.length = answer.content_length
        "Bytes that the platform told of; None: it did not."
        self.packed = answer.headers.get("Content-Encoding", "identity").lower() != "identity"
        self.pause = retry_after(answer.headers)
        "Seconds for which the platform wants not to be asked again; None: it does not say."

    @property
    def location(self) -> str:
        """Where a redirect leads; what is no address is returned as it stands."""
        location = self._answer.headers.get("Location", "")
        try:
            return str(self._answer.url.join(URL(location)))
        except ValueError:
            return location

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Return what comes, piece by piece; raise TimeoutError if nothing comes for a while."""
        pieces = self._answer.content.iter_any()
        while True:
            try:
                async with asyncio.timeout(SILENT):
                    piece = await anext(pieces)
            except StopAsyncIteration:
                return
            yield piece

    def abandon(self) -> None:
        """Take no more of it."""
        self._answer.close()


class Api(Protocol):
    """Where a channel's platform takes requests, and gives out recordings."""

    @property
    def manners(self) -> Manners:
        """How it is asked again."""

    async def send(self, request: Outbound, name: str) -> PlatformAnswer:
        """Send a request under its name, the same each time; raise PlatformUnreachable."""

    def get(self, address: str) -> AbstractAsyncContextManager[Download]:
        """Open a resource of the platform; raise NotAllowed or PlatformUnreachable. No redirect is followed."""

    async def close(self) -> None:
        """Let go of the connections."""


class PlatformClient:
    """Requests to the hosts of one list."""

    def __init__(self, egress: Egress, *, key_header: str = "Idempotency-Key", patience: float = PATIENCE) -> None:
        """`key_header`: where a request's name stands; `patience`: seconds for an answer."""
        self._egress = egress
        self._key_header = key_header
        self._patience = patience
        self._session: aiohttp.ClientSession | None = None

    def check(self, address: str) -> URL:
        """Return an address whose host is on the list; raise NotAllowed."""
        return self._egress.check(address)

    async def close(self) -> None:
        """Let go of the connections."""
        if self._session is not None:
            await self._session.close()

    async def send(self, url: URL, request: Outbound, name: str, authorization: str | None) -> PlatformAnswer:
        """Send a request to an address that was checked; raise PlatformUnreachable."""
        body, content_type = _written(request)
        headers = {**_headers(authorization), self._key_header: name, **content_type}
        timeout = aiohttp.ClientTimeout(total=self._patience, sock_connect=10.0)
        try:
            async with self._opened().request(
                request.method, url, data=body, headers=headers, allow_redirects=False, timeout=timeout
            ) as answer:
                read = await _first_part(answer)
                return PlatformAnswer(answer.status, read, retry_after(answer.headers))
        except aiohttp.ClientConnectorError as error:
            raise PlatformUnreachable("unreachable", "the platform cannot be reached", sent=False) from error
        except TimeoutError as error:
            raise PlatformUnreachable("timeout", "the platform did not answer in time", sent=True) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            reason = f"the platform cannot be asked ({type(error).__name__})"
            raise PlatformUnreachable("unreachable", reason, sent=True) from error

    @asynccontextmanager
    async def get(self, url: URL, authorization: str | None) -> AsyncGenerator[Download, None]:
        """Open a resource at an address that was checked; raise PlatformUnreachable."""
        try:
            async with self._opened().get(url, headers=_headers(authorization), allow_redirects=False) as answer:
                yield Download(answer)
        except TimeoutError as error:
            raise PlatformUnreachable("timeout", "the platform is silent", sent=True) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            reason = f"the platform cannot be reached ({type(error).__name__})"
            raise PlatformUnreachable("unreachable", reason, sent=True) from error

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = self._egress.session()
        return self._session


class PlatformApi:
    """One platform's API."""

    manners = Manners()

    def __init__(
        self,
        base: str,
        authorization: str | None,
        *,
        hosts: Sequence[str] = (),
        private: Sequence[Network] = (),
        key_header: str = "Idempotency-Key",
        patience: float = PATIENCE,
    ) -> None:
        """Take the API's address, which stands before each path; that of this machine may be http.

        `authorization` is the header of that name. `hosts`: where the platform's recordings can be beside, as in
        `IVR_HTTP_HOSTS`. `private`: networks beside the public internet to which names may lead. Raises ValueError.
        """
        self._base = base.rstrip("/")
        address = URL(self._base)
        if not address.raw_host or address.port is None or address.scheme not in {"http", "https"}:
            raise ValueError("must be an address such as https://api.example.com")
        if address.scheme == "http" and not is_loopback(address.raw_host):
            raise ValueError("must be https: http is for this machine alone")  # the credential could be read
        own = f"[{address.raw_host}]" if ":" in address.raw_host else address.raw_host
        local = LOOPBACK if is_loopback(address.raw_host) else ()
        self._origin = address.origin()
        listed = [f"{own}:{address.port}", *hosts]
        egress = Egress(listed, (*private, *local), whose="the platform's list")
        self._authorization = authorization
        self._client = PlatformClient(egress, key_header=key_header, patience=patience)

    def __repr__(self) -> str:
        return f"PlatformApi({self._origin.host})"

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.close()

    async def send(self, request: Outbound, name: str) -> PlatformAnswer:
        """Send a request under its name, the same each time; raise PlatformUnreachable."""
        try:
            url = self._client.check(f"{self._base}{request.path}")
        except NotAllowed as error:
            raise PlatformUnreachable("not-allowed", str(error), sent=False) from error
        return await self._client.send(url, request, name, self._authorization_at(url))

    def get(self, address: str) -> AbstractAsyncContextManager[Download]:
        """Open a resource of the platform; raise NotAllowed or PlatformUnreachable. No redirect is followed.

        The credential goes along where the address is the API's own host.
        """
        url = self._client.check(address)
        return self._client.get(url, self._authorization_at(url))

    def _authorization_at(self, url: URL) -> str | None:
        return self._authorization if url.origin() == self._origin else None


def _headers(authorization: str | None) -> dict[str, str]:
    headers = {"User-Agent": _USER_AGENT, "Accept-Encoding": "identity"}
    return headers if authorization is None else {**headers, "Authorization": authorization}


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _written(request: Outbound) -> tuple[bytes | None, Mapping[str, str]]:
    """Return a request's body, and the header of its type."""
    if request.body is None:
        return None, {}
    if request.kind == "json":
        return json.encode(request.body), {"Content-Type": "application/json"}
    if request.kind == "written":
        return str(request.body).encode(), {"Content-Type": "application/json"}
    fields = request.body if isinstance(request.body, Mapping) else {}
    pairs = [
        (name, one) for name, value in fields.items() for one in (value if isinstance(value, list | tuple) else [value])
    ]
    return urlencode(pairs).encode(), {"Content-Type": "application/x-www-form-urlencoded"}


async def _first_part(answer: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in answer.content.iter_any():
        body += chunk
        if len(body) >= MAX_ANSWER:
            answer.close()
            break
    return bytes(body[:MAX_ANSWER])
