"""The head of a request: what is refused before a byte of the body is read, and what never is repeated."""

import asyncio
import logging
from pathlib import Path

import pytest

from tests.server.harness import JSON, TOKEN, Served, TurnsTwin, Way, connected, read_answer, request, serving, texts


async def test_a_message_gets_the_reply_of_its_turn(served: Served) -> None:
    answer = await served.post("/callback")
    assert (answer.status, answer.json) == (200, {"answered": "c1"})
    assert served.turns.request.path == "/callback"


async def test_header_names_are_lower_case_and_a_field_sent_twice_is_one_list(served: Served) -> None:
    await served.send(request("POST", "/callback", b'{"id": "c1"}', {**JSON, "X-One": "a", "x-one": "b"}))
    assert served.turns.request.headers["x-one"] == "a, b"


async def test_call_callback_and_named_flow_are_three_doors(served: Served) -> None:
    for path in ("/call", "/call/front-desk", "/callback"):
        assert (await served.post(path)).status == 200
    assert served.turns.flows == [None, "front-desk", None]


async def test_the_arrival_is_that_of_the_first_byte(tmp_path: Path, way: Way) -> None:
    readings: list[float] = []
    read = asyncio.Event()

    def clock() -> float:
        readings.append(len(readings) + 1.0)
        read.set()
        return readings[-1]

    whole, turns = request("POST", "/callback", b'{"id": "c1"}'), TurnsTwin(now=False)
    async with serving(tmp_path, way=way, now=clock, turns=turns) as served, connected(served.port) as (reader, writer):
        writer.write(whole[:10])
        await read.wait()
        writer.write(whole[10:])
        assert (await read_answer(reader)).status == 200
        assert served.turns.arrivals == [1.0]


async def test_without_a_token_the_body_is_never_read(served: Served) -> None:
    head = request("POST", "/callback", token=None).replace(b"\r\n\r\n", b"\r\nContent-Length: 1000\r\n\r\n")
    answer = await served.send(head)  # and no body: who reads one waits for ever
    assert (answer.status, answer.code) == (401, "token")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert not served.turns.taken


async def test_a_sender_that_asks_first_is_told_to_go_on_only_after_its_token_was_good(served: Served) -> None:
    head = request("POST", "/callback", headers={**JSON, "Expect": "100-continue", "Content-Length": "12"})
    async with connected(served.port) as (reader, writer):
        writer.write(head)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 Continue")
        writer.write(b'{"id": "c1"}')
        assert (await read_answer(reader)).status == 200
        writer.write(head.replace(TOKEN.encode(), b"bad"))
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 401")


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW"])
@pytest.mark.parametrize("path", ["/call", "/call/desk", "/callback"])
async def test_webhooks_answer_post_alone(served: Served, method: str, path: str) -> None:
    async with connected(served.port) as (reader, writer):
        writer.write(request(method, path))
        head = await reader.readuntil(b"\r\n\r\n")
    if method == "BREW":  # no method of HTTP; refused by the parser
        assert b" 400 " in head or b" 405 " in head
    else:
        assert head.startswith(b"HTTP/1.1 405 ")
        assert b"\r\nAllow: POST\r\n" in head
    assert not served.turns.taken


@pytest.mark.parametrize("path", ["/", "/calls", "/call/", "/call/a/b", "/callback/", "/.git/config", "/call/%2e%2e/x"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_other_addresses_are_not_found(served: Served, path: str, method: str) -> None:
    answer = await served.send(request(method, path))
    assert (answer.status, answer.code) == (404, "not-found")


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "identity, gzip", "x"])
async def test_compressed_bodies_are_refused_and_never_inflated(served: Served, encoding: str) -> None:
    answer = await served.post(headers={**JSON, "Content-Encoding": encoding})
    assert (answer.status, answer.code) == (415, "encoding")


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonx"])
async def test_other_types_are_refused_with_the_type_that_is_meant(served: Served, kind: str) -> None:
    answer = await served.post(headers={"Content-Type": kind} if kind else {})
    assert (answer.status, answer.code) == (415, "content-type")
    assert b"application/json" in answer.body


async def test_a_form_has_no_business_at_the_call_address(served: Served) -> None:
    answer = await served.post("/call", b"--B--", {"Content-Type": "multipart/form-data; boundary=B"})
    assert (answer.status, answer.code) == (415, "content-type")


def _bad_heads() -> dict[str, bytes]:
    secret = f"Authorization: Bearer {TOKEN}".encode()
    begin = b"POST /callback HTTP/1.1\r\nHost: localhost\r\n"
    return {
        "token of 9 KB": begin + secret + TOKEN.encode() * 200 + b"\r\n\r\n",
        "control character in the token": begin + secret + b"\x01\r\n\r\n",
        "NUL in the token": begin + secret + b"\x00\r\n\r\n",
        "newline alone in the token": begin + secret + b"\n" + TOKEN.encode() + b"\r\n\r\n",
        "space before the colon": begin + secret.replace(b":", b" :") + b"\r\n\r\n",
        "length and chunks": begin + secret + b"\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "two lengths": begin + secret + b"\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        "a length that is none": begin + secret + b"\r\nContent-Length: 5x\r\n\r\nhello",
        "200 headers": begin + secret + b"\r\n" + b"X: 1\r\n" * 200 + b"\r\n",
        "a path of 9 KB": b"POST /callback?" + TOKEN.encode() * 200 + b" HTTP/1.1\r\n\r\n",
        "no HTTP": b"\x16\x03\x01" + TOKEN.encode() + b"\r\n\r\n",
    }


@pytest.mark.parametrize("what", _bad_heads())
async def test_a_bad_head_gets_400_and_is_neither_repeated_nor_logged(
    served: Served, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answer = await served.send(_bad_heads()[what])
    assert (answer.status, answer.code) == (400, "bad-head")
    assert "secret" not in answer.body.decode()
    assert TOKEN[:10] not in str(answer)
    assert TOKEN[:10] not in texts(caplog.records)
    assert TOKEN[21:30] not in texts(caplog.records)
    assert not served.turns.taken


async def test_an_error_of_ours_is_500_and_its_text_stays_here(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    served.turns.error = RuntimeError("pin 4711 was wrong")
    answer = await served.post()
    assert (answer.status, answer.code) == (500, "internal")
    assert b"4711" not in answer.body
    assert [record.message for record in caplog.records] == ["request failed"]


async def test_every_answer_carries_the_security_headers(served: Served) -> None:
    answers = [await served.post(), await served.post(token=None), await served.send(request("GET", "/healthz"))]
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["server"] == "ivr"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "access-control-allow-origin" not in answer.headers
