"""Recordings to listen to: always decoded first, and always WAV.

What a caller's line sent is a stranger's file, and mostly WMA, which no browser plays. So it goes through the worker
process that bounds memory, time and formats (`ivr.audio`), and what comes out is nothing but samples.
"""

import asyncio
import re
import tempfile
from typing import BinaryIO

from aiohttp import web

from ivr.audio.formats import TO_WAV
from ivr.audio.workers import Workers
from ivr.errors import TranscriptionFailed, WebhookError
from ivr.media_storage import MediaStore
from ivr.server.replies import headers
from ivr.store.recent import Recent

REMEMBERED = 8
"Decoded recordings kept: a browser that plays one asks for it piece by piece."
LONGEST = 600.0
"Seconds of a recording that are played at all; at 32 KB each that is 19 MB of memory."

_RANGE = re.compile(r"bytes=(\d{1,12})-(\d{0,12})")


class Playback:
    """Gives recordings as WAV."""

    def __init__(self, recordings: MediaStore, workers: Workers) -> None:
        self._recordings = recordings
        self._workers = workers
        self._made: Recent[str, bytes] = Recent(REMEMBERED)

    async def wav(self, media: str) -> bytes:
        """Decode a recording; raise WebhookError 404 if it is not there, 415 if there is no sound to be had from it."""
        try:
            await self._recordings.size(media)  # it may have been erased since it was made, by another server, too
            if media in self._made:
                return self._made[media]
            async with self._recordings.open(media) as source:
                wav = await self._decoded(source)
        except FileNotFoundError as error:
            raise WebhookError(404, "not-found", "The recording no longer exists.") from error
        self._made[media] = wav
        return wav

    async def _decoded(self, source: BinaryIO) -> bytes:
        with tempfile.TemporaryFile() as target:
            try:
                await self._workers.run(TO_WAV, source, target, longest=LONGEST)
            except TranscriptionFailed as error:
                raise WebhookError(415, "no-audio", f"The recording cannot be played: {error}.") from error
            return await asyncio.to_thread(_whole, target)


def audio_reply(wav: bytes, request: web.BaseRequest) -> web.Response:
    """Send a recording, or the stretch that is asked for: so browsers jump about in it (RFC 9110 14)."""
    asked = _RANGE.fullmatch(request.headers.get("Range", ""))
    if not asked:
        return web.Response(body=wav, headers=headers("audio/wav", Accept_Ranges="bytes"))
    first, last = int(asked[1]), min(int(asked[2] or len(wav)), len(wav) - 1)
    if first > last:
        return web.Response(status=416, headers=headers("audio/wav", Content_Range=f"bytes */{len(wav)}"))
    where = f"bytes {first}-{last}/{len(wav)}"
    fields = headers("audio/wav", Accept_Ranges="bytes", Content_Range=where)
    return web.Response(status=206, body=wav[first : last + 1], headers=fields)


def _whole(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read()
