"""The other side of Microsoft's Speech SDK: the service's websocket protocol, on loopback, for the real SDK.

A text message is headers, an empty line and a body; a binary one is the length of its headers in two bytes, the headers
and audio.

*Recognition.* The first audio message begins with a WAV header, an empty one ends it. The service then tells what it
heard, phrase by phrase, and that the dictation is over.

*Synthesis.* `synthesis.context` says in what form the sound is wanted, `ssml` has the text. The service sends the sound
in pieces of a stream, an empty one at its end, and that the turn is over. It closes a connection whose text it refuses.

    service = AzureSpeech(says=[Phrase("Technical support.", 0.93)])
    await service.start()
    account = AzureAccount(key=service.key, endpoint=service.url)
"""

import asyncio
import json
import struct
import uuid
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

PIECE = 4096
"Bytes of sound in one message."
TICKS_A_BYTE = 312.5
"16 kHz, 16 bit, in units of 100 ns."


@dataclass
class Phrase:
    """What the service recognises; without text, that it was no speech."""

    text: str
    confidence: float = 0.9


@dataclass
class Heard:
    """What one client sent."""

    path: str
    query: dict[str, str]
    phrases: list[str] = field(default_factory=list)
    audio: bytes = b""
    seconds: float = 0.0
    "From the first sample to the last, by the clock of the loop."


@dataclass
class Spoken:
    """What one client had spoken."""

    path: str
    form: str
    "Of the sound, in the service's word for it."
    ssml: str


@dataclass
class AzureSpeech:
    """A Speech resource with one key; `hold` keeps its answers back until `release`."""

    says: list[Phrase] = field(default_factory=list)
    sounds: bytes = b""
    "What it makes of any text."
    refuses: int = 0
    "The code with which it closes the connection on a text (RFC 6455 7.4.1); 0: it speaks."
    spoken: list[Spoken] = field(default_factory=list)
    key: str = "0123456789abcdef0123456789abcdef"
    heard: list[Heard] = field(default_factory=list)
    refused: int = 0

    def __post_init__(self) -> None:
        self._go_on = asyncio.Event()
        self._go_on.set()
        self.audio_came = asyncio.Event()
        self._sockets: set[web.WebSocketResponse] = set()
        self._port = 0

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        self.release()
        for socket in tuple(self._sockets):
            await socket.close()
        await self._runner.cleanup()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self._port}"

    def hold(self) -> None:
        self._go_on.clear()

    def release(self) -> None:
        self._go_on.set()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Ocp-Apim-Subscription-Key") != self.key:
            self.refused += 1
            return web.Response(status=401, text="Access denied due to invalid subscription key.")
        socket = web.WebSocketResponse(protocols=("USP",))
        await socket.prepare(request)
        self._sockets.add(socket)
        heard = Heard(request.path, dict(request.query))
        self.heard.append(heard)
        try:
            await self._converse(socket, heard)
        finally:
            self._sockets.discard(socket)
        return socket

    async def _converse(self, socket: web.WebSocketResponse, heard: Heard) -> None:
        began, form = None, ""
        async for message in socket:
            if message.type == WSMsgType.TEXT:
                head, _, body = message.data.partition("\r\n\r\n")
                match headers(head)["path"]:
                    case "speech.context":
                        heard.phrases = phrases(json.loads(body))
                    case "synthesis.context":
                        form = json.loads(body)["synthesis"]["audio"]["outputFormat"]
                    case "ssml":
                        self.spoken.append(Spoken(heard.path, form, body))
                        await self._go_on.wait()
                        await self._speak(socket, headers(head)["x-requestid"])
            elif message.type == WSMsgType.BINARY:
                (size,) = struct.unpack(">H", message.data[:2])
                turn, audio = headers(message.data[2 : 2 + size].decode())["x-requestid"], message.data[2 + size :]
                if began is None:
                    began = asyncio.get_running_loop().time()
                    await say(socket, "turn.start", turn, {"context": {"serviceTag": uuid.uuid4().hex}})
                heard.audio += audio
                self.audio_came.set()
                if not audio:
                    heard.seconds = asyncio.get_running_loop().time() - began
                    await self._go_on.wait()
                    await self._answer(socket, turn, len(heard.audio) - 44)

    async def _speak(self, socket: web.WebSocketResponse, turn: str) -> None:
        if self.refuses:
            await socket.close(code=self.refuses, message=b"Unsupported voice.")
            return
        stream = uuid.uuid4().hex
        await say(socket, "turn.start", turn, {"context": {"serviceTag": uuid.uuid4().hex}})
        await say(socket, "response", turn, {"audio": {"type": "inline", "streamId": stream}})
        head = f"X-RequestId:{turn}\r\nPath:audio\r\nX-StreamId:{stream}\r\n".encode()
        pieces = [self.sounds[start : start + PIECE] for start in range(0, len(self.sounds), PIECE)]
        for piece in (*pieces, b""):
            await socket.send_bytes(struct.pack(">H", len(head)) + head + piece)
        await say(socket, "turn.end", turn, {})

    async def _answer(self, socket: web.WebSocketResponse, turn: str, size: int) -> None:
        whole = int(size * TICKS_A_BYTE)
        each = whole // max(1, len(self.says))
        for index, phrase in enumerate(self.says):
            await say(socket, "speech.phrase", turn, described(phrase, index * each, each))
        over = {"Id": uuid.uuid4().hex, "RecognitionStatus": "EndOfDictation", "Offset": whole, "Duration": 0}
        await say(socket, "speech.endDetected", turn, {"Offset": whole})
        await say(socket, "speech.phrase", turn, over)
        await say(socket, "turn.end", turn, {})


def described(phrase: Phrase, offset: int, duration: int) -> dict[str, Any]:
    common = {"Id": uuid.uuid4().hex, "Offset": offset, "Duration": duration, "Channel": 0}
    if not phrase.text:
        return {**common, "RecognitionStatus": "NoMatch"}
    best = {"Confidence": phrase.confidence, "Lexical": phrase.text.lower(), "Display": phrase.text}
    best |= {"ITN": phrase.text, "MaskedITN": phrase.text}
    return {**common, "RecognitionStatus": "Success", "DisplayText": phrase.text, "NBest": [best]}


def phrases(context: dict[str, Any]) -> list[str]:
    """Find the phrase list in a speech context."""
    groups = context.get("dgi", {}).get("Groups", [])
    return [item["Text"] for group in groups for item in group["Items"]]


def headers(head: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in head.split("\r\n") if line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


async def say(socket: web.WebSocketResponse, path: str, turn: str, body: object) -> None:
    if not socket.closed:
        head = f"X-RequestId:{turn}\r\nPath:{path}\r\nContent-Type:application/json; charset=utf-8\r\n\r\n"
        await socket.send_str(head + json.dumps(body))
