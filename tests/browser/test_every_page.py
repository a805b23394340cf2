"""Every page on a wide screen and on a pocket's: nothing is cut off, nothing lies on anything else."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.console.visiting import TOKEN, Visit, visiting
from tests.fakes.chromium import Page

LONG = """\
flow: claims-and-appointments-line
description: Takes claims of every kind, and tells people with long questions where to have them answered in person.
initial: greeting_and_language
variables: {attempts_left: {type: integer, default: 3}}
on: {exhausted: bye, error: bye}
states:
  greeting_and_language:
    decide:
      - {guard: "attempts_left > 1 and attempts_left < 99 and call.from != 'somebody else'", target: ask}
      - bye
  ask:
    menu:
      prompt: Press 1 for claims. Press 2 for appointments.
      choices: {claims_and_everything_that_broke: {dtmf: "1"}, appointments_of_this_week: {dtmf: "2"}}
    on:
      claims_and_everything_that_broke: bye
      appointments_of_this_week:
        - {guard: attempts_left > 2, set: {attempts_left: "{{ attempts_left - 1 }}"}, target: ask}
        - bye
  bye: {say: Goodbye., final: true}
"""
WIDE, POCKET = (1280, 800), (390, 844)
PAGES = ["/", "/phone", "/chat", "/console/login", "/console/nothing", "/console", "/console/flows",
         "/console/flows/desk", "/console/flows/claims-and-appointments-line", "live call",
         "finished call"]  # fmt: skip

OVERHANGING = """[...document.querySelectorAll('body *')].filter((one) => {
    const { left, right, width } = one.getBoundingClientRect();
    const scrolled = one.parentElement.closest('.picture, pre, .wide');  // may be longer than what is seen of it
    return width && !scrolled && (right > innerWidth + 0.5 || left < -0.5) && !one.closest('.only-read');
}).map((one) => one.outerHTML.slice(0, 100))"""
CUT_TABLES = """[...document.querySelectorAll('.wide')].filter((one) => one.scrollWidth > one.clientWidth)
    .map((one) => one.innerText)"""
BROKEN_NAMES = """[...document.querySelectorAll('.name')].filter((name) => {
    const text = document.createRange();
    text.selectNodeContents(name);
    return new Set([...text.getClientRects()].map(({ top }) => Math.round(top))).size > 1;
}).map((name) => name.innerText)"""
COVERED_LABELS = """[...document.querySelectorAll('svg.flow text:not(.left)')].filter((label) => {
    const own = label.closest('.state');
    const picture = label.closest('svg').getBoundingClientRect();
    const { left, right, top, bottom } = label.getBoundingClientRect();
    const over = (box) => left < box.right && right > box.left && top < box.bottom && bottom > box.top;
    const boxes = [...document.querySelectorAll('.state')].filter((box) => box !== own)
        .map((box) => box.querySelector('rect').getBoundingClientRect());
    const within = own ? own.querySelector('rect').getBoundingClientRect() : picture;
    return boxes.some(over) || left < within.left || right > within.right || top < within.top - 1
        || bottom > within.bottom + 1;
}).map((label) => label.textContent)"""


@pytest.fixture
async def visit(tmp_path: Path) -> AsyncIterator[Visit]:
    """A server for development with a call that is live, one that is over, long names, and a flow with mistakes."""
    async with visiting(tmp_path) as one:
        await (await one.calls("sip:somebody-with-a-long-name@of-a-long-subdomain.example.com")).leaves()
        await (await one.calls()).presses("1")
        (one.flows / "long.yaml").write_text(LONG)
        (one.flows / "wrong.yaml").write_text("flow: wrong\ninitial: main\nstates: {main: {say: Hello., next: man}}\n")
        await one.sees("claims-and", "/")
        await one.sees("wrong.yaml", "/")
        yield one


async def opened(visit: Visit, page: Page, name: str) -> None:
    """Log in where that is asked for, and go to a page."""
    if name != "/console/login":
        await page.open(f"{visit.url}/console/login#{TOKEN}")
        await page.until("location.pathname === '/console'")
        await page.until("document.querySelectorAll('[data-live] tbody tr').length >= 2")
    if name.endswith(" call"):
        number = 0 if name.startswith("live") else 1
        found = re.findall(r"/console/calls/\w+", await page.run("document.querySelector('main').innerHTML"))
        name = found[number]
    await shown(page, visit.url + name)


async def shown(page: Page, url: str) -> None:
    """Load a page anew, and return when all of it is there."""
    await page.go(url)
    if url.endswith("/phone"):
        await page.until("document.querySelector('#picture svg')")
    page.complaints[:] = [one for one in page.complaints if "404" not in one]


@pytest.mark.parametrize("name", PAGES)
async def test_nothing_is_wider_than_the_screen_or_cut_off(visit: Visit, page: Page, name: str) -> None:
    await opened(visit, page, name)
    address = await page.run("location.href")
    for size in (WIDE, POCKET):
        for dark in (False, True):
            await page.screen(*size, dark=dark)
            await shown(page, address)
            assert await page.run("document.documentElement.scrollWidth <= innerWidth"), (size, dark)
            for fault in (OVERHANGING, CUT_TABLES, COVERED_LABELS):
                assert await page.run(fault) == [], (size, dark)


@pytest.mark.parametrize("name", ["/", "/console", "/console/flows", "/console/flows/desk"])
async def test_names_are_not_broken_on_a_wide_screen(visit: Visit, page: Page, name: str) -> None:
    await page.screen(*WIDE)
    await opened(visit, page, name)
    assert await page.run("document.querySelectorAll('.name').length > 0")
    assert await page.run(BROKEN_NAMES) == []


async def test_a_row_of_a_table_is_a_card_on_a_pocket_and_a_row_still_for_those_who_hear_it(
    visit: Visit, page: Page
) -> None:
    await page.screen(*POCKET)
    await opened(visit, page, "/console/flows")
    labels = await page.run("""[...document.querySelectorAll('tbody tr:first-child td')].map((cell) =>
        getComputedStyle(cell, '::before').content)""")
    assert labels == [f'"{name}"' for name in ("Flow", "Description", "Version", "State", "Calls in 7 days")]
    nodes = (await page.send("Accessibility.getFullAXTree"))["nodes"]
    roles = [node["role"]["value"] for node in nodes if "role" in node]
    assert (roles.count("table"), roles.count("row")) == (1, 3)


async def test_a_picture_shrinks_no_more_than_its_letters_can_be_read(visit: Visit, page: Page) -> None:
    await page.screen(*POCKET)
    await opened(visit, page, "/console/flows/claims-and-appointments-line")
    shrunk = await page.run("""(() => {
        const drawn = document.querySelector('svg.flow');
        return drawn.getBoundingClientRect().width / drawn.viewBox.baseVal.width;
    })()""")
    assert 0.8 <= shrunk <= 1.0
    assert "attempts_left > 1 and attempts_left < 99 and call.from" in " ".join(
        " ".join(
            await page.run("[...document.querySelectorAll('svg .label tspan')].map((one) => one.textContent)")
        ).split()
    )


async def test_the_pages_lead_to_each_other(visit: Visit, page: Page) -> None:
    await opened(visit, page, "/")
    for link, there in (
        ("main a[href='/phone']", "/phone"),
        (".brand", "/"),
        ("main a[href='/phone?flow=desk']", "/phone"),
        ("nav a[href='/console']", "/console"),
        ("nav a[href='/console/flows']", "/console/flows"),
        ("nav a[href='/phone']", "/phone"),
        ("nav a[href='/console']", "/console"),
        (".brand", "/"),
    ):
        await page.click(link)
        await page.until(f"location.pathname === '{there}' && document.readyState === 'complete'")


async def test_the_start_page_shows_a_mistake_as_soon_as_it_is_made(visit: Visit, page: Page) -> None:
    await page.go(f"{visit.url}/")
    assert "desk.yaml\nwarnings" in await page.text("[data-live=findings]")
    desk = visit.flows / "desk.yaml"
    desk.write_text(desk.read_text().replace("next: heard", "next: herd"))
    await page.until("document.querySelector('[data-live=findings]').innerText.includes('Did you mean \"heard\"')")
    assert "errors; the previous version is served" in await page.text("[data-live=flows]")


async def test_a_row_that_has_not_changed_is_the_same_row_after_its_list_was_renewed(visit: Visit, page: Page) -> None:
    await opened(visit, page, "/console/flows")
    await page.run("(window.row = document.querySelector('[data-live=flows] a[href$=desk]')).focus()")
    (visit.flows / "another.yaml").write_text("flow: another\ninitial: main\nstates: {main: {say: Hi., final: true}}\n")
    await page.until("document.querySelector('[data-live=flows]').innerText.includes('another')")
    assert await page.run("window.row.isConnected && document.activeElement === window.row")
