"""`make serve` as a newcomer runs it."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from tests.free_ports import free_port

ROOT = Path(__file__).parents[1]
PATIENCE = 60.0


@asynccontextmanager
async def make_serve(
    data: Path, *arguments: str, until: str = "The phone:", **settings: str
) -> AsyncIterator[list[str]]:
    """Run it with a data folder of its own, and give what it has printed, up to the line that begins so."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("IVR_", "MAKE", "MFLAGS"))}
    process = await asyncio.create_subprocess_exec(
        *("make", "serve", f"PORT={free_port()}", f"SIP_PORT={free_port()}", *arguments),
        cwd=ROOT,
        env={**kept, "IVR_DATA": str(data), **settings},
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout
    printed: list[str] = []
    try:
        async with asyncio.timeout(PATIENCE):
            while not any(line.startswith(until) for line in printed):
                line = await process.stdout.readline()
                assert line, printed
                printed.append(line.decode())
        yield printed
    finally:
        with suppress(ProcessLookupError):  # it has ended by itself: its last line says why
            os.killpg(process.pid, signal.SIGTERM)
        await process.communicate()
