"""While the database is away, every route that needs it says 503 and when to come again, and then goes on."""

import json
import signal
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
from yarl import URL

from ivr.carriers.twiml.signing import TokenSigner
from ivr.server.assembly import running
from ivr.server.recording_links import RecordingLinks
from ivr.settings import Settings
from ivr.store.sealing import Sealer
from tests.chat_page.visitor import SECRET as SITES_SECRET
from tests.chat_page.visitor import SITE, Visitor
from tests.fakes.authority import CLIENT, TENANT, FakeAuthority
from tests.fakes.authority import SECRET as SIGN_IN_SECRET
from tests.fakes.bot_login import BotLogin
from tests.jambonz.jambonz_line import BASE
from tests.jambonz.jambonz_world import SECRET as JAMBONZ_SECRET
from tests.jambonz.jambonz_world import signature
from tests.phone.calling import PUBLIC, Signer
from tests.postgres.cluster import Cluster
from tests.postgres.serving import SEAL_KEY
from tests.server.harness import JSON
from tests.server.test_attacks_on_the_routes import conversation

TOKEN, CARRIER_SECRET, BOT = "a-token-for-tests-0123", "a-secret-of-tests", "a-bot"
ACCOUNT = "AC" + "0" * 32
FLOW = "flow: desk\ninitial: ask\non: {exhausted: bye, error: bye}\nstates:\n"
FLOW += "  ask: {menu: {prompt: Yes?, choices: {yes: {dtmf: '1'}}}, next: bye}\n  bye: {say: Bye., final: true}\n"
RECORDING = f"{'0' * 32}.wav"
Answer = tuple[int, Mapping[str, str]]


class Doors:
    """Whoever asks a server for anything that needs its store; each time for something new."""

    def __init__(self, url: str, session: aiohttp.ClientSession, signer: Signer, login: BotLogin) -> None:
        self._url, self._session, self._signer, self._login = url, session, signer, login
        self._numbers = count(1)
        self._visitor = Visitor(session, url)
        self._links = RecordingLinks("", Sealer(bytes.fromhex(SEAL_KEY), source="").derived("recording links"))
        self._browser: dict[str, str] = {}

    async def begin(self) -> None:
        """Log in at the console, and begin a chat and a call, as long as all is well."""
        form = {"token": TOKEN}
        async with self._session.post(f"{self._url}/console/login", data=form, allow_redirects=False) as answer:
            assert answer.status == 303
            self._browser = {"Cookie": answer.headers["Set-Cookie"].partition(";")[0]}
        assert await self._visitor.begin(await self._visitor.token()) == 201
        await self._visitor.join()
        await self._visitor.read(1)
        assert (await self.call("call-1"))[0] == 200

    async def call(self, name: str = "") -> Answer:
        number = next(self._numbers)
        return await self._native("/call", conversation(name or f"call-{number}"), number)

    async def callback(self) -> Answer:
        outcome = {"type": "playPromptOutcome", "id": "0", "outcome": "success"}
        told = {"id": "call-1", "operationOutcome": outcome, "callState": "established"}
        return await self._native("/callback", told, next(self._numbers))

    async def twilio(self) -> Answer:
        fields = {"CallSid": f"CA{next(self._numbers):032}", "AccountSid": ACCOUNT, "From": "+43660111",
                  "To": "+4319999", "CallStatus": "ringing", "Direction": "inbound"}  # fmt: skip
        body = urlencode(fields).encode()
        signed = TokenSigner(CARRIER_SECRET).headers(f"{PUBLIC}/twilio/call", list(fields.items()), body)
        head = {"Content-Type": "application/x-www-form-urlencoded", **dict(signed)}
        return await self._asked("POST", "/twilio/call", head, body)

    async def jambonz(self) -> Answer:
        body = json.dumps({**BASE, "call_sid": f"call-{next(self._numbers)}", "call_status": "trying"}).encode()
        return await self._asked("POST", "/jambonz/call", {**JSON, "Jambonz-Signature": signature(body)}, body)

    async def placed_call(self) -> Answer:
        order = {"to": "+436601234567", "flow": "desk", "channel": "jambonz"}
        head = {**JSON, "Authorization": f"Bearer {TOKEN}", "Idempotency-Key": f"order-{next(self._numbers):04}"}
        return await self._asked("POST", "/calls", head, json.dumps(order).encode())

    async def look_at_a_placed_call(self) -> Answer:
        return await self._asked("GET", f"/calls/{'0' * 32}", {"Authorization": f"Bearer {TOKEN}"})

    async def bot_state(self) -> Answer:
        head = {"Authorization": f"Bearer {self._login.bot_token(BOT)}"}
        return await self._asked("GET", "/v3/botstate/skype/users/anna", head)

    async def keep_bot_state(self) -> Answer:
        head = {"Authorization": f"Bearer {self._login.bot_token(BOT)}", **JSON}
        body = json.dumps({"eTag": "*", "data": next(self._numbers)}).encode()
        return await self._asked("POST", "/v3/botstate/skype/users/anna", head, body)

    async def chat(self) -> Answer:
        head = {**JSON, "Authorization": f"Bearer {self._visitor.begun['token']}"}
        body = json.dumps(self._visitor.activity(text="hello")).encode()
        return await self._asked("POST", f"/chat/messages/{self._visitor.begun['flow']}", head, body)

    async def chat_page(self) -> Answer:
        head = {"Authorization": f"Bearer {self._visitor.begun['token']}"}
        return await self._asked("GET", "/chat/activities?after=", head)

    async def console(self) -> Answer:
        return await self._asked("GET", "/console", self._browser)

    async def console_login(self) -> Answer:
        head = {"Content-Type": "application/x-www-form-urlencoded"}
        return await self._asked("POST", "/console/login", head, urlencode({"token": TOKEN}).encode())

    async def recording(self) -> Answer:
        address = self._links.address(RECORDING, "listen", now=time.time())
        return await self._asked("GET", address, {})

    async def prompt_file(self) -> Answer:
        return await self._asked("GET", f"/media/{next(self._numbers):064x}", {})

    async def prompt_file_as_wav(self) -> Answer:
        return await self._asked("GET", f"/media/{next(self._numbers):064x}.wav", {})

    async def sign_in_link(self) -> Answer:
        return await self._asked("GET", f"/s/{'a' * 43}", {})

    async def readiness(self) -> Answer:
        return await self._asked("GET", "/readyz", {})

    async def _native(self, path: str, message: Mapping[str, Any], number: int) -> Answer:
        head = {**JSON, "Authorization": f"Bearer {self._signer.token()}", "X-Microsoft-Skype-Message-ID": f"m{number}"}
        return await self._asked("POST", path, head, json.dumps(message).encode())

    async def _asked(self, method: str, path: str, head: Mapping[str, str], body: bytes | None = None) -> Answer:
        url = URL(self._url + path, encoded=True)
        async with self._session.request(method, url, data=body, headers=head, allow_redirects=False) as answer:
            await answer.read()
            return answer.status, answer.headers


DOORS = (
    Doors.call, Doors.callback, Doors.twilio, Doors.jambonz, Doors.placed_call, Doors.look_at_a_placed_call,
    Doors.bot_state, Doors.keep_bot_state, Doors.chat, Doors.chat_page, Doors.console, Doors.console_login,
    Doors.recording, Doors.prompt_file, Doors.prompt_file_as_wav, Doors.sign_in_link,
)  # fmt: skip


@pytest.fixture
async def doors(own: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Doors]:
    """A server with every line and page that there is, and whoever knocks at it."""
    (tmp_path / "desk.yaml").write_text(FLOW)
    (tmp_path / "data").mkdir()
    signer, login, authority = Signer(), BotLogin({BOT: "its secret"}), FakeAuthority(tmp_path)
    async with AsyncExitStack() as stack:
        for one in (signer, login):
            await one.start()
            stack.push_async_callback(one.stop)
        await stack.enter_async_context(authority.served())
        monkeypatch.setattr("aiohttp.connector._SSL_CONTEXT_VERIFIED", authority.trusted())
        chosen: dict[str, Any] = {
            **signer.settings, "port": 0, "data": tmp_path / "data", "store": own.url(), "seal_key": SEAL_KEY,
            "stt": "none", "console_token": TOKEN, "calls_token": TOKEN, "call_targets": "+43*",
            "call_callers": "+4315550100", "jambonz_webhook_secret": JAMBONZ_SECRET, "jambonz_account_sid": "acc-1",
            "jambonz_api_url": "http://127.0.0.1:9", "jambonz_api_key": "api-key-of-tests",
            "twilio_auth_token": CARRIER_SECRET, "twilio_account_sid": ACCOUNT, "bot_state_apps": (BOT,),
            "bot_state_openid_metadata": (login.metadata_url,), "chat_page_secret": SITES_SECRET,
            "chat_page_sites": (SITE,), "sign_in_client_id": CLIENT, "sign_in_secret": SIGN_IN_SECRET,
            "sign_in_tenant": TENANT, "sign_in_name": "Example Clinic", "sign_in_login_url": authority.login,
        }  # fmt: skip
        server = await stack.enter_async_context(running(Settings(**chosen), [tmp_path / "desk.yaml"], dev=False))
        session = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()))
        knocking = Doors(server.url, session, signer, login)
        await knocking.begin()
        yield knocking


async def test_each_door_asks_to_come_again_while_the_database_is_away_and_then_goes_on(
    doors: Doors, own: Cluster
) -> None:
    there = {door.__name__: (await door(doors))[0] for door in DOORS}
    assert 503 not in there.values(), there
    own.stop(signal.SIGQUIT)
    away = {door.__name__: await door(doors) for door in DOORS}
    assert {name: status for name, (status, _) in away.items() if status != 503} == {}
    assert [name for name, (_, fields) in away.items() if not int(fields.get("Retry-After", "0"))] == []
    assert (await doors.readiness())[0] == 503
    own.start()
    assert {door.__name__: (await door(doors))[0] for door in DOORS} == there
