"""The console as a person sees it, in a real browser."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.console.visiting import TOKEN, Visit, visiting
from tests.fakes.chromium import Page


@pytest.fixture
async def visit(tmp_path: Path) -> AsyncIterator[Visit]:
    """A server that checks tokens."""
    async with visiting(tmp_path, tokens=True) as one:
        yield one


@pytest.fixture
async def developed(tmp_path: Path) -> AsyncIterator[Visit]:
    """A server for development, whose cookie does not ask for https."""
    async with visiting(tmp_path) as one:
        yield one


async def test_the_address_that_the_server_prints_opens_the_console(developed: Visit, page: Page) -> None:
    await page.open(f"{developed.url}/console/login#{TOKEN}")
    await page.until("location.pathname === '/console'")
    assert (await page.text("[data-live=live]")).split("\n") == ["Live: 0", "", "No live calls."]
    assert await page.run("document.cookie") == ""


async def test_that_address_opens_the_console_also_where_the_login_stood_already(visit: Visit, page: Page) -> None:
    await page.go(f"{visit.url}/console/login")
    await page.run(f"location.hash = '{TOKEN}'")
    await page.until("location.pathname === '/console'")


async def log_in(visit: Visit, page: Page) -> None:
    await page.go(f"{visit.url}/console")
    await page.until("location.pathname === '/console/login'")
    await page.click("input[name=token]")
    await page.write(TOKEN)
    await page.press("Enter")
    await page.until("document.querySelector('[data-live=live]')")


async def test_a_wrong_token_is_told_and_the_right_one_lets_in(visit: Visit, page: Page) -> None:
    await page.go(f"{visit.url}/console/login")
    await page.click("input[name=token]")
    await page.write("guess")
    await page.press("Enter")
    assert await page.text("[role=alert]") == "This is not the console token."
    assert [complaint for complaint in page.complaints if "401" not in complaint] == []
    page.complaints.clear()
    await log_in(visit, page)


async def test_live_calls_come_and_go_without_anybody_reloading(visit: Visit, page: Page) -> None:
    await log_in(visit, page)
    caller = await visit.calls("+43 664 5550100")
    await page.until("document.querySelector('[data-live=live]').innerText.includes('main')")
    await caller.presses("1")
    await page.until("document.querySelector('[data-live=live]').innerText.includes('report')")
    await page.click("[data-live=live] tbody a")
    await page.until("document.querySelector('.state.lit')?.dataset.state === 'report'")
    await caller.speaks()
    await page.until("document.querySelector('.talk').innerText.includes('We heard the radio is broken')")
    await caller.hears_the_end()
    await page.until("document.querySelector('main > .heading').innerText.includes('resolved')")
    assert "live" not in await page.text("main > .heading")
    await page.click("nav a[href='/console']")
    await page.until("location.pathname === '/console'")
    await page.until("document.querySelector('[data-live=finished]').innerText.includes('resolved')")
    assert "No live calls." in await page.text("[data-live=live]")


async def test_a_page_whose_session_is_over_leads_to_the_login(visit: Visit, page: Page) -> None:
    await log_in(visit, page)
    await page.run("fetch('/console/logout', { method: 'POST' })")
    await page.until("location.pathname === '/console/login'")
    assert [complaint for complaint in page.complaints if "401" not in complaint] == []
    page.complaints.clear()


async def renewals(page: Page, count: int = 2) -> None:
    """Wait until the page has asked for news so often."""
    asked = "performance.getEntriesByType('resource').filter((one) => one.name === location.href).length"
    before = await page.run(asked)
    await page.until(f"{asked} >= {before + count}")


async def test_a_click_is_where_it_was_pressed_although_the_list_is_renewed_meanwhile(visit: Visit, page: Page) -> None:
    await (await visit.calls("first")).leaves()
    other = await visit.calls("second")
    await log_in(visit, page)
    await page.until("document.querySelector('[data-live=finished] tbody a')")
    address = await page.run("document.querySelector('[data-live=finished] tbody a').href")
    where = await page.hold("[data-live=finished] tbody a")
    await other.leaves()  # its row comes above the other one
    await renewals(page)
    assert "second" not in await page.text("[data-live=finished]"), "nothing moves under the hand"
    await page.release(where)
    await page.until(f"location.href === '{address}'")


async def test_the_list_goes_on_when_the_hand_has_gone(visit: Visit, page: Page) -> None:
    await log_in(visit, page)
    await page.release(await page.hold("h1"))
    await visit.calls("somebody")
    await page.until("document.querySelector('[data-live=live]').innerText.includes('somebody')")


async def test_the_keyboard_stays_on_its_call_wherever_it_moves(visit: Visit, page: Page) -> None:
    caller = await visit.calls("mine")
    await log_in(visit, page)
    await page.run("document.querySelector('[data-live=live] tbody a').focus()")
    address = await page.run("(window.mine = document.activeElement).href")
    await caller.presses("1")
    await visit.calls("another")
    await page.until("document.querySelector('[data-live=live]').innerText.includes('report')")
    assert await page.run("document.activeElement === window.mine")
    await caller.leaves()
    await page.until("document.querySelector('[data-live=finished]').innerText.includes('mine')")
    assert await page.run("document.activeElement.closest('[data-live]').dataset.live") == "finished"
    await page.press("Enter")
    await page.until(f"location.href === '{address}'")


async def test_selected_text_stays_selected(visit: Visit, page: Page) -> None:
    caller = await visit.calls("+43 664 5550100")
    await log_in(visit, page)
    await page.run("getSelection().selectAllChildren(document.querySelector('[data-live=live] tbody td:nth-child(4)'))")
    await caller.presses("1")
    await page.until("document.querySelector('[data-live=live]').innerText.includes('report')")
    assert await page.run("getSelection().toString()") == "+43 664 5550100"


async def test_a_sound_that_plays_is_not_cut_off_by_news_of_its_call(visit: Visit, page: Page) -> None:
    caller = await visit.calls()
    await caller.presses("1")
    await caller.speaks(8.0)
    await page.open(f"{visit.url}/console/login#{TOKEN}")
    await page.until("location.pathname === '/console'")
    await page.click("[data-live] tbody a")
    await page.until("document.querySelector('audio')")
    await page.run("(window.sound = document.querySelector('audio')).play()")
    await caller.hears_the_end()
    await page.until("document.querySelector('.talk').innerText.includes('the flow hangs up')")
    assert await page.run("!window.sound.paused && window.sound.isConnected")


async def test_a_recording_is_heard(visit: Visit, page: Page) -> None:
    caller = await visit.calls()
    await caller.presses("1")
    await caller.speaks(0.7)
    await log_in(visit, page)
    await page.click("[data-live] tbody a")
    await page.until("document.querySelector('audio')")
    seconds = await page.run("""(async () => {
        const sound = document.querySelector('audio');
        await sound.play();
        await new Promise((done) => sound.onended = done);
        return sound.currentTime;
    })()""")
    assert abs(float(seconds) - 0.7) < 0.06


async def test_what_a_caller_is_called_does_nothing_but_stand_there(visit: Visit, page: Page) -> None:
    evil = "<img src=x onerror=\"document.title='caught'\"><script>document.title='caught'</script>"
    await visit.calls(evil)
    await log_in(visit, page)
    assert evil in await page.text("[data-live=live]")
    assert await page.run("document.title") == "Calls – ivr"
    assert await page.run("document.images.length") == 0


@pytest.mark.parametrize("path", ["/console", "/console/flows", "/console/flows/desk", "call"])
async def test_the_console_fits_a_pocket(visit: Visit, page: Page, path: str) -> None:
    await visit.calls()
    await page.screen(360, 700)
    await log_in(visit, page)
    address = path
    if path == "call":
        found = re.search(r"/console/calls/\w+", await page.run("document.body.innerHTML"))
        assert found
        address = found[0]
    await page.go(visit.url + address)
    assert await page.run("document.documentElement.scrollWidth <= innerWidth")
