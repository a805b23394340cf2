"""The addresses of the chat on a page, beside the one where a browser writes (`ivr.server.plugs.page`).

    GET  /chat                the page of development: choose a flow, talk
    GET  /chat/frame          what stands inside a company's page, which only its sites may frame
    GET  /chat/embed.js       the script that a company's page loads
    POST /chat/tokens         a site's server asks for a token of one of its visitors
    POST /chat/conversations  a page begins a conversation, or goes on with the one that it had
    POST /chat/renewals       another token for a conversation
    GET  /chat/activities     what was said there; waits until there is something

No answer allows another origin to read it (CORS): what pages of other sites need goes through the frame.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final, TypeVar

import msgspec
from aiohttp import web
from msgspec import Struct

from ivr.bearer_token import is_borne
from ivr.errors import WebhookError
from ivr.mailbox import Mail, Mailbox
from ivr.rate_limit import RateLimit
from ivr.server.body import Body
from ivr.server.browser_address import counted_as, said_by_proxy
from ivr.server.chat_page.chat_html import chat_page, frame_page
from ivr.server.chat_page.listeners import Listeners
from ivr.server.chat_page.page_verifier import borne
from ivr.server.chat_page.visits import Visits
from ivr.server.connection import let_in
from ivr.server.page_frame import CHAT
from ivr.server.replies import headers, json_reply, not_found
from ivr.server.static_files import POLICY, content, static_reply

T = TypeVar("T")

HOLD: Final = 25.0
"Seconds for which a browser is kept waiting: shorter than proxies are patient."
LOOK: Final = 2.0
"Seconds between two looks for what another server may have put there: news of it can get lost."
AT_ONCE: Final = 50
"Messages of an answer."
_POSTS, _FRAME, _EMBED = f"{CHAT}/", f"{CHAT}/frame", f"{CHAT}/embed.js"
_TOKENS, _CONVERSATIONS, _RENEWALS = f"{CHAT}/tokens", f"{CHAT}/conversations", f"{CHAT}/renewals"
_ACTIVITIES, _STATIC = f"{CHAT}/activities", f"{CHAT}/static/"
_MAX_REQUEST: Final = 8 * 1024
"Bytes of what is posted here."
_STALL, _TOTAL = 5.0, 15.0
"Seconds."
_READS: Final = (2.0, 40.0)
"How often a conversation is asked for: a second, and at once."


class VisitorAsked(Struct, rename="camel"):
    """For whom a site's server wants a token."""

    user: str
    site: str
    flow: str = ""


class ConversationAsked(Struct, rename="camel"):
    """What a page wants."""

    site: str = ""
    flow: str = ""
    before: str = ""
    "The token of the conversation that it had."


class ChatPages:
    """`LinePages` of the chat on pages."""

    def __init__(
        self,
        visits: Visits,
        mailbox: Mailbox,
        listeners: Listeners,
        *,
        flows: Callable[[], Mapping[str, str]],
        now: Callable[[], float],
        secret: str | None,
        sites: Sequence[str] = (),
        title: str = "Chat",
        own: bool = False,
        forwarded: bool = False,
        hold: float = HOLD,
        look: float = HOLD,
    ) -> None:
        """`secret` is what a site's server shows; None: no site has the chat. `own`: there is a page of our own.

        `flows` can be chosen there, each with what it is for; `forwarded`: the visitor's address comes from a proxy.
        A browser waits `hold` seconds at most; what another server may have put there is looked for every `look`.
        """
        self._visits = visits
        self._mailbox = mailbox
        self._listeners = listeners
        self._flows = flows
        self._now = now
        self._secret = secret.encode() if secret else None
        self._sites = sites
        self._title = title
        self._own = own
        self._forwarded = forwarded
        self._hold = hold
        self._look = look
        self._reads = RateLimit(*_READS, most=16_384)

    @staticmethod
    def owns(path: str) -> bool:
        """Return whether an address is the chat's."""
        return path == CHAT or path.startswith(_POSTS)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request; raise WebhookError."""
        path = request.rel_url.path
        if path in {_TOKENS, _CONVERSATIONS, _RENEWALS}:
            _require(request, "POST")
            return await self._posted(request, path)
        _require(request, "GET", "HEAD")
        if path == _ACTIVITIES:
            return await self._said(request)
        if path.startswith(_STATIC):
            return static_reply(path.removeprefix(_STATIC), request)
        if path == CHAT and self._own:
            return _page(chat_page(self._flows(), wanted=request.rel_url.query.get("flow", "")), ())
        if self._secret is None:
            raise not_found()
        if path == _FRAME:
            return _page(frame_page(self._title), self._sites)
        if path == _EMBED:
            fields = headers("text/javascript; charset=utf-8", Cross_Origin_Resource_Policy="cross-origin")
            fields["Cache-Control"] = "no-cache"
            return web.Response(body=content("embed.js"), headers=fields)
        raise not_found()

    async def close(self) -> None:
        """Let go of everybody who waits."""
        self._listeners.close()

    # --- tokens ---

    async def _posted(self, request: web.BaseRequest, path: str) -> web.Response:
        if path == _TOKENS:
            return await self._for_visitor(request)
        bearer = borne(", ".join(request.headers.getall("Authorization", ())))
        if path == _RENEWALS:
            return json_reply(self._visits.renewed(bearer, now=self._now()))
        self._visits.grant(bearer, now=self._now())  # a stranger's body is not waited for
        asked = await _read(request, ConversationAsked)
        begun = self._visits.begun(
            bearer,
            site=asked.site,
            flow=asked.flow,
            before=asked.before,
            address=self._address(request),
            now=self._now(),
        )
        let_in(request)
        return json_reply(begun, status=201)

    async def _for_visitor(self, request: web.BaseRequest) -> web.Response:
        if self._secret is None:
            raise not_found()
        if not is_borne(request.headers.getall("Authorization", ()), self._secret):
            raise WebhookError(401, "token", "Authorization has to be: Bearer, and the secret IVR_CHAT_PAGE_SECRET.")
        let_in(request)
        asked = await _read(request, VisitorAsked)
        token, life = self._visits.for_visitor(asked.user, asked.flow, asked.site, now=self._now())
        return json_reply({"token": token, "life": life}, status=201)

    def _address(self, request: web.BaseRequest) -> str:
        """Return under which address a visitor is counted, as far as one is known."""
        return counted_as(said_by_proxy(request) if self._forwarded else request.remote or "")

    # --- what was said ---

    async def _said(self, request: web.BaseRequest) -> web.Response:
        bearer = borne(", ".join(request.headers.getall("Authorization", ())))
        conversation, visitor = self._visits.reader(bearer, now=self._now())
        if not self._reads.take(conversation, self._now()):
            raise WebhookError(429, "too-often", "Asked too often. Wait a moment.")
        let_in(request)
        last = request.rel_url.query.get("after", "")[:64]
        found = await self._awaited(conversation, visitor, last)
        body = b'{"activities":[%b]}' % b",".join(mail.body for mail in found)
        return web.Response(body=body, headers=headers("application/json; charset=utf-8"))

    async def _awaited(self, conversation: str, visitor: str, last: str) -> Sequence[Mail]:
        """Return what follows a message, as soon as there is something; nothing, if that takes too long."""
        with self._listeners.listening(conversation, visitor) as heard:
            loop = asyncio.get_running_loop()
            ends = loop.time() + self._hold
            while True:
                waited = heard.is_set()
                found = await self._mailbox.after(conversation, last, limit=AT_ONCE)
                left = ends - loop.time()
                if found or waited or left <= 0 or self._listeners.closed:
                    return found
                with suppress(TimeoutError):
                    async with asyncio.timeout(min(left, self._look)):
                        await heard.wait()


async def _read(request: web.BaseRequest, kind: type[T]) -> T:
    """Return what was posted; raise WebhookError: 400, 408, 413 or 415."""
    if request.content_type != "application/json" or "Content-Encoding" in request.headers:
        raise WebhookError(415, "content-type", "The body must be application/json, as it is.")
    body = await Body(request, limit=_MAX_REQUEST, stall=_STALL, total=_TOTAL).whole()
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise WebhookError(
            400, "body", "The body is not what is asked for here; docs/chat-page.md shows it."
        ) from error


def _page(markup: str, sites: Sequence[str]) -> web.Response:
    """Send a page that only pages of these sites may frame."""
    policy = POLICY.replace("img-src 'self'", "img-src 'self' https:").replace(
        "media-src 'self'", "media-src 'self' https:"
    )
    if sites:
        policy = policy.replace("frame-ancestors 'none'", f"frame-ancestors {' '.join(sites)}")
    fields = headers(
        "text/html; charset=utf-8",
        Content_Security_Policy=policy,
        Permissions_Policy="microphone=(), camera=(), geolocation=()",
    )
    return web.Response(body=markup.encode(), headers=fields)


def _require(request: web.BaseRequest, *methods: str) -> None:
    if request.method not in methods:
        raise WebhookError(405, "method", f"Only {' and '.join(methods)} can be used here.")
