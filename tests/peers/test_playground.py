"""Microsoft's Agents Playground in a browser, the local channel of their current SDK, and the support line in it."""

import re
from pathlib import Path

from tests.fakes.chromium import Browser
from tests.peers.chat_peers import chat_server, needs, node_chat
from tests.peers.conftest import Photograph
from tests.waiting import logged

PACKAGE = "@microsoft/m365agentsplayground"
CLI = f"node_modules/{PACKAGE}/cli.js"
pytestmark = needs(PACKAGE)
WRITING = "[role=textbox][contenteditable]"


def listening(line: bytes) -> str | None:
    """Return the address of the playground, of which it tells the port."""
    found = re.search(rb"Listening on ([0-9]+)", line)
    return f"http://127.0.0.1:{found[1].decode()}" if found else None


async def test_the_support_line_answers_in_the_playground(
    browser: Browser, tmp_path: Path, photograph: Photograph
) -> None:
    async with chat_server(tmp_path) as server:
        options = ("start", "-e", server.bot("support"), "-c", "emulator", "-p", "0", "--disable-telemetry")
        with logged("refused") as refused:
            async with node_chat(tmp_path, CLI, *options, address=listening) as url, browser.page() as page:
                await page.screen(900, 560)
                await page.go(url)
                shows = "document.body.innerText.includes('{}')".format
                await page.until(shows("press 2 or say products"))  # it has told that somebody has joined
                for written, shown in (
                    ("products", "To hear that again, press 1."),
                    ("back", "User Application message 202 back"),
                    ("technical issues", "Please describe the issue"),
                    ("there is no dial tone", "We heard: there is no dial tone."),
                ):
                    await page.click(WRITING)
                    await page.write(written)
                    await page.until(f"document.querySelector('{WRITING}').innerText.trim() === '{written}'")
                    await page.press("Enter")
                    await page.until(shows(shown))
                await photograph(page, "playground")
            await refused.once()  # HEAD, with which it begins
        case, verdict = await server.replayed("support")
    assert (case.header.outcome, verdict) == ("resolved", "same")
