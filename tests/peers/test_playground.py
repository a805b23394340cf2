"""Microsoft's Agents Playground in a browser, the local channel of their current SDK, and shipped flows in it."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.fakes.chromium import Browser, Page
from tests.peers.chat_peers import ChatServer, chat_server, needs, node_chat
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


def shows(words: str) -> str:
    return f"document.body.innerText.includes({json.dumps(words, ensure_ascii=False)})"


async def talks(page: Page, *said: tuple[str, str]) -> None:
    """Write each text, and wait for what is shown after it."""
    for written, shown in said:
        await page.click(WRITING)
        await page.write(written)
        await page.until(f"document.querySelector('{WRITING}').innerText.trim() === {json.dumps(written)}")
        await page.press("Enter")
        await page.until(shows(shown))


@asynccontextmanager
async def playground(browser: Browser, server: ChatServer, folder: Path, flow: str) -> AsyncIterator[Page]:
    """Open the playground for a flow, which it asks with HEAD before anything else."""
    options = ("start", "-e", server.bot(flow), "-c", "emulator", "-p", "0", "--disable-telemetry")
    with logged("refused") as refused:
        async with node_chat(folder, CLI, *options, address=listening) as url, browser.page() as page:
            await page.screen(900, 560)
            await page.go(url)
            yield page
        await refused.once()


async def test_the_support_line_answers_in_the_playground(
    browser: Browser, tmp_path: Path, photograph: Photograph
) -> None:
    async with chat_server(tmp_path) as server:
        async with playground(browser, server, tmp_path, "support") as page:
            await page.until(shows("press 2 or say products"))  # it has told that somebody has joined
            await talks(
                page,
                ("products", "To hear that again, press 1."),
                ("back", "User Application message 202 back"),
                ("technical issues", "Please describe the issue"),
                ("there is no dial tone", "We heard: there is no dial tone."),
            )
            await photograph(page, "playground")
        case, verdict = await server.replayed("support")
    assert (case.header.outcome, verdict) == ("resolved", "same")


async def test_the_appointment_line_answers_in_the_playground(browser: Browser, tmp_path: Path) -> None:
    """It shows buttons and does not press them, so that all is written."""
    async with chat_server(tmp_path) as server:
        async with playground(browser, server, tmp_path, "appointment") as page:
            await page.until(shows("For English, press 1"))
            await talks(
                page,
                ("2", "Für einen Termin drücken Sie die 1."),
                ("1", "drücken Sie die 3."),
                ("2", "Bitte geben Sie die Telefonnummer ein"),
                ("0664 1234-567", "Wenn das stimmt, drücken Sie die 1."),
                ("1", "Die Nummer ist A 1."),
            )
        case, verdict = await server.replayed("appointment")
    assert (case.header.outcome, verdict) == ("resolved", "same")
