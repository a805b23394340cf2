"""Recordings are fetched from a platform, against real servers here: slow, lying, endless, elsewhere, not yet."""

import asyncio
import io
import wave
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from ivr.engine.commands import FETCH, Request
from ivr.engine.events import RecordingReady
from ivr.media_storage import SMALL
from ivr.ports import CallKey
from ivr.services import platform_api
from ivr.services.platform_api import PlatformApi, basic
from ivr.services.recording_fetch import PAUSES, REDIRECTS, RecordingFetch
from ivr.services.service import ServiceError
from ivr.storage import Order
from ivr.store.media_files import MediaFiles

CREDENTIAL = basic("AC1", "secret")
LARGEST = 300_000
Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def wav(seconds: float) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(bytes(int(16000 * seconds)))
    return file.getvalue()


class Carrier:
    """A platform that gives out recordings; it keeps what it was asked."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        "For each request the next one; the last one repeats."
        self.asked: list[tuple[str, str | None]] = []
        self.base = ""

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self.asked.append((request.path, request.headers.get("Authorization")))
        return await (self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])(request)


@asynccontextmanager
async def carrier(*answers: Answer) -> AsyncIterator[Carrier]:
    one = Carrier()
    one.answers = list(answers)
    runner = web.ServerRunner(web.Server(one.answer), shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    one.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield one
    await runner.cleanup()


@pytest.fixture
async def recordings(tmp_path: Path) -> AsyncIterator[MediaFiles]:
    one = MediaFiles(tmp_path)
    yield one
    await one.close()


class Fetching:
    """The service, and how long it paused."""

    def __init__(self, recordings: MediaFiles, api: PlatformApi) -> None:
        self.api = api
        self.pauses: list[float] = []
        self.most = 20
        self.service = RecordingFetch({"twilio": api}, recordings, largest=LARGEST, pause=self._pause)

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        if len(self.pauses) >= self.most:
            raise TimeoutError  # as the worker's limit does

    async def run(self, address: str, channel: str = "twilio") -> RecordingReady:
        request = Request("1.2", FETCH, {"address": address}, 300.0)
        return await self.service.run(Order("0" * 32, CallKey(channel, "AC1", "CA1"), request, 1))


@asynccontextmanager
async def fetching(recordings: MediaFiles, base: str, *hosts: str) -> AsyncIterator[Fetching]:
    api = PlatformApi(base, CREDENTIAL, hosts=hosts)
    yield Fetching(recordings, api)
    await api.close()


def gives(body: bytes, content_type: str = "audio/x-wav", status: int = 200, **headers: Any) -> Answer:
    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(
            status=status,
            body=body,
            headers={
                "Content-Type": content_type,
                **{name.replace("_", "-"): value for name, value in headers.items()},
            },
        )

    return answer


def leads(where: Callable[[], str]) -> Answer:
    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": where()})

    return answer


def left(recordings: MediaFiles) -> list[Path]:
    return sorted(recordings._folder.iterdir())  # what is on the disk is the promise


@pytest.mark.parametrize("seconds", [0.5, 9.0])
async def test_a_recording_is_kept_as_a_file_before_it_is_named(recordings: MediaFiles, seconds: float) -> None:
    audio = wav(seconds)
    assert (len(audio) <= SMALL) is (seconds < 1)
    async with carrier(gives(audio)) as one, fetching(recordings, one.base) as fetch:
        ready = await fetch.run(f"{one.base}/Recordings/RE1.wav")
    assert (ready.op, ready.seconds) == ("1.2", seconds)
    assert [file.name for file in left(recordings)] == [ready.media]
    assert left(recordings)[0].read_bytes() == audio
    assert one.asked == [("/Recordings/RE1.wav", CREDENTIAL)]


async def test_one_that_is_not_there_yet_is_asked_for_again(recordings: MediaFiles) -> None:
    not_yet = gives(b"no", "text/plain", 404)
    busy = gives(b"", "text/plain", 503, **{"Retry-After": "7"})
    async with carrier(not_yet, not_yet, busy, gives(wav(1))) as one, fetching(recordings, one.base) as fetch:
        await fetch.run(f"{one.base}/r")
    assert fetch.pauses == [PAUSES[0], PAUSES[1], 7.0]


async def test_one_that_never_is_there_is_asked_for_until_the_order_ends(recordings: MediaFiles) -> None:
    async with carrier(gives(b"no", "text/plain", 404)) as one, fetching(recordings, one.base) as fetch:
        with pytest.raises(TimeoutError):
            await fetch.run(f"{one.base}/r")
    assert fetch.pauses[-1] == PAUSES[-1]
    assert left(recordings) == []


@pytest.mark.parametrize(
    "answer",
    [
        gives(b"forbidden", "text/plain", 403),
        gives(b"<html>", "text/html"),
        gives(b"{}", "application/json; charset=utf-8"),
        gives(b"", "text/plain", 410),
        gives(b"packed", "audio/wav", content_encoding="gzip"),
    ],
)
async def test_what_is_no_recording_is_no_recording_at_another_time(recordings: MediaFiles, answer: Answer) -> None:
    async with carrier(answer) as one, fetching(recordings, one.base) as fetch:
        with pytest.raises(ServiceError, match="failed"):
            await fetch.run(f"{one.base}/r")
    assert (fetch.pauses, left(recordings)) == ([], [])


async def test_one_that_is_too_large_is_not_read_to_its_end(recordings: MediaFiles) -> None:
    async def endless(request: web.BaseRequest) -> web.StreamResponse:
        stream = web.StreamResponse(headers={"Content-Type": "audio/wav"})
        await stream.prepare(request)
        while True:
            await stream.write(bytes(65536))

    for answer in (gives(bytes(LARGEST + 1)), endless):
        async with carrier(answer) as one, fetching(recordings, one.base) as fetch:
            with pytest.raises(ServiceError, match="recording"):
                await fetch.run(f"{one.base}/r")
        assert left(recordings) == []


async def test_one_that_is_cut_off_or_empty_is_fetched_again(recordings: MediaFiles) -> None:
    async def cut_off(request: web.BaseRequest) -> web.StreamResponse:
        stream = web.StreamResponse(headers={"Content-Type": "audio/wav", "Content-Length": "200000"})
        await stream.prepare(request)
        await stream.write(bytes(100_000))
        assert request.transport is not None
        request.transport.abort()
        return stream

    async with carrier(cut_off, gives(b""), gives(wav(1))) as one, fetching(recordings, one.base) as fetch:
        ready = await fetch.run(f"{one.base}/r")
    assert len(fetch.pauses) == 2
    assert [file.name for file in left(recordings)] == [ready.media]


async def test_a_platform_that_falls_silent_is_asked_again(
    recordings: MediaFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform_api, "SILENT", 0.05)
    done = asyncio.Event()

    async def silent(request: web.BaseRequest) -> web.StreamResponse:
        stream = web.StreamResponse(headers={"Content-Type": "audio/wav"})
        await stream.prepare(request)
        await stream.write(bytes(100))
        await done.wait()
        return stream

    async with carrier(silent, gives(wav(1))) as one, fetching(recordings, one.base) as fetch:
        await fetch.run(f"{one.base}/r")
        done.set()
    assert len(fetch.pauses) == 1
    assert len(left(recordings)) == 1


async def test_a_redirect_leads_to_a_host_of_the_list_and_the_credential_stays_behind(recordings: MediaFiles) -> None:
    async with carrier(gives(wav(1))) as storage:
        elsewhere = storage.base.removeprefix("http://")
        async with carrier(leads(lambda: f"{storage.base}/kept?signed=1")) as one:
            async with fetching(recordings, one.base, elsewhere) as fetch:
                await fetch.run(f"{one.base}/r")
            assert storage.asked == [("/kept", None)]
            async with fetching(recordings, one.base) as fetch:
                with pytest.raises(ServiceError, match="failed"):
                    await fetch.run(f"{one.base}/r")
            assert len(storage.asked) == 1


async def test_a_circle_of_redirects_ends(recordings: MediaFiles) -> None:
    async with carrier(leads(lambda: "/r")) as one, fetching(recordings, one.base) as fetch:
        with pytest.raises(ServiceError, match="failed"):
            await fetch.run(f"{one.base}/r")
    assert len(one.asked) == REDIRECTS + 1


@pytest.mark.parametrize(
    "address",
    ["https://other.example/r", "http://169.254.169.254/r", "http://localhost/r", "file:///etc/passwd", "nonsense", ""],
)
async def test_no_other_host_is_asked(recordings: MediaFiles, address: str) -> None:
    async with fetching(recordings, "https://api.carrier.example") as fetch:
        with pytest.raises(ServiceError, match="failed"):
            await fetch.run(address)
    assert fetch.pauses == []


async def test_this_machine_is_asked_only_if_the_api_is_here(recordings: MediaFiles) -> None:
    async with carrier(gives(wav(1))) as one:
        here = one.base.removeprefix("http://")
        async with fetching(recordings, "https://api.carrier.example", here) as fetch:
            with pytest.raises(ServiceError, match="failed"):
                await fetch.run(f"{one.base}/r")
    assert one.asked == []


async def test_a_channel_without_an_api_has_no_recordings(recordings: MediaFiles) -> None:
    async with fetching(recordings, "https://api.carrier.example") as fetch:
        with pytest.raises(ServiceError, match="failed"):
            await fetch.run("https://api.carrier.example/r", channel="telnyx")
