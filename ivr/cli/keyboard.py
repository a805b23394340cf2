"""Lines that a person types, without holding up what else goes on, and without holding up Ctrl-C.

No thread: one that waits in `input` cannot be ended, and makes the interpreter exit with an error message.
"""

import asyncio
import codecs
import os
import sys
from collections.abc import Callable
from contextlib import suppress

from ivr.engine.commands import Recognize, Record

MOST = 4096
"Bytes that are read at once."


def invitation(asked: Recognize | Record | None) -> str:
    """Ask a person to type what the caller does."""
    if isinstance(asked, Record):
        return "say something> "
    return "keys> " if asked and asked.digits and not asked.choices else "keys or words> "


class Keyboard:
    """Standard input: a terminal, a pipe or a file."""

    def __init__(self, show: Callable[[str], None]) -> None:
        """`show` prints a question."""
        self._show = show
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._typed = ""
        self._over = False

    async def line(self, question: str) -> str | None:
        """Ask for a line; None: the end of the input (Ctrl-D)."""
        self._show(question)
        while "\n" not in self._typed and not self._over:
            number = _descriptor()
            if number is None:  # a program has put something else there
                piece = sys.stdin.readline().encode()
            else:
                await _readable(number)
                piece = _read(number)
            self._typed += self._decoder.decode(piece, not piece)
            self._over = not piece
        if not self._typed:
            return None
        line, _, self._typed = self._typed.partition("\n")
        return line.rstrip("\r")


def _descriptor() -> int | None:
    try:
        return sys.stdin.fileno()
    except (OSError, ValueError):
        return None


def _read(number: int) -> bytes:
    try:
        return os.read(number, MOST)
    except OSError:  # the terminal is gone
        return b""


async def _readable(number: int) -> None:
    """Wait until there is something to read; a file on the disk never makes anybody wait."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    with suppress(PermissionError):  # that is how the kernel says that it is a file
        loop.add_reader(number, ready.set)
        try:
            await ready.wait()
        finally:
            loop.remove_reader(number)
