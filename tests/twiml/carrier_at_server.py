"""A whole server on a line of TwiML, and a carrier that calls it over HTTP: signed, with an API, in simulated time."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from ivr.call_record import CallRecord, Stepped
from ivr.carriers.api_server import api_served
from ivr.carriers.bot import BotReply, BotRequest
from ivr.carriers.misbehaviour import Misbehaviour, Misdeed
from ivr.carriers.twiml.call_plan import Callee, TwimlCallPlan
from ivr.carriers.twiml.carrier_account import CarrierAccount
from ivr.carriers.twiml.ordered_calls import OrderedCalls
from ivr.carriers.twiml.plivo_signing import PlivoSigner
from ivr.carriers.twiml.signing import Ed25519Signer, Signer, TokenSigner
from ivr.carriers.twiml.twiml_carrier import TwimlCallResult, TwimlCarrier
from ivr.carriers.twiml.twiml_document import Target
from ivr.carriers.twiml.twiml_profile import PROFILES
from ivr.media.recorder import Recorder
from ivr.media.sound import SilentRenderer, Sound
from ivr.phone.callers.turn_based import Person, TurnBased
from ivr.server.assembly import running
from ivr.settings import Settings
from ivr.store.data_folder import DataFolder
from ivr.store.sqlite.sqlite_archive import SqliteArchive

PUBLIC = "https://ivr.example"
ACCOUNT = "AC" + "0" * 32
SECRET = "a-secret-of-tests"


def signer(name: str) -> tuple[Signer, str]:
    """Return what signs as a carrier does, and what the server is told of it."""
    match name:
        case "telnyx":
            keyed = Ed25519Signer()
            return keyed, keyed.public
        case "plivo":
            return PlivoSigner(SECRET), SECRET
        case "signalwire":
            return TokenSigner(SECRET, "X-SignalWire-Signature"), SECRET
    return TokenSigner(SECRET), SECRET


def settings_for(name: str, secret: str, api: str) -> Mapping[str, Any]:
    """Return the settings of a line; each carrier has its own words."""
    return {
        "twilio": {"twilio_auth_token": secret, "twilio_account_sid": ACCOUNT, "twilio_api_url": api},
        "telnyx": {
            "telnyx_public_key": secret, "telnyx_account_sid": ACCOUNT, "telnyx_api_key": SECRET, "telnyx_api_url": api,
        },
        "signalwire": {
            "signalwire_signing_key": secret, "signalwire_project": ACCOUNT, "signalwire_api_token": SECRET,
            "signalwire_api_url": api,
        },
        "plivo": {"plivo_auth_token": secret, "plivo_auth_id": ACCOUNT, "plivo_api_url": api},
    }[name]  # fmt: skip


class AtServer:
    """The way to the server: what is signed for its public address is sent to where it listens."""

    def __init__(self, client: aiohttp.ClientSession, port: int) -> None:
        self._client, self._port = client, port
        self.sent: list[tuple[BotRequest, BotReply]] = []

    async def send(self, request: BotRequest, *, within: float) -> BotReply:
        url = request.url.replace(PUBLIC, f"http://127.0.0.1:{self._port}", 1)
        async with self._client.request(
            request.method, url, data=request.body, headers=dict(request.headers)
        ) as answer:
            kind = answer.headers.get("Content-Type", "").partition(";")[0].lower()
            reply = BotReply(answer.status, kind, await answer.read())
        self.sent.append((request, reply))
        return reply


class WatchedAccount(CarrierAccount):
    """An account of which it can be awaited that a recording is deleted."""

    def delete(self, sid: str) -> bool:
        known = super().delete(sid)
        self.deletion.set()
        return known

    deletion: asyncio.Event


class CarrierWorld:
    """A data folder and flows, between servers, and the carrier of all their calls."""

    def __init__(self, name: str, folder: Path, flows: Sequence[Path]) -> None:
        self.name, self.folder, self.flows = name, folder, flows
        signs, self.secret = signer(name)
        self.account = WatchedAccount(PROFILES[name], sid=ACCOUNT, token=SECRET, signer=signs)
        self.account.deletion = asyncio.Event()
        self.bot: AtServer

    @asynccontextmanager
    async def server(self, *misdeeds: Misdeed, **changed: Any) -> AsyncIterator[TwimlCarrier]:
        async with aiohttp.ClientSession() as client:
            self.bot = AtServer(client, 0)
            carrier = TwimlCarrier(self.bot, self.account, misbehaviour=Misbehaviour(frozenset(misdeeds)))
            ordered = OrderedCalls(carrier, answer=lambda _: (Callee(), None))
            async with api_served(ordered.api.handle) as base:
                self.account.api = base
                chosen = {
                    "public_url": PUBLIC, "port": 0, "data": self.folder / "data",
                    **settings_for(self.name, self.secret, base), **changed,
                }  # fmt: skip
                async with running(Settings(**chosen), self.flows, dev=False) as server:
                    self.bot._port = int(server.url.rpartition(":")[2])
                    try:
                        yield carrier
                    finally:
                        await ordered.close()

    async def call(self, carrier: TwimlCarrier, person: Person, flow: str) -> TwimlCallResult:
        """Have a person call, in simulated time."""
        sound = Sound(SilentRenderer(), Recorder(encodes=False))
        plan = TwimlCallPlan(
            Target(f"{PUBLIC}/{self.name}/call/{flow}"), status=Target(f"{PUBLIC}/{self.name}/status"),
            fallback=Target(f"{PUBLIC}/{self.name}/fallback"),
        )  # fmt: skip
        return await carrier.place(TurnBased(person, sound), plan)

    async def calls(self) -> list[tuple[CallRecord, Sequence[Stepped]]]:
        """Return all calls with their traces; a server may run."""
        archive = SqliteArchive(DataFolder(self.folder / "data"))
        try:
            records = [one.record async for portion in archive.stored() for one in portion if one.record is not None]
            return [(record, list(await archive.trace(record.id))) for record in records]
        finally:
            await archive.close()
