"""Every header that is parsed, with every value that a parser could stumble over, at every endpoint.

A header is a stranger's text. What cannot be read is refused, or means nothing; it is never a mistake of ours.
"""

import asyncio
import base64
import logging
import random
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from yarl import URL

from tests.console.visiting import Visit, visiting
from tests.server.harness import connected
from tests.waiting import PATIENCE

ADDRESSES = (
    *(b"http://[", b"http://[::1", b"http://]", b"//[", b"http://[x]/", b"http://a:b:c", b"http://x:99999999"),
    *(b"http://", b"http://\xff", b"http://%", b"null", b"http://localhost:\xd9\xa3", b"http://\xe2\x84\x80.example"),
)
NUMBERS = (b"-1", b"+1", b"1.5", b"1e9", b"0x10", b"1_0", b"9" * 5000, b"\xc2\xb2", b"\xd9\xa3", b"1, 1", b"NaN")
TEXTS = (b"", b" ", b"\xff\xfe", b"\xed\xa0\x80", b"\xc3", b'"', b"=;=;", b",", b";", b"%00", b"a" * 8000, b"[" * 4000)


def _token(header: bytes) -> bytes:
    return b"Bearer " + base64.urlsafe_b64encode(header).rstrip(b"=") + b".e30.AA"


PARSED: Mapping[str, tuple[bytes, ...]] = {
    "Origin": ADDRESSES,
    "Host": (*ADDRESSES, b"[", b"[::1]:99999", b"localhost:", b"localhost:\xd9\xa3", b"127.0.0.1:9:9"),
    "Sec-Fetch-Site": (b"same-origin, cross-site",),
    "Authorization": (
        *(b"Bearer", b"Bearer ", b"bearer \xff", b"Bearer a.b.c", b"Bearer ....", _token(b"[" * 3000), _token(b"\xff")),
        *(_token(b'{"alg": "RS256", "kid": %s}' % (b"9" * 4900)), _token(b'{"alg": 1e400, "kid": NaN}')),
    ),
    "Content-Type": (
        *(b"application/json; charset=\xff", b"application/json; charset=none", b"multipart/form-data"),
        *(b"multipart/form-data; boundary=", b"multipart/form-data; boundary=\xff", b"/", b";"),
    ),
    "Content-Encoding": (b"gzip", b"\xff", b"identity, identity"),
    "Content-Length": NUMBERS,
    "Transfer-Encoding": (b"chunked, chunked", b"gzip", b"\xff"),
    "Expect": (b"100-continue, x", b"\xff"),
    "Connection": (b"close, upgrade", b"\xff"),
    "Upgrade": (b"h2c", b"websocket, h2c", b"\xff"),
    "Cookie": (
        b"ivr-console=\xff",
        b"__Host-ivr-console=\xff",
        b"ivr-console",
        b"=; =; ;;;",
        b'ivr-console="\\',
        b"ivr-login=" + b"\xc2\xb2" * 43,
    ),
    "Range": (b"bytes=0-" + b"9" * 5000, b"bytes=\xd9\xa3-", b"bytes=9-1", b"bytes=-", b"bytes=--1"),
    "If-None-Match": (b'"\xff"',),
    "X-Forwarded-For": (b"::1%\xff", b"fe80::1%" + b"a" * 7000, b"1.2.3.4%5", b"[::1]:5", b"203.0.113.9, "),
    "Accept-Language": (b"de;q=\xff", b"de-" * 3000),
    "X-Microsoft-Skype-Message-ID": (b"\xff", b"a b"),
    "Sec-WebSocket-Key": (b"!" * 24, b"\xc2\xb2" * 12, b"AA==", b"=" * 24),
    "Sec-WebSocket-Version": NUMBERS,
    "Sec-WebSocket-Protocol": (b",,", b"\xff"),
    "Sec-WebSocket-Extensions": (
        b"permessage-deflate; server_max_window_bits=99999999999999999999",
        b"permessage-deflate; client_max_window_bits=\xd9\xa3",
    ),
}
"By header, what is worth trying beside the texts, which every header gets."

JSON = {b"Content-Type": b"application/json"}
FORM = {b"Content-Type": b"application/x-www-form-urlencoded"}
LINE = {
    b"Origin": b"http://localhost",
    b"Connection": b"Upgrade",
    b"Upgrade": b"websocket",
    b"Sec-WebSocket-Version": b"13",
    b"Sec-WebSocket-Key": b"dGhlIHNhbXBsZSBub25jZQ==",
}
ENDPOINTS: Mapping[str, tuple[Mapping[bytes, bytes], bytes]] = {
    "POST /call": (JSON, b"{}"),
    "POST /call/desk": (JSON, b"{}"),
    "POST /callback": (JSON, b"{}"),
    "GET /healthz": ({}, b""),
    "GET /readyz": ({}, b""),
    f"GET /media/{'a' * 64}": ({}, b""),
    "GET /console": ({}, b""),
    "GET /console/calls/0": ({}, b""),
    f"GET /console/audio/{'0' * 32}/1?seal=9999999999.x": ({}, b""),
    "GET /console/static/base.css": ({}, b""),
    "POST /console/login": (FORM, b"token=x"),
    "POST /console/logout": ({}, b""),
    "GET /phone": ({}, b""),
    "GET /phone/line": (LINE, b""),
    "GET /phone/static/phone.js": ({}, b""),
    "GET /nowhere": ({}, b""),
    "POST /calls": (JSON, b"{}"),
    f"GET /calls/{'0' * 32}": ({}, b""),
    "GET /v3/botstate/skype/users/anna": ({}, b""),
    "POST /v3/botstate/skype/users/anna": (JSON, b'{"data":1}'),
    "GET /chat": ({}, b""),
    "GET /chat/frame": ({}, b""),
    "GET /chat/embed.js": ({}, b""),
    "POST /chat/tokens": (JSON, b'{"user":"anna","site":"https://www.example.com"}'),
    "POST /chat/conversations": (JSON, b'{"flow":"desk"}'),
    "POST /chat/renewals": ({}, b""),
    "GET /chat/activities": ({}, b""),
    "POST /chat/messages/desk": (JSON, b"{}"),
    "POST /skype-v2/messages": (JSON, b"[]"),
    "GET /s": ({}, b""),
    "POST /s": (FORM, b"ticket=123456789"),
    f"GET /s/{'a' * 43}": ({}, b""),
    f"POST /s/{'a' * 43}": (FORM, b""),
    "GET /signin/callback?state=a&code=b": ({}, b""),
    f"GET /signin/{'0' * 32}": ({}, b""),
}
DOORS: Mapping[str, Any] = {
    "public_url": "https://ivr.example",
    "chat_page_secret": "the-secret-of-the-sites-server",
    "chat_page_sites": "https://www.example.com",
    "skype_v2_app_id": "a-bot",
    "skype_v2_password": "the-password-of-the-bot",
    "skype_v2_openid_metadata": "https://127.0.0.1:9/keys",
    "sign_in_client_id": "a-client",
    "sign_in_secret": "the-secret-of-the-client",
    "sign_in_tenant": "f8cdef31-a31e-4b4a-93e4-5f571e91255a",
    "sign_in_name": "Example Clinic",
    "sign_in_login_url": "https://127.0.0.1:9",
}
"Without these there is nothing at some of the addresses. At port 9 nobody answers, which says nothing of a header."
AT_ONCE = 20
EXPECTED = {503}
"Of a server that has too much to do, which is none of its mistakes."


def written(endpoint: str, name: str, value: bytes) -> bytes:
    fields, body = ENDPOINTS[endpoint]
    head = {b"Host": b"localhost", **fields, b"Content-Length": str(len(body)).encode(), b"Connection": b"close"}
    head |= {b"Connection": b"Upgrade"} if fields is LINE else {}
    head |= {name.encode(): value}
    lines = [endpoint.encode() + b" HTTP/1.1", *(b": ".join(field) for field in head.items())]
    return b"\r\n".join([*lines, b"", b""]) + body


async def status(port: int, sent: bytes) -> int:
    """Send a request, and give the status of its answer. Our side stays open: of a closed one the server lets go."""
    async with connected(port) as (reader, writer), asyncio.timeout(PATIENCE):
        writer.write(sent)
        return int((await reader.readexactly(16)).split()[1])


async def statuses(port: int, requests: Iterator[bytes]) -> Mapping[bytes, int]:
    found: dict[bytes, int] = {}

    async def ask() -> None:
        for sent in requests:  # shared by all who ask
            found[sent] = await status(port, sent)

    await asyncio.gather(*(ask() for _ in range(AT_ONCE)))
    return found


@pytest.fixture(params=["for a platform", "for development"])
async def visit(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Visit]:
    async with visiting(tmp_path, tokens=request.param == "for a platform", settings=DOORS) as one:
        yield one


@pytest.mark.parametrize("endpoint", ENDPOINTS)
async def test_no_header_is_too_odd(visit: Visit, caplog: pytest.LogCaptureFixture, endpoint: str) -> None:
    requests = (written(endpoint, name, value) for name, values in PARSED.items() for value in (*values, *TEXTS))
    found = await statuses(URL(visit.url).port or 0, requests)
    assert len(found) > 200
    assert {sent: code for sent, code in found.items() if code >= 500 and code not in EXPECTED} == {}
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_nor_is_chance(visit: Visit, caplog: pytest.LogCaptureFixture) -> None:
    chance = random.Random(1)

    def some() -> Iterator[bytes]:
        for _ in range(1000):
            name, length = chance.choice([*PARSED]), chance.randrange(1, 40)
            value = bytes(chance.choice(b'[]:/;=,"%.0-9aB \t\x80\xff\xd9\xa3') for _ in range(length))
            yield written(chance.choice([*ENDPOINTS]), name, value)

    found = await statuses(URL(visit.url).port or 0, some())
    assert {sent: code for sent, code in found.items() if code >= 500 and code not in EXPECTED} == {}
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
