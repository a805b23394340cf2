"""The pages, as a browser without scripts asks for them: the whole way, and who is turned away."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from msgspec.structs import asdict
from multidict import CIMultiDict
from yarl import URL

from ivr.server.sign_in.sign_in_pages import SignInPages
from ivr.server.sign_in.sign_in_wording import WORDINGS
from tests.signin.pages_world import PagesWorld, pages_world
from tests.signin.sign_in_world import GRAPH

HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@pytest.fixture
async def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[PagesWorld]:
    async with pages_world(tmp_path, monkeypatch) as one:
        yield one


class Person:
    """A browser: it keeps cookies, and follows nothing by itself."""

    def __init__(self, world: PagesWorld) -> None:
        self.world = world
        self.session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))

    async def __aenter__(self) -> "Person":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.session.close()

    async def asks(
        self, path: str, form: dict[str, str] | bytes | None = None, method: str = "", **headers: str
    ) -> tuple[int, str, aiohttp.ClientResponse]:
        url = URL(path if path.startswith("http") else f"{self.world.base}{path}", encoded=True)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        method = method or ("GET" if form is None else "POST")
        async with self.session.request(method, url, data=form, headers=named, allow_redirects=False) as answer:
            return answer.status, await answer.text(), answer


def is_strict(answer: aiohttp.ClientResponse, page: str, more: str = "") -> bool:
    """Return whether a page may load nothing from elsewhere, lie in no frame, and be kept by nobody."""
    policy = answer.headers["Content-Security-Policy"]
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert "script" not in policy
    assert "<script" not in page
    assert "style=" not in page
    assert set(re.findall(r'(?:src|href)="([^"]*)"', page)) <= {
        "/signin/static/base.css", "/signin/static/sign-in.css", "/signin/static/icon.svg",
    }  # fmt: skip
    return policy == (
        "default-src 'none'; style-src 'self'; img-src 'self'; "
        f"form-action 'self'{more}; base-uri 'none'; frame-ancestors 'none'"
    )


async def test_from_the_ticket_to_the_code(pages: PagesWorld) -> None:
    call = await pages.call("a")
    begun = await pages.begin(call)
    async with Person(pages) as person:
        status, page, answer = await person.asks("/s")
        assert (status, is_strict(answer, page)) == (200, True)
        assert "Practice Dr. O'Neill &amp; Sons" in page
        status, _, answer = await person.asks("/s", {"ticket": begun.ticket})
        assert status == 303
        link = answer.headers["Location"]
        status, page, answer = await person.asks(link)
        assert (status, is_strict(answer, page, f" {pages.authority.login}")) == (200, True)
        assert "Are you on the phone with Practice Dr. O'Neill &amp; Sons now, from a number that ends in 42?" in page
        status, _, answer = await person.asks(link, {})
        assert status == 303
        there = answer.headers["Location"]
        assert there.startswith(f"{pages.authority.root}/oauth2/v2.0/authorize?client_id=")
        back = await pages_goes(pages, there)
        status, page, answer = await person.asks(back)
        assert (status, answer.headers["Location"]) == (303, f"/signin/{begun.attempt}")
        assert "0.code" not in page
        status, page, answer = await person.asks(f"/signin/{begun.attempt}")
        assert (status, is_strict(answer, page)) == (200, True)
        assert "Do not read it to anybody who has called you." in page
        [(first, second)] = re.findall(r">(\d{4}) (\d{4})<", page)
        assert await pages.calls.check(call, begun.attempt, first + second) == "signedIn"
        assert "You are signed in" in (await person.asks(f"/signin/{begun.attempt}"))[1]
        assert (await pages.calls.bearer(call, "calendar", address=GRAPH)).startswith("access-a")
        assert (await person.asks(back))[0] == 404
        assert (await person.asks(link))[0] == 404


async def pages_goes(pages: PagesWorld, address: str) -> str:
    """Go to the provider, and return where it sends the browser back to."""
    connector = aiohttp.TCPConnector(ssl=pages.authority.trusted())
    url = URL(address, encoded=True)
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.get(url, allow_redirects=False) as answer,
    ):
        return answer.headers["Location"]


async def test_in_the_language_of_the_call_and_before_that_of_the_browser(pages: PagesWorld) -> None:
    async with Person(pages) as person:
        _, page, _ = await person.asks("/s", Accept_Language="fr-FR,de-AT;q=0.8,en;q=0.5")
        assert '<html lang="de">' in page
        assert "Nummer, neun Ziffern" in page
        _, page, _ = await person.asks("/s", Accept_Language="fr")
        assert '<html lang="en">' in page
    english, german = (asdict(words) for words in WORDINGS.values())
    assert all([*english.values(), *german.values()])
    places = [set(re.findall(r"\{\w+\}", text)) for text in english.values()]
    assert places == [set(re.findall(r"\{\w+\}", text)) for text in german.values()]


async def test_a_form_of_another_site_confirms_nothing_and_no_link_is_logged(
    pages: PagesWorld, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "ivr")
    begun = await pages.begin(await pages.call("a"))
    path = begun.link.removeprefix(pages.base)
    async with Person(pages) as person:
        await person.asks(path)
        assert (await person.asks(path, {}, Sec_Fetch_Site="cross-site"))[0] == 403
        [told] = [vars(one) for one in caplog.records if one.message == "refused"]
        assert (told["reason"], told["path"]) == ("origin", "/s/…")
        assert (await person.asks("/s", {"ticket": begun.ticket}, Sec_Fetch_Site="same-site"))[0] == 403
        assert (await person.asks(path, {}, Sec_Fetch_Site="same-origin"))[0] == 303
    other = await pages.begin(await pages.call("b"))
    path = other.link.removeprefix(pages.base)
    async with Person(pages) as person:
        assert (await person.asks(path, {}))[0] == 404  # no cookie goes along with a form of another site (Lax)
        assert (await person.asks(path))[0] == 200


async def test_looking_at_a_link_uses_nothing_up(pages: PagesWorld) -> None:
    begun = await pages.begin(await pages.call("a"))
    path = begun.link.removeprefix(pages.base)
    for _ in range(3):  # as the chat does that shows a preview
        async with Person(pages) as person:
            assert (await person.asks(path))[0] == 200
            assert (await person.asks(path, method="HEAD"))[0] == 200


async def test_the_cookie_is_of_this_host_alone_and_for_no_script(pages: PagesWorld) -> None:
    secure = SignInPages(pages.browsers, name="x", login=pages.authority.login)
    assert secure._cookie("c") == "__Host-login=c; Max-Age=1800; Path=/; Secure; HttpOnly; SameSite=Lax"
    begun = await pages.begin(await pages.call("a"))
    async with Person(pages) as person:
        _, _, answer = await person.asks(begun.link)
        made = re.fullmatch(r"ivr-login=([\w-]{43}); Max-Age=1800; Path=/; HttpOnly; SameSite=Lax",
                            answer.headers["Set-Cookie"])  # fmt: skip
        assert made
    async with Person(pages) as person:
        _, _, answer = await person.asks(begun.link, Cookie="ivr-login=short; ivr-login=" + "x" * 44)
        assert made[1] not in answer.headers["Set-Cookie"]


async def test_tickets_are_counted_by_the_address_that_the_proxy_adds(pages: PagesWorld) -> None:
    begun = await pages.begin(await pages.call("a"))
    async with Person(pages) as person:
        for _ in range(10):
            sent = {"X_Forwarded_For": "203.0.113.9, 198.51.100.7"}
            assert (await person.asks("/s", {"ticket": "x"}, **sent))[0] == 404
        status, page, _ = await person.asks("/s", {"ticket": begun.ticket}, X_Forwarded_For="203.0.113.8, 198.51.100.7")
        assert status == 429
        assert 'role="alert">Too many wrong tickets' in page
        assert (await person.asks("/s", {"ticket": begun.ticket}, X_Forwarded_For="203.0.113.9"))[0] == 303


async def test_a_field_that_the_browser_itself_sends_is_nobodys_address(pages: PagesWorld) -> None:
    async with Person(pages) as person:
        found = []
        for number in range(11):
            sent = CIMultiDict([("X-Forwarded-For", f"203.0.113.{number}"), ("X-Forwarded-For", "198.51.100.7")])
            async with person.session.post(f"{pages.base}/s", data={"ticket": "x"}, headers=sent) as answer:
                found.append(answer.status)
        assert found == [404] * 10 + [429]


async def test_a_network_of_ipv6_guesses_as_one_address_does(pages: PagesWorld) -> None:
    begun = await pages.begin(await pages.call("a"))
    async with Person(pages) as person:
        for number in range(10):
            sent = {"X_Forwarded_For": f"2001:db8:0:1:{number:x}::{number:x}"}
            assert (await person.asks("/s", {"ticket": "x"}, **sent))[0] == 404
        assert (await person.asks("/s", {"ticket": begun.ticket}, X_Forwarded_For="2001:db8:0:1:ff::1"))[0] == 429
        assert (await person.asks("/s", {"ticket": begun.ticket}, X_Forwarded_For="2001:db8:0:2::1"))[0] == 303


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PUT", "/s", 405),
        ("POST", "/signin/callback", 405),
        ("HEAD", "/signin/callback?state=x", 404),
        ("GET", "/signin/callback", 404),
        ("GET", "/signin/callback?state=x&code=y&state=z", 404),
        ("GET", "/signin/callback?state=%ff%00&code=" + "y" * 5000, 404),
        ("GET", "/signin/" + "a" * 32, 404),
        ("GET", "/signin/x", 404),
        ("GET", "/s/" + "x" * 43, 404),
        ("GET", "/s/../x", 404),
        ("GET", "/signin/static/console.js", 404),
        ("GET", "/signin/static/sign-in.css", 200),
    ],
)
async def test_odd_requests_are_turned_away(pages: PagesWorld, method: str, path: str, status: int) -> None:
    async with Person(pages) as person:
        assert (await person.asks(path, method=method))[0] == status


async def test_forms_are_small_and_are_forms(pages: PagesWorld) -> None:
    async with Person(pages) as person:
        assert (await person.asks("/s", {"ticket": "9" * 2000}))[0] == 413
        assert (await person.asks("/s", b"{}", Content_Type="application/json"))[0] == 415


async def test_an_answer_that_says_it_is_of_another_provider_signs_nobody_in(pages: PagesWorld) -> None:
    """A browser may be made to bring an answer of somebody else's provider (RFC 9207)."""
    call = await pages.call("a")
    begun = await pages.begin(call)
    async with Person(pages) as person:
        await person.asks(begun.link)
        _, _, answer = await person.asks(begun.link, {})
        back = URL(await pages_goes(pages, answer.headers["Location"]))
        assert back.query["iss"].startswith(pages.authority.login)
        await person.asks(str(back.update_query(iss="https://evil.example/v2.0")))
        assert re.findall(r">\d{4} \d{4}<", (await person.asks(f"/signin/{begun.attempt}"))[1]) == []
    assert await pages.calls.settled(call, begun.attempt) == "failed"


async def test_an_answer_is_taken_once_also_where_it_comes_twice_at_the_same_time(pages: PagesWorld) -> None:
    call = await pages.call("a")
    begun = await pages.begin(call)
    async with Person(pages) as person:
        await person.asks(begun.link)
        _, _, answer = await person.asks(begun.link, {})
        back = await pages_goes(pages, answer.headers["Location"])
        answers = await asyncio.gather(*(person.asks(back) for _ in range(5)))
    assert sorted(status for status, _, _ in answers) == [303, 404, 404, 404, 404]
    assert [name for name, _ in pages.authority.asked] == ["token"]
