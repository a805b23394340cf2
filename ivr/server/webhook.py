"""One webhook, in three steps: the head, who sent it, the body. Then the turn, and its reply.

The order is the point. Nothing of a body is read before its sender is known, and nothing is acknowledged before it is
saved. This file knows aiohttp's request; what it hands on (`WebhookRequest`) does not.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Final, Literal, Protocol

from aiohttp import web
from msgspec.structs import replace

from ivr.errors import IvrError, StoreUnavailable, WebhookError
from ivr.media_storage import MediaStore
from ivr.ports import BodyKind, CallKey, Form, Incoming, Upload, Verifier, WebhookReply, WebhookRequest
from ivr.server.arrivals import Arrival, Arrivals
from ivr.server.body import Body, BodyLimits
from ivr.server.connection import Connection, let_in
from ivr.server.multipart import ROOM, boundary_of, read_form
from ivr.server.refusals import Refusals
from ivr.server.webhook_routes import Route

log = logging.getLogger(__name__)

_KINDS: Final[Mapping[str, BodyKind]] = {
    "application/json": "json",
    "application/x-www-form-urlencoded": "form",
    "multipart/form-data": "multipart",
}
"By their content type."

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Decodes(Protocol):
    """The part of a channel that a webhook needs."""

    def decode(self, request: WebhookRequest) -> Sequence[Incoming] | WebhookReply:
        """Return whose calls a request is about, or answer it at once."""


class TakesTurns(Protocol):
    """The part of `ivr.turn.Turns` that a webhook needs."""

    async def take(self, incoming: Incoming, *, flow: str | None = None, arrived: float) -> WebhookReply:
        """Answer one message once."""


class KnowsCalls(Protocol):
    """The part of a store that a webhook needs."""

    async def named(self, media: str) -> bool:
        """Return whether a call names this recording."""


class Webhook:
    """All webhooks of one channel."""

    def __init__(
        self,
        *,
        channel: Decodes,
        verifier: Verifier,
        turns: TakesTurns,
        store: KnowsCalls,
        recordings: MediaStore,
        arrivals: Arrivals,
        limits: BodyLimits,
        now: Callable[[], float],
        refusals: Refusals | None = None,
        proof: Literal["head", "body"] = "head",
        before: Callable[[Incoming], Awaitable[None]] | None = None,
    ) -> None:
        """Put together what a webhook needs.

        `proof`: what the verifier needs to know who sends; `before` is awaited before a message is taken.
        """
        self._channel = channel
        self._verifier = verifier
        self._turns = turns
        self._store = store
        self._recordings = recordings
        self._arrivals = arrivals
        self._limits = limits
        self._now = now
        self._refusals = refusals or Refusals()
        self._proof = proof
        self._before = before

    async def receive(self, request: web.BaseRequest, route: Route) -> WebhookReply:
        """Take one request; raise WebhookError or StoreUnavailable where it cannot be taken."""
        arrived = _arrived(request) or self._now()
        head = _head(request)
        await self._verifier.verify(head, now=self._now())
        if self._proof == "head":
            let_in(request)  # before the body, which may take its time
        kind = _kind(head, route)
        with self._arrivals.count(arrived) if kind == "multipart" else nullcontext() as arrival:
            whole = await self._read(request, head, route.endpoint.form, arrival)
            try:
                self._verifier.verify_body(whole)
                let_in(request)
                return await self._answer(whole, route.flow, arrived)
            except asyncio.CancelledError:
                whole = head  # its commit may still be on the way: what is not named is left to the sweep
                raise
            finally:
                for upload in whole.uploads.values():
                    await self._forget_unused(upload)

    async def _answer(self, request: WebhookRequest, flow: str | None, arrived: float) -> WebhookReply:
        messages = self._channel.decode(request)
        if isinstance(messages, WebhookReply):
            return messages
        answer: WebhookReply | None = None
        failed: dict[CallKey, IvrError] = {}
        for incoming in messages:
            if incoming.key in failed:
                continue  # what follows a message that was not taken must not overtake it
            try:
                reply = await self._take(incoming, flow, arrived)
            except IvrError as error:
                failed[incoming.key] = error
                continue
            if incoming.wants == "commands" or answer is None:
                answer = reply
        self._judge(failed, taken=answer is not None)
        return answer or WebhookReply()

    def _judge(self, failed: dict[CallKey, IvrError], *, taken: bool) -> None:
        """Raise what failed where the whole request has to come again; else the others must not suffer from it.

        What was `taken` is known by its id if it comes again.
        """
        errors = sorted(failed.items(), key=lambda one: not isinstance(one[1], StoreUnavailable))
        failed.clear()
        while errors:
            # Nothing but the exception may name it here: its traceback holds this frame, and a cycle would stay.
            if not taken or isinstance(errors[0][1], StoreUnavailable):
                raise errors.pop(0)[1]
            key, error = errors.pop(0)
            if not isinstance(error, WebhookError):  # of those, `_take` has told
                kind = type(error).__name__
                self._refusals.report(
                    "turn failed", reason=kind, level=logging.ERROR, error=error, platform_call=key.id
                )
            del error

    async def _take(self, incoming: Incoming, flow: str | None, arrived: float) -> WebhookReply:
        """Let the turn answer, and log what fails by the name that the platform has for the call."""
        try:
            if self._before is not None:
                await self._before(incoming)
            return await self._turns.take(incoming, flow=flow, arrived=arrived)
        except (WebhookError, StoreUnavailable) as error:
            kind = error.code if isinstance(error, WebhookError) else type(error).__name__
            self._refusals.report(
                "turn failed", reason=str(error), kind=kind, level=logging.WARNING, platform_call=incoming.key.id
            )
            raise

    async def _read(
        self, request: web.BaseRequest, head: WebhookRequest, form: Form | None, arrival: Arrival | None
    ) -> WebhookRequest:
        if form and arrival:
            return await self._read_form(request, head, form, arrival)
        body = await self._body(request, self._limits.json)
        return replace(head, body=await body.whole())

    async def _read_form(
        self, request: web.BaseRequest, head: WebhookRequest, form: Form, arrival: Arrival
    ) -> WebhookRequest:
        boundary = boundary_of(head.headers.get("content-type", ""))
        body = await self._body(request, self._limits.recording + self._limits.json + ROOM)

        def peek(json: bytes) -> None:
            arrival.calls = self._calls(replace(head, body=json))

        filled = await read_form(body, boundary, form, recordings=self._recordings, limits=self._limits, peek=peek)
        return replace(head, body=filled.json, uploads={form.upload: filled.upload})

    def _calls(self, request: WebhookRequest) -> frozenset[CallKey]:
        """Return the calls that a request is about, as long as its recording has not come."""
        try:
            messages = self._channel.decode(request)
        except WebhookError:
            return frozenset()  # no call's; it is told when all of it is there
        return frozenset() if isinstance(messages, WebhookReply) else frozenset(one.key for one in messages)

    async def _body(self, request: web.BaseRequest, limit: int) -> Body:
        body = Body(request, limit=limit, stall=self._limits.stall, total=self._limits.total)
        if request.headers.get("Expect", "").lower() == "100-continue":
            await request.writer.write(_CONTINUE)
            request.writer.output_size = 0  # an interim answer does not count as an answer begun
        return body

    async def _forget_unused(self, upload: Upload) -> None:
        """Delete what the turn did not take: a repeat's upload, a stale one, one of a turn that failed.

        Asked of the store, since only it knows whether a commit of which no answer came has been made. Where it cannot
        say, the file stays and the sweep decides. Of a small recording there is no file: it is saved with its turn.
        """
        if upload.audio is not None:
            return
        try:
            if not await self._store.named(upload.media):
                await self._recordings.delete(upload.media)
        except StoreUnavailable as error:
            log.warning("upload left to the sweep", extra={"reason": str(error)})


def _kind(head: WebhookRequest, route: Route) -> BodyKind:
    """Return what is posted; raise WebhookError if it is nothing that can be read at this address."""
    if head.headers.get("content-encoding", "identity").lower() != "identity":
        raise WebhookError(415, "encoding", "Compressed bodies are not accepted. Send the body uncompressed.")
    kind = _KINDS.get(head.headers.get("content-type", "").partition(";")[0].strip().lower())
    if kind is None or kind not in route.endpoint.bodies:
        wanted = " or ".join(name for name, one in _KINDS.items() if one in route.endpoint.bodies)
        raise WebhookError(415, "content-type", f"The Content-Type must be {wanted}.")
    return kind


def _arrived(request: web.BaseRequest) -> float:
    """Return when the first byte came; 0 where that is not known."""
    return request.protocol.arrived if isinstance(request.protocol, Connection) else 0.0


def _head(request: web.BaseRequest) -> WebhookRequest:
    headers: Mapping[str, str] = {name.lower(): value for name, value in request.headers.items()}
    if len(headers) != len(request.headers):  # RFC 9110 5.3: the same field twice is one list; a token in two is none
        headers = {name.lower(): ", ".join(request.headers.getall(name)) for name in request.headers}
    return WebhookRequest(request.method, request.rel_url.path, headers, target=request.raw_path)
