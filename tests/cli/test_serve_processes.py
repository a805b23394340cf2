"""Several processes on one port: who begins, who is begun anew, and that all of them end together."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.waiting import PATIENCE, ended

PARENT = """
import os, select, signal, socket, sys
from ivr.cli.serve_processes import ServeProcesses
from ivr.logs import start_logging

def serve(child):
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listening.bind(("127.0.0.1", @port))
    @first
    listening.listen()
    os.write(1, f"{child.number} {os.getpid()} {'first' if child.first else ''}\\n".encode())
    child.ready()
    while True:
        readable, _, _ = select.select([listening, child.line], [], [])
        if child.line in readable:
            return 0
        line, _ = listening.accept()
        line.sendall(f"{child.number} {os.getpid()}".encode())
        line.close()

start_logging("info")
sys.exit(ServeProcesses(@count, serve, patience=@patience).run())
"""
"A child that says its number and process id to whoever connects."


class Parent:
    """A program with its children."""

    def __init__(self, count: int, first: str) -> None:
        with socket.socket() as free:
            free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
            source = PARENT.replace("@port", str(self.port)).replace("@count", str(count)).replace("@first", first)
            source = source.replace("@patience", "0.2" if first else str(PATIENCE))
            self.process = subprocess.Popen(
                [sys.executable, "-c", source], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
            if not first:
                self.began = [self.line() for _ in range(count)]

    def line(self) -> tuple[str, ...]:
        """Return the words with which a child begins: number, process id, and whether it is the first."""
        return tuple(self.process.stdout.readline().split())

    def pids(self) -> set[int]:
        """Return the processes of its children that are there."""
        return {
            int(pid) for pid in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        }

    def answers(self) -> str:
        """Return what one of them says, whichever gets the connection."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as line:
            return line.recv(100).decode()


@contextmanager
def running(count: int, first: str = "") -> Iterator[Parent]:
    parent = Parent(count, first)
    try:
        yield parent
    finally:
        parent.process.kill()
        parent.process.communicate()


def test_the_others_follow_the_first_and_share_what_comes() -> None:
    with running(3) as parent:
        assert (parent.began[0][0], parent.began[0][2:]) == ("0", ("first",))
        assert sorted((one[0], one[2:]) for one in parent.began[1:]) == [("1", ()), ("2", ())]
        assert {int(one[1]) for one in parent.began} == parent.pids()
        assert {parent.answers()[0] for _ in range(200)} == {"0", "1", "2"}


def test_who_is_killed_is_begun_anew_under_its_number_while_the_others_serve() -> None:
    with running(2) as parent:
        number, pid = parent.began[1][:2]
        os.kill(int(pid), signal.SIGKILL)
        again = parent.line()
        assert again[0] == number
        assert again[1] != pid
        assert parent.answers()[0] in {"0", "1"}
        parent.process.terminate()
        _, log = parent.process.communicate(timeout=PATIENCE)
        died = json.loads(log)
        assert (died["event"], died["worker"], died["reason"]) == ("worker died", 1, "signal 9")
    assert parent.process.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_all_end_when_the_parent_is_told_to(number: signal.Signals) -> None:
    with running(2) as parent:
        children = parent.pids()
        parent.process.send_signal(number)
        assert parent.process.wait(PATIENCE) == 0
        assert not any(Path(f"/proc/{pid}").exists() for pid in children)


def test_who_does_not_end_is_killed() -> None:
    with running(1, "signal.signal(signal.SIGTERM, signal.SIG_IGN)") as parent:
        parent.line()
        parent.process.terminate()
        assert parent.process.wait(PATIENCE) == 1


async def test_children_of_a_parent_that_is_killed_end_as_if_told_to() -> None:
    with running(2) as parent:
        children = parent.pids()
        parent.process.kill()
        for child in children:
            await ended(child)


def test_if_the_first_never_serves_its_status_is_that_of_all() -> None:
    with running(4, "return 3") as parent:
        out, log = parent.process.communicate(timeout=PATIENCE)
    assert (out, log, parent.process.returncode) == ("", "", 3)


def test_an_error_in_a_child_is_told_and_is_not_the_parents() -> None:
    with running(2, "raise ValueError('odd')") as parent:
        _, log = parent.process.communicate(timeout=PATIENCE)
    assert log.count("ValueError: odd") == 1
    assert parent.process.returncode == 1
