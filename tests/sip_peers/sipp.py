"""sipp, which plays one side of a scenario, and says whether the other side was right."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from tests.free_ports import free_port
from tests.sip_peers.programs import finished, program
from tests.sip_peers.scenario import expanded

Transport = Literal["udp", "tcp"]
_MODES = {"udp": "u1", "tcp": "t1"}


async def sipp(
    name: str,
    port: int,
    folder: Path,
    *options: str,
    transport: Transport = "udp",
    number: str = "support",
    host: str = "127.0.0.1",
) -> None:
    """Play a scenario against a port of this machine; raise AssertionError, with what was seen, if it fails."""
    path = program("sipp")
    assert path
    file, errors = folder / f"{name}.xml", folder / f"{name}.errors"
    file.write_text(expanded(name), "iso-8859-1")
    own = free_port(host)
    status, output = await finished(
        *(path, "-sf", str(file), "-s", number, "-t", _MODES[transport]),
        *("-i", f"[{host}]" if ":" in host else host, "-mi", host, "-p", str(own), "-nostdin"),
        *("-recv_timeout", "80000", "-timeout", "110", "-timeout_error"),  # ms, s
        *("-trace_err", "-error_file", str(errors)),
        *(options if "-m" in options else (*options, "-m", "1")),
        f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
        folder=folder,
    )
    seen = errors.read_text(errors="replace") if errors.exists() else ""
    assert status == 0, f"sipp {name} ended with {status}: {seen or output[-2000:]}"
