"""A prompt is encoded once for all who hear it, and the cache does not grow."""

import asyncio
import threading
from collections.abc import Sequence

import pytest

from ivr.media.payload_cache import PayloadCache
from tests.waiting import begun


class Codecs:
    """Payloads of two bytes, made in a thread that can be held up."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, bytes]] = []
        self.go_on = threading.Event()
        self.go_on.set()

    def encode(self, codec: str, samples: bytes, before: bytes) -> Sequence[bytes]:
        self.asked.append((codec, samples + before))
        self.go_on.wait()
        if not samples:
            raise ValueError("nothing")
        return [codec.encode() + samples[start : start + 2] for start in range(0, len(samples), 2)]


async def test_two_hundred_calls_that_begin_at_once_encode_a_prompt_once() -> None:
    codecs = Codecs()
    codecs.go_on.clear()
    cache = PayloadCache(codecs.encode)
    calls = [await begun(cache.payloads("A", b"12345")) for _ in range(200)]
    codecs.go_on.set()
    assert await asyncio.gather(*calls) == [[b"A12", b"A34", b"A5"]] * 200
    assert await cache.payloads("A", bytes(b"123456"[:5])) == [b"A12", b"A34", b"A5"]
    assert codecs.asked == [("A", b"12345")]
    assert await cache.payloads("B", b"12345") == [b"B12", b"B34", b"B5"]


async def test_a_piece_after_another_one_is_another_piece() -> None:
    codecs = Codecs()
    cache = PayloadCache(codecs.encode)
    for before in (b"", b"xy", b"xy", b"zz", b""):
        assert await cache.payloads("A", b"12", before) == [b"A12"]
    assert codecs.asked == [("A", b"12"), ("A", b"12xy"), ("A", b"12zz")]


async def test_who_leaves_does_not_stop_it_for_others() -> None:
    codecs = Codecs()
    codecs.go_on.clear()
    cache = PayloadCache(codecs.encode)
    first, second = await begun(cache.payloads("A", b"12")), await begun(cache.payloads("A", b"12"))
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    codecs.go_on.set()
    assert await second == [b"A12"]
    assert first.cancelled()
    assert len(codecs.asked) == 1


async def test_what_cannot_be_encoded_is_tried_again() -> None:
    codecs = Codecs()
    cache = PayloadCache(codecs.encode)
    for _ in range(2):
        with pytest.raises(ValueError, match="nothing"):
            await cache.payloads("A", b"")
    assert len(codecs.asked) == 2


async def test_what_was_not_heard_for_longest_is_dropped() -> None:
    codecs = Codecs()
    cache = PayloadCache(codecs.encode, most=2 * (2 + 43))
    for samples in (b"11", b"22", b"11", b"33", b"11", b"22"):
        await cache.payloads("A", samples)
    assert [samples for _, samples in codecs.asked] == [b"11", b"22", b"33", b"22"]
    assert await cache.payloads("A", bytes(1000))  # more than is ever kept
    assert cache._size == 0
