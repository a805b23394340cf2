"""The end of a process that cannot go on: one last line, and a status that asks a supervisor to start it again.

Nothing acknowledged is lost by it, as by any crash. A server that stays, and neither serves nor ends, costs every call.
"""

import errno
import json
import logging
import os
import select
import sys
import threading
import time
from types import TracebackType
from typing import NoReturn

STATUS = 70
"The exit status: an error of the program's own (sysexits.h). No command of ours ends with it otherwise."

EVENT = "given up"
OUT_OF_MEMORY = "out of memory"

_NO_THREAD = "can't start new thread"
"Python's words, in a RuntimeError, where the system has no memory for a stack, or no room for one more thread."
_DEEP = 5
"Causes that are looked at."
_STANDARD_ERROR = 2
_PATIENCE = 1000
"Milliseconds for which a full pipe is waited for: a log that is not read must not keep this process alive."
_SPARE = [bytearray(256 * 1024)]
"Let go of at the end, so that there is memory for the last line."
_PLAIN = b'{"level": "critical", "event": "given up", "reason": "out of memory"}\n'
"If even that was not enough."


def is_out_of_memory(error: BaseException | None) -> bool:
    """Return whether an error, or what caused it, says that there is no memory left."""
    for _ in range(_DEEP):
        if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
            return True
        if isinstance(error, RuntimeError) and error.args == (_NO_THREAD,):
            return True
        if error is None:
            return False
        error = error.__cause__ or error.__context__
    return False


def end_process(reason: str) -> NoReturn:
    """End this process here and now."""
    try:
        _SPARE.clear()
        _write(_line(reason))
    except BaseException:  # whatever it is: the end comes
        _write(_PLAIN)
    finally:
        os._exit(STATUS)


def end_when_out_of_memory() -> None:
    """From now on, end the process at an error that says that memory is out, even if it is caught.

    Code that catches everything logs it, so the log sees it; uncaught errors come to one of Python's own hooks.
    """
    for handler in logging.getLogger().handlers:
        handler.addFilter(passes_unless_fatal)
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook

    def uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        _look_at(error)
        hooks[0](kind, error, trace)

    def uncaught_in_a_thread(caught: threading.ExceptHookArgs) -> None:
        _look_at(caught.exc_value)
        hooks[1](caught)

    def unraisable(caught: "sys.UnraisableHookArgs") -> None:
        _look_at(caught.exc_value)
        hooks[2](caught)

    sys.excepthook, threading.excepthook, sys.unraisablehook = uncaught, uncaught_in_a_thread, unraisable


def passes_unless_fatal(record: logging.LogRecord) -> bool:
    """Let every record pass, but for the one that is the last."""
    if record.exc_info:
        _look_at(record.exc_info[1])
    return True


def _look_at(error: BaseException | None) -> None:
    if is_out_of_memory(error):
        end_process(OUT_OF_MEMORY)


def _line(reason: str) -> bytes:
    now = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
    line = {"time": now, "level": "critical", "event": EVENT, "reason": reason}
    return f"{json.dumps(line)}\n".encode("ascii")


def _write(line: bytes) -> None:
    poll = select.poll()
    poll.register(_STANDARD_ERROR, select.POLLOUT)
    if poll.poll(_PATIENCE):
        os.write(_STANDARD_ERROR, line)
