"""What tests of servers on a PostgreSQL database share: flows, settings, and what a server says of itself."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
from click.testing import CliRunner, Result

from ivr.cli import main

SEAL_KEY = "5e" * 32


def settings(url: str, folder: Path, **others: str) -> dict[str, Any]:
    """Return the variables of a server that keeps its calls in a database."""
    return {"IVR_STORE": url, "IVR_DATA": str(folder / "data"), "IVR_SEAL_KEY": SEAL_KEY, **others}


async def command(*words: str, **variables: str) -> Result:
    """Run a command as in a terminal, beside servers of this event loop."""
    return await asyncio.to_thread(CliRunner().invoke, main, words, None, variables)


async def readiness(port: int) -> tuple[int, Mapping[str, bool]]:
    """Return what `/readyz` says."""
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/readyz") as answer:
        return answer.status, json.loads(await answer.read())
