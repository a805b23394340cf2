"""Sign-in without a web server: calls on one side, browsers on the other, the provider over TLS, a clock that waits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest

from ivr.auth.id_tokens import IdTokens
from ivr.auth.keys import KeyRing
from ivr.coordination import Coordination, LocalCoordination
from ivr.news import LocalNews
from ivr.services.sign_in_authority import SignInAuthority
from ivr.sign_in_ports import Begun, DirectoryUser, SignInCaller, SignInOrder
from ivr.sign_in_storage import SignIn, SignInStore
from ivr.signin.attempts import Attempts
from ivr.signin.browser_side import BrowserSignIns, Returned
from ivr.signin.call_side import CallSignIns, Offered
from ivr.signin.device_poller import DevicePoller
from ivr.signin.drawing import Digests, new_secret
from ivr.signin.token_vault import TokenVault
from ivr.store.memory.memory_calls import MemoryStore
from ivr.store.memory.memory_sign_ins import MemorySignIns
from tests.fakes.authority import ADA, CLIENT, SECRET, TENANT, FakeAuthority
from tests.store.store_examples import after, line, record
from tests.waiting import PATIENCE

PUBLIC = "https://ivr.example"
GRAPH = "https://graph.microsoft.com/v1.0/me"
SCOPES = ("https://graph.microsoft.com/Calendars.ReadWrite",)
CALLER = SignInCaller("twilio", "+4315550142")
KEY = bytes(range(32))


class Clock:
    """Time that passes when a test says so; `sleep` waits for it."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        self.sleeps = 0
        "How often somebody has begun to sleep."
        self._sleeping: dict[asyncio.Future[None], float] = {}
        self._slept = asyncio.Event()

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        done = asyncio.get_running_loop().create_future()
        self._sleeping[done] = self.now + seconds
        self.sleeps += 1
        self._slept.set()
        try:
            await done
        finally:
            self._sleeping.pop(done, None)

    async def wake(self) -> float:
        """Let whoever sleeps wake up first, once somebody does; return how long that took."""
        async with asyncio.timeout(PATIENCE):
            while not self._sleeping:
                self._slept.clear()
                await self._slept.wait()
        first = min(self._sleeping, key=lambda one: self._sleeping[one])
        before, self.now = self.now, self._sleeping.pop(first)
        first.set_result(None)
        return self.now - before


class SignInWorld:
    def __init__(self, authority: FakeAuthority, clock: Clock, store: MemoryStore) -> None:
        self.authority, self.clock, self.calls_store = authority, clock, store
        self.store: SignInStore = MemorySignIns(store)
        self.coordination: Coordination = LocalCoordination(clock)
        self.news = LocalNews()
        self.device = True
        self.public = PUBLIC
        self.attempts: Attempts
        self.calls: CallSignIns
        self.browsers: BrowserSignIns
        self.poller: DevicePoller
        self._client: SignInAuthority | None = None
        self._keys: KeyRing | None = None

    async def start(self) -> None:
        """Begin as a process does, with what the last one has left."""
        root = f"{self.authority.login}/{TENANT}"
        self._keys = KeyRing((f"{root}/v2.0/.well-known/openid-configuration",), allow_loopback=True)
        ids = IdTokens(CLIENT, f"{self.authority.login}/{{tenant}}/v2.0", self._keys, tenants=(TENANT,))
        self._client = SignInAuthority(
            self.authority.login,
            TENANT,
            client=CLIENT,
            secret=SECRET,
            redirect=f"{self.public}/signin/callback",
            ids=ids,
            now=self.clock,
        )
        self.attempts = Attempts(self.store, self.coordination, self.news, now=self.clock, sleep=self.clock.sleep)
        digests = Digests(KEY)
        self.poller = DevicePoller(self.attempts, self._client)
        vault = TokenVault(self.attempts, self._client, allows=lambda url: url.startswith("https://graph."))
        offered = Offered(self.public, device=self.device)
        self.calls = CallSignIns(self.attempts, digests, self._client, vault=vault, poller=self.poller, offered=offered)
        self.browsers = BrowserSignIns(self.attempts, digests, self._client)
        for polled in await self.attempts.sweep():
            self.poller.begin(polled.attempt)

    async def kept(self) -> list[SignIn]:
        """Return all sign-ins in the store."""
        return [one for call in self.calls_store.calls for one in await self.store.of_call(call)]

    async def stop(self) -> None:
        """End as a killed process does: nothing more is saved."""
        await self.poller.close()
        assert self._client is not None
        await self._client.close()
        await self._keys.close()

    async def call(self, name: str) -> str:
        """Begin a call, and return our id of it."""
        commit = after(record(name), line())
        await self.calls_store.commit(commit)
        return commit.record.id

    async def begin(self, call: str, by: Any = "code", caller: SignInCaller = CALLER, **more: Any) -> Begun:
        return await self.calls.begin(call, SignInOrder("1.1", more.get("name", "calendar"), by, SCOPES), caller)

    async def sign_in(self, link: str, browser: "Browser") -> str | None:
        """Go the whole way with a browser; return the attempt that it comes back to."""
        address = await self.browsers.confirm(link.rpartition("/")[2], browser.cookie)
        assert address is not None
        return await self.browsers.returned(await browser.goes(address), browser.cookie)

    async def code(self, begun: Begun) -> str:
        """Sign in, and return the code that the page shows."""
        browser = Browser(self.authority)
        await self.sign_in(begun.link, browser)
        seen = await self.browsers.page(begun.attempt, browser.cookie)
        assert seen is not None
        return seen.code


class Browser:
    """Somebody's browser: a cookie, and the way to the provider and back."""

    def __init__(self, authority: FakeAuthority) -> None:
        self.cookie = new_secret()
        self._authority = authority

    async def goes(self, address: str) -> Returned:
        """Go to the provider, and return what it sends back with."""
        connector = aiohttp.TCPConnector(ssl=self._authority.trusted())
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.get(address, allow_redirects=False) as answer,
        ):
            assert answer.status == 302, await answer.text()
            back = dict(parse_qsl(urlsplit(answer.headers["Location"]).query))
        return Returned(back["state"], back.get("code", ""), back.get("error", ""), issuer=back.get("iss"))


@asynccontextmanager
async def sign_in_world(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SignInWorld]:
    clock = Clock()
    authority = FakeAuthority(folder, now=clock)
    async with authority.served():
        monkeypatch.setattr("aiohttp.connector._SSL_CONTEXT_VERIFIED", authority.trusted())
        world = SignInWorld(authority, clock, MemoryStore())
        await world.start()
        yield world
        await world.stop()


def wrong(code: str) -> str:
    """Return another code."""
    return f"{(int(code) + 1) % 10**8:08d}"


ADA_USER = DirectoryUser(TENANT, ADA)
