"""The prompt files of the flows as WAV, at `/media/<sha256>.wav`, for lines that play nothing else.

A flow's file is WAV or WMA. WAV is sent as it is; WMA is decoded in a worker process, once, and kept for as long as it
is asked for. Like `/media/` itself, this serves only what a flow collected, and needs no credentials.
"""

import asyncio
import re
import tempfile
from collections.abc import Awaitable, Callable
from typing import BinaryIO, Final

from aiohttp import web

from ivr.audio.formats import TO_FILE
from ivr.audio.workers import Workers
from ivr.errors import TranscriptionFailed, WebhookError
from ivr.server.replies import headers, not_found
from ivr.server.static_files import Asset
from ivr.store.media_files import in_memory
from ivr.store.recent import Recent

REMEMBERED: Final = 64
"Files kept."
LONGEST: Final = 600.0
"Seconds of a prompt that are played."
_ADDRESS = re.compile(r"/media/([0-9a-f]{64})\.wav", re.ASCII)
_TYPE = "audio/wav"


class WavAssets:
    """`Pages` of prompt files."""

    def __init__(self, asset: Callable[[str], Awaitable[Asset | None]], workers: Workers) -> None:
        self._asset = asset
        self._workers = workers
        self._made: Recent[str, bytes] = Recent(REMEMBERED)
        self._turn = asyncio.Semaphore(1)
        "One at a time, so that nothing is made twice."

    def owns(self, path: str) -> bool:
        """Return whether an address is that of a prompt file as WAV."""
        return _ADDRESS.fullmatch(path) is not None

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Send a file; raise WebhookError."""
        found = _ADDRESS.fullmatch(request.rel_url.path)
        asset = await self._asset(found[1]) if found is not None and request.method in {"GET", "HEAD"} else None
        if found is None or asset is None:
            raise not_found()
        try:
            content = asset.content if asset.content_type == _TYPE else await self._decoded(found[1], asset)
        except TranscriptionFailed as error:
            raise WebhookError(415, "no-audio", "The file cannot be played.") from error
        fields = headers(_TYPE, Cache_Control="public, max-age=31536000, immutable", ETag=f'"{found[1]}-wav"')
        return web.Response(body=content, headers=fields)

    async def _decoded(self, name: str, asset: Asset) -> bytes:
        async with self._turn:
            content = self._made.get(name)
            if content is None:
                with in_memory(asset.content) as source, tempfile.TemporaryFile() as target:
                    await self._workers.run(TO_FILE, source, target, form="wav", longest=LONGEST, most=None)
                    content = self._made[name] = await asyncio.to_thread(_whole, target)
            return content


def _whole(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read()
