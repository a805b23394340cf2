"""The other side of the speech services over HTTP: takes forms on loopback, keeps them, and answers as it is told.

service = SpeechApi({"text": "hello"})
await service.start()
…
assert service.forms[0].files["file"].audio.startswith(b"RIFF")
"""

import asyncio
import io
import json
import wave
from dataclasses import dataclass, field

from aiohttp import web


@dataclass
class File:
    """A file of a form."""

    name: str
    content_type: str
    audio: bytes

    @property
    def seconds(self) -> float:
        """The length of the WAV file, which is checked to be 16 kHz, mono, 16 bit."""
        with wave.open(io.BytesIO(self.audio)) as wav:
            assert (wav.getframerate(), wav.getnchannels(), wav.getsampwidth()) == (16_000, 1, 2)
            assert wav.getnframes() * 2 == len(self.audio) - 44
            return wav.getnframes() / 16_000


@dataclass
class Form:
    """A request as it came."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]
    fields: dict[str, str] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)


@dataclass
class Answer:
    """What the service says; a body that is no text is sent as JSON."""

    status: int = 200
    body: object = ""
    headers: dict[str, str] = field(default_factory=dict)


class SpeechApi:
    """A service that gives its answers in order, the last one for ever; `hold` keeps them back."""

    def __init__(self, *answers: Answer | object) -> None:
        self.answers = [one if isinstance(one, Answer) else Answer(body=one) for one in answers]
        self.forms: list[Form] = []
        self.came = asyncio.Event()
        self.base = ""
        self._go_on = asyncio.Event()
        self._go_on.set()

    async def start(self) -> None:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.base = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        self._go_on.set()
        await self._runner.cleanup()

    def hold(self) -> None:
        self._go_on.clear()

    async def _serve(self, request: web.Request) -> web.Response:
        form = Form(request.path, dict(request.query), dict(request.headers))
        for name, value in (await request.post()).items():
            if isinstance(value, web.FileField):
                form.files[name] = File(value.filename, value.content_type, value.file.read())
                value.file.close()
            else:
                form.fields[name] = str(value)
        self.forms.append(form)
        self.came.set()
        await self._go_on.wait()
        answer = self.answers[min(len(self.forms), len(self.answers)) - 1]
        body = answer.body if isinstance(answer.body, str | bytes) else json.dumps(answer.body)
        body = body if isinstance(body, bytes) else body.encode()
        return web.Response(status=answer.status, body=body, headers=answer.headers, content_type="application/json")
