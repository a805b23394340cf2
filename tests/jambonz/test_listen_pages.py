"""A caller is recorded by WebSocket: what was said is kept before anything is confirmed, whoever sends it."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from ivr.channels.jambonz import wire
from ivr.engine.events import CallEnded, InputTimedOut, OperationFailed, RecordingMade
from ivr.errors import StoreUnavailable
from ivr.media_storage import SMALL
from ivr.server import listen_pages, sound_socket, stream_recorder
from tests.jambonz.jambonz_line import KEY
from tests.jambonz.recording_house import RecordingHouse, closed, heard, played, pressed, quiet, recording_house, voice
from tests.waiting import PATIENCE

ENDED = {"call_status": "completed", "call_termination_by": "caller", "duration": 9}


def made(house: RecordingHouse) -> RecordingMade:
    [event] = [event for event in house.events if isinstance(event, RecordingMade)]
    return event


def asked(verbs: list[dict[str, object]]) -> str:
    gather = next(verb for verb in verbs if verb["verb"] == "gather")
    return str(gather["say"]["text"])  # type: ignore[index]


# --- how a recording ends ---


@pytest.mark.parametrize("protocol", wire.SUBPROTOCOLS)
async def test_a_key_ends_it_and_the_step_gets_what_follows(protocol: str) -> None:
    said = voice(1.5)
    async with recording_house() as house:
        async with house.socket(protocol=protocol) as socket:
            await played(socket, said)
            await pressed(socket, "5")
            await pressed(socket, "#")
            assert await closed(socket) == 1000
        event = made(house)
        assert (event.seconds, event.ended) == (1.5, "terminator")
        assert event.media is not None
        assert await house.recorded(event.media) == said
        assert asked(await house.ended(dial_call_duration=2)) == "Thank you. Press 1."
        assert asked(await house.ended(dial_call_duration=2)) == "Thank you. Press 1.", "the same bytes once more"
        assert len(house.events) == 2


async def test_it_ends_by_silence() -> None:
    async with recording_house() as house:
        async with house.socket() as socket:
            await played(socket, voice(1.0) + quiet(3.0))
            assert await closed(socket) == 1000
        assert made(house).ended == "silence"


async def test_who_says_nothing_is_asked_again() -> None:
    async with recording_house() as house:
        async with house.socket() as socket:
            await played(socket, quiet(3.1))
            assert await closed(socket) == 1000
        assert isinstance(house.events[-1], InputTimedOut)
        assert any(verb["verb"] == "listen" for verb in await house.ended())
        assert house.store.media == {}


async def test_a_caller_who_hangs_up_has_left_a_message() -> None:
    said = voice(2.0)
    async with recording_house() as house:
        async with house.socket() as socket:
            await played(socket, said)
            await socket.close()
        await house.saved()
        event = made(house)
        assert (event.ended, event.seconds) == ("hangup", 2.0)
        assert await house.recorded(str(event.media)) == said
        await house.ended(**ENDED)
        await house.post("/jambonz/status", **ENDED)
        assert (await house.record()).call.phase == "over"


async def test_the_end_of_the_call_may_be_told_before_the_message_is_there() -> None:
    async with recording_house() as house:
        async with house.socket() as socket:
            await played(socket, voice(2.0))
            await house.post("/jambonz/status", **ENDED)
            assert isinstance(house.events[-1], CallEnded)
            house.time += 100.0
            await house.turns.wake(KEY)
            assert (await house.record()).call.phase == "gone", "it is waited for, as long as it is on its way"
            await socket.close()
        await house.saved()
        assert made(house).media in house.store.media


async def test_a_socket_that_breaks_is_no_caller_who_left() -> None:
    async with recording_house() as house:
        async with house.socket() as socket:
            await played(socket, voice(2.0))
            await heard(socket)
            connection = socket._response.connection  # there is no other way to drop it
            assert connection is not None
            assert connection.transport is not None
            connection.transport.abort()
        await house.saved()
        assert (made(house).ended, made(house).seconds) == ("limit", 2.0)
        assert asked(await house.ended()) == "Thank you. Press 1."


async def test_a_server_that_ends_keeps_what_was_said_and_the_call_goes_on() -> None:
    async with recording_house() as house, house.socket() as socket:
        await played(socket, voice(2.0))
        await heard(socket)
        await house.pages.close()
        assert await closed(socket) == 1000
        assert made(house).ended == "limit"
        assert asked(await house.ended()) == "Thank you. Press 1."


async def test_a_large_recording_is_a_file_before_its_turn() -> None:
    said = voice(4.9)
    assert len(said) > SMALL
    async with recording_house() as house:
        async with house.socket() as socket:
            await played(socket, said)
            await pressed(socket, "*")
            assert await closed(socket) == 1000
        media = made(house).media
        assert media is not None
        assert house.store.media == {media: None}
        assert await house.recorded(media) == said


# --- who comes ---


async def refusal(house: RecordingHouse, url: str = "", protocol: str = wire.SUBPROTOCOLS[0]) -> int:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await house.client.ws_connect(house.address(url), protocols=(protocol,))
    return refused.value.status


async def test_without_its_token_nobody_gets_in() -> None:
    async with recording_house() as house:
        url: str = house.listen["url"]
        assert await refusal(house, url[:-1] + ("A" if url[-1] != "A" else "B")) == 403
        assert await refusal(house, url.replace("call-1", "call-2")) == 403
        assert await refusal(house, url + "/") == 403
        token = house.listen["actionHook"].partition("t=")[2].partition("#")[0]
        assert await refusal(house, f"{url.rpartition('/')[0]}/{token}") == 403


async def test_a_token_is_good_while_its_recording_is_awaited_and_for_one_socket() -> None:
    async with recording_house() as house:
        async with house.socket() as socket:
            await played(socket, voice(0.5))
            assert await refusal(house) == 409
            await pressed(socket, "#")
            assert await closed(socket) == 1000
        assert await refusal(house) == 404
        await house.ended()
        assert await refusal(house) == 404


async def test_what_asks_for_no_socket_of_jambonz_gets_none() -> None:
    async with recording_house() as house:
        assert await refusal(house, protocol="chat") == 400
        async with house.client.get(house.address()) as answer:
            assert answer.status == 400
        async with house.client.post(house.address()) as answer:
            assert answer.status == 404


async def test_there_are_only_so_many_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listen_pages, "MOST_AT_ONCE", 0)
    async with recording_house() as house:
        assert await refusal(house) == 503


# --- what comes ---


@pytest.mark.parametrize(
    "first",
    [
        "no json",
        "[]",
        "null",
        '{"sampleRate": "fast"}',
        '{"sampleRate": 44100}',
        "[" * 60_000,
    ],
)
async def test_a_first_text_that_is_not_jambonzs_ends_it(first: str) -> None:
    async with recording_house() as house:
        async with house.socket(first=first) as socket:
            assert await closed(socket) == 1008
        assert len(house.events) == 1
        verbs = await house.ended()
        assert isinstance(house.events[-1], OperationFailed)
        assert verbs[0]["text"] == "Sorry."


async def test_sound_without_a_first_text_ends_it() -> None:
    async with recording_house() as house, house.socket(first=None) as socket:
        await socket.send_bytes(quiet(1.0))
        assert await closed(socket) == 1008


async def test_a_socket_that_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound_socket, "FIRST_WITHIN", 0.01)
    async with recording_house() as house, house.socket(first=None) as socket:
        assert await closed(socket) == 1008


@pytest.mark.parametrize("text", ["no json", '{"event": 7}', "[" * 60_000])
async def test_a_text_that_cannot_be_read_ends_it(text: str) -> None:
    async with recording_house() as house, house.socket() as socket:
        await socket.send_str(text)
        assert await closed(socket) == 1008


async def test_texts_without_end_come_to_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound_socket, "MOST_TEXTS", 20)
    async with recording_house() as house, house.socket() as socket:
        for _ in range(20):
            await socket.send_str("{}")
        assert await closed(socket) == 1008


async def test_a_message_that_is_too_large_ends_it() -> None:
    async with recording_house() as house:
        async with house.socket() as socket:
            await socket.send_bytes(bytes(sound_socket.LARGEST_MESSAGE + 1))
            assert await closed(socket) == 1009
        await house.saved()
        assert len(house.events) == 1


async def test_a_sender_that_sends_nothing_is_silent_and_comes_to_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound_socket, "LOOK", 0.01)
    monkeypatch.setattr(stream_recorder, "PATIENCE", -3.0)
    async with recording_house() as house:
        async with house.socket() as socket:
            assert await closed(socket) == 1000
        assert isinstance(house.events[-1], InputTimedOut)


@pytest.mark.parametrize("kind", ["ping", "pong"])
async def test_pings_without_end_are_no_sound(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr(sound_socket, "LOOK", 0.05)
    monkeypatch.setattr(stream_recorder, "PATIENCE", -3.0)
    async with recording_house() as house:
        async with house.socket() as socket, knocking(socket, kind):
            assert await closed(socket) == 1000
        assert isinstance(house.events[-1], InputTimedOut)


async def test_pings_are_no_first_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound_socket, "FIRST_WITHIN", 0.05)
    async with recording_house() as house, house.socket(first=None) as socket, knocking(socket, "ping"):
        assert await closed(socket) == 1008


async def test_who_reads_nothing_keeps_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listen_pages, "FAREWELL", 0.1)
    monkeypatch.setattr(sound_socket, "FIRST_WITHIN", 1.0)
    async with recording_house() as house:
        handle, left = house.pages.handle, asyncio.Event()

        async def watched(request: web.BaseRequest) -> web.StreamResponse:
            try:
                return await handle(request)
            finally:
                left.set()

        monkeypatch.setattr(house.pages, "handle", watched)
        with socket.socket() as deaf:  # its window is small, and soon full of pongs
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(deaf, ("127.0.0.1", house.port))
            await loop.sock_sendall(deaf, handshake(house.address()))
            pings = asyncio.create_task(loop.sock_sendall(deaf, PING * 100_000))
            async with asyncio.timeout(PATIENCE):
                await left.wait()
            pings.cancel()
            await asyncio.wait([pings])
        assert not house.pages.under_way


PING = b"\x89\xfd" + bytes(4) + bytes(125)
"With a mask and as much as a ping can hold (RFC 6455, 5.5.2)."


def handshake(url: str) -> bytes:
    fields = {
        "Host": "127.0.0.1",
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Protocol": wire.SUBPROTOCOLS[0],
    }
    lines = [f"GET {URL(url).raw_path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    return "\r\n".join(lines).encode()


@asynccontextmanager
async def knocking(socket: aiohttp.ClientWebSocketResponse, kind: str) -> AsyncIterator[None]:
    """Send pings, or pongs that nobody asked for, as fast as the loop turns."""

    async def knocks() -> None:
        with suppress(ConnectionError):
            while not socket.closed:
                await (socket.ping() if kind == "ping" else socket.pong())
                await asyncio.sleep(0.001)

    task = asyncio.create_task(knocks())
    try:
        async with asyncio.timeout(PATIENCE):
            yield
    finally:
        task.cancel()


async def test_a_sender_that_is_too_fast_is_not_read_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound_socket, "AHEAD", 0.5)
    async with recording_house() as house, house.socket() as socket:
        began = asyncio.get_running_loop().time()
        await socket.send_bytes(voice(1.5))
        await pressed(socket, "#")
        assert await closed(socket) == 1000
        assert asyncio.get_running_loop().time() - began >= 0.9
        assert made(house).seconds == 1.5


# --- what goes wrong here ---


async def test_a_step_waits_until_its_recording_is_saved() -> None:
    async with recording_house() as house, house.socket() as socket:
        await played(socket, voice(1.0))
        await pressed(socket, "#")
        assert asked(await house.ended()) == "Thank you. Press 1."
        assert await closed(socket) == 1000


async def test_a_recording_that_cannot_be_saved_is_not_confirmed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_: object, **__: Any) -> None:
        raise StoreUnavailable("the disk is full")

    async with recording_house() as house:
        async with house.socket() as socket:
            await played(socket, voice(4.9))
            with monkeypatch.context() as broken:
                broken.setattr(house.store, "commit", full)
                await pressed(socket, "#")
                assert await closed(socket) == 1011
        assert house.store.media == {}
        assert [name async for names in house.media.older(1e12) for name in names] == [], "nothing is left behind"
        await house.ended()
        assert isinstance(house.events[-1], OperationFailed)
