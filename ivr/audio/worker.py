"""A worker process: takes orders over a socket, one at a time, until the socket closes.

Started as `python -m ivr.audio.worker LIMITS` by `ivr.audio.workers`, with the socket as its standard input. It gets
open files, never names, and nothing of the server's memory or environment. What it cannot do is in `confinement`.
"""

import os
import resource
import socket
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct

from ivr.audio.confinement import ProcessLimits, allow_cpu, confine
from ivr.errors import TranscriptionFailed

PACKET = 128 * 1024
"Bytes of an order or an answer, at most; the kernel's own limit is 200 KB."
MOST_FILES = 4


class Setup(Struct, frozen=True):
    """What a worker is told when it starts."""

    limits: ProcessLimits
    path: tuple[str, ...]
    "Where modules are looked for."


class JobOrder(Struct, frozen=True):
    """One job to do; the files travel beside it."""

    function: str
    "`module:name`; it takes the numbers of the open files in order, then the arguments by name."
    arguments: dict[str, Any]
    cpu: float
    "Seconds of processor time."


class WorkerReady(Struct, frozen=True, tag="ready"):
    """The first packet: the worker waits for orders."""


class JobDone(Struct, frozen=True, tag="done"):
    """The job is done."""

    result: Any


class JobRefused(Struct, frozen=True, tag="refused"):
    """The job found a reason why it cannot be done: a `TranscriptionFailed`."""

    code: str
    message: str


class JobBroken(Struct, frozen=True, tag="broken"):
    """The job raised what it should not."""

    error: str
    "The name of the exception's class; its text may hold what a caller said."


Answer: TypeAlias = WorkerReady | JobDone | JobRefused | JobBroken


def main() -> None:
    """Work until the server closes its end of the socket, or is gone."""
    setup = msgspec.json.decode(sys.argv[1], type=Setup)
    sys.path[:] = setup.path
    channel = socket.socket(fileno=0)
    # uvloop lets a child have whatever the server itself was started with.
    os.closerange(3, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    confine(setup.limits)
    _send(channel, WorkerReady())
    while True:
        packet, files, _, _ = socket.recv_fds(channel, PACKET, MOST_FILES)
        if not packet:
            return
        _send(channel, _carry_out(msgspec.msgpack.decode(packet, type=JobOrder), files))


def _carry_out(order: JobOrder, files: list[int]) -> Answer:
    allow_cpu(order.cpu)
    try:
        return JobDone(_function(order.function)(*files, **order.arguments))
    except TranscriptionFailed as error:
        return JobRefused(error.code, str(error))
    except Exception as error:  # the border of the process: the server hears of it, and starts another worker
        return JobBroken(type(error).__name__)


def _function(name: str) -> Callable[..., Any]:
    module, _, function = name.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), function)
    return found


def _send(channel: socket.socket, answer: Answer) -> None:
    packet = msgspec.msgpack.encode(answer)
    if len(packet) > PACKET:
        packet = msgspec.msgpack.encode(JobBroken("an answer that is too long"))
    channel.send(packet)


if __name__ == "__main__":
    main()
