"""A telephone: a caller by SIP in the test's own process, with sound in real time, that waits for what it hears."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from ivr.media.capture import A_LAW, LINEAR, MU_LAW
from ivr.rtp.codecs import payloads
from ivr.rtp.heard import Heard, SoundHeard
from ivr.sip.media_plan import CodecName, Direction, MediaPlan
from ivr.sip.message import Request
from ivr.sip.outputs import Hop, Link, SipCallEnded
from ivr.sip.policy import Admission, EndpointConfig, Silence
from ivr.sip.sip_call import Credentials
from ivr.useragent.call_leg import CallLeg
from ivr.useragent.configuration import ListenAddress, PortRange, TlsFiles, UserAgentConfig
from ivr.useragent.user_agent import UserAgent, user_agent
from tests.waiting import PATIENCE

PORTS = PortRange(40000, 49999)
MOST = 0.7
"Of a prompt's frames."
CAPTURES = {"PCMA": A_LAW, "PCMU": MU_LAW, "G722": LINEAR, "opus": LINEAR}
"How the sound of each codec is heard."


class Nobody:
    """The policy of a telephone that nobody calls."""

    realm = "telephone"
    secret = b"none"
    draining = False
    full = False

    def admit(self, request: Request, link: Link, now: float) -> Admission:
        return Silence()

    def serves(self, request: Request) -> bool:
        return False

    def password_of(self, user: str) -> str | None:
        return None


class Caller:
    """One call that is placed."""

    def __init__(self, leg: CallLeg) -> None:
        self.leg = leg
        self.heard = bytearray()
        "What came, as payloads of the codec."
        self.frames: list[bytes] = []
        "The same in frames, since something was waited for."
        self.rang: list[int] = []
        self._changed = asyncio.Event()
        leg.on_heard = self._on_heard
        leg.on_media = self._on_media
        leg.on_ringing = self._on_ringing
        leg.on_ended = self._on_ended

    @property
    def codec(self) -> CodecName:
        assert self.leg.plan
        return self.leg.plan.codec

    async def answered(self) -> None:
        async with asyncio.timeout(PATIENCE):
            await self.leg.answered()

    async def ended(self) -> SipCallEnded:
        """Wait until the call is over."""
        async with asyncio.timeout(PATIENCE):
            return await self.leg.ended()

    async def until(self, holds: Callable[[], bool], what: str) -> None:
        """Wait until something holds that depends on what is heard."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not holds():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"never: {what}; heard {len(self.heard)} bytes") from None

    async def hears_exactly(self, samples: bytes) -> None:
        """Wait until these samples were heard, byte by byte in their codec."""
        expected = b"".join(payloads(self.codec, samples))
        await self.until(lambda: expected in self.heard, "the prompt was heard")

    async def hears(self, samples: bytes) -> None:
        """Wait until these samples were heard, and forget what came until then."""
        await self.hears_payloads(payloads(self.codec, samples))

    async def hears_payloads(self, parts: Sequence[bytes]) -> None:
        """Wait until most of this was heard: where the machine stands still for a while, silence takes its place."""
        expected = Counter(parts)
        wanted = MOST * len(parts)
        await self.until(lambda: (expected & Counter(self.frames)).total() >= wanted, "the prompt was heard")
        self.frames.clear()

    async def hears_sound(self) -> None:
        """Wait until a sound is heard, whatever it is."""
        size = CAPTURES[self.codec].frame_bytes
        await self.until(lambda: self._loud(bytes(self.heard[-size:])), "a sound was heard")

    async def hears_silence(self, seconds: float) -> None:
        """Wait until so many seconds have come in which nothing was heard."""
        size = round(seconds * CAPTURES[self.codec].bytes_a_second)
        self.heard.clear()
        await self.until(
            lambda: len(self.heard) >= size and not self._loud(bytes(self.heard[-size:])), "silence was heard"
        )

    async def until_media(self, direction: Direction) -> None:
        """Wait until sound goes so."""
        await self.until(lambda: self.leg.plan is not None and self.leg.plan.direction == direction, direction)

    def press(self, keys: str) -> None:
        for key in keys:
            self.leg.press(key, 0.06)

    def speak(self, samples: bytes) -> None:
        self.leg.queue(payloads(self.codec, samples))

    def _loud(self, sound: bytes) -> bool:
        return bool(sound) and CAPTURES[self.codec].level(sound) > 300

    def _on_heard(self, heard: Heard) -> None:
        if isinstance(heard, SoundHeard):
            self.heard += heard.frame
            self.frames.append(heard.frame)
            self._changed.set()

    def _on_media(self, _: MediaPlan) -> None:
        self._changed.set()

    def _on_ringing(self, status: int) -> None:
        self.rang.append(status)
        self._changed.set()

    def _on_ended(self, _: SipCallEnded) -> None:
        self._changed.set()


class Telephone:
    """Places calls."""

    def __init__(self, agent: UserAgent) -> None:
        self.agent = agent

    async def dial(
        self,
        address: str,
        number: str = "support",
        *,
        caller: str = "<sip:anna@127.0.0.1>",
        credentials: Credentials | None = None,
        **headers: str,
    ) -> Caller:
        """Call a number at an address such as `udp://127.0.0.1:5070`."""
        transport, _, place = address.partition("://")
        host, _, port = place.rpartition(":")
        assert transport in ("udp", "tcp", "tls")
        leg = await self.agent.dial(
            f"sip:{number}@{place}" if number else f"sip:{place}",
            Hop(transport, host, int(port)),  # type: ignore[arg-type]  # narrowed by the assertion
            caller=caller,
            credentials=credentials,
            headers=tuple((name.replace("_", "-"), value) for name, value in headers.items()),
        )
        return Caller(leg)


@asynccontextmanager
async def telephone(*codecs: CodecName, tls: TlsFiles | None = None) -> AsyncIterator[Telephone]:
    """Make a telephone that offers these codecs, and encrypts where it can if it has the files for it."""
    config = UserAgentConfig(
        listen=(ListenAddress("udp", "127.0.0.1", 0),),
        rtp=PORTS,
        endpoint=EndpointConfig(codecs=codecs or ("PCMA",), srtp=tls is not None),
        tls=tls or TlsFiles(),
    )
    async with user_agent(config, Nobody(), lambda leg: leg.reject(480, "Temporarily Unavailable")) as agent:
        yield Telephone(agent)
