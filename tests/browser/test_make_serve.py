"""`make serve` as a newcomer meets it: one command, the address it ends with, *Call*, and a flow that understands."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tests.browser.person import ends, hears, needs_voice, person, says, stands_in
from tests.crash.process import free_port
from tests.fakes.chromium import Browser

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0


@asynccontextmanager
async def make_serve(data: Path) -> AsyncIterator[list[str]]:
    """Run `make serve` with a data folder of its own, and give what it has printed once it has named the phone."""
    settings = {name: value for name, value in os.environ.items() if not name.startswith(("IVR_", "MAKE", "MFLAGS"))}
    process = await asyncio.create_subprocess_exec(
        *("make", "serve", f"PORT={free_port()}", f"SIP_PORT={free_port()}"),
        cwd=ROOT,
        env={**settings, "IVR_DATA": str(data)},
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout
    printed: list[str] = []
    try:
        async with asyncio.timeout(PATIENCE):
            while not any(line.startswith("The phone:") for line in printed):
                line = await process.stdout.readline()
                assert line, printed
                printed.append(line.decode())
        yield printed
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        await process.communicate()


@needs_voice
async def test_make_serve_ends_with_the_phone_where_a_call_talks_to_a_shipped_flow(
    tmp_path: Path, browser: Browser
) -> None:
    voice = tmp_path / "voice.wav"
    voice.write_bytes(await says("there is no dial tone"))
    async with make_serve(tmp_path / "data") as printed:
        address = urlsplit(printed[-1].split()[2])
        assert address.path == "/phone"
        async with person(browser, f"http://{address.netloc}", "support", voice) as page:
            await page.click("#call")
            await stands_in(page, "main")
            await page.press("1")
            await page.until("document.querySelector('#status').innerText === 'recording'")
            await page.click("#microphone")
            await page.until("document.querySelector('#ear').innerText === 'hears you'")
            await page.until("document.querySelector('#ear').innerText !== 'hears you'")
            await page.click("[data-key='#']")
            await hears(page, "We heard: there is no dial tone.")
            await ends(page)
