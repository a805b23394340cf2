"""What a process that touches a caller's audio may do: little memory, no network, no programs, no other process.

Decoders are large C libraries, and their input comes from strangers. So the process that runs them gives up, before it
sees a byte, whatever decoding does not need. Limits hold everywhere; the system call filter is Linux on the two
processors of its table, and left out elsewhere (docs/speech.md).
"""

import ctypes
import os
import platform
import resource
import signal
import struct
import sys
from pathlib import Path

from msgspec import Struct


class ProcessLimits(Struct, frozen=True):
    """What one worker process may use."""

    memory: int = 1024 * 1024 * 1024
    "Bytes of address space; libraries and the largest model take a third of the default."
    written: int = 64 * 1024 * 1024
    "Bytes of a file; a quarter of an hour of decoded audio is 29 MB."
    files: int = 64
    "Open files."


class _SystemCalls(Struct, frozen=True):
    """System calls of one processor."""

    architecture: int
    "As `AUDIT_ARCH_…` of linux/audit.h."
    clone: int
    "Allowed for threads, which FFmpeg may want, and for nothing else."
    refused: tuple[int, ...]


_FILTERS = {
    # socket, execve, kill, ptrace, process_vm_readv, process_vm_writev, execveat, pidfd_send_signal, io_uring_setup,
    # pidfd_getfd; fork and vfork, where there are such calls. Without `socket` and io_uring there is no network.
    "x86_64": _SystemCalls(0xC000003E, 56, (41, 59, 62, 101, 310, 311, 322, 424, 425, 438, 57, 58)),
    "aarch64": _SystemCalls(0xC00000B7, 220, (198, 221, 129, 117, 270, 271, 281, 424, 425, 438)),
}
_CLONE3 = 435
"Its flags lie in memory, where a filter cannot look. Where it is said not to exist, `clone` is taken instead."
_CLONE_THREAD = 0x10000
_X32_BIT = 0x40000000
"x86-64 has a second set of numbers for the same calls, from here on."

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP = 1, 4, 38, 22
_SECCOMP_MODE_FILTER = 2
_LOAD, _EQUAL, _AT_LEAST, _HAS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _PERMISSION_DENIED, _NO_SUCH_CALL = 0x7FFF0000, 0x80000000, 0x00050000 | 1, 0x00050000 | 38


def confine(limits: ProcessLimits) -> None:
    """Give up, for good, what this process will not need."""
    _limit(resource.RLIMIT_AS, limits.memory)
    _limit(resource.RLIMIT_FSIZE, limits.written)
    _limit(resource.RLIMIT_NOFILE, limits.files)
    _limit(resource.RLIMIT_CORE, 0)  # a core dump would hold a caller's voice
    os.nice(10)  # answering calls comes first
    if sys.platform == "linux":
        # If memory runs out after all, this process goes, and not the server.
        Path("/proc/self/oom_score_adj").write_text("1000", "ascii")
        libc = ctypes.CDLL(None, use_errno=True)
        _control(libc, _PR_SET_PDEATHSIG, signal.SIGKILL)
        _control(libc, _PR_SET_DUMPABLE, 0)  # another process of this user cannot look into its memory
        _refuse_system_calls(libc)


def hide_memory() -> None:
    """Let no other process of this user look into this one's memory and environment, or change them.

    The filter cannot: it sees no names of files, and `/proc/PID/mem` is one. Root is not kept out by it.
    """
    if sys.platform == "linux":
        _control(ctypes.CDLL(None, use_errno=True), _PR_SET_DUMPABLE, 0)


def allow_cpu(seconds: float) -> None:
    """Let this process work for so many more seconds of processor time; then the kernel ends it (SIGXCPU)."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    # Whole seconds: the limit knows no others, and must not be shorter than what was promised.
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime + seconds) + 1, hard))


def _limit(what: int, most: int) -> None:
    _, hard = resource.getrlimit(what)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (most, most))


def _refuse_system_calls(libc: ctypes.CDLL) -> None:
    table = _FILTERS.get(platform.machine())
    if table is None:
        return
    program = _program(table)
    code = ctypes.create_string_buffer(program, len(program))
    header = ctypes.create_string_buffer(struct.pack("@HP", len(program) // 8, ctypes.addressof(code)))
    _control(libc, _PR_SET_NO_NEW_PRIVS, 1)
    _control(libc, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(header))


def _program(table: _SystemCalls) -> bytes:
    """Write the filter in the kernel's packet filter language (seccomp(2)): (what, if true, if false, operand)."""
    ends = [
        (_EQUAL, 0, 1, _CLONE3),
        (_RETURN, 0, 0, _NO_SUCH_CALL),
        (_EQUAL, 0, 2, table.clone),
        (_LOAD, 0, 0, 16),  # the lower half of the first argument: its flags
        (_HAS, 0, 1, _CLONE_THREAD),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _PERMISSION_DENIED),
    ]
    denied = len(table.refused) + len(ends) - 1
    steps = [
        (_LOAD, 0, 0, 4),  # the architecture: a foreign one has other numbers
        (_EQUAL, 1, 0, table.architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, 0),  # the number of the call
        (_AT_LEAST, denied, 0, _X32_BIT),
        *((_EQUAL, denied - 1 - index, 0, call) for index, call in enumerate(table.refused)),
        *ends,
    ]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)


def _control(libc: ctypes.CDLL, option: int, value: int, address: int = 0) -> None:
    zero = ctypes.c_ulong(0)
    if libc.prctl(option, ctypes.c_ulong(value), ctypes.c_ulong(address), zero, zero) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}) was refused")
