"""Microsoft's Web Chat in a browser, by offline-directline: the shipped flows answer there as they are."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.fakes.chromium import Browser, Page
from tests.peers.chat_peers import ChatServer, chat_server, needs, node_chat, told
from tests.peers.conftest import Photograph

pytestmark = [*needs("botframework-webchat"), *needs("offline-directline")]

ACTIVITY = ".webchat__basic-transcript__activity"
ALL = ".webchat__basic-transcript__scrollable"
WRITING = ".webchat__send-box-text-box__input"


class WebChat:
    """Somebody at the page."""

    def __init__(self, page: Page) -> None:
        self._page = page

    async def writes(self, text: str) -> None:
        await self._focus(WRITING)
        await self._page.write(text)
        await self._page.until(f"document.querySelector({json.dumps(WRITING)}).value === {json.dumps(text)}")
        await self._page.press("Enter")

    async def presses(self, title: str) -> None:
        """Press a button of the last message, with the keyboard: the page may still be scrolling there."""
        await self._focus(f"{ACTIVITY}:last-of-type button[title={json.dumps(title)}]")
        await self._page.press("Enter")

    async def _focus(self, selector: str) -> None:
        await self._page.until(
            f"(() => {{ const one = document.querySelector({json.dumps(selector)}); one?.focus(); "
            "return one && document.activeElement === one; })()"
        )

    async def reads(self, words: str) -> None:
        """Return once the last message has these words."""
        last = f"document.querySelector({json.dumps(f'{ACTIVITY}:last-of-type')})"
        await self._page.until(f"{last}.innerText.replace(/\\s+/g, ' ').includes({json.dumps(words)})")

    async def stands_still(self) -> None:
        """Return once the page has scrolled to its end."""
        await self._page.until(
            f"(shown => shown.scrollTop + shown.clientHeight > shown.scrollHeight - 2)(document.querySelector('{ALL}'))"
        )

    async def buttons(self) -> list[str]:
        return await self._page.texts(f"{ACTIVITY}:last-of-type button.ac-pushButton")


@asynccontextmanager
async def web_chat(
    browser: Browser, server: ChatServer, folder: Path, flow: str
) -> AsyncIterator[tuple[WebChat, Page]]:
    """Somebody who has opened Web Chat and chosen a flow; the page must have nothing to complain about."""
    async with node_chat(folder, "web_chat.js", server.bot(flow), address=told) as url, browser.page() as page:
        await page.screen(420, 560)
        await page.go(url)
        await page.until("document.body.innerText.includes('Connectivity Status: Connected')")
        yield WebChat(page), page
        assert page.complaints == []


async def test_the_support_line_answers_in_web_chat(browser: Browser, tmp_path: Path, photograph: Photograph) -> None:
    async with chat_server(tmp_path) as server:
        async with web_chat(browser, server, tmp_path, "support") as (chat, page):
            await chat.writes("hello")
            await chat.reads("press 1 or say technical issues")
            assert await chat.buttons() == ["Technical issues", "Products"]
            await chat.presses("Products")
            await chat.reads("To hear that again, press 1.")
            assert await chat.buttons() == ["Again", "Back"]
            await chat.stands_still()
            await photograph(page, "web-chat")
            await chat.writes("main menu")
            await chat.reads("press 2 or say products")
            await chat.presses("Technical issues")
            await chat.reads("Please describe the issue")
            await chat.writes("The line is noisy & <b>slow</b>")
            await chat.reads("We heard: The line is noisy & <b>slow</b>.")
        case, verdict = await server.replayed("support")
    assert (case.header.outcome, verdict) == ("resolved", "same")


async def test_the_appointment_line_answers_in_web_chat(browser: Browser, tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        async with web_chat(browser, server, tmp_path, "appointment") as (chat, _):
            await chat.writes("hello")
            await chat.presses("German")
            await chat.reads("Für einen Termin drücken Sie die 1.")
            await chat.presses("Termin")
            await chat.reads("drücken Sie die 3.")
            await chat.writes("2")
            await chat.reads("Bitte geben Sie die Telefonnummer ein")
            await chat.writes("0664 1234-567")
            await chat.reads("Wenn das stimmt, drücken Sie die 1.")
            await chat.writes("1")
            await chat.reads("Die Nummer ist A 1.")
        case, verdict = await server.replayed("appointment")
    assert (case.header.outcome, verdict) == ("resolved", "same")
