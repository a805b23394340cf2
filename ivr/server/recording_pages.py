"""Recordings by GET, under addresses that expire (`recording_links`): for lines and for people without a login.

Whatever is wrong with an address gets the same answer: forged, too old, of a recording that was erased.
"""

import asyncio
from collections.abc import Callable

from aiohttp import web

from ivr.errors import TranscriptionFailed, WebhookError
from ivr.server.recording_files import RecordingFiles
from ivr.server.recording_links import PATH, RecordingLinks
from ivr.server.replies import headers, not_found

AT_ONCE = 2
"Recordings that are made playable at the same time; whoever asks for more of them waits."


class RecordingPages:
    """`Pages` of recordings."""

    def __init__(self, links: RecordingLinks, files: RecordingFiles, *, now: Callable[[], float]) -> None:
        self._links = links
        self._files = files
        self._now = now
        self._turn = asyncio.Semaphore(AT_ONCE)

    def owns(self, path: str) -> bool:
        """Return whether an address is that of a recording."""
        return path.startswith(PATH)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Send a recording; raise WebhookError."""
        if request.method not in {"GET", "HEAD"}:
            raise not_found()
        link = self._links.read(request.rel_url.path.removeprefix(PATH), now=self._now())
        if link is None:
            raise not_found()
        try:
            async with self._turn:
                file = await self._files.file(link.media, link.use)
        except FileNotFoundError as error:
            raise not_found() from error
        except TranscriptionFailed as error:
            raise WebhookError(415, "no-audio", "The recording cannot be played.") from error
        name = f'inline; filename="recording.{file.extension}"'
        fields = headers(file.content_type, Cache_Control="private, no-store", Content_Disposition=name)
        return web.Response(body=file.content, headers=fields)
