"""`/v3/botstate/…`: where bots keep what they remember of users and conversations (activity protocol, A8).

    GET, POST  /v3/botstate/{channel}/users/{user}
    GET, POST  /v3/botstate/{channel}/conversations/{conversation}
    GET, POST  /v3/botstate/{channel}/conversations/{conversation}/users/{user}
    DELETE     /v3/botstate/{channel}/users/{user}

The tag of a record stands in the JSON of its body, and in no header. Nothing of a record, and no id, is repeated in a
refusal or a log.
"""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Final, Protocol
from urllib.parse import unquote_to_bytes

import msgspec
from aiohttp import web
from msgspec import Raw, Struct

from ivr.bot_state import LARGEST, LONGEST_ID, BotStates, StateKey, StateRecord
from ivr.errors import StateChanged, TooManyStates, UnreadableRow, WebhookError
from ivr.server.body import Body
from ivr.server.connection import let_in
from ivr.server.replies import headers, json_reply, not_found

ROOT: Final = "/v3/botstate/"
MAX_BODY: Final = 2 * LARGEST
"Bytes of a body: the data, a tag, and room to be told that the data is too large."
AT_ONCE: Final = 16
"Requests that ask the store at the same time; what calls write must not wait for more."
_STALL, _TOTAL = 5.0, 15.0
"Seconds."
_JSON: Final = "application/json; charset=utf-8"
_ANY: Final = "*"
"The tag that stands for every other one, and for a record that is not there."
_NULL: Final = b"null"


class KnowsBots(Protocol):
    """Who is it?"""

    async def app_of(self, authorization: str, *, now: float) -> str:
        """Return the app id of whoever sent an Authorization header; raise WebhookError with 401, 403 or 503."""


class _Sent(Struct):
    data: Raw = Raw(_NULL)
    tag: str | None = msgspec.field(default=None, name="eTag")


class _Answer(Struct):
    data: Raw
    tag: str = msgspec.field(name="eTag")


_NOTHING: Final = _Answer(Raw(_NULL), _ANY)
_SENT: Final = msgspec.json.Decoder(_Sent)


class BotStatePages:
    """`Pages` of what bots keep."""

    def __init__(self, states: BotStates, bots: KnowsBots, *, most: int, now: Callable[[], int]) -> None:
        """`most`: records that a bot may have; `now` gives nanoseconds since 1970."""
        self._states = states
        self._bots = bots
        self._most = most
        self._now = now
        self._places = asyncio.Semaphore(AT_ONCE)

    @staticmethod
    def owns(path: str) -> bool:
        """Return whether an address is one of theirs."""
        return path.startswith(ROOT)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request; raise WebhookError or StoreUnavailable."""
        fields = request.headers.getall("Authorization", ())
        app = await self._bots.app_of(fields[0] if len(fields) == 1 else "", now=self._now() / 1e9)
        let_in(request)
        key = _key(app, request.rel_url.raw_path)
        sent = await _sent(request) if request.method == "POST" else None
        async with self._places:
            try:
                return await self._answer(request.method, key, sent)
            except StateChanged as error:
                raise WebhookError(412, "BadArgument", "The data is changed") from error
            except TooManyStates as error:
                raise WebhookError(507, "TooManyRecords", "This bot keeps as many records as it may.") from error
            except UnreadableRow as error:
                raise WebhookError(503, "damaged", "What is kept here cannot be read.") from error

    async def _answer(self, method: str, key: StateKey, sent: _Sent | None) -> web.Response:
        if sent is not None:
            return _reply(await self._post(key, sent))
        if method == "GET":
            record = await self._states.get(key, at=self._now())
            return _reply(_NOTHING if record is None else _written(record))
        if method == "DELETE" and not key.conversation:
            return json_reply(await self._states.drop_user(key.app, key.channel, key.user))
        wanted = "GET and POST" if key.conversation else "GET, POST and DELETE"
        raise WebhookError(405, "method", f"Only {wanted} can be used here.")

    async def _post(self, key: StateKey, sent: _Sent) -> _Answer:
        expected = None if sent.tag == _ANY else sent.tag
        data = bytes(sent.data)
        if data == _NULL:
            await self._states.drop(key, expected)
            return _NOTHING
        return _written(await self._states.put(key, data, expected, at=self._now(), most=self._most))


def _key(app: str, path: str) -> StateKey:
    """Return what an address names, as it came: its ids are percent-encoded; raise WebhookError."""
    match path.removeprefix(ROOT).split("/"):
        case [channel, "users", user]:
            return StateKey(app, _id(channel), user=_id(user))
        case [channel, "conversations", conversation]:
            return StateKey(app, _id(channel), conversation=_id(conversation))
        case [channel, "conversations", conversation, "users", user]:
            return StateKey(app, _id(channel), _id(conversation), _id(user))
    raise not_found()


def _id(part: str) -> str:
    """Return the id in a part of an address; raise WebhookError if it is none."""
    try:
        decoded = unquote_to_bytes(part)
        text = decoded.decode()
    except UnicodeError as error:
        raise WebhookError(400, "BadArgument", "An id in the address is no UTF-8.") from error
    if not 0 < len(decoded) <= LONGEST_ID or any(ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0 for char in text):
        message = f"An id in the address has 1 to {LONGEST_ID} bytes, and no control characters."
        raise WebhookError(400, "BadArgument", message)
    return text


async def _sent(request: web.BaseRequest) -> _Sent:
    """Read what is to be kept, as it is; raise WebhookError."""
    if request.content_type != "application/json" or "Content-Encoding" in request.headers:
        raise WebhookError(415, "content-type", "A record is application/json, and not compressed.")
    try:
        body = await Body(request, limit=MAX_BODY, stall=_STALL, total=_TOTAL).whole()
    except WebhookError as error:
        if error.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            raise _too_large() from error
        raise
    try:
        sent = _SENT.decode(body)
        msgspec.json.decode(sent.data)  # what is passed over is not looked at: half a surrogate pair, say
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise WebhookError(400, "BadArgument", 'The body must be {"data": …, "eTag": "…"}, in JSON.') from error
    if len(bytes(sent.data)) > LARGEST:
        raise _too_large()
    return sent


def _too_large() -> WebhookError:
    return WebhookError(400, "MessageSizeTooBig", f"The data of a record has at most {LARGEST} bytes.")


def _written(record: StateRecord) -> _Answer:
    return _Answer(Raw(record.data), record.tag)


def _reply(answer: _Answer) -> web.Response:
    return web.Response(body=msgspec.json.encode(answer), headers=headers(_JSON))
