"""The short way of a message: no task, no future, no web request; its reply is written when its commit is durable.

Everything that decides is what the long way asks, too: the routes, the token check, the channel, the limits, the turn.
What is not plain is refused nothing here: it goes the long way, from its first byte.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Protocol

from ivr.media_storage import SMALL
from ivr.ports import Form, GoodCredentials, Incoming, Verifier, WebhookReply, WebhookRequest
from ivr.server.body import BodyLimits
from ivr.server.forms import plain_boundary, plain_form
from ivr.server.multipart import ROOM
from ivr.server.short_request import RequestReader
from ivr.server.webhook import Decodes
from ivr.server.webhook_routes import Route, WebhookRoutes

Told = Callable[[WebhookReply | None], None]

_ACKNOWLEDGED = WebhookReply()


class DecodesAtOnce(Decodes, Protocol):
    """The part of a channel that the short way needs."""

    name: str
    reads: frozenset[str]
    "The names, in lower case, of the header fields that `decode` looks at."


class TakesTurnsNow(Protocol):
    """The part of `ivr.turn.TurnsInMemory` that the short way needs."""

    def take_now(self, incoming: Incoming, *, flow: str | None = None, arrived: float = 0.0, told: Told) -> bool:
        """Begin to take a message, if it waits for nothing but its commit; `told` gets the reply, or None."""


class ShortWay:
    """Takes plain requests of one channel at once, or leaves them alone."""

    def __init__(
        self,
        *,
        routes: WebhookRoutes,
        channel: DecodesAtOnce,
        verifier: Verifier,
        turns: TakesTurnsNow,
        limits: BodyLimits,
        new_name: Callable[[str], str],
    ) -> None:
        """Put together what a request needs. `new_name` draws the name of a recording of a content type."""
        self._routes = routes
        self._channel = channel
        self._verifier = verifier
        self._turns = turns
        self._limits = limits
        self._new_name = new_name
        self._reads = {name.encode("ascii"): name for name in channel.reads}
        self.answered = 0
        "Requests so far."

    def reader(self) -> RequestReader:
        """Make the reader of one connection."""
        return RequestReader(self._reads, most=SMALL + ROOM)

    def credentials(self, authorization: bytes, *, now: float) -> GoodCredentials | None:
        """Return what is known of a header that was found good before; None: nothing is, or it is not good any more."""
        return self._verifier.remembered(authorization.decode("ascii"), now=now)

    def is_json(self, request: RequestReader) -> bool:
        """Return whether the body of a request, of which the head is there, is JSON of a size that is allowed."""
        return _is_json(request.content_type) and request.length <= self._limits.json

    def take(self, request: RequestReader, told: Told, *, arrived: float) -> bool:
        """Begin to take a whole request; False: it is not that simple, nothing was done, and the long way has it.

        `arrived` is when its first byte came, in seconds since 1970.
        """
        route = self._routes.find(request.path)
        try:
            if route is None or route.channel != self._channel.name:
                return False
            incoming = self._incoming(request, route)
            if incoming is None:
                return False
            heard = told if incoming.wants == "commands" else _acknowledging(told)
            return self._turns.take_now(incoming, flow=route.flow, arrived=arrived, told=heard)
        except Exception:  # the long way meets it again, answers it and logs it
            return False

    def _incoming(self, request: RequestReader, route: Route) -> Incoming | None:
        """Return the one message that a request holds; None: it holds none or several, or it is no plain form."""
        endpoint = route.endpoint
        if "json" in endpoint.bodies and self.is_json(request):
            message = WebhookRequest("POST", request.path, request.headers(), request.body, target=request.path)
        elif endpoint.form is not None and (form := self._form(request, endpoint.form)) is not None:
            message = form
        else:
            return None
        self._verifier.verify_body(message)
        messages = self._channel.decode(message)
        return None if isinstance(messages, WebhookReply) or len(messages) != 1 else messages[0]

    def _form(self, request: RequestReader, form: Form) -> WebhookRequest | None:
        """Return a message that came with a small recording; None: this body is not the platform's own form."""
        boundary = plain_boundary(request.content_type)
        found = plain_form(request.body, boundary, form, limits=self._limits) if boundary is not None else None
        if found is None:
            return None
        upload = found.upload(self._new_name(found.content_type))
        uploads = {form.upload: upload}
        return WebhookRequest("POST", request.path, request.headers(), found.json, uploads, request.path)


def _acknowledging(told: Told) -> Told:
    """Return what tells that a message was taken, whatever the turn has to say."""
    return lambda reply: told(None if reply is None else _ACKNOWLEDGED)


@lru_cache(maxsize=16)
def _is_json(content_type: bytes) -> bool:
    return content_type.partition(b";")[0].strip().lower() == b"application/json"
