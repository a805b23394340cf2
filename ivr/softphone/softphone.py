"""The telephone: a user agent that only calls, with a voice for what is typed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.util import find_spec

from ivr.audio.workers import Workers
from ivr.engine.commands import Text
from ivr.errors import IvrError, SynthesisFailed
from ivr.rtp.codecs import payloads
from ivr.sip.media_plan import CodecName
from ivr.sip.message import Request
from ivr.sip.outputs import Link
from ivr.sip.policy import Admission, EndpointConfig, Silence
from ivr.softphone.call_news import CallNews, Dialling, NotReached, Rings
from ivr.softphone.dial_target import DialTarget
from ivr.softphone.softphone_call import SoftphoneCall
from ivr.speech.voices.espeak import installed_voice
from ivr.useragent.call_leg import CallLeg
from ivr.useragent.configuration import ListenAddress, PortRange, TlsFiles, UserAgentConfig
from ivr.useragent.datagrams import local_address
from ivr.useragent.transports import Unreachable
from ivr.useragent.user_agent import UserAgent, user_agent

NO_VOICE = "Words need a voice: pip install 'ivr[phone]'."
LANGUAGE = "en-US"
"Of what is spoken (BCP 47)."
PORTS = PortRange(16_384, 32_767)
"Ports for sound: below those that the system gives to others."


class Softphone:
    """Calls one address, as often as one likes."""

    def __init__(self, target: DialTarget, agent: UserAgent, workers: Workers) -> None:
        self.target = target
        self.agent = agent
        self.workers = workers
        self._voice = installed_voice()

    async def dial(self, tell: Callable[[CallNews], None], *, keep: bool = False) -> SoftphoneCall:
        """Call, and return once it was answered. To give up, cancel. `keep`: keep what is heard.

        Raise NotAnswered, Unreachable, or NoFreePorts or OSError where this machine cannot; the news has it, too.
        """
        target = self.target
        tell(Dialling(target.uri, target.hop.transport))
        try:
            leg = await self.agent.dial(
                target.uri,
                target.hop,
                caller=target.caller,
                credentials=target.credentials,
                on_ringing=lambda status: tell(Rings(status)),
            )
        except (IvrError, OSError) as error:
            tell(NotReached(0, str(error)))
            raise
        call = SoftphoneCall(leg, tell, self.agent.now, keep=keep)
        await call.answered()
        return call

    async def words(self, words: str, codec: CodecName, language: str = LANGUAGE) -> tuple[bytes, ...]:
        """Return words as payloads; raise SynthesisFailed."""
        if self._voice is None:
            raise SynthesisFailed(NO_VOICE)
        text = Text(words, voice="male", language=language)
        return await self.encoded(b"".join([samples async for samples in self._voice.speak(text)]), codec)

    @staticmethod
    async def encoded(samples: bytes, codec: CodecName) -> tuple[bytes, ...]:
        """Return samples (16 kHz, 16 bit) as payloads."""
        return await asyncio.to_thread(payloads, codec, samples)


class _OnlyCalls:
    """The policy of a telephone that nobody calls: whoever tries gets no answer."""

    realm, secret = "", b""
    draining = full = False

    def admit(self, request: Request, link: Link, now: float) -> Admission:
        return Silence()

    def serves(self, request: Request) -> bool:
        return False

    def password_of(self, user: str) -> str | None:
        return None


def can_speak() -> bool:
    """Return whether words that are typed can be spoken."""
    return installed_voice() is not None


def has_srtp() -> bool:
    """Return whether sound can be encrypted."""
    return find_spec("pylibsrtp") is not None


@asynccontextmanager
async def softphone(target: DialTarget, *, most_calls: int = 1) -> AsyncIterator[Softphone]:
    """Make a telephone that lasts as long as the context; raise Unreachable, OSError."""
    host = await _own_address(target)
    config = UserAgentConfig(
        listen=(ListenAddress("udp", host, 0),),
        rtp=PORTS,
        endpoint=EndpointConfig(srtp=has_srtp(), name="ivr-phone", most_calls=most_calls),
        tls=TlsFiles(authorities=target.authorities),
    )
    workers = Workers()
    try:
        async with user_agent(config, _OnlyCalls(), _refuse) as agent:
            yield Softphone(target, agent, workers)
    finally:
        await workers.close()


async def _own_address(target: DialTarget) -> str:
    """Return the address of this machine that leads to the other; only there anything is listened to."""
    hop = target.hop
    try:
        found = await asyncio.get_running_loop().getaddrinfo(hop.host, hop.port)
        remote = found[0][4]
        return local_address((str(remote[0]), int(remote[1])))
    except OSError as error:
        raise Unreachable(f"{hop.host} cannot be reached: {error.strerror or error}") from error


def _refuse(leg: CallLeg) -> None:
    leg.reject(603, "Decline")
