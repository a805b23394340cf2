"""Kamailio with the configuration that the documentation gives to operators, and settings of the tests."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.free_ports import free_port
from tests.sip_peers.certificates import Certificates
from tests.sip_peers.programs import Program, accepts, program

CONFIGURATION = Path(__file__).parents[2] / "docs" / "kamailio.cfg"
PASSWORD = "a password of phones"


@dataclass(frozen=True)
class Proxy:
    """A running one."""

    port: int
    "For UDP and TCP; TLS is the next."

    def uri(self, number: str, transport: str = "udp") -> str:
        """Return how a number is called here."""
        return f"sip:{number}@127.0.0.1:{self.port + (transport == 'tls')};transport={transport}"


@contextmanager
def kamailio(
    folder: Path,
    tls: Certificates,
    *,
    algorithm: Literal["MD5", "SHA-256"] = "MD5",
    trunk: str = "192.0.2.0/24",
    gateways: Sequence[str] = ("sip:127.0.0.1:9",),
) -> Iterator[Proxy]:
    """Run it; `trunk` is who may call without a password, `gateways` where calls go if nobody has registered."""
    port = free_port(count=2)
    (folder / "run").mkdir(parents=True)
    (folder / "gateways").write_text("".join(f"1 {one}\n" for one in gateways))
    settings = {
        "REALM": "ivr.test",
        "PASSWORD": PASSWORD,
        "ALGORITHM": algorithm,
        "TRUNK": trunk,
        "CERTIFICATE": str(tls.certificate),
        "KEY": str(tls.key),
        "AUTHORITIES": str(tls.authority),
        "GATEWAYS": str(folder / "gateways"),
    }
    text = CONFIGURATION.read_text("utf-8")
    for transport, number in (("udp", port), ("tcp", port), ("tls", port + 1)):
        text = _changed(text, rf"^listen={transport}:.*$", f"listen={transport}:127.0.0.1:{number}")
    for name, value in settings.items():
        text = _changed(text, rf"^#!define {name} .*$", f'#!define {name} "{value}"')
    (folder / "kamailio.cfg").write_text(text)
    path = program("kamailio")
    assert path
    process = Program(
        *(path, "-DD", "-E", "-f", str(folder / "kamailio.cfg"), "-w", str(folder)),
        *("-Y", str(folder / "run"), "-P", str(folder / "pid")),
        folder=folder,
    )
    try:
        process.said("Aliases")
        accepts(port + 1)  # the last thing that it listens at
        yield Proxy(port)
    finally:
        process.stop()


def _changed(text: str, pattern: str, line: str) -> str:
    changed, count = re.subn(pattern, lambda _: line, text, flags=re.MULTILINE)
    assert count == 1, f"docs/kamailio.cfg has {count} lines like {pattern}"
    return changed
