"""The shipped flows beside the web service that they ask, at a port of its own."""

import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp.test_utils import TestServer

from tests.services.test_demo_service import SERVICE

FLOWS = Path(__file__).parents[1] / "flows"
WRITTEN = "127.0.0.1:8090"
"The address of the service in the flows."


@asynccontextmanager
async def shipped_lines(folder: Path) -> AsyncIterator[Mapping[str, Any]]:
    """Start the service, and write the flows, with its address, into an empty folder; give the settings they need."""
    async with TestServer(SERVICE.application()) as service:
        address = f"127.0.0.1:{service.port}"
        shutil.copytree(FLOWS, folder, ignore=shutil.ignore_patterns("services", "__pycache__"))
        for file in folder.glob("*.yaml"):
            file.write_text(file.read_text("utf-8").replace(WRITTEN, address), "utf-8")
        yield {
            "IVR_CHECK_CHANNEL": "sip",
            "IVR_HTTP_HOSTS": address,
            "IVR_HTTP_PRIVATE": "127.0.0.0/8",
            "IVR_WEBHOOK_SECRET": "whsec_" + "A" * 32,
        }
