"""Whether system calls can be traced here."""

import asyncio
import shutil


async def no_tracing() -> str | None:
    """Return why nothing can be traced here; None: it can."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    probe = await asyncio.create_subprocess_exec(
        "strace", "-f", "true", stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    return None if await probe.wait() == 0 else "tracing is forbidden on this machine"
