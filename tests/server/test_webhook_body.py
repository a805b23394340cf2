"""The body: bounded in size and in time, whatever the sender does."""

import asyncio
import time
from pathlib import Path

import pytest

from ivr.errors import StoreUnavailable, WebhookError
from ivr.media_storage import SMALL
from ivr.ports import CallKey
from ivr.server.body import BodyLimits
from tests.server.harness import JSON, Served, Way, connected, form, part, read_answer, request, serving
from tests.waiting import PATIENCE, Clock, Gate, begun, until

CHUNKED = {**JSON, "Transfer-Encoding": "chunked"}
LARGER = b"audio " * SMALL
"A recording that is a file."
FORM_TYPE = {"Content-Type": "multipart/form-data; boundary=B"}


async def test_a_body_may_come_in_chunks(served: Served) -> None:
    answer = await served.send(
        request("POST", "/callback", headers=CHUNKED), b'6\r\n{"id":\r\n', b'6\r\n "c1"}\r\n0\r\n\r\n'
    )
    assert answer.json == {"answered": "c1"}


@pytest.mark.parametrize("chunked", [False, True], ids=["declared", "chunked"])
async def test_json_over_its_limit_gets_413(tmp_path: Path, way: Way, chunked: bool) -> None:
    body = b'{"id": "' + b"x" * 2000 + b'"}'
    async with serving(tmp_path, way=way, body=BodyLimits(json=1000)) as served:
        if chunked:
            pieces = (request("POST", "/callback", headers=CHUNKED), b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
            answer = await served.send(*pieces)
        else:
            answer = await served.post(body=body)
        assert (answer.status, answer.code) == (413, "too-large")
        assert not served.turns.taken


async def test_json_of_exactly_its_limit_is_taken(tmp_path: Path, way: Way) -> None:
    async with serving(tmp_path, way=way, body=BodyLimits(json=12)) as served:
        assert (await served.post(body=b'{"id": "c1"}')).status == 200


async def test_a_declared_length_over_the_limit_is_refused_before_the_body_comes(served: Served) -> None:
    answer = await served.send(request("POST", "/callback", headers={**JSON, "Content-Length": "999999999999"}))
    assert answer.status == 413


async def test_broken_chunks_get_400(served: Served) -> None:
    answer = await served.send(request("POST", "/callback", headers=CHUNKED), b"zz\r\nhello\r\n")
    assert answer.status == 400
    assert not served.turns.taken


@pytest.mark.parametrize("kind", [JSON, FORM_TYPE], ids=["json", "form"])
async def test_a_body_that_stalls_gets_408_and_leaves_nothing(tmp_path: Path, way: Way, kind: dict[str, str]) -> None:
    begun = part("recordedAudio", b"x" * 600_000, "audio/wav")
    async with serving(tmp_path, way=way, body=BodyLimits(stall=0.1, json=700_000)) as served:
        answer = await served.send(
            request("POST", "/callback", headers={**kind, "Content-Length": "700000"}), begun, patience=20
        )
        assert (answer.status, answer.code) == (408, "stalled")
        assert not served.files
        assert not served.turns.taken


async def test_a_body_that_drips_for_too_long_gets_408(tmp_path: Path, way: Way) -> None:
    with Clock.of_this_loop() as clock:
        async with (
            serving(tmp_path, way=way, body=BodyLimits(stall=5.0, total=20.0)) as served,
            connected(served.port) as (reader, writer),
        ):
            writer.write(request("POST", "/callback", headers={**JSON, "Content-Length": "700"}))
            reading = asyncio.create_task(read_answer(reader))
            for _ in range(5):
                writer.write(b" ")
                assert (await served.send(request("GET", "/healthz"))).status == 200  # the byte before it was read
                assert not reading.done()
                clock.turn(4.5)
            assert (await reading).status == 408


async def test_a_sender_that_hangs_up_in_the_middle_leaves_nothing(served: Served) -> None:
    async with connected(served.port) as (_, writer):
        writer.write(request("POST", "/callback", headers={**FORM_TYPE, "Content-Length": "9000000"}))
        writer.write(part("recordedAudio", b"x" * 600_000, "audio/wav"))
        await writer.drain()
        await until(lambda: bool(served.files), within=served.audio)
    await until(lambda: not served.files, within=served.audio)
    await served.listener.close()  # returns when no request is under way
    assert not served.turns.taken


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"id": "\xff"}', b'{"id": 1e99999', b"\x00"], ids=range(6))
async def test_what_the_channel_cannot_read_is_400_and_moves_no_call(served: Served, body: bytes) -> None:
    answer = await served.post(body=body, headers={**JSON, "Content-Length": str(len(body))})
    assert (answer.status, answer.code) == (400, "malformed")
    assert not served.turns.taken


async def test_when_the_store_is_full_the_platform_is_asked_to_come_back(served: Served) -> None:
    served.turns.error = StoreUnavailable("the queue is full")
    answer = await served.post()
    assert (answer.status, answer.code, answer.headers["retry-after"]) == (503, "unavailable", "1")


async def test_a_turn_goes_on_without_its_sender_and_counts_until_it_ends(served: Served) -> None:
    served.turns.hold = endpoint = Gate()
    async with connected(served.port) as (_, writer):
        writer.write(request("POST", "/callback", form(LARGER), FORM_TYPE))
        await endpoint.reached()
    async with connected(served.port) as (reader, writer):
        writer.write(request("GET", "/healthz"))  # answered after the server has seen the other one go
        assert (await read_answer(reader)).status == 200
    assert served.listener.busy == 1
    closing = await begun(served.listener.close())  # which waits for it too
    assert not closing.done()
    endpoint.set()
    await closing
    assert served.listener.busy == 0
    assert len(served.files) == 1


KEY, OTHER = CallKey("twin", "account", "c1"), CallKey("twin", "account", "c2")
AUDIO = part("recordedAudio", b"x" * 600_000, "audio/wav")


@pytest.mark.parametrize(
    ("pieces", "maybe_of_others"),
    [([part("conversationResult", b'{"id": "c1"}'), AUDIO], False), ([AUDIO], True), ([AUDIO, AUDIO], True)],
    ids=["its message first", "its audio first", "broken"],
)
async def test_a_call_is_waited_for_while_an_upload_is_under_way_that_may_be_its_own(
    served: Served, pieces: list[bytes], maybe_of_others: bool
) -> None:
    began = time.time()
    async with connected(served.port) as (_, writer):
        writer.write(request("POST", "/callback", headers={**FORM_TYPE, "Content-Length": "9000000"}))
        writer.write(pieces[0] + pieces[-1][:500_000])
        await until(lambda: bool(served.files), within=served.audio)
        after = time.time() + 60
        assert await served.arrivals.under_way(KEY, before=after)
        assert await served.arrivals.under_way(OTHER, before=after) is maybe_of_others
        assert not await served.arrivals.under_way(KEY, before=began)
    await until(lambda: not served.files, within=served.audio)
    await served.listener.close()  # returns when no request is under way
    assert not await served.arrivals.under_way(KEY, before=after)


async def test_an_upload_counts_as_under_way_until_its_turn_is_over(served: Served) -> None:
    served.turns.hold = endpoint = Gate()
    async with connected(served.port) as (reader, writer):
        writer.write(request("POST", "/callback", form(LARGER), FORM_TYPE))
        await endpoint.reached()
        assert await served.arrivals.under_way(KEY, before=time.time() + 60)
        assert not await served.arrivals.under_way(OTHER, before=time.time() + 60)
        endpoint.set()
        assert (await read_answer(reader)).status == 200
    assert not await served.arrivals.under_way(KEY, before=time.time() + 60)


async def test_a_small_upload_comes_to_its_turn_whole_and_is_no_file(served: Served) -> None:
    assert (await served.upload(form(b"audio " * 1000))).status == 200
    upload = served.turns.upload
    assert (upload.audio, upload.size, upload.content_type) == (b"audio " * 1000, 6000, "audio/x-ms-wma")
    assert upload.media.endswith(".wma")
    assert served.turns.request.body == b'{"id": "c1"}'
    assert not served.files


async def test_a_larger_upload_is_a_whole_and_private_file_before_its_turn(served: Served) -> None:
    answer = await served.upload(form(LARGER))
    assert answer.status == 200
    upload = served.turns.upload
    assert upload.audio is None
    path = served.audio / upload.media
    assert path.read_bytes() == LARGER
    assert upload.size == len(LARGER)
    assert upload.content_type == "audio/x-ms-wma"
    assert path.suffix == ".wma"
    assert path.stat().st_mode & 0o777 == 0o600
    assert served.turns.request.body == b'{"id": "c1"}'


@pytest.mark.parametrize("audio", [b"audio", LARGER], ids=["small", "larger"])
async def test_an_upload_that_the_turn_did_not_use_is_deleted(served: Served, audio: bytes) -> None:
    served.turns.keeps_uploads = False
    assert (await served.upload(form(audio))).status == 200
    assert not served.files


@pytest.mark.parametrize(
    ("error", "status"),
    [(StoreUnavailable("full"), 503), (WebhookError(404, "unknown-call", "No."), 404), (RuntimeError("x"), 500)],
)
async def test_a_turn_that_fails_leaves_no_upload(served: Served, error: Exception, status: int) -> None:
    served.turns.error, served.turns.keeps_uploads = error, False
    for audio in (b"audio", LARGER):
        assert (await served.upload(form(audio))).status == status
        assert not served.files


async def test_a_turn_that_failed_after_its_commit_keeps_its_upload(served: Served) -> None:
    served.turns.error = StoreUnavailable("gone after the commit")
    served.turns.media = Everything()
    assert (await served.upload(form(LARGER))).status == 503
    assert len(served.files) == 1


class Everything(set[str]):
    def __contains__(self, item: object) -> bool:
        return True

    def __ior__(self, other: object) -> "Everything":  # type: ignore[override]
        return self


async def test_a_full_disk_is_503_and_the_call_is_unmoved(tmp_path: Path, way: Way) -> None:
    full = tmp_path / "gone"
    async with serving(tmp_path, way=way, audio=full) as served:
        full.rmdir()  # like a full disk, an OSError at the first write
        answer = await served.upload(form(LARGER))
        assert (answer.status, answer.code) == (503, "unavailable")
        assert str(full).encode() not in answer.body
        assert not served.turns.taken
        full.mkdir()
        assert (await served.upload(form(LARGER))).status == 200


async def test_closing_the_port_lets_an_upload_end(tmp_path: Path, way: Way) -> None:
    whole = request("POST", "/callback", form(b"x" * 600_000), FORM_TYPE)
    async with (
        serving(tmp_path, way=way) as served,
        connected(served.port) as (reader, writer),
        connected(served.port) as (idle, _),
    ):
        writer.write(whole[:-100])
        await until(lambda: bool(served.files), within=served.audio)
        closing = await begun(served.listener.close())
        assert await idle.read() == b""  # the port was closed before
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(whole[-100:])
        answer = await read_answer(reader)
        assert answer.json == {"answered": "c1"}
        assert answer.headers["connection"] == "close"
        await closing


async def test_closing_the_port_cuts_off_what_does_not_end(tmp_path: Path, way: Way) -> None:
    async with (
        serving(tmp_path, way=way) as served,
        connected(served.port) as (reader, writer),
        connected(served.port) as (idle, _),
    ):
        writer.write(request("POST", "/callback", headers={**FORM_TYPE, "Content-Length": "9000000"}))
        writer.write(part("recordedAudio", b"x" * 600_000, "audio/wav"))
        await until(lambda: bool(served.files), within=served.audio)
        async with asyncio.timeout(PATIENCE):
            await served.listener.close(drain=0.05)
            assert (await reader.read(), await idle.read()) == (b"", b"")
        await until(lambda: not served.files, within=served.audio)
        assert not served.turns.taken
