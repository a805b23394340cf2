"""Two ends of a call: user agents on this machine, and what happens to their calls."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from ivr.rtp.heard import Heard, KeyBegan, KeyEnded, SoundHeard
from ivr.sip.message import Request
from ivr.sip.outputs import Hop, Link, SipCallEnded, Transport
from ivr.sip.policy import Admission, Allowed, EndpointConfig
from ivr.useragent.call_leg import CallLeg
from ivr.useragent.configuration import ListenAddress, PortRange, StreamLimits, TlsFiles, UserAgentConfig
from ivr.useragent.user_agent import UserAgent, user_agent
from tests.waiting import PATIENCE

PORTS = PortRange(20_000, 31_999)
NO_FILES = TlsFiles()
LIMITS = StreamLimits()
ENDPOINT = EndpointConfig(srtp=True)


class Open:
    """A policy that lets everybody in."""

    realm, secret = "test", b"secret"
    draining = full = False

    def admit(self, request: Request, link: Link, now: float) -> Admission:
        return Allowed()

    def serves(self, request: Request) -> bool:
        return True

    def password_of(self, user: str) -> str | None:
        return None


class Ear:
    """What one end of a call hears."""

    def __init__(self, leg: CallLeg) -> None:
        self.leg = leg
        self.frames: list[bytes] = []
        self.keys: list[str] = []
        "A key goes down as itself, and up as `^`."
        self.directions: list[str] = []
        self.ended: list[SipCallEnded] = []
        self._changed = asyncio.Event()
        leg.on_heard = self._heard
        leg.on_media = lambda plan: self._note(self.directions, plan.direction)
        leg.on_ended = lambda ended: self._note(self.ended, ended)

    async def until(self, holds: Callable[["Ear"], object]) -> None:
        """Wait until something is true of it, which is asked after each thing that happens."""
        async with asyncio.timeout(PATIENCE):
            while not holds(self):
                self._changed.clear()
                await self._changed.wait()

    def _heard(self, heard: Heard) -> None:
        match heard:
            case SoundHeard(frame=frame):
                self._note(self.frames, frame)
            case KeyBegan(key=key):
                self._note(self.keys, key)
            case KeyEnded():
                self._note(self.keys, "^")

    def _note(self, notes: list, what: object) -> None:
        notes.append(what)
        self._changed.set()


class Party:
    """A user agent; `calls` has those that came in."""

    def __init__(self) -> None:
        self.agent: UserAgent
        self.calls: asyncio.Queue[CallLeg] = asyncio.Queue()

    def hop(self, transport: Transport = "udp") -> Hop:
        """Return where it listens."""
        found = next(each for each in self.agent.addresses if each.transport == transport)
        return Hop(transport, found.host, found.port)

    async def takes(self) -> CallLeg:
        async with asyncio.timeout(PATIENCE):
            return await self.calls.get()

    async def calls_up(self, other: "Party", transport: Transport = "udp") -> CallLeg:
        return await self.agent.dial("sip:support@example.com", other.hop(transport), caller="<sip:anna@example.com>")


@asynccontextmanager
async def party(
    *transports: Transport,
    host: str = "127.0.0.1",
    policy: Open | None = None,
    tls: TlsFiles = NO_FILES,
    limits: StreamLimits = LIMITS,
    endpoint: EndpointConfig = ENDPOINT,
    ports: PortRange = PORTS,
    port: int = 0,
    on_call: Callable[[CallLeg], None] | None = None,
) -> AsyncIterator[Party]:
    """Run a user agent that listens by these transports, UDP if none is named; at any free port, if none is."""
    made = Party()
    listen = tuple(ListenAddress(transport, host, port) for transport in transports or ("udp",))
    config = UserAgentConfig(listen, ports, endpoint=endpoint, tls=tls, limits=limits)
    async with user_agent(config, policy or Open(), on_call or made.calls.put_nowait) as made.agent:
        yield made


async def connected(caller: Party, callee: Party, transport: Transport = "udp") -> tuple[Ear, Ear]:
    """Make a call and answer it; return what both hear."""
    ours = Ear(await caller.calls_up(callee, transport))
    theirs = Ear(await callee.takes())
    await theirs.leg.answer()
    await answered(ours.leg)
    await established(theirs)
    return ours, theirs


async def answered(leg: CallLeg) -> None:
    async with asyncio.timeout(PATIENCE):
        await leg.answered()


async def established(ear: Ear) -> None:
    """Wait for the ACK."""
    await ear.until(lambda each: each.leg.established)
