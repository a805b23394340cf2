"""Prompts as payloads of a codec: encoded once, in a thread, for all calls that hear them."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

MOST = 64 << 20
"Bytes of samples and payloads that are kept: some 20 minutes of prompts."

Codec = TypeVar("Codec", bound=str)


class PayloadCache(Generic[Codec]):
    """Keeps what was asked for last; a prompt that 200 calls begin at once is encoded once."""

    def __init__(self, encode: Callable[[Codec, bytes, bytes], Sequence[bytes]], *, most: int = MOST) -> None:
        """Use `encode`, which blocks: a codec, samples and those before to payloads of 20 ms; keep `most` bytes."""
        self._encode = encode
        self._most = most
        # The samples are the key: a text's pieces are the same object in each call, whose hash is known.
        self._kept: OrderedDict[tuple[Codec, bytes, bytes], Sequence[bytes]] = OrderedDict()
        self._size = 0
        self._under_way: dict[tuple[Codec, bytes, bytes], asyncio.Task[Sequence[bytes]]] = {}

    async def payloads(self, codec: Codec, samples: bytes, before: bytes = b"") -> Sequence[bytes]:
        """Return the payloads, at once if they are kept; raises what `encode` does.

        `before` is the end of what is heard immediately before, for codecs that have a state.
        """
        key = codec, samples, before
        if (kept := self._kept.get(key)) is not None:
            self._kept.move_to_end(key)
            return kept
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.create_task(self._made(codec, samples, before))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody may be left to ask
        return await asyncio.shield(task)  # a caller who interrupts does not stop it for others

    async def _made(self, codec: Codec, samples: bytes, before: bytes) -> Sequence[bytes]:
        key = codec, samples, before
        try:
            made = await asyncio.to_thread(self._encode, codec, samples, before)
        finally:
            del self._under_way[key]
        self._kept[key] = made
        self._size += _size(samples, before, made)
        while self._size > self._most:
            (_, oldest, before), payloads = self._kept.popitem(last=False)
            self._size -= _size(oldest, before, payloads)
        return made


_OVERHEAD = 40
"Bytes that an object of Python takes besides its own."


def _size(samples: bytes, before: bytes, payloads: Sequence[bytes]) -> int:
    return len(samples) + len(before) + sum(len(payload) + _OVERHEAD for payload in payloads)
