"""What the short way takes out of a connection's bytes: however they are cut, and never what aiohttp would refuse."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import pytest
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import HttpRequestParser
from hypothesis import example, given
from hypothesis import strategies as st

from ivr.server.assembly import SAME_PARSER
from ivr.server.message_counter import MessageCounter
from ivr.server.short_request import BODY, HEAD, LONGEST_HEAD, MOST_LAYOUTS, UNUSUAL, WHOLE, RequestReader, Verdict

READS = {b"x-message": "x-message"}
MOST = 1000
BODY_BYTES = b'{"id": "c1"}'
FIELDS = [b"Host: ivr.example", b"Authorization: Bearer abc", b"Content-Type: application/json", b"X-Message: 7 "]


def a_reader() -> RequestReader:
    return RequestReader(READS, most=MOST)


def written(
    *fields: bytes, line: bytes = b"POST /callback HTTP/1.1", body: bytes = BODY_BYTES, usual: Sequence[bytes] = FIELDS
) -> bytes:
    """Write a request with these fields beside the usual ones."""
    head = [line, *usual, b"Content-Length: %d" % len(body), *fields, b"", b""]
    return b"\r\n".join(head) + body


@dataclass(frozen=True)
class Taken:
    path: str
    headers: dict[str, str]
    authorization: bytes
    content_type: bytes
    body: bytes


def seen(reader: RequestReader) -> Taken:
    """Return what was read. Blanks behind a field's value mean nothing, and who reads these two does not mind them."""
    authorization, content_type = reader.authorization.rstrip(b" \t"), reader.content_type.rstrip(b" \t")
    return Taken(reader.path, dict(reader.headers()), authorization, content_type, reader.body)


def take_all(reader: RequestReader, pieces: Sequence[bytes]) -> tuple[list[Taken], Verdict, bytes]:
    """Read as a connection does; return what was taken, the last verdict, and what is left with it."""
    taken: list[Taken] = []
    verdict = HEAD
    for number, piece in enumerate(pieces):
        data = piece
        while data:
            verdict = reader.feed(data)
            if verdict is UNUSUAL:
                return taken, verdict, reader.raw + reader.behind + b"".join(pieces[number + 1 :])
            data = reader.behind
            if verdict is WHOLE:
                taken.append(seen(reader))
                reader.next()
                verdict = HEAD
    return taken, verdict, reader.raw


# --- what is plain ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/call", "/callback", "/call/desk", "/call/Desk_2-b"])
def test_a_plain_request_is_taken(path: str) -> None:
    reader = a_reader()
    assert reader.feed(written(line=f"POST {path} HTTP/1.1".encode())) is WHOLE
    expected = Taken(path, {"x-message": "7"}, b"Bearer abc", b"application/json", BODY_BYTES)
    assert (seen(reader), reader.behind) == (expected, b"")


@pytest.mark.parametrize(
    "field",
    [b"Connection: keep-alive", b"connection: Keep-Alive", b"Accept: */*", b"X-Forwarded-For: 10.0.0.1", b"Empty:"],
)
def test_what_a_client_or_a_proxy_adds_does_no_harm(field: bytes) -> None:
    assert a_reader().feed(written(field)) is WHOLE


UNUSUAL_REQUESTS = {
    "another method": written(line=b"PUT /callback HTTP/1.1"),
    "another method with the same first letters": written(line=b"POSTX /callback HTTP/1.1"),
    "HTTP/1.0": written(b"Connection: keep-alive", line=b"POST /callback HTTP/1.0"),
    "another address": written(line=b"POST /console HTTP/1.1"),
    "below an address": written(line=b"POST /callback/x HTTP/1.1"),
    "a query": written(line=b"POST /callback?a=b HTTP/1.1"),
    "a whole address": written(line=b"POST http://ivr.example/callback HTTP/1.1"),
    "an encoded name": written(line=b"POST /call/d%65sk HTTP/1.1"),
    "no name": written(line=b"POST /call/ HTTP/1.1"),
    "two names": written(line=b"POST /call/a/b HTTP/1.1"),
    "a line end before it": b"\r\n" + written(),
    "close": written(b"Connection: close"),
    "keep-alive, and more": written(b"Connection: keep-alive, te"),
    "upgrade": written(b"Connection: upgrade", b"Upgrade: websocket"),
    "expect": written(b"Expect: 100-continue"),
    "chunked": written(b"Transfer-Encoding: chunked"),
    "encoded": written(b"content-ENCODING: gzip"),
    "trailers": written(b"TE: trailers"),
    "a browser": written(b"Sec-Fetch-Site: same-origin"),
    "a page": written(b"Origin: https://ivr.example"),
    "a field twice": written(b"Accept: a", b"Accept: b"),
    "a field twice, spelled in two ways": written(b"Accept: a", b"accept: b"),
    "two tokens": written(b"authorization: Bearer other"),
    "two lengths": written(b"Content-Length: 12"),
    "bytes over 0x7f": written(b"Accept: \xe4"),
    "a control character": written(b"Accept: a\x01b"),
    "NUL": written(b"Accept: a\0b"),
    "a bare line end": written(b"Accept: a\nOrigin: b"),
    "a bare carriage return": written(b"Accept: a\rOrigin: b"),
    "a folded field": written(b"Accept: a\r\n b"),
    "a blank before the colon": written(b"Accept : a"),
    "no colon": written(b"Accept"),
    "no host": written(usual=FIELDS[1:]),
    "no type": written(usual=FIELDS[:2]),
    "no body": written(body=b""),
    "a body that is too long": written(body=bytes(MOST + 1)),
    "a head that is too long": written(b"Accept: " + b"a" * LONGEST_HEAD),
    "a head of too many fields": written(*(b"A%d: b" % n for n in range(65))),
    "a length in hexadecimal": b"\r\n".join([b"POST /call HTTP/1.1", *FIELDS, b"Content-Length: 0x1", b"", b"1"]),
    "a length with a sign": b"\r\n".join([b"POST /call HTTP/1.1", *FIELDS, b"Content-Length: +1", b"", b"1"]),
    "a length with a line": b"\r\n".join([b"POST /call HTTP/1.1", *FIELDS, b"Content-Length: 1_0", b"", b"1" * 10]),
    "two lengths in one": b"\r\n".join([b"POST /call HTTP/1.1", *FIELDS, b"Content-Length: 1, 1", b"", b"1"]),
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
}


@pytest.mark.parametrize("sent", UNUSUAL_REQUESTS.values(), ids=UNUSUAL_REQUESTS.keys())
def test_what_is_unusual_is_left_to_aiohttp_from_its_first_byte(sent: bytes) -> None:
    reader = a_reader()
    assert reader.feed(written()) is WHOLE
    reader.next()
    assert reader.feed(sent) is UNUSUAL
    assert reader.raw + reader.behind == sent
    reader.begin_anew()
    assert reader.feed(written()) is WHOLE


@pytest.mark.parametrize("sent", [b"GET /", b"POST /media", b"POST /call HTTP/1.1\r\nA: \x01", b"\r"])
def test_what_is_unusual_already_is_not_kept_waiting_for_its_end(sent: bytes) -> None:
    assert a_reader().feed(sent) is UNUSUAL


def test_a_head_that_never_ends_is_not_kept() -> None:
    reader, verdict, fed = a_reader(), HEAD, 0
    piece = b"A: b\r\n"
    assert reader.feed(b"POST /call HTTP/1.1\r\n") is HEAD
    while verdict is HEAD:
        verdict, fed = reader.feed(piece), fed + len(piece)
    assert verdict is UNUSUAL
    assert fed <= LONGEST_HEAD + len(piece)


def test_a_connection_remembers_few_layouts_and_reads_all_the_others() -> None:
    reader = a_reader()
    for number in [*range(MOST_LAYOUTS + 3), 0]:
        assert reader.feed(written(b"Name-%d: a" % number)) is WHOLE
        reader.next()


# --- cut anywhere ----------------------------------------------------------------------------------------------------


def test_a_request_cut_in_two_anywhere_is_the_same() -> None:
    sent = written()
    for at in range(1, len(sent)):
        reader = a_reader()
        assert reader.feed(sent[:at]) is (BODY if at >= len(sent) - len(BODY_BYTES) else HEAD)
        assert reader.raw == sent[:at]
        assert reader.feed(sent[at:] + b"POST") is WHOLE
        assert (reader.body, reader.behind, reader.raw) == (BODY_BYTES, b"POST", sent)


PLAIN = [
    written(),
    written(line=b"POST /call/desk HTTP/1.1", body=b"{}"),
    written(b"Accept: */*", body=b"\r\n\r\nPOST /call HTTP/1.1\r\n\r\n"),
]
MESSAGES = st.lists(st.sampled_from(PLAIN + list(UNUSUAL_REQUESTS.values())), min_size=1, max_size=5)


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, list[bytes]]:
    """A stream of requests, and the same cut into pieces."""
    stream = b"".join(draw(MESSAGES))
    cuts = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    ends = [0, *cuts, len(stream)]
    return stream, [stream[start:end] for start, end in pairwise(ends)]


@given(streams())
def test_a_stream_is_read_the_same_however_it_is_cut(cut: tuple[bytes, list[bytes]]) -> None:
    stream, pieces = cut
    taken, verdict, left = take_all(a_reader(), [stream])
    assert take_all(a_reader(), pieces) == (taken, verdict, left)
    assert stream.endswith(left)
    assert verdict in (HEAD, UNUSUAL)


# --- beside aiohttp's own parser -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    one = asyncio.new_event_loop()
    yield one
    one.close()


def read_by_aiohttp(sent: bytes, loop: asyncio.AbstractEventLoop) -> Taken | None:
    """Return what aiohttp reads in one request that is whole; None: it refuses it, or there is not exactly one."""
    parser = HttpRequestParser(BaseProtocol(loop), loop, 2**16, auto_decompress=False)
    try:
        messages, upgraded, _ = parser.feed_data(sent)
    except HttpProcessingError:
        return None
    if len(messages) != 1 or upgraded:
        return None
    message, payload = messages[0]
    assert (message.method, message.should_close, message.chunked) == ("POST", False, False)
    if not payload.is_eof():
        return None
    body, headers = payload.read_nowait(), message.headers
    assert len(set(headers)) == len(headers)
    read = {name: headers[name] for name in READS.values() if name in headers}
    return Taken(
        message.url.path, read, headers.get("Authorization", "").encode(), headers["Content-Type"].encode(), body
    )


ODD = st.sampled_from(
    [
        *(
            b"\r\n",
            b"\n",
            b"\r",
            b" ",
            b"\t",
            b":",
            b",",
            b"\0",
            b"\x7f",
            b"\x80",
            b"\xff",
            b"%",
            b";",
            b"0",
            b"-",
            b"_",
        ),
        *(
            b"Content-Length: 3\r\n",
            b"Transfer-Encoding: chunked\r\n",
            b"Connection: close\r\n",
            b"Host: a\r\n",
            b"A:\r\n",
        ),
        *(b"\r\n\r\n", b"Connection: keep-alive\r\n", b"Upgrade: h2c\r\n", b"Sec-WebSocket-Key1: a\r\n", b"HTTP/1.0"),
    ]
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A plain request into which something odd was put, or of which something was left out."""
    sent = draw(st.sampled_from(PLAIN))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(sent)))
        odd, left_out = draw(ODD), draw(st.integers(0, 3))
        sent = sent[:at] + odd + sent[at + left_out :]
    return sent


@given(sent=damaged())
@example(sent=written(b"Sec-WebSocket-Key1: a"))
@example(sent=written(b"A: " + b"a" * (LONGEST_HEAD - 200)))
@example(sent=written(b"Empty:", b"Other:"))
def test_what_aiohttp_refuses_or_reads_otherwise_is_never_taken(sent: bytes, loop: asyncio.AbstractEventLoop) -> None:
    reader = a_reader()
    if reader.feed(sent) is WHOLE:
        assert read_by_aiohttp(reader.raw, loop) == seen(reader)


@pytest.mark.parametrize("sent", PLAIN)
def test_what_is_plain_is_read_alike(sent: bytes, loop: asyncio.AbstractEventLoop) -> None:
    reader = a_reader()
    assert reader.feed(sent) is WHOLE
    assert read_by_aiohttp(sent, loop) == seen(reader)


# --- the way back ----------------------------------------------------------------------------------------------------


def chunked(*chunks: bytes) -> bytes:
    body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))
    return b"\r\n".join([b"POST /call HTTP/1.1", b"Host: a", b"Transfer-Encoding: chunked", b"", b""]) + body


REQUESTS = [
    written(),
    written(b"TE: trailers"),
    b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
    chunked(b"ab", b"c" * 300),
]


@given(st.data(), st.lists(st.sampled_from(REQUESTS), min_size=1, max_size=4))
def test_a_connection_is_at_a_boundary_when_all_was_answered_and_nothing_of_a_next_request_has_come(
    data: st.DataObject, requests: list[bytes]
) -> None:
    stream = b"".join(requests)
    boundaries = [sum(map(len, requests[:count])) for count in range(len(requests) + 1)]
    counter, at = MessageCounter(), 0
    for end in [*sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8))), len(stream)]:
        counter.feed(stream[at:end])
        at = end
        counter.answered = sum(boundary <= at for boundary in boundaries) - 1
        assert counter.is_at_boundary == (at in boundaries)
        counter.answered -= 1
        assert not counter.is_at_boundary


@pytest.mark.parametrize(
    "sent",
    [
        b"no HTTP\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
)
def test_what_cannot_be_followed_never_comes_to_a_boundary(sent: bytes) -> None:
    counter = MessageCounter()
    counter.feed(sent)
    for answered in range(3):
        counter.answered = answered
        counter.feed(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert not counter.is_at_boundary


def test_the_short_way_and_aiohttp_are_built_on_one_parser() -> None:
    assert SAME_PARSER
