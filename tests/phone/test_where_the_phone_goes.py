"""A bot under test is a stranger: the phone goes to this machine, and to hosts that its user has named."""

import socket
from typing import Any

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from ivr.phone.net.guard import AddressNotAllowed, Guard
from ivr.phone.net.load_client import LoadClient
from ivr.phone.net.post import NoReply, Post, WebPost
from tests.phone.fake_bot import ANSWER, HANG_UP, SAY, fake_bot, flow, listening
from tests.phone.people import call

HEADERS = {"Content-Type": "application/json"}


class Names(AbstractResolver):
    """A name server that says what it is told to say."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked.append(host)
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)
            for address in self.addresses
        ]

    async def close(self) -> None:
        pass


@pytest.mark.parametrize(
    "url",
    [
        "http://192.0.2.1/",
        "https://169.254.169.254/latest/meta-data",
        "http://10.0.0.1:8080/call",
        "http://[fe80::1]/",
        "http://0.0.0.0/",
        "http://[::ffff:10.0.0.1]/",
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "//127.0.0.1/",
        "call",
        "http://user:secret@127.0.0.1/",
        "http://[1/",
        "",
    ],
)
def test_addresses_elsewhere_are_refused_unseen(url: str) -> None:
    with pytest.raises(AddressNotAllowed) as refused:
        Guard().check(url)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:81/", "http://[::1]/", "https://127.9.9.9/", "http://localhost/"])
def test_this_machine_may_be_called(url: str) -> None:
    assert str(Guard().check(url)) == url


async def test_a_name_that_leads_elsewhere_is_refused() -> None:
    guard = Guard(names=Names("192.0.2.1", "169.254.169.254"))
    with pytest.raises(AddressNotAllowed, match=r"--allow bot\.example"):
        await guard.resolve("bot.example")


async def test_of_a_name_s_addresses_only_those_of_this_machine_count() -> None:
    guard = Guard(names=Names("192.0.2.1", "127.0.0.1"))
    assert [found["host"] for found in await guard.resolve("bot.example")] == ["127.0.0.1"]


async def test_a_host_that_was_named_may_be_anywhere() -> None:
    guard = Guard(["Bot.example", "192.0.2.7"], names=Names("192.0.2.1"))
    assert [found["host"] for found in await guard.resolve("bot.example")] == ["192.0.2.1"]
    assert guard.check("https://192.0.2.7/").host == "192.0.2.7"
    with pytest.raises(AddressNotAllowed):
        guard.check("https://192.0.2.8/")


async def test_a_prompt_file_elsewhere_is_not_fetched() -> None:
    played = SAY | {"prompts": [{"fileUri": "http://169.254.169.254/latest/meta-data"}]}
    async with fake_bot(flow(ANSWER, played), flow(HANG_UP)) as bot:
        await call(bot, aloud=True)
    assert "is not this machine" in bot.outcomes[0]["failureReason"]


async def test_a_prompt_file_that_is_too_large_is_not_played() -> None:
    played = SAY | {"prompts": [{"fileUri": "BASE/files/long.wav"}]}
    async with fake_bot(flow(ANSWER, played), flow(HANG_UP), files={"long.wav": bytes(600 * 1024)}) as bot:
        await call(bot, aloud=True)
    assert "longer than 524,288 bytes" in bot.outcomes[0]["failureReason"]


# --- both ways into the network --------------------------------------------------------------------------------------


@pytest.fixture(params=["web", "lean"])
async def post(request: pytest.FixtureRequest) -> Any:
    web_post = WebPost(Guard())
    lean = LoadClient(Guard(), web_post)
    yield web_post if request.param == "web" else lean
    lean.close()
    await web_post.close()


async def send(post: Post, url: str, *, most: int = 4096, answer_time: float = 5.0) -> tuple[int, bytes]:
    reply = await post.send(url, b'{"a": 1}', HEADERS, answer_time=answer_time, most=most)
    return reply.status, reply.body


async def test_status_and_body_come_back(post: Post) -> None:
    async with fake_bot(b'{"b": 2}', 404, b"") as bot:
        assert await send(post, bot.call) == (200, b'{"b": 2}')
        assert (await send(post, bot.call))[0] == 404
        assert await send(post, bot.call) == (200, b"")
        assert bot.told[0].body == b'{"a": 1}'
        assert bot.told[0].headers["Content-Type"] == "application/json"


async def test_an_answer_in_chunks_is_read_whole(post: Post) -> None:
    async def chunked(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        for piece in (b"one ", b"two ", b"three"):
            await response.write(piece)
        await response.write_eof()
        return response

    async with listening(chunked) as url:
        for _ in range(2):
            assert await send(post, f"{url}/") == (200, b"one two three")


async def test_a_connection_that_was_closed_meanwhile_is_made_anew(post: Post) -> None:
    async def closes(request: web.BaseRequest) -> web.StreamResponse:
        response = web.Response(body=b"bye")
        response.force_close()
        return response

    async with listening(closes) as url:
        for _ in range(3):
            assert await send(post, f"{url}/") == (200, b"bye")


@pytest.mark.parametrize(
    ("answer", "code"),
    [(b"x" * 100_000, "too-large"), (None, "timeout")],
)
async def test_what_cannot_be_used_has_a_name(post: Post, answer: bytes | None, code: str) -> None:
    async with fake_bot(answer) as bot:
        with pytest.raises(NoReply) as failed:
            await send(post, bot.call, answer_time=0.2)
    assert failed.value.code == code


async def test_nobody_there_is_a_failed_connection(post: Post) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with pytest.raises(NoReply) as failed:
        await send(post, f"http://127.0.0.1:{port}/")
    assert failed.value.code == "connect"


async def test_an_address_elsewhere_is_not_connected_to(post: Post) -> None:
    with pytest.raises(NoReply) as failed:
        await send(post, "http://192.0.2.1/")
    assert failed.value.code == "address"
    assert not failed.value.again
