"""The WebSocket to which jambonz sends a caller's sound while they are recorded (`listen`), one for each recording.

    address with a token > which call, which operation > the call's own notes say how to record > upgrade
    first text: the rate > sound and keys > `StreamRecorder` has an outcome
    > the recording is kept > the turn is taken under the step's own message id > the socket is closed

The order of the last three is the point. jambonz asks for the next verbs as soon as the socket is closed, and by then
the recording is saved with the turn, and the reply is written: it gets those bytes. A crash before the turn is a
recording that was not acknowledged, and its file is swept; a crash after it loses nothing.

Whoever has no token gets no upgrade, and a token is good for one socket while its recording is awaited. A sender that
is slow is filled up with silence, one that is fast is not read for a while, and both come to an end.
"""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Protocol

from aiohttp import WSCloseCode, web
from msgspec.structs import replace

from ivr.channels.jambonz import wire
from ivr.coordination import Coordination, call_name
from ivr.engine.commands import Record
from ivr.engine.events import Event, RecordingMade
from ivr.errors import DataUnusable, FlowError, StoreUnavailable, WebhookError
from ivr.line.engine_events import events_of
from ivr.media_storage import MediaStore
from ivr.ports import CallKey, Incoming, Leg, Upload, WebhookReply
from ivr.server.arrivals import Arrivals
from ivr.server.connection import let_in
from ivr.server.refusals import Refusals
from ivr.server.replies import not_found
from ivr.server.sound_socket import LARGEST_MESSAGE, BadSender, Heard, heard_on
from ivr.storage import CallStore

log = logging.getLogger(__name__)

MOST_AT_ONCE = 200
"Recordings under way; a minute of one is a megabyte of memory."
FAREWELL = 2.0
"Seconds for the other side to confirm the end of the socket."
PATIENCE = 3.0
"Seconds for which a message about a recording waits for that recording to be saved."
LOOK = 0.25
"Seconds between two looks whether a recording at another server is saved."
LONGEST = 900.0
"Seconds for which others believe that a recording is under way whose server was killed; a flow's take 600 at most."
CONTENT_TYPE = "audio/wav"


class TakesTurns(Protocol):
    """The part of `ivr.turn.Turns` that is needed."""

    async def take(self, incoming: Incoming, *, flow: str | None = None, arrived: float) -> WebhookReply:
        """Answer one message once."""


class RecordsCalls(Protocol):
    """The part of the channel that is needed."""

    def listens(self, path: str) -> tuple[CallKey, str] | None:
        """Return the call and the operation that an address is for; None: it is none of ours, or was made up."""

    def wanted(self, leg: Leg) -> Record | None:
        """Return the recording that is awaited; None: none is."""

    def recorded(self, key: CallKey, op: str, events: Sequence[Event], upload: Upload | None) -> Incoming:
        """Return a recording as the message of its step."""


class ListenPages:
    """`Pages` of one channel, for sound."""

    def __init__(
        self,
        *,
        channel: RecordsCalls,
        path: str,
        store: CallStore,
        recordings: MediaStore,
        turns: TakesTurns,
        arrivals: Arrivals,
        coordination: Coordination,
        now: Callable[[], float],
        refusals: Refusals,
    ) -> None:
        """`path` is the beginning of the addresses."""
        self._channel = channel
        self._path = path
        self._store = store
        self._recordings = recordings
        self._turns = turns
        self._arrivals = arrivals
        self._coordination = coordination
        self._now = now
        self._refusals = refusals
        self._under_way: dict[tuple[CallKey, str], asyncio.Event] = {}
        "By call and operation; set once the recording is saved."
        self._ends = asyncio.Event()
        self._name = secrets.token_hex(8)

    def owns(self, path: str) -> bool:
        """Return whether an address is one for sound."""
        return path.startswith(self._path)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Take one recording; raise WebhookError where there is none to be made."""
        arrived = self._now()
        key, op, record = await self._asked_for(request)
        if len(self._under_way) >= MOST_AT_ONCE:
            raise WebhookError(503, "busy", "Too many recordings are under way.")
        socket = web.WebSocketResponse(
            timeout=FAREWELL, max_msg_size=LARGEST_MESSAGE, protocols=wire.SUBPROTOCOLS, compress=False
        )
        if not _can_open(socket, request):
            raise WebhookError(400, "websocket", "This address needs a WebSocket with one of jambonz's subprotocols.")
        let_in(request)
        saved = self._under_way[key, op] = asyncio.Event()
        try:
            async with self._alone_with(key, op):
                with self._arrivals.count(arrived) as arrival:
                    arrival.calls = frozenset({key})
                    await socket.prepare(request)
                    taken = await self._record(socket, key, op, record)
                saved.set()
            await _closed(socket, taken)
        finally:
            saved.set()
            del self._under_way[key, op]
        return socket

    @property
    def under_way(self) -> Sequence[asyncio.Event]:
        """The recordings under way, each as an event that is set once it is saved."""
        return list(self._under_way.values())

    async def before(self, incoming: Incoming) -> None:
        """Wait, for a moment, until the recording that a message is about is saved: its outcome is to come first."""
        for (key, op), saved in list(self._under_way.items()):
            if key == incoming.key and incoming.id == self._channel.recorded(key, op, (), None).id:
                try:
                    await asyncio.wait_for(saved.wait(), PATIENCE)
                except TimeoutError:
                    log.warning("recording still under way", extra={"platform_call": key.id})
                return
        if not self._coordination.alone:
            await self._saved_elsewhere(incoming)

    async def _saved_elsewhere(self, incoming: Incoming) -> None:
        """Wait as `before` does for a recording whose socket is at another server."""
        step = _named(incoming.key, incoming.id)
        loop = asyncio.get_running_loop()
        ends = loop.time() + PATIENCE
        while await self._coordination.leased("recording", step):
            if loop.time() > ends:
                log.warning("recording still under way", extra={"platform_call": incoming.key.id})
                return
            await asyncio.sleep(LOOK)

    @asynccontextmanager
    async def _alone_with(self, key: CallKey, op: str) -> AsyncIterator[None]:
        """Let no other server record this, and let all know that it is under way; raise WebhookError (409)."""
        step = _named(key, self._channel.recorded(key, op, (), None).id)
        if not await self._coordination.lease("recording", step, owner=self._name, lasts=LONGEST):
            raise WebhookError(409, "in-use", "This recording is under way already.")
        try:
            yield
        finally:
            with suppress(StoreUnavailable):  # it ends by itself
                await self._coordination.release("recording", step, owner=self._name)

    async def close(self) -> None:
        """End the recordings that are under way: what was said so far is kept, and the calls go on."""
        self._ends.set()
        await asyncio.gather(*[saved.wait() for saved in self.under_way])

    async def _asked_for(self, request: web.BaseRequest) -> tuple[CallKey, str, Record]:
        """Return what is to be recorded; raise WebhookError if the address is wrong, or no recording is awaited."""
        if request.method != "GET":
            raise not_found()
        found = self._channel.listens(request.rel_url.path)
        if found is None:
            raise WebhookError(403, "token", "This address is not one that was given out.")
        key, op = found
        record = await self._store.load(key)
        asked = record.call.asked if record is not None else ()
        wanted = self._channel.wanted(record.leg) if record is not None else None
        if not asked or asked[-1].op != op or wanted is None or wanted.op != op:
            raise WebhookError(404, "no-recording", "No recording is awaited here.")
        if found in self._under_way:
            raise WebhookError(409, "in-use", "This recording is under way already.")
        return key, op, wanted

    async def _record(self, socket: web.WebSocketResponse, key: CallKey, op: str, record: Record) -> WSCloseCode:
        """Record, and save it; return how the socket is to be closed."""
        try:
            heard = await heard_on(socket, record, ends=self._ends.is_set)
        except BadSender as error:
            self._refusals.report("recording refused", reason=str(error), platform_call=key.id)
            return WSCloseCode.POLICY_VIOLATION
        return WSCloseCode.OK if await self._save(key, op, record, heard) else WSCloseCode.INTERNAL_ERROR

    async def _save(self, key: CallKey, op: str, record: Record, heard: Heard) -> bool:
        """Keep a recording and take the turn of its step; return whether that was done."""
        recorder, upload = heard.recorder, None
        if recorder.outcome is None:
            return False
        try:
            if audio := await recorder.file():
                upload = await self._kept(audio, recorder.outcome.seconds)
            events = events_of(record, recorder.outcome, upload.media if upload else None)
            if heard.cut:
                # The caller may be there, and the call goes on; without a recording, its step will come without one.
                events = tuple(replace(one, ended="limit") for one in events if isinstance(one, RecordingMade))
            if not events:
                return False
            await self._turns.take(self._channel.recorded(key, op, events, upload), arrived=self._now())
        except (WebhookError, StoreUnavailable, FlowError, DataUnusable) as error:
            self._refusals.report(
                "recording not taken", reason=type(error).__name__, level=logging.ERROR, platform_call=key.id
            )
            return False
        finally:
            if upload is not None and upload.audio is None:
                await self._forget_unused(upload.media)
        return True

    async def _kept(self, audio: bytes, seconds: float) -> Upload:
        file = self._recordings.new(CONTENT_TYPE)
        file.add(audio)
        small = await file.keep()
        return Upload(file.media, len(audio), CONTENT_TYPE, seconds, small)

    async def _forget_unused(self, media: str) -> None:
        try:
            if not await self._store.named(media):
                await self._recordings.delete(media)
        except StoreUnavailable as error:
            log.warning("recording left to the sweep", extra={"reason": str(error)})


def _named(key: CallKey, message: str) -> str:
    return f"{call_name(key)}/{message}"


async def _closed(socket: web.WebSocketResponse, code: WSCloseCode) -> None:
    """Close a socket. Its other side may read nothing, and then the close frame cannot even be written."""
    with suppress(TimeoutError):
        async with asyncio.timeout(2 * FAREWELL):
            await socket.close(code=code)


def _can_open(socket: web.WebSocketResponse, request: web.BaseRequest) -> bool:
    """Return whether a request asks for a WebSocket as it should, with a subprotocol of jambonz's."""
    try:
        ready = socket.can_prepare(request)
    except ValueError:  # a key that is not base64, or not even ASCII
        return False
    return ready.ok and ready.protocol is not None
