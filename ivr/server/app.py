"""The routes of the server: which address leads where, and what an error becomes.

A handful of exact addresses needs no router and no middleware; both cost on every webhook.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol, TypedDict

from aiohttp import web

from ivr.errors import DamagedCall, DataUnusable, FlowError, IvrError, StoreUnavailable, WebhookError
from ivr.server.logged_path import logged_path
from ivr.server.origin import require_loopback_name, require_own_page
from ivr.server.readiness import CachedCheck, Check
from ivr.server.recording_links import WAV
from ivr.server.refusals import Refusals
from ivr.server.replies import error_reply, json_reply, not_found, reply
from ivr.server.static_files import Asset, media_reply
from ivr.server.webhook import Webhook
from ivr.server.webhook_routes import WebhookRoutes

ALIVE, READY, MEDIA = "/healthz", "/readyz", "/media/"


class Pages(Protocol):
    """Pages for people, beside the endpoints for a platform."""

    def owns(self, path: str) -> bool:
        """Return whether an address is theirs."""

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""


class App:
    """All addresses of one server; `handle` never raises what it can explain."""

    def __init__(
        self,
        *,
        routes: WebhookRoutes,
        webhooks: Mapping[str, Webhook],
        asset: Callable[[str], Awaitable[Asset | None]],
        checks: Mapping[str, Check],
        pages: Sequence[Pages] = (),
        dev: bool = False,
        refusals: Refusals | None = None,
    ) -> None:
        """Put together what can be asked for; `webhooks` by the names of their channels."""
        self._routes = routes
        self._webhooks = webhooks
        self._asset = asset
        self._checks = {name: CachedCheck(check) for name, check in checks.items()}
        self._pages = pages
        self._dev = dev
        self._refusals = refusals or Refusals()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        try:
            if self._dev:
                require_loopback_name(request)
                if request.method == "POST":
                    require_own_page(request)  # no token keeps a foreign page from posting a form
            return await self._route(request)
        except WebhookError as error:
            return self._refused(request, error)
        except StoreUnavailable as error:
            self._refusals.report("store unavailable", **_log_fields(error))
            return error_reply(WebhookError(503, "unavailable", "This cannot be saved at the moment. Try again."))
        except DamagedCall as error:
            self._refusals.report("message for a damaged call", **_log_fields(error))
            return error_reply(WebhookError(503, "damaged", "The stored data of this call is damaged."))
        except (FlowError, DataUnusable) as error:
            self._refusals.report("call cannot go on", reason=type(error).__name__, level=logging.ERROR, error=error)
            return error_reply(WebhookError(503, "unavailable", "This call cannot continue at the moment."))

    async def _route(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.rel_url.path
        if route := self._routes.find(path):
            _require(request, "POST")
            return reply(await self._webhooks[route.channel].receive(request, route))
        if path == ALIVE:
            _require(request, "GET", "HEAD")
            return json_reply({"alive": True})
        if path == READY:
            _require(request, "GET", "HEAD")
            return await self._readiness()
        if path.startswith(MEDIA) and not path.endswith(WAV):
            _require(request, "GET", "HEAD")
            return await media_reply(path.removeprefix(MEDIA), self._asset)
        for pages in self._pages:
            if pages.owns(path):
                return await pages.handle(request)
        raise not_found()

    async def _readiness(self) -> web.Response:
        """200 if calls can be taken; else 503, and which part is missing."""
        answers = await asyncio.gather(*(check() for check in self._checks.values()))
        parts = dict(zip(self._checks, answers, strict=True))
        ready = all(parts.values())
        return json_reply({"ready": ready, **parts}, status=200 if ready else 503)

    def _refused(self, request: web.BaseRequest, error: WebhookError) -> web.Response:
        path = logged_path(request.rel_url.path)
        self._refusals.report("refused", reason=error.code, status=error.status, path=path)
        return error_reply(error, allow=error.allow if isinstance(error, _NotAllowed) else None)


class _LogFields(TypedDict):
    reason: str
    kind: str
    level: int


def _log_fields(error: IvrError) -> _LogFields:
    """Return what is logged of an error whose text is a sentence, with numbers perhaps."""
    return {"reason": str(error), "kind": type(error).__name__, "level": logging.WARNING}


class _NotAllowed(WebhookError):
    def __init__(self, methods: tuple[str, ...]) -> None:
        super().__init__(405, "method", f"Only {' and '.join(methods)} can be used here.")
        self.allow = ", ".join(methods)


def _require(request: web.BaseRequest, *methods: str) -> None:
    if request.method not in methods:
        raise _NotAllowed(methods)
