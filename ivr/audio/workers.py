"""Worker processes: jobs on callers' audio, each with a limit on memory, processor time and time.

A job that crashes its process, or is cancelled, takes that process with it and nothing else; the next job gets a new
one. A file that has crashed three of them is refused. Workers end by themselves when the server is gone, even by
`kill -9`. They are started on demand, from a clean interpreter: nothing of the server's memory is inherited.
"""

import asyncio
import logging
import os
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Generic, TypeVar

import msgspec
from msgspec import Struct

from ivr.audio.confinement import ProcessLimits, hide_memory
from ivr.audio.worker import PACKET, Answer, JobBroken, JobDone, JobOrder, JobRefused, Setup, WorkerReady
from ivr.errors import TranscriptionFailed

log = logging.getLogger(__name__)

T = TypeVar("T")

_ANSWER: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)

MOST_TRIES = 3
"Processes that one recording may take down."
START = 30.0
"Seconds for an interpreter to start, on a machine that is very busy."


class Job(Struct, Generic[T], frozen=True):
    """A function that runs in a worker, and what it may use. The server never imports the function's module."""

    function: str
    "`module:name`."
    returns: type[T]
    cpu: float
    "Seconds of processor time."
    wall: float
    "Seconds."
    limits: ProcessLimits = ProcessLimits()
    "Of the process; jobs with other limits have processes of their own."
    orders: int = 200
    "Jobs of a process, after which a new one takes over: what a C library leaks is gone with its process."


class Workers:
    """A few worker processes. Open files and plain data go in, plain data comes out."""

    def __init__(self, *, size: int = 2) -> None:
        """Let so many jobs of each kind of limits run at the same time, and keep as many processes for more."""
        hide_memory()  # of this process, which has the keys, from what runs in its workers
        self._path = tuple(str(Path(entry).absolute()) for entry in sys.path)
        self._size = size
        self._kinds: dict[ProcessLimits, _Kind] = {}
        self._first: list[tuple[Job[Any], dict[str, Any]]] = []
        self._ending: set[asyncio.Task[int]] = set()

    async def run(self, job: Job[T], *files: BinaryIO, **arguments: Any) -> T:
        """Do a job; raise TranscriptionFailed. Files are shared: a job that is tried again finds them as it left them.

        `timeout`: it took too long. `recording`: the files broke a limit, or three workers. `failed`: all else.
        """
        order = msgspec.msgpack.encode(JobOrder(job.function, arguments, job.cpu))
        if len(order) > PACKET:
            raise TranscriptionFailed("failed", "the request is too long")
        kind = self._kinds.setdefault(job.limits, _Kind(asyncio.Semaphore(self._size)))
        for _ in range(MOST_TRIES):
            async with kind.places:
                worker = kind.idle.pop() if kind.idle else await self._start(job.limits)
                try:
                    async with asyncio.timeout(job.wall):
                        answer = await worker.ask(order, files)
                except _Ended as end:
                    log.warning("worker ended", extra={"job": job.function, "reason": end.reason})
                    if end.reason == "SIGXCPU":
                        raise TranscriptionFailed("recording", "it needs too much processor time") from end
                    continue
                except TimeoutError as error:
                    raise TranscriptionFailed("timeout", f"it took longer than {job.wall:g} s") from error
                finally:
                    self._put_back(worker, kind, job.orders)
            return _result(job, answer)
        raise TranscriptionFailed("recording", f"it has crashed {MOST_TRIES} worker processes")

    def prepare_with(self, job: Job[Any], **arguments: Any) -> None:
        """Have `prepare` do a job that loads what takes long, and so finds out whether it can be used."""
        self._first.append((job, arguments))

    async def prepare(self) -> None:
        """Start one worker of each kind that has something to load, and let it load; raise TranscriptionFailed.

        Others are started when jobs come at the same time, and load then.
        """
        await asyncio.gather(*(self.run(job, **arguments) for job, arguments in self._first))

    async def close(self) -> None:
        """End all workers. Whoever waits for a job has been cancelled before."""
        for kind in self._kinds.values():
            while kind.idle:
                self._end(kind.idle.pop())
        await asyncio.gather(*self._ending)

    async def _start(self, limits: ProcessLimits) -> "_Worker":
        try:
            worker = await _Worker.start(Setup(limits, self._path))
        except OSError as error:  # no memory, no process more, or a Python that this user may not run
            log.error("worker did not start", extra={"reason": type(error).__name__})  # noqa: TRY400
            raise TranscriptionFailed("failed", "no worker process could be started") from error
        try:
            async with asyncio.timeout(START):
                await worker.ready()
        except (TimeoutError, _Ended) as error:
            log.error("worker did not start", extra={"reason": getattr(error, "reason", "timeout")})  # noqa: TRY400
            raise TranscriptionFailed("failed", "no worker process could be started") from error
        finally:
            if not worker.usable:
                self._end(worker)
        return worker

    def _put_back(self, worker: "_Worker", kind: "_Kind", orders: int) -> None:
        if worker.usable and worker.orders < orders:
            kind.idle.append(worker)
        else:
            self._end(worker)

    def _end(self, worker: "_Worker") -> None:
        """Kill, without waiting: this runs where a task is being cancelled."""
        ending = asyncio.create_task(worker.kill())
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)


class _Kind(Struct, eq=False):
    """The processes of one kind of limits: a prompt does not wait for two long recordings to be understood."""

    places: asyncio.Semaphore
    idle: "list[_Worker]" = []


class _Ended(Exception):
    """A worker is gone; `reason` is its signal's name, or its exit code."""

    def __init__(self, code: int) -> None:
        self.reason = signal.Signals(-code).name if code < 0 else f"exit {code}"
        super().__init__(self.reason)


class _Worker:
    """One process and our end of its socket."""

    def __init__(self, process: Process, channel: socket.socket) -> None:
        self.orders = 0
        self.usable = False
        "It waits for an order. While one is under way, or after one that went wrong, it is not."
        self._process = process
        self._channel = channel

    @classmethod
    async def start(cls, setup: Setup) -> "_Worker":
        # Packets keep their borders, and carry the open files.
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            try:
                process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-I", "-m", "ivr.audio.worker", msgspec.json.encode(setup).decode()),
                    stdin=theirs.fileno(),
                    stdout=DEVNULL,
                    stderr=DEVNULL,  # libraries write what they find in the audio
                    env={"LC_ALL": "C.UTF-8", "OMP_NUM_THREADS": "1"},  # the processors are shared with the calls
                    cwd="/",
                    start_new_session=True,  # Ctrl-C is for the server, which then ends its workers
                )
            except BaseException:
                ours.close()
                raise
        ours.setblocking(False)
        return cls(process, ours)

    async def ready(self) -> None:
        if not isinstance(await self._answer(), WorkerReady):
            raise _Ended(0)
        self.usable = True

    async def ask(self, order: bytes, files: tuple[BinaryIO, ...]) -> Answer:
        self.usable = False
        self.orders += 1
        try:
            # One packet into an empty socket never blocks.
            socket.send_fds(self._channel, [order], [file.fileno() for file in files])
        except (BrokenPipeError, ConnectionError) as error:
            raise _Ended(await self._process.wait()) from error
        answer = await self._answer()
        self.usable = isinstance(answer, JobDone | JobRefused)
        return answer

    async def _answer(self) -> Answer:
        try:
            packet = await asyncio.get_running_loop().sock_recv(self._channel, PACKET)
        except ConnectionError:  # it went with an order unread
            packet = b""
        if not packet:
            raise _Ended(await self._process.wait())
        try:
            return _ANSWER.decode(packet)
        except (msgspec.MsgspecError, ValueError, RecursionError):  # an attacker in the decoder may write anything
            return JobBroken("an answer that cannot be read")

    async def kill(self) -> int:
        self._channel.close()
        if self._process.returncode is None:
            with suppress(ProcessLookupError):  # it has just ended
                os.killpg(self._process.pid, signal.SIGKILL)  # its session is its own, and so is all that is in it
        return await self._process.wait()


def _result(job: Job[T], answer: Answer) -> T:
    match answer:
        case JobDone(result=result):
            try:
                return msgspec.convert(result, job.returns)
            except msgspec.ValidationError as mismatch:
                raise TranscriptionFailed("failed", "the job returned an unexpected result") from mismatch
        case JobRefused(code=code, message=message):
            raise TranscriptionFailed(code, message)
        case JobBroken(error="MemoryError"):
            raise TranscriptionFailed("recording", "it needs too much memory")
        case _:
            error = answer.error if isinstance(answer, JobBroken) else "no answer"
            log.error("job broke", extra={"job": job.function, "reason": error})
            raise TranscriptionFailed("failed", f"the job ended with {error}")
