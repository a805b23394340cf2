"""A bot's answers that are hardly HTTP, before the post that many calls share: it must neither hang nor break."""

import asyncio

import pytest

from ivr.phone.net.guard import Guard
from ivr.phone.net.load_client import LoadClient
from ivr.phone.net.post import NoReply, WebPost

ODD = {
    "a chunk of less than nothing": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5f\r\nx\r\n0\r\n\r\n",
    "a length of less than nothing": b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nx",
    "a length that is none": b"HTTP/1.1 200 OK\r\nContent-Length: \xc2\xb2\r\n\r\nx",
    "a status that is none": b"HTTP/1.1 OK\r\n\r\n",
    "no HTTP": b"\x16\x03\x01\r\n\r\n",
}


async def answered(with_what: bytes) -> int:
    """Post to a bot that gives this answer, and give its status."""

    async def bot(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(with_what)
        await writer.drain()
        await reader.read()
        writer.close()
        await writer.wait_closed()
        gone.set()

    gone = asyncio.Event()
    guard = Guard()
    web = WebPost(guard)
    async with await asyncio.start_server(bot, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        post = LoadClient(guard, web)
        try:
            reply = await post.send(f"http://127.0.0.1:{port}/", b"", {}, answer_time=10.0, most=100_000)
        finally:
            post.close()
            await web.close()
            await gone.wait()
        return reply.status


@pytest.mark.parametrize("what", ODD)
async def test_an_answer_that_is_no_http_is_no_reply(what: str) -> None:
    with pytest.raises(NoReply) as failed:
        await answered(ODD[what])
    assert failed.value.code == "broken"


async def test_however_often_a_bot_says_wait_its_answer_is_read() -> None:
    assert await answered(b"HTTP/1.1 100 Continue\r\n\r\n" * 1500 + b"HTTP/1.1 204 No Content\r\n\r\n") == 204
