"""Microsoft's Web Chat in a browser, by offline-directline: the shipped flows answer there as they are."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.fakes.chromium import Browser, Page
from tests.peers.chat_peers import ChatServer, chat_server, needs, node_chat, told
from tests.peers.conftest import Photograph

BISTRO = """\
flow: bistro
initial: dish
on: {exhausted: bye, error: bye}
states:
  dish:
    menu:
      prompt:
        - carousel:
            - card: hero
              title: Sushi
              subtitle: Six pieces
              text: For sushi, press 1.
              images: [{url: PICTURES/sushi.svg, alt: Six pieces of sushi}]
              buttons: [{title: Order sushi, value: "1"}]
            - card: hero
              title: Tempura
              subtitle: Prawns and vegetables
              text: For tempura, press 2.
              images: [{url: PICTURES/tempura.svg, alt: Tempura}]
              buttons: [{title: Order tempura, value: "2"}]
      choices: {sushi: {dtmf: "1"}, tempura: {dtmf: "2"}}
    on: {sushi: known, tempura: known}
  known:
    say: {card: signIn, text: Please sign in to pay., title: Sign in, url: https://login.contoso.example/s/7}
    next: paid
  paid:
    say:
      card: receipt
      title: Your order
      text: That is 16 euros and 25 cents.
      facts: [{key: Number, value: "4711"}]
      items: [{title: Sushi, subtitle: Six pieces, price: 16.25 €, quantity: "1"}]
      tax: 1.48 €
      total: 16.25 €
      buttons: [{type: call, title: Call us, value: "tel:+4312345"}]
    next: bye
  bye: {say: Enjoy your meal., final: true, outcome: resolved}
"""
DISH = """\
<svg xmlns="http://www.w3.org/2000/svg" width="320" height="160"><rect width="320" height="160" fill="#dce6e0"/>
<circle cx="160" cy="80" r="62" fill="#fff"/><circle cx="160" cy="80" r="40" fill="#e2725b"/></svg>
"""

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


@asynccontextmanager
async def dishes() -> AsyncIterator[str]:
    """Serve pictures, and give their address."""

    async def dish(request: web.Request) -> web.Response:
        return web.Response(text=DISH, content_type="image/svg+xml")

    app = web.Application()
    app.router.add_get("/{name}.svg", dish)
    async with TestServer(app) as service:
        yield f"http://127.0.0.1:{service.port}"


async def test_cards_are_seen_in_web_chat_side_by_side_with_pictures_and_their_buttons_answer(
    browser: Browser, tmp_path: Path, photograph: Photograph
) -> None:
    async with (
        dishes() as pictures,
        chat_server(tmp_path, more={"bistro.yaml": BISTRO.replace("PICTURES", pictures)}) as server,
    ):
        async with web_chat(browser, server, tmp_path, "bistro") as (chat, page):
            await chat.writes("hello")
            await chat.reads("Sushi Six pieces For sushi, press 1. Order sushi Bot attached: Tempura Prawns")
            await page.until(
                "(shown => shown.length === 2 && shown.every(one => one.complete && one.naturalWidth === 320))"
                f"([...document.querySelectorAll('{ACTIVITY} img')])"
            )
            await chat.stands_still()
            await photograph(page, "web-chat-carousel")
            await chat.presses("Order sushi")
            await chat.reads("Enjoy your meal.")
            shown = " ".join((await page.run("document.body.innerText")).split())
            assert "Please sign in to pay. Sign in" in shown
            assert "Your order Number 4711 Sushi × 1 Six pieces 16.25 € Tax 1.48 € Total 16.25 € Call us" in shown
            await chat.stands_still()
            await photograph(page, "web-chat-receipt")
        case, verdict = await server.replayed("bistro")
    assert (case.header.outcome, verdict) == ("resolved", "same")
