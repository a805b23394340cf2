"""The whole of it: a call by the phone, its caller's browser at our pages and at the provider, and a service asked."""

import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from msgspec import json
from yarl import URL

from ivr.engine.commands import Recognize
from ivr.phone.callers.turn_based import CallerAction, Press, Situation, TurnBased
from ivr.phone.phone_events import Ended
from ivr.server.assembly import running
from ivr.settings import Settings
from tests.fakes.authority import CLIENT, SECRET, TENANT, FakeAuthority
from tests.phone.calling import PUBLIC, RECORDS, Held, Signer, phone_to
from tests.phone.people import QUICK
from tests.phone.people import Person as Scripted
from tests.server.world import World
from tests.useragent.certificates import Authority as CertificateAuthority

FLOW = """
flow: desk
initial: login
on: {exhausted: bye, error: bye}
signIns: {calendar: {scopes: [Calendars.Read]}}
states:
  login:
    signIn:
      name: calendar
      prompt: "Open {{ signIn.page }}, enter {{ signIn.ticket | digits }}, then key the code."
      noMatch: That is not it.
    on: {signedIn: look, declined: bye, expired: bye, failed: bye}
  look:
    http: {url: "https://127.0.0.1:PORT/me", auth: {signIn: calendar}, returns: {name: text}, into: person}
    next: tell
  tell: {say: "You are {{ person.name }}.", final: true}
  bye: {say: Goodbye., final: true, outcome: unresolved}
"""


class Browser:
    """The caller's, without scripts: it keeps cookies, and follows what pages say."""

    def __init__(self, server: str, authority: FakeAuthority) -> None:
        self._server = server
        self._authority = authority

    async def signs_in(self, ticket: str) -> str:
        """Enter a ticket, confirm, sign in at the provider, come back; return the code that the page shows."""
        # Between a browser and this server stands what does TLS: the cookies are for https alone.
        jar = aiohttp.CookieJar(unsafe=True, treat_as_secure_origin=URL(self._server))
        async with aiohttp.ClientSession(cookie_jar=jar) as session:
            link = await self._sent_on(session, "/s", {"ticket": ticket})
            async with session.get(f"{self._server}{link}") as answer:
                assert "Are you on the phone" in await answer.text()
            back = await self._sent_on(session, await self._sent_on(session, link, {}))
            page = await self._sent_on(session, back)
            async with session.get(f"{self._server}{page}") as answer:
                [(first, second)] = re.findall(r">(\d{4}) (\d{4})<", await answer.text())
        return str(first + second)

    async def _sent_on(self, session: aiohttp.ClientSession, path: str, form: dict[str, str] | None = None) -> str:
        path = path.removeprefix(PUBLIC)
        url = URL(path if path.startswith("http") else f"{self._server}{path}", encoded=True)
        method = "GET" if form is None else "POST"
        async with session.request(method, url, data=form, allow_redirects=False) as answer:
            assert answer.status in {302, 303}, await answer.text()
            return answer.headers["Location"]


class Caller(Scripted):
    """Signs in by the browser as soon as a ticket is heard, and keys a wrong code before the right one."""

    def __init__(self, browser: Browser) -> None:
        super().__init__([])
        self.code = ""
        self._browser = browser
        self._keyed = 0

    async def act(self, situation: Situation) -> CallerAction | None:
        if situation.prompt or not isinstance(situation.listening, Recognize) or self._keyed == 2:
            return None
        self._keyed += 1
        if not self.code:
            ticket = re.search(r"enter ((?:\d ){8}\d)", self.heard[-1])
            assert ticket is not None
            self.code = await self._browser.signs_in(ticket[1].replace(" ", ""))
            return Press(f"{(int(self.code) + 1) % 10**8:08}")
        return Press(self.code)


@asynccontextmanager
async def graph(folder: Path, seen: list[str], trusted: ssl.SSLContext) -> AsyncIterator[int]:
    """Serve what takes any token and knows the name of its owner."""
    signer = CertificateAuthority(folder, "graph")
    trusted.load_verify_locations(str(signer.file))
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    issued = signer.issue("127.0.0.1")
    tls.load_cert_chain(issued.certificate, issued.key)

    async def me(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Authorization", ""))
        return web.json_response({"name": "Ada"})

    app = web.Application()
    app.router.add_get("/me", me)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def test_a_caller_signs_in_by_a_browser_and_a_service_is_asked_in_their_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, signer: Signer, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "graph").mkdir()
    authority, seen = FakeAuthority(tmp_path), list[str]()
    trusted = authority.trusted()
    monkeypatch.setattr("aiohttp.connector._SSL_CONTEXT_VERIFIED", trusted)
    async with authority.served(), graph(tmp_path / "graph", seen, trusted) as port:
        flow = tmp_path / "desk.yaml"
        flow.write_text(FLOW.replace("PORT", str(port)).lstrip())
        chosen: dict[str, Any] = {**signer.settings}
        settings = Settings(
            **chosen,
            port=0,
            data=tmp_path / "data",
            http_hosts=(f"127.0.0.1:{port}",),
            sign_in_client_id=CLIENT,
            sign_in_secret=SECRET,
            sign_in_tenant=TENANT,
            sign_in_name="Example Clinic",
            sign_in_login_url=authority.login,
            sign_in_hosts=(f"127.0.0.1:{port}",),
        )
        async with running(settings, [flow], dev=True) as server:
            caller = Caller(Browser(server.url, authority))
            async with phone_to(int(server.url.rpartition(":")[2]), signer) as phone:
                platform = phone.platform(phone.way, QUICK)
                call = Held(await platform.place(TurnBased(caller, RECORDS), bot=f"{PUBLIC}/call/desk"), caller)
    assert call.ended == Ended("bot", "hangup")
    assert call.heard[1].startswith("That is not it. Open")
    assert call.heard[-1] == "You are Ada."
    assert [token.startswith("Bearer access-") for token in seen] == [True]
    _, trace = await world.look(call.id)
    kept = json.encode(trace).decode()
    secrets = (caller.code, seen[0].removeprefix("Bearer "), "/s/", SECRET)
    assert [secret for secret in secrets if secret in kept or secret in caplog.text] == []
    assert "enter x x x" in kept
