"""The phone's addresses: the page, its files, and the line of each open page."""

import asyncio

from aiohttp import WSCloseCode, web

from ivr.errors import WebhookError
from ivr.server.origin import is_from_own_page, require_loopback_name
from ivr.server.phone.page_commands import LONGEST
from ivr.server.phone.page_line import PageLine
from ivr.server.phone.phone_page import ROOT, phone_page
from ivr.server.phone.shared_phone import SharedPhone
from ivr.server.replies import headers, not_found
from ivr.server.static_files import POLICY, static_reply

LINE, PICTURE = f"{ROOT}/line", f"{ROOT}/picture/"
MOST_LINES = 16
"Pages that can be open at the same time: it is a phone for one desk."
ALIVE = 20.0
"Seconds between two looks whether a page is still there."
FAREWELL = 1.0
"Seconds for a page to confirm that its line is closed: the server's own shutdown waits for it."


class PhonePages:
    """The phone, as a server's pages. For this machine alone, whatever the server listens on."""

    def __init__(self, shared_phone: SharedPhone) -> None:
        self._phone = shared_phone
        self._lines: dict[web.WebSocketResponse, asyncio.Task[None]] = {}

    @staticmethod
    def owns(path: str) -> bool:
        """Return whether an address is the phone's."""
        return path == ROOT or path.startswith(f"{ROOT}/")

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request; raise WebhookError where there is nothing for it."""
        require_loopback_name(request)
        path = request.rel_url.path
        if request.method not in {"GET", "HEAD"}:
            raise WebhookError(405, "method", "The phone's page supports only GET.")
        if path == LINE:
            return await self._line(request)
        if path.startswith(f"{ROOT}/static/"):
            return static_reply(path.removeprefix(f"{ROOT}/static/"), request)
        if path == ROOT:
            return self._page(request.rel_url.query.get("flow", ""))
        drawn = self._phone.own_bot.drawing(path.removeprefix(PICTURE)) if self._phone.own_bot else None
        if not path.startswith(PICTURE) or drawn is None:
            raise not_found()
        return web.Response(body=drawn.encode(), headers=headers("image/svg+xml"))

    async def close(self) -> None:
        """Let every page know that the server goes away; calls that are under way are hung up, the bot is told."""
        closing = [socket.close(code=WSCloseCode.GOING_AWAY) for socket in self._lines]
        await asyncio.gather(*closing, *self._lines.values(), return_exceptions=True)
        await self._phone.close()

    def _page(self, wanted: str) -> web.Response:
        page = phone_page(self._phone.own_bot, self._phone.target.bot, wanted=wanted)
        fields = headers(
            "text/html; charset=utf-8",
            Content_Security_Policy=POLICY,
            Permissions_Policy="microphone=(self), camera=(), geolocation=()",
            Cross_Origin_Opener_Policy="same-origin",
            Cross_Origin_Resource_Policy="same-origin",
        )
        return web.Response(body=page.encode(), headers=fields)

    async def _line(self, request: web.BaseRequest) -> web.StreamResponse:
        """Open a line for a page of ours; browsers let any page try, and say which one it was."""
        if not is_from_own_page(request):
            raise WebhookError(403, "origin", "Only the phone's own page can open a line.")
        if len(self._lines) >= MOST_LINES:
            raise WebhookError(503, "busy", "Too many phone pages are open. Close one.")
        socket = web.WebSocketResponse(timeout=FAREWELL, max_msg_size=LONGEST, heartbeat=ALIVE, compress=False)
        if not _can_open(socket, request):
            raise WebhookError(400, "websocket", "A line needs a websocket.")
        await socket.prepare(request)
        line = self._lines[socket] = asyncio.create_task(PageLine(self._phone, socket).run())
        try:
            await line
        finally:
            del self._lines[socket]
        return socket


def _can_open(socket: web.WebSocketResponse, request: web.BaseRequest) -> bool:
    """Return whether a request asks for a websocket as it should."""
    try:
        return socket.can_prepare(request).ok
    except ValueError:  # a key that is not base64, or not even ASCII
        return False
