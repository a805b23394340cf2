"""HAProxy with the configuration that the documentation gives to operators, in front of servers of a test."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.free_ports import free_port
from tests.sip_peers.programs import Program, accepts, program

CONFIGURATION = Path(__file__).parents[2] / "docs" / "haproxy.cfg"


@contextmanager
def haproxy(folder: Path, servers: Sequence[int]) -> Iterator[int]:
    """Run it in front of these ports of this machine, and yield its own; it looks at the servers every 0.2 seconds."""
    port = free_port()
    text = CONFIGURATION.read_text("utf-8")
    text = _changed(text, r"^    bind .*$", f"    bind 127.0.0.1:{port}")
    text = _changed(text, r"inter 1s", "inter 200ms")
    text, count = re.subn(r"^    server .*\n", "", text, flags=re.MULTILINE)
    assert count == 3
    text += "".join(f"    server s{number} 127.0.0.1:{one}\n" for number, one in enumerate(servers))
    file = folder / "haproxy.cfg"
    file.write_text(text, "utf-8")
    path = program("haproxy")
    assert path
    process = Program(path, "-db", "-f", str(file), folder=folder)
    try:
        accepts(port)
        yield port
    finally:
        process.stop()


def _changed(text: str, pattern: str, line: str) -> str:
    changed, count = re.subn(pattern, line, text, flags=re.MULTILINE)
    assert count == 1, f"{CONFIGURATION.name} has {count} times {pattern}"
    return changed
