"""Ports for programs that have to be told one."""

import os
import socket

_taken = 0


def free_port(host: str = "127.0.0.1", count: int = 1) -> int:
    """Return a port that is free for UDP and TCP, with as many after it; below those that the system hands out."""
    global _taken  # noqa: PLW0603  # no port twice in one process
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = 10_000 + 5_000 * (worker % 4)  # another place for each process of the tests
    if not _taken:
        _taken = os.getpid() % 2_000
    while True:
        port, _taken = first + _taken, (_taken + count) % (5_000 - count)
        try:
            for number in range(port, port + count):
                for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                    with socket.socket(family, kind) as probe:
                        probe.bind((host, number))
        except OSError:
            continue
        return port
