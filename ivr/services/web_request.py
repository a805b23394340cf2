"""The service `http`: asks other services on the web, as the action `http` orders it.

It returns whatever was answered, since the flow judges that. It judges only what the action cannot see: whether the
host is allowed, how long it takes, whether the body can be read. Secrets are put in here, and stand nowhere else.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from hashlib import sha256
from typing import Any, Protocol
from urllib.parse import urlencode

import aiohttp
from msgspec import DecodeError, Struct, json
from msgspec.structs import replace
from yarl import URL

from ivr.engine.commands import Argument
from ivr.engine.events import HttpAnswered
from ivr.engine.web_orders import MARK, PAUSES, expected, only_named
from ivr.retry_after import retry_after
from ivr.services.egress import Egress, NotAllowed
from ivr.services.service import ServiceError
from ivr.sign_in_ports import SignInRefused
from ivr.storage import Order

log = logging.getLogger(__name__)

MAX_BYTES = 1 << 20
"Of a body that is read."
MAX_KEPT = 64 * 1024
"Bytes of what is kept of it, as JSON: it is stored with the call, again with each turn."
TRY_AGAIN = frozenset({429, 502, 503, 504})
"Statuses after which the same request may be answered another time (RFC 6585, 4; RFC 9110, 15.6)."
KEYED = frozenset({"POST", "PATCH"})
"Methods that may do something each time they are asked."
SHORTEST_HIDDEN = 8
"Characters of a secret that is looked for in answers: a shorter one would be found in any."
HIDDEN = "(hidden)"
"In the place of a secret."
_WITH_SECRETS = ("query", "form", "headers")
_USER_AGENT = "ivr"
_REFUSED = 401
"The status of a request whose token is not taken (RFC 9110, 15.5.2)."

Pause = Callable[[float], Awaitable[None]]


class Bearers(Protocol):
    """Who has the tokens of callers who have signed in: of `ivr.sign_in_ports.SignIns` what is needed here."""

    async def bearer(self, call: str, name: str, *, address: str, refused: str | None = None) -> str | None:
        """Return the token for a request to an address; None: nobody is signed in. Raises SignInRefused."""


class _Request(Struct, frozen=True):
    """One request, secrets included; it is sent and forgotten."""

    method: str
    url: URL
    headers: Mapping[str, str]
    body: bytes | None
    seconds: float
    "For one try."
    retries: int
    expect: tuple[str, ...]
    returns: Any
    "The shape of the body, as `web_orders` reads it; None: it is not read."
    secrets: Sequence[str]
    "Those that stand in it."

    def __repr__(self) -> str:
        return f"{self.method} {self.url.host}"


class WebRequest:
    """Asks web services."""

    def __init__(
        self,
        egress: Egress,
        secrets: Mapping[str, str],
        *,
        pause: Pause = asyncio.sleep,
        bearers: Bearers | None = None,
    ) -> None:
        """Ask where `egress` allows it; `bearers` has the tokens of callers, None: nobody can sign in."""
        self._egress = egress
        self._bearers = bearers
        self._pause = pause
        self._secrets = secrets
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def run(self, order: Order) -> HttpAnswered:
        """Ask, and ask again as the order says; raise ServiceError if nothing was answered."""
        ends = time.monotonic() + order.request.timeout
        arguments = {**order.request.arguments, **order.request.private}
        if order.attempts > 1 and arguments["method"] in KEYED and not arguments["retries"]:
            # It was under way when the server stopped, so it may have been done, and nobody allowed a second time.
            log.warning("request is not sent again after a restart", extra={"call": order.call})
            raise ServiceError("connect")
        try:
            request = self._made(arguments, order)
        except (NotAllowed, _NoSuchSecret) as error:
            log.warning("request is not possible", extra={"call": order.call, "reason": str(error)})
            raise ServiceError("connect") from error
        name = arguments.get("signIn")
        if name is None:
            return await self._asked(request, order, ends)
        return await self._asked_as_caller(request, order, ends, str(name))

    async def _asked_as_caller(self, request: _Request, order: Order, ends: float, name: str) -> HttpAnswered:
        """Ask in the name of a caller who has signed in: once more with another token, if the first is refused."""
        token: str | None = None
        for _ in range(2):
            token = await self._token(request, order, name, refused=token)
            answer = await self._asked(_bearing(request, token), order, ends)
            if answer.status != _REFUSED:
                return answer
        raise ServiceError("auth")

    async def _token(self, request: _Request, order: Order, name: str, *, refused: str | None) -> str:
        if self._bearers is None or request.url.scheme != "https":  # not even this machine is told a token in clear
            raise ServiceError("auth")
        address = str(request.url.with_query(None))
        try:
            token = await self._bearers.bearer(order.call, name, address=address, refused=refused)
        except SignInRefused as error:
            log.warning("no token for a web service", extra={"call": order.call, "reason": error.code})
            raise ServiceError("connect" if error.code == "unreachable" else "auth") from error
        if token is None:
            raise ServiceError("auth")
        return token

    async def _asked(self, request: _Request, order: Order, ends: float) -> HttpAnswered:
        for pause in (*PAUSES[: request.retries], None):
            answer, again = await self._tried(request, order)
            rest = (pause if again is None else again) if pause is not None and _is_worth(answer) else None
            if rest is None or time.monotonic() + rest + request.seconds > ends:
                break
            log.warning("web service is asked again", extra={"call": order.call, "reason": _why(answer)})
            await self._pause(rest)
        if isinstance(answer, ServiceError):
            raise answer
        return answer

    async def _tried(self, request: _Request, order: Order) -> tuple[HttpAnswered | ServiceError, float | None]:
        """Ask once; return what came of it, and after how many seconds the service wants to be asked again."""
        if self._session is None:
            self._session = self._egress.session()
        try:
            async with (
                asyncio.timeout(request.seconds),
                self._session.request(
                    request.method, request.url, headers=request.headers, data=request.body, allow_redirects=False
                ) as response,
            ):
                answered = await _answered(response, request, order.request.job)
                return answered, retry_after(response.headers)
        except TimeoutError:
            return ServiceError("timeout"), None
        except (aiohttp.ClientError, OSError, ValueError) as error:  # ValueError: a header that cannot be sent
            # Not its text: an address or a header of the request may stand in it.
            log.warning("web service not reached", extra={"call": order.call, "reason": type(error).__name__})
            return ServiceError("connect"), None

    def _made(self, arguments: Mapping[str, Argument], order: Order) -> _Request:
        """Put a request together; raise NotAllowed or _NoSuchSecret."""
        url = self._egress.check(str(arguments["url"]))
        query = urlencode([(name, self._put_in(value, str)) for name, value in _fields(arguments, "query")])
        if query:
            url = URL(f"{url}{'&' if url.raw_query_string else '?'}{query}", encoded=True)
        returns = arguments.get("returns")
        headers = {"User-Agent": _USER_AGENT, "Accept": "*/*" if returns is None else "application/json"}
        body: bytes | None = None
        if (text := arguments.get("json")) is not None:
            headers["Content-Type"] = "application/json"
            body = self._put_in(text, _inside_json).encode()
        elif "form" in arguments:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            form = [(name, self._put_in(value, str)) for name, value in _fields(arguments, "form")]
            body = urlencode(form).encode()
        own = {name: self._put_in(value, str) for name, value in _fields(arguments, "headers")}
        named = {name.lower() for name in own}
        headers = {**{name: value for name, value in headers.items() if name.lower() not in named}, **own}
        headers["Accept-Encoding"] = "identity"  # nothing is inflated, so that a small body stays small
        method = str(arguments["method"])
        if method in KEYED:
            headers["Idempotency-Key"] = idempotency_key(order)
        expect = arguments["expect"]
        return _Request(
            method,
            url,
            headers,
            body,
            float(str(arguments["timeout"])),
            int(str(arguments["retries"])),
            tuple(map(str, expect)) if isinstance(expect, tuple | list) else (),
            None if returns is None else json.decode(str(returns)),
            [self._secrets[name] for name in _named_secrets(arguments)],
        )

    def _put_in(self, text: Argument, written: Callable[[str], str]) -> str:
        """Put secrets where the engine has named them; `written` makes each fit its place."""
        parts = str(text).split(MARK)
        for place in range(1, len(parts), 2):
            if parts[place] not in self._secrets:
                raise _NoSuchSecret(f'there is no secret "{parts[place]}" in the settings')
            parts[place] = written(self._secrets[parts[place]])
        return "".join(parts)


def _bearing(request: _Request, token: str) -> _Request:
    """Return the request with a token (RFC 6750, 2.1), which is looked for in the answer as secrets are."""
    headers = {**request.headers, "Authorization": f"Bearer {token}"}
    return replace(request, headers=headers, secrets=(*request.secrets, token))


class _NoSuchSecret(Exception):
    """A request names a secret that the settings do not have."""


def idempotency_key(order: Order) -> str:
    """Return the key by which a service can tell that it is asked the same again: the same after a restart."""
    return sha256(f"{order.call}/{order.request.job}".encode()).hexdigest()[:32]


def _named_secrets(arguments: Mapping[str, Argument]) -> frozenset[str]:
    """Return the names of the secrets that the engine has put into an order; each of them is known."""
    texts = [arguments.get("json") or "", *(text for part in _WITH_SECRETS for _, text in _fields(arguments, part))]
    return frozenset(name for text in texts for name in str(text).split(MARK)[1::2])


def _fields(arguments: Mapping[str, Argument], name: str) -> list[tuple[str, Argument]]:
    found = arguments.get(name)
    return list(found.items()) if isinstance(found, dict) else []


def _inside_json(text: str) -> str:
    return json.encode(text).decode()[1:-1]


def _is_worth(answer: HttpAnswered | ServiceError) -> bool:
    """Return whether the same request may be answered another time."""
    return isinstance(answer, ServiceError) or answer.status in TRY_AGAIN


def _why(answer: HttpAnswered | ServiceError) -> str:
    return answer.code if isinstance(answer, ServiceError) else f"status {answer.status}"


async def _answered(response: aiohttp.ClientResponse, request: _Request, job: str) -> HttpAnswered:
    if request.returns is None or not expected(response.status, request.expect):
        return HttpAnswered(job, response.status)
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        return HttpAnswered(job, response.status, readable=False)
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MAX_BYTES:
            response.close()
            return HttpAnswered(job, response.status, readable=False)
    try:
        kept = only_named(_JSON.decode(bytes(body).removeprefix(b"\xef\xbb\xbf")), request.returns)
        size = len(json.encode(kept))
    except (DecodeError, RecursionError, ArithmeticError, ValueError):  # ArithmeticError: 1e99999999999999999999
        return HttpAnswered(job, response.status, readable=False)
    if size > MAX_KEPT:
        return HttpAnswered(job, response.status, readable=False)
    return HttpAnswered(job, response.status, _without(kept, request.secrets))


def _without(body: Any, secrets: Sequence[str]) -> Any:
    """Return an answer that does not repeat the secrets of its request: it is stored, traced and perhaps spoken."""
    match body:
        case str():
            for secret in secrets:
                body = body.replace(secret, HIDDEN) if len(secret) >= SHORTEST_HIDDEN else body
        case list():
            return [_without(item, secrets) for item in body]
        case dict():
            return {name: _without(item, secrets) for name, item in body.items()}
    return body


def _exact(digits: str) -> float | str:
    """Return a number as JSON stores it; one that loses digits so stays text, which a decimal can be made of."""
    number = float(digits)
    return number if Decimal(repr(number)) == Decimal(digits) else digits


_JSON = json.Decoder(float_hook=_exact)
