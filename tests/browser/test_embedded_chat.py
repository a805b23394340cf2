"""The chat inside a company's page, in a real browser: for its site's visitors alone, and also by a killed server."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from tests.chat_page.visitor import DESK, SECRET, serving
from tests.crash.process import Server
from tests.fakes.chromium import Page
from tests.free_ports import free_port
from tests.phone.calling import Signer
from tests.stored import stored_in
from tests.waiting import PATIENCE

QUESTION = "To leave a message, press 1 or say message. To hear a number, press 2."
PAGE = """<!doctype html><html lang="en"><title>A company</title><h1>A company</h1>
<p><a href="#more">More of us</a></p>
<script src="{chat}/chat/embed.js" {token} data-label="Chat with us" defer></script>"""


class Site:
    """A company's site: its server asks for tokens of its visitors, its pages show the chat."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.origin = f"http://127.0.0.1:{port}"
        self.chat = ""
        self.user = "anna"
        self.tokens = 0

    async def token(self) -> str:
        self.tokens += 1
        asked = {"user": self.user, "flow": "desk", "site": self.origin}
        fields = {"Authorization": f"Bearer {SECRET}"}
        async with aiohttp.ClientSession() as client, client.post(
            f"{self.chat}/chat/tokens", json=asked, headers=fields
        ) as answer:  # fmt: skip
            return str((await answer.json())["token"])

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        match request.path:
            case "/":
                token = f'data-token="{await self.token()}"'
            case "/fetching":
                token = 'data-token-url="/token"'
            case "/failing":
                token = 'data-token-url="/nothing-there"'
            case "/nothing-there":
                return web.Response(status=500)
            case "/forged":
                token = 'data-token="x.y"'
            case "/token":
                return web.Response(text=await self.token())
            case _:  # its icon
                return web.Response(status=204)
        return web.Response(text=PAGE.format(chat=self.chat, token=token), content_type="text/html")


@asynccontextmanager
async def site_at(host: str = "127.0.0.1") -> AsyncIterator[Site]:
    site = Site(free_port())
    site.origin = f"http://{host}:{site.port}"
    server = web.Server(site.answer)
    runner = web.ServerRunner(server)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", site.port).start()
    try:
        yield site
    finally:
        await runner.cleanup()


class Frame:
    """What is inside the page's frame, which the page itself cannot see."""

    def __init__(self, page: Page) -> None:
        self._page = page

    async def run(self, script: str) -> Any:
        tree = (await self._page.send("Page.getFrameTree"))["frameTree"]
        (inner,) = tree["childFrames"]
        world = await self._page.send("Page.createIsolatedWorld", frameId=inner["frame"]["id"])
        answer = await self._page.send(
            "Runtime.evaluate",
            expression=script,
            contextId=world["executionContextId"],
            awaitPromise=True,
            returnByValue=True,
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def until(self, condition: str) -> None:
        async with asyncio.timeout(PATIENCE):
            while True:
                with suppress(AssertionError):  # between two pages there is no document
                    if await self.run(f"new Promise((d) => setTimeout(() => d(Boolean({condition})), 20))"):
                        return

    async def reads(self, words: str) -> None:
        await self.until(f"document.querySelector('#talk')?.innerText.includes({json.dumps(words)})")

    async def lines(self) -> list[str]:
        found = await self.run("[...document.querySelectorAll('#talk > li')].map((one) => one.innerText)")
        return [" ".join(one.split()) for one in found]


async def leaves(page: Page) -> None:
    """Go away before the server does, of which the page would complain."""
    await page.go("about:blank")


async def opened(page: Page, site: Site, path: str = "/") -> Frame:
    await page.go(f"{site.origin}{path}")
    await page.click("button")
    await page.until("document.querySelector('iframe')")
    return Frame(page)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with site_at() as one:
        yield one


async def test_a_visitor_opens_the_chat_by_key_talks_closes_it_and_finds_it_again(
    tmp_path: Path, page: Page, site: Site
) -> None:
    async with serving(tmp_path, chat_page_sites=(site.origin,), chat_page_title="Our desk") as server:
        site.chat = server.url
        await page.go(site.origin)
        await page.press("Tab")
        await page.press("Tab")
        assert await page.run("document.activeElement.textContent") == "Chat with us"
        await page.press("Enter")
        await page.until("document.querySelector('iframe')")
        frame = Frame(page)
        await frame.reads(QUESTION)
        await frame.until("document.activeElement.id === 'words'")
        assert await frame.run("document.querySelector('h1').innerText") == "Our desk"
        await page.write("number")
        await page.press("Enter")
        await frame.reads("Which room?")
        await page.press("Escape")
        await page.until("document.querySelector('iframe').style.display === 'none'")
        assert await page.run("document.activeElement.getAttribute('aria-expanded')") == "false"
        frame = await opened(page, site)  # the page is loaded again
        await frame.reads("Which room?")
        assert await frame.lines() == [f"They: {QUESTION} Message Number", "You: number", "They: Which room?"]
        site.user = "bert"  # somebody else, in the same tab
        frame = await opened(page, site)
        await frame.reads(QUESTION)
        assert await frame.lines() == [f"They: {QUESTION} Message Number"]
        await leaves(page)
    with stored_in(tmp_path / "data") as archive:
        assert [one.record.call.facts.caller for one in archive.stored()] == ["anna", "bert"]


async def test_a_page_may_ask_for_its_token_when_it_is_needed(tmp_path: Path, page: Page, site: Site) -> None:
    async with serving(tmp_path, chat_page_sites=(site.origin,)) as server:
        site.chat = server.url
        frame = await opened(page, site, "/fetching")
        await frame.reads(QUESTION)
        assert site.tokens == 1
        await page.screen(320, 568)
        await page.until("document.querySelector('iframe').getBoundingClientRect().width === 320")
        assert await frame.run("document.documentElement.scrollWidth <= innerWidth")
        await leaves(page)


async def test_a_page_of_another_site_shows_nothing_of_it(tmp_path: Path, page: Page, site: Site) -> None:
    async with site_at("localhost") as other, serving(tmp_path, chat_page_sites=(site.origin,)) as server:
        site.chat = other.chat = server.url
        other.token = site.token  # type: ignore[method-assign]  # it has got hold of a visitor's token
        await page.go(other.origin)
        await page.click("button")
        await page.until("document.querySelector('iframe')")
        async with asyncio.timeout(PATIENCE):
            while not any("frame-ancestors" in one for one in page.complaints):
                await page.run("new Promise((done) => setTimeout(done, 20))")
        page.complaints.clear()
        await leaves(page)
    with stored_in(tmp_path / "data") as archive:
        assert list(archive.stored()) == []


@pytest.mark.parametrize("path", ["/forged", "/failing"])
async def test_without_a_good_token_nothing_is_opened_and_the_visitor_is_told(
    tmp_path: Path, page: Page, site: Site, path: str
) -> None:
    async with serving(tmp_path, chat_page_sites=(site.origin,)) as server:
        site.chat = server.url
        frame = await opened(page, site, path)
        await frame.reads("The chat cannot be opened. Load the page again.")
        page.complaints[:] = [one for one in page.complaints if "401" not in one and "500" not in one]
        await leaves(page)
    with stored_in(tmp_path / "data") as archive:
        assert list(archive.stored()) == []


async def test_a_server_that_is_killed_in_mid_conversation_loses_and_doubles_nothing(
    tmp_path: Path, page: Page, site: Site
) -> None:
    (tmp_path / "desk.yaml").write_text(DESK)
    signer = Signer()
    await signer.start()
    server = Server(
        tmp_path,
        signer,
        flows=tmp_path / "desk.yaml",
        IVR_CHAT_PAGE_SECRET=SECRET,
        IVR_CHAT_PAGE_SITES=site.origin,
    )
    site.chat = f"http://127.0.0.1:{server.port}"
    try:
        await server.start()
        frame = await opened(page, site)
        await frame.reads(QUESTION)
        await page.write("2")
        await page.press("Enter")
        await server.stop(signal.SIGKILL)  # whether it has taken the message or not
        await frame.until("document.querySelector('#state').innerText.includes('No connection')")
        await page.write("402")
        await page.press("Enter")
        await server.start()
        await frame.reads("Room 4 0 2 it is. Goodbye.")
        await frame.until("document.querySelector('#state').innerText === ''")
        assert await in_order(frame)
        await leaves(page)
    finally:
        await server.stop(signal.SIGKILL)
        await signer.stop()
    page.complaints.clear()  # of a server that is not there
    with stored_in(server.data) as archive:
        (stored,) = archive.stored()
    assert stored.record.call.phase == "over"


async def in_order(frame: Frame) -> bool:
    """Return whether each is there once, what is said in its order and what is written in its own."""
    lines = await frame.lines()
    said = [one for one in lines if one.startswith("They:")]
    written = [one for one in lines if one.startswith("You:")]
    return (said, written) == (
        [f"They: {QUESTION} Message Number", "They: Which room?", "They: Room 4 0 2 it is. Goodbye."],
        ["You: 2", "You: 402"],
    )
