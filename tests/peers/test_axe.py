"""The chat's pages, looked at by axe-core: what somebody who hears, magnifies or keys them would stumble over."""

import json
from pathlib import Path

import pytest

from tests.browser.test_chat_cards import FLOW
from tests.chat_page.visitor import serving
from tests.console.visiting import visiting
from tests.fakes.chromium import Browser, Page
from tests.peers.chat_peers import HERE, needs

PACKAGE = "axe-core"
pytestmark = needs(PACKAGE)


async def faults(page: Page) -> list[str]:
    """Return what axe holds against a page as it stands, with the markup that it means."""
    await page.run((HERE / "node_modules" / PACKAGE / "axe.min.js").read_text("utf-8") + "; true")
    found = json.loads(await page.run("axe.run().then(({ violations }) => JSON.stringify(violations))"))
    return [f"{one['id']}: {node['html'][:120]}" for one in found for node in one["nodes"]]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_a_conversation_with_cards_has_no_fault(tmp_path: Path, browser: Browser, dark: bool) -> None:
    flow = FLOW.format(picture="https://www.example.com/none.png")
    async with visiting(tmp_path, more={"order.yaml": flow}) as visit, browser.page() as page:
        await page.send("Network.enable")
        await page.send("Network.setBlockedURLs", urls=["*example.com*"])
        await page.screen(390, 844, dark=dark)
        await page.go(f"{visit.url}/chat?flow=order")
        await page.until("document.querySelectorAll('#talk .carousel .card').length === 3")
        assert await faults(page) == []
        await page.click("#talk .answer")
        await page.until("document.querySelector('#talk .receipt')")
        assert await faults(page) == []
        await page.go("about:blank")


async def test_the_page_inside_a_companys_page_has_no_fault(tmp_path: Path, browser: Browser) -> None:
    async with serving(tmp_path) as server, browser.page() as page:
        await page.go(f"{server.url}/chat/frame")
        assert await faults(page) == []
