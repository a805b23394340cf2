"""The whole way on a telephone's screen: from the ticket to the code, with a real browser's policy and cookies."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes.chromium import Browser, Page
from tests.signin.pages_world import PagesWorld, pages_world

POCKET = (390, 480)
PICTURES = os.environ.get("PICTURES")
"A folder for a picture of what the documentation shows: `PICTURES=docs/images pytest tests/signin`."
TOO_WIDE = """[...document.querySelectorAll('body *')].filter((one) =>
    one.getBoundingClientRect().right > innerWidth + 0.5).map((one) => one.outerHTML.slice(0, 80))"""


@pytest.fixture
async def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[PagesWorld]:
    async with pages_world(tmp_path, monkeypatch, tls=False) as one:  # the browser knows no authority of ours
        yield one


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    async with browser.page() as tab:
        await tab.screen(*POCKET, scale=2.0)
        yield tab
        assert tab.complaints == []


async def looks_well(page: Page, name: str = "") -> None:
    assert await page.run("document.documentElement.scrollWidth <= innerWidth")
    assert await page.run(TOO_WIDE) == []
    assert await page.run("getComputedStyle(document.querySelector('.sheet')).borderRadius") != "0px"  # styled
    if PICTURES and name:
        await page.photograph(Path(PICTURES) / f"{name}.png")


async def test_from_the_ticket_to_the_code_by_keyboard(pages: PagesWorld, page: Page) -> None:
    call = await pages.call("a")
    begun = await pages.begin(call)
    await page.go(f"{pages.base}/s")
    await looks_well(page)
    assert await page.run("document.activeElement.id") == "ticket"
    await page.write(begun.ticket)
    await page.press("Enter")
    await page.until("location.pathname.startsWith('/s/') && document.readyState === 'complete'")
    await looks_well(page)
    assert "from a number that ends in 42?" in await page.text("main")
    await page.press("Tab")
    await page.press("Enter")
    await page.until(f"location.pathname === '/signin/{begun.attempt}' && document.querySelector('.code')")
    await looks_well(page, "sign-in")
    assert await page.run("location.search") == ""
    shown = await page.text(".code")
    assert "Do not read it to anybody who has called you." in await page.text(".warning")
    assert await page.run("document.cookie") == ""  # no script could read it
    assert await pages.calls.check(call, begun.attempt, shown) == "signedIn"
    await page.run("location.reload()")
    await page.until("document.querySelector('h1')?.innerText === 'You are signed in'")
    await looks_well(page)


async def test_who_says_no_is_told_so(pages: PagesWorld, page: Page) -> None:
    pages.authority.says = "access_denied"
    call = await pages.call("a")
    begun = await pages.begin(call)
    await page.go(begun.link)
    await page.click("button")
    await page.until("document.querySelector('h1')?.innerText === 'You are not signed in'")
    assert await pages.calls.check(call, begun.attempt, None) == "declined"
