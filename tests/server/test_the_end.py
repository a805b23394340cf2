"""A server that can neither serve nor recover ends, with one last line and a status of its own, to be started again."""

import asyncio
import errno
import io
import json
import logging
import resource
import signal
import socket
import threading
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from ivr.server import fatal
from ivr.server.fatal import STATUS, is_out_of_memory
from ivr.server.watchdog import TRIES, Watchdog
from tests.server.harness import JSON, connected, read_answer, request, serving
from tests.server.process import Serving, served
from tests.waiting import PATIENCE

BLOCKS = "import signal, threading; signal.signal(signal.SIGUSR1, lambda *_: threading.Event().wait())"
"Nothing but another thread goes on after this signal."


async def last_words(one: Serving) -> tuple[int | None, dict[str, Any]]:
    """Wait for a process to end by itself, and give its status and the last line of its log."""
    async with asyncio.timeout(PATIENCE):
        _, log = await one.process.communicate()
    return one.process.returncode, json.loads(log.decode().splitlines()[-1])


# --- out of memory ---------------------------------------------------------------------------------------------------


def leave_no_memory(pid: int) -> None:
    """Let a process have what it has, and no more."""
    has = int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * resource.getpagesize()
    resource.prlimit(pid, resource.RLIMIT_AS, (has, has))


async def test_a_server_without_memory_ends_with_a_last_line(folder: Path) -> None:
    begun = request("POST", "/callback", b"x" * 250_000, {**JSON, "Content-Length": "260000"})
    # With one arena, malloc has none left of what it has reserved for threads and never used.
    async with served(folder, MALLOC_ARENA_MAX="1") as one, AsyncExitStack() as stack:
        leave_no_memory(one.process.pid)
        with suppress(ConnectionError):  # it is gone already
            for _ in range(500):
                _, writer = await stack.enter_async_context(connected(one.port))
                writer.write(begun)
        status, line = await last_words(one)
    assert status == STATUS
    assert (line["level"], line["event"], line["reason"]) == ("critical", "given up", "out of memory")
    async with served(folder) as again:  # what a supervisor does
        assert (await again.post("/nowhere", {})).status == 404


@pytest.mark.parametrize(
    ("error", "out"),
    [
        (MemoryError(), True),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), True),
        (RuntimeError("can't start new thread"), True),
        (OSError(errno.EMFILE, "Too many open files"), False),
        (RuntimeError("something else"), False),
        (ValueError("out of memory"), False),
        (None, False),
    ],
)
def test_memory_is_out_where_an_error_or_its_cause_says_so(error: BaseException | None, out: bool) -> None:
    caused = RuntimeError("something else")
    caused.__cause__ = error
    assert is_out_of_memory(error) is out
    assert is_out_of_memory(caused) is out


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ends of this process, which do not take place."""
    found: list[str] = []
    monkeypatch.setattr(fatal, "end_process", found.append)
    return found


def test_whoever_logs_an_error_that_says_so_ends_the_process(ends: list[str]) -> None:
    handler = logging.StreamHandler(io.StringIO())
    handler.addFilter(fatal.passes_unless_fatal)
    log = logging.getLogger("of this test alone")
    log.propagate = False
    log.addHandler(handler)
    log.error("request failed", exc_info=ValueError("a mistake"))
    log.error("without an error")
    assert ends == []
    log.error("request failed", exc_info=MemoryError())
    assert ends == ["out of memory"]


# --- a loop that stands still ----------------------------------------------------------------------------------------


async def test_a_server_that_does_not_answer_itself_ends_with_a_last_line(folder: Path) -> None:
    async with served(folder, first=BLOCKS, IVR_WATCHDOG="1") as one:
        one.process.send_signal(signal.SIGUSR1)
        status, line = await last_words(one)
    assert status == STATUS
    assert (line["event"], line["reason"]) == ("given up", "no answer from inside for 1 seconds")


class Dog:
    """A watchdog's surroundings: a server that always says the same, and what came of it."""

    def __init__(self, answer: bytes = b"") -> None:
        self.answer = answer
        self.questions: list[bytes] = []
        self.ended: list[str] = []
        self.over = threading.Event()

    async def adopt(self, sock: socket.socket) -> None:
        with sock:
            loop = asyncio.get_running_loop()
            self.questions.append(await loop.sock_recv(sock, 100))
            await loop.sock_sendall(sock, self.answer)

    def end(self, reason: str) -> None:
        self.ended.append(reason)
        self.over.set()


@pytest.mark.parametrize(
    ("answer", "alive"),
    [
        (b"HTTP/1.1 200 OK\r\n", True),
        (b"HTTP/1.1 503 Service Unavailable\r\n", True),
        (b"HTTP/1.1 500 Internal Server Error\r\n", False),
        (b"", False),
    ],
)
async def test_who_says_no_more_than_an_error_is_not_alive(answer: bytes, alive: bool) -> None:
    dog = Dog(answer)
    watchdog = Watchdog(dog.adopt, patience=3600.0, end=dog.end)
    assert await asyncio.to_thread(watchdog._is_answered, PATIENCE) is alive
    watchdog.stop()
    assert all(question.startswith(b"GET /healthz ") for question in dog.questions)


async def test_after_some_questions_without_an_answer_it_is_the_end() -> None:
    dog = Dog()
    Watchdog(dog.adopt, patience=0.03, end=dog.end)
    assert await asyncio.to_thread(dog.over.wait, PATIENCE)
    assert dog.ended == ["no answer from inside for 0.03 seconds"]
    assert len(dog.questions) <= TRIES


async def test_the_question_goes_through_all_that_a_request_goes_through(tmp_path: Path) -> None:
    dog, answered = Dog(), asyncio.Event()

    async with serving(tmp_path) as served:

        async def adopt(sock: socket.socket) -> None:
            await served.listener.adopt(sock)
            answered.set()

        watchdog = Watchdog(adopt, patience=60.0, end=dog.end)
        async with asyncio.timeout(PATIENCE):
            await answered.wait()
        async with connected(served.port) as (reader, writer):
            writer.write(request("GET", "/healthz"))
            assert (await read_answer(reader)).status == 200
        watchdog.stop()
    assert dog.ended == []
