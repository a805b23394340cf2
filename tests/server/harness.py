"""A real server on a loopback port, with twins of what stands behind the routes, and a client that can misbehave."""

import asyncio
import json
import logging
import re
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ivr.call_record import CallRecord
from ivr.errors import WebhookError
from ivr.media_storage import MediaStore
from ivr.ports import CallKey, Endpoint, Form, Incoming, Upload, Verifier, WebhookReply, WebhookRequest
from ivr.server.app import App
from ivr.server.arrivals import Arrivals
from ivr.server.body import BodyLimits
from ivr.server.guarded_server import ConnectionLimits
from ivr.server.listener import Listener, bind
from ivr.server.readiness import Check
from ivr.server.short_way import ShortWay, Told
from ivr.server.static_files import Asset
from ivr.server.webhook import Webhook
from ivr.server.webhook_routes import WebhookRoutes
from ivr.store.media_files import MediaFiles, new_name

FORM = Form(json="conversationResult", upload="recordedAudio")
TOKEN = "eyJhbGciOiJSUzI1NiJ9.c2VjcmV0LXRva2Vu.c2lnbmF0dXJl"
BODY, CONNECTIONS = BodyLimits(), ConnectionLimits()
JSON = {"Content-Type": "application/json; charset=utf-8"}


Way = Literal["short", "long"]
"The ways of a plain request: taken by the connection itself, or by aiohttp."


class LineTwin:
    """The other side of a webhook: a channel that takes any JSON object with an `id`."""

    name = "twin"
    reads = frozenset({"x-message"})
    endpoints = (
        Endpoint("/call", named=True),
        Endpoint("/callback", bodies=frozenset({"json", "multipart"}), form=FORM),
    )

    def decode(self, request: WebhookRequest) -> list[Incoming] | WebhookReply:
        try:
            message = json.loads(request.body)
            key = CallKey("twin", "account", message["id"])
        except (ValueError, KeyError, TypeError) as error:
            raise WebhookError(400, "malformed", "That is no message.") from error
        return [Incoming(key, request.headers.get("x-message", "1"), request)]


@dataclass
class TurnsTwin:
    """Turns and store in one: every message is answered with its own id, and its upload is named."""

    taken: list[Incoming] = field(default_factory=list)
    flows: list[str | None] = field(default_factory=list)
    arrivals: list[float] = field(default_factory=list)
    media: set[str] = field(default_factory=set)
    error: Exception | None = None
    keeps_uploads: bool = True
    hold: asyncio.Event | None = None
    "While it is not set, no turn ends."
    now: bool = True
    "Whether a message can be taken at once."
    _under_way: set[asyncio.Task[None]] = field(default_factory=set)

    async def take(self, incoming: Incoming, *, flow: str | None = None, arrived: float) -> WebhookReply:
        self.arrivals.append(arrived)
        return await self._take(incoming, flow)

    def take_now(self, incoming: Incoming, *, flow: str | None = None, arrived: float = 0.0, told: Told) -> bool:
        if self.error or not self.now:
            return False  # `take` meets the error again
        if self.hold is None:
            told(self._noted(incoming, flow))
        else:
            turn = asyncio.create_task(self._tell(incoming, flow, told))
            self._under_way.add(turn)
            turn.add_done_callback(self._under_way.discard)
        return True

    async def _tell(self, incoming: Incoming, flow: str | None, told: Told) -> None:
        told(await self._take(incoming, flow))

    async def _take(self, incoming: Incoming, flow: str | None) -> WebhookReply:
        reply = self._noted(incoming, flow)
        if self.hold:
            await self.hold.wait()
        if self.error:
            raise self.error
        return reply

    def _noted(self, incoming: Incoming, flow: str | None) -> WebhookReply:
        self.taken.append(incoming)
        self.flows.append(flow)
        if self.keeps_uploads and self.error is None:
            self.media |= {upload.media for upload in self.request.uploads.values()}
        return WebhookReply(body=json.dumps({"answered": incoming.key.id}).encode())

    async def load(self, key: CallKey) -> CallRecord | None:
        return None

    async def named(self, media: str) -> bool:
        return media in self.media

    @property
    def request(self) -> WebhookRequest:
        request = self.taken[-1].payload
        assert isinstance(request, WebhookRequest)
        return request

    @property
    def upload(self) -> Upload:
        return self.request.uploads["recordedAudio"]


class Doorkeeper:
    """A verifier that knows one token, and has always known it."""

    async def verify(self, request: WebhookRequest, *, now: float) -> None:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            raise WebhookError(401, "token", "A bearer token is needed.")

    def verify_body(self, request: WebhookRequest) -> None:
        pass

    def remembered(self, authorization: str, *, now: float) -> "Doorkeeper | None":
        return self if authorization == f"Bearer {TOKEN}" else None

    def hold(self, now: float) -> bool:
        return True


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> object:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The code of an error, whose shape is checked on the way."""
        content = json.loads(self.body)
        assert set(content) == {"error"}
        assert set(content["error"]) == {"code", "message"}
        assert content["error"]["message"]
        assert self.headers["content-type"] == "application/json; charset=utf-8"
        return str(content["error"]["code"])


@dataclass
class Served:
    port: int
    turns: TurnsTwin
    audio: Path
    listener: Listener
    arrivals: Arrivals
    way: Way

    @property
    def files(self) -> list[str]:
        return sorted(path.name for path in self.audio.iterdir())

    async def send(self, *pieces: bytes, answers: int = 1, patience: float = 5.0) -> Answer:
        """Send raw bytes on a new connection, piece by piece, and give the last of so many answers.

        A plain request whose answer is good has taken the way that this server has for it.
        """
        before = self.listener.short
        answer = await self._send(pieces, answers, patience)
        if is_plain(b"".join(pieces)) and answer.status == 200:
            assert self.listener.short == before + (answers if self.way == "short" else 0)
        return answer

    async def _send(self, pieces: Sequence[bytes], answers: int, patience: float) -> Answer:
        async with connected(self.port) as (reader, writer):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
            async with asyncio.timeout(patience):
                for _ in range(answers):
                    answer = await read_answer(reader)
        return answer

    async def post(
        self,
        path: str = "/callback",
        body: bytes = b'{"id": "c1"}',
        headers: Mapping[str, str] = JSON,
        *,
        token: str | None = TOKEN,
    ) -> Answer:
        return await self.send(request("POST", path, body, headers, token=token))

    async def upload(self, body: bytes, content_type: str = 'multipart/form-data; boundary="B"') -> Answer:
        return await self.post("/callback", body, {"Content-Type": content_type})


def request(
    method: str, path: str, body: bytes = b"", headers: Mapping[str, str] = JSON, *, token: str | None = TOKEN
) -> bytes:
    """Write a whole HTTP request."""
    fields = {"Host": "localhost", **({"Content-Length": str(len(body))} if body else {}), **headers}
    if token:
        fields["Authorization"] = f"Bearer {token}"
    head = "\r\n".join([f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""])
    return head.encode("latin-1") + body


_PLAIN_HEAD = re.compile(
    rb"POST /call(back|/[a-z-]+)? HTTP/1\.1((\r\nHost|\r\nContent-(Length|Type)|\r\nAuthorization): [ -~]+){4}"
)


def is_plain(sent: bytes) -> bool:
    """Return whether a request that was sent is one as the platform sends them, and not large."""
    head, _, body = sent.partition(b"\r\n\r\n")
    return _PLAIN_HEAD.fullmatch(head) is not None and len(body) < 60_000 and body.count(b"\r\n--") < 3


def part(name: str, content: bytes, content_type: str = "", *, boundary: str = "B") -> bytes:
    """Write one part of a form, the way the platform does."""
    kind = f"Content-Type: {content_type}\r\n" if content_type else ""
    return f"--{boundary}\r\n{kind}Content-Disposition: form-data; name={name}\r\n\r\n".encode() + content + b"\r\n"


def form(audio: bytes, *, message: bytes = b'{"id": "c1"}', boundary: str = "B") -> bytes:
    """Write a recording's form, the way the platform does."""
    return (
        part("conversationResult", message, "application/json; charset=utf-8", boundary=boundary)
        + part("recordedAudio", audio, "audio/x-ms-wma", boundary=boundary)
        + f"--{boundary}--\r\n".encode()
    )


async def read_answer(reader: asyncio.StreamReader) -> Answer:
    """Read one HTTP answer; interim answers (1xx) are passed over."""
    while True:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        status = int(head[0].split()[1])
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:-2])}
        if status >= 200:
            return Answer(status, headers, await reader.readexactly(int(headers.get("content-length", "0"))))


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


@asynccontextmanager
async def serving(
    folder: Path,
    *,
    body: BodyLimits = BODY,
    connections: ConnectionLimits = CONNECTIONS,
    assets: Mapping[str, Asset] | None = None,
    checks: Mapping[str, Check] | None = None,
    dev: bool = False,
    sweep: float = 0.01,
    audio: Path | None = None,
    now: Callable[[], float] = time.time,
    turns: TurnsTwin | None = None,
    way: Way = "short",
    verifier: Verifier | None = None,
    recordings: MediaStore | None = None,
) -> AsyncIterator[Served]:
    """Serve on a free port; `way` is the one that plain requests take."""
    audio = audio or folder / "audio"
    audio.mkdir(exist_ok=True)
    way = "long" if dev else way
    turns, recordings, arrivals = turns or TurnsTwin(), recordings or MediaFiles(audio), Arrivals()
    channel, verifier = LineTwin(), verifier or Doorkeeper()
    routes = WebhookRoutes([channel])
    webhook = Webhook(
        channel=channel,
        verifier=verifier,
        turns=turns,
        store=turns,
        recordings=recordings,
        arrivals=arrivals,
        limits=body,
        now=now,
    )

    async def asset(name: str) -> Asset | None:
        return (assets or {}).get(name)

    app = App(routes=routes, webhooks={"twin": webhook}, asset=asset, checks=checks or {}, dev=dev)
    sock = bind("127.0.0.1", 0)
    port = sock.getsockname()[1]
    short = ShortWay(
        routes=routes,
        channel=channel,
        verifier=verifier,
        turns=turns,
        limits=body,
        new_name=new_name,
    )
    listener = await Listener.open(
        app.handle, sock, limits=connections, now=now, sweep=sweep, short=short if way == "short" else None
    )
    try:
        yield Served(port, turns, audio, listener, arrivals, way)
    finally:
        await listener.close(drain=0.1)
        await recordings.close()


def texts(records: Iterable[logging.LogRecord]) -> str:
    """Everything that a log knows, in whatever format it is written."""
    return "\n".join(f"{record.getMessage()} {record.__dict__!r} {record.exc_info}" for record in records)
