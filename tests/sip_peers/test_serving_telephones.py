"""`make serve` without its installing: the server, a gateway in front of it, and one Ctrl-C for both."""

import re
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.free_ports import free_port
from tests.sip_peers.by_hand import Dialog, bound
from tests.sip_peers.lines import FLOWS, HERE
from tests.sip_peers.programs import Program

SERVE = HERE.parents[1] / "tools" / "serve.py"


@contextmanager
def served(folder: Path, sip_port: int) -> Iterator[Program]:
    command = (sys.executable, str(SERVE), "--port", "0", "--sip-port", str(sip_port), str(FLOWS / "support.yaml"))
    process = Program(*command, folder=folder, environment={"IVR_DATA": str(folder / "data")})
    try:
        yield process
    finally:
        process.stop()


async def test_a_softphone_is_told_what_to_dial_and_one_signal_ends_both(tmp_path: Path) -> None:
    port = free_port()
    with served(tmp_path, port) as process:
        assert process.said("such as sip:support@127.0.0.1:").split()[2] == f"sip:support@127.0.0.1:{port}"
        async with bound() as sock:
            call = Dialog(port, sock)
            await call.answered()
            assert process.stop(signal.SIGINT) == 0
            assert await sock.next(lambda data: data.startswith(b"BYE "))
    assert process.output.count('"stopped"') == 2
    with served(tmp_path, port) as again:  # at once, on the same ports
        again.said("such as sip:support@")


async def test_without_its_port_there_is_no_gateway_and_the_server_serves(tmp_path: Path) -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", port)), served(tmp_path, port) as process:
        assert f"make serve SIP_PORT={port + 10}" in process.said(f"port {port} is in use")
        assert re.search(r"^Serving support at http://127\.0\.0\.1:\d+ ", process.output, re.MULTILINE)
        assert process.stop(signal.SIGTERM) == 0
    assert process.output.count('"stopped"') == 1


def test_flows_with_mistakes_end_it(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("flow: bad\ninitial: nowhere\nstates: {}\n")
    command = (sys.executable, str(SERVE), "--port", "0", "--sip-port", str(free_port()), "bad.yaml")
    process = Program(*command, folder=tmp_path)
    assert process.ended() == 1
    assert '"states" is empty' in process.output
