"""One call: a SIP leg on one side, the platform's session with the bot on the other.

| the bot | the caller gets | | the caller | the bot gets |
| --- | --- | --- | --- | --- |
| answers | 200, and sound from then on | | hangs up, or gives up | `callTerminated` |
| rejects | 603 | | presses and releases a key | a key, when it is released |
| transfers the call | REFER, or 302 before the answer | | was transferred | the other side's answer |
| serves no such flow (404 to the first message) | 404 | | is put on hold | nothing: the call goes on |
| hangs up, or ends the call | BYE after what is still to be heard | | sends nothing for 30 s | `callTerminated` |
| does not answer a message | silence, while it is sent again | | | |
| still does not answer it | an answer if need be, the apology, BYE | | | |

Every wait is bounded: the bot's by `PhoneLimits`, the caller's by the endpoint, those in here by the constants below.
"""

import asyncio
import logging
import re
from collections.abc import Callable
from contextlib import suppress

from msgspec import Struct
from msgspec.structs import replace

from ivr.engine.commands import Transfer
from ivr.engine.line_facts import LineFacts
from ivr.errors import IvrError
from ivr.gateway.metrics import End, Metrics
from ivr.gateway.whispers import with_whisper
from ivr.media.capture import A_LAW, LINEAR, MU_LAW
from ivr.media.microphone import Microphone
from ivr.media.payload_cache import PayloadCache
from ivr.media.sound import FRAME, Sound
from ivr.phone.phone_events import Dialled, Ended, PhoneEvent, PromptAudio, PromptOver, Replied, StateChanged
from ivr.phone.placed_call import Caller
from ivr.phone.platform import Platform
from ivr.phone.session import Session
from ivr.rtp.codecs import remembered
from ivr.rtp.heard import Heard, KeyBegan, KeyEnded, SoundHeard
from ivr.sip.addresses import MalformedAddress
from ivr.sip.media_plan import CodecName, MediaPlan
from ivr.sip.outputs import SipCallEnded
from ivr.useragent.call_leg import CallLeg

log = logging.getLogger(__name__)

NORMAL = 'Q.850;cause=16;text="Normal call clearing"'
FAILURE = 'Q.850;cause=41;text="Temporary failure"'
"Reason headers (RFC 3326) with the causes of ITU-T Q.850."
BAD_ADDRESS = 416
"Unsupported URI Scheme: what a transfer to an address gets that can be written nowhere in SIP (RFC 3261 21.4.14)."
GONE = 481
"The call does not exist: what a transfer of a caller gets who has left (RFC 3261 21.4.19)."
LONGEST_REASON = 256
"Characters of the caller's Reason that are looked at."
TAIL = 2.0
"Seconds for what is queued to be heard before the line is hung up."
_CAUSE = re.compile(r"Q\.850\s*;.*?\bcause\s*=\s*(\d{1,3})\b", re.IGNORECASE)
_CAPTURES = {"PCMA": A_LAW, "PCMU": MU_LAW}


class CallServices(Struct, frozen=True):
    """What all calls of a gateway share."""

    phone: Platform
    sound: Sound
    payloads: PayloadCache[CodecName]
    apology: bytes
    "Samples; empty: there is none."
    metrics: Metrics


class CallPlan(Struct, frozen=True):
    """What was decided of a call before it began."""

    bot: str
    "The address of the bot's calling webhook."
    who: Caller
    "Who calls whom, for the bot."
    facts: LineFacts
    "What is known of the line from the beginning."


class GatewayCall:
    """One call. `run` it once."""

    def __init__(self, leg: CallLeg, plan: CallPlan, services: CallServices, *, over: Callable[[], None]) -> None:
        """`over` is called when the leg has ended; the bot may still have to be told."""
        self._leg = leg
        self._plan = plan
        self._services = services
        self._over = over
        self._microphone = Microphone(A_LAW)
        self._session = Session(services.phone, services.sound, microphone=self._microphone, connect=self._connect)
        self._id = ""
        "The platform's id of the call."
        self._status = 0
        "Of the bot's last reply; 0: there was none."
        self._reached = False
        "The bot has taken a message."
        self._began = asyncio.get_running_loop().time()
        self._answered: float | None = None
        "When the call was answered."
        self._piece_before = b""
        "The end of the last piece of a prompt, for codecs whose payloads depend on it."
        self._sounds = asyncio.Event()
        "It is known how sound goes, or the call is over."
        self._gone = asyncio.Event()
        "The leg has ended."
        self._end: End | None = None
        "How the call is about to end, if not by the caller."
        self._reason = ""
        self._transferring = False
        "The other side was asked to connect the caller with somebody else, and has not said what became of it."
        # At once: a CANCEL may come with the INVITE, before `run` has its turn.
        leg.on_heard, leg.on_media, leg.on_ended = self._on_heard, self._on_media, self._on_ended

    async def run(self) -> None:
        """Hold the call to its end, and until the bot was told of it."""
        leg, session = self._leg, self._session
        if leg.over is not None:
            return
        leg.ring()
        session.dial(self._plan.who, bot=self._plan.bot, line=self._look)
        try:
            async for event in session.events():
                await self._take(event)
            await self._finish(await session.ended())
        finally:
            await session.close()
            self._hang_up("failed", FAILURE, "a fault of ours: see the log")

    def drain(self) -> None:
        """End the call, since the gateway ends."""
        self._session.hang_up()
        self._hang_up("drained", NORMAL, "the gateway ends")

    # --- the bot ----------------------------------------------------------------------------------------------------

    async def _take(self, event: PhoneEvent) -> None:
        match event:
            case Dialled(call=call):
                self._id = call
            case Replied(status=status):
                self._status = status
                self._reached = self._reached or 200 <= status < 300
            case StateChanged(state="established"):
                await self._answer()
            case PromptAudio(samples=samples):
                await self._play(samples)
            case PromptOver(interrupted=True):
                self._leg.flush()

    async def _answer(self) -> None:
        try:
            await self._leg.answer()
        except (IvrError, OSError) as error:  # the caller has got a 503
            self._end, self._reason = "failed", str(error)
            self._session.hang_up()
            return
        if self._leg.over is None:
            self._answered = asyncio.get_running_loop().time()
            self._services.metrics.answered += 1

    async def _play(self, samples: bytes) -> None:
        await self._sounds.wait()  # where our 200 brought the offer, until the ACK brings the answer
        while (codec := self._codec) is not None:
            before = self._piece_before if self._leg.queued else b""  # else it follows silence
            payloads = await self._services.payloads.payloads(codec, samples, before)
            if codec == self._codec:  # else the caller has changed it meanwhile, as trunks do right after the answer
                self._leg.queue(payloads)
                self._piece_before = remembered(codec, samples)
                return

    @property
    def _codec(self) -> CodecName | None:
        """How sound is sent now; None: it is not."""
        plan = self._leg.plan
        return plan.codec if plan is not None and self._leg.over is None else None

    async def _finish(self, ended: Ended) -> None:
        """Let the caller know how the session ended, unless it was the caller who ended it."""
        if self._leg.over is not None:
            return
        end = self._end_of(ended)
        if end == "bot-away":
            await self._apologise(ended.detail)
        elif self._answered is None:
            self._reject(end, ended.detail)
        else:
            await self._heard_out(TAIL)
            self._hang_up(end, NORMAL, ended.detail)

    def _end_of(self, ended: Ended) -> End:
        match ended.by, ended.reason:
            case "bot", "reject":
                return "rejected"
            case "bot", "transfer":
                return "transferred"
            case ("bot", _) | ("platform", "no-links"):
                return "bot"
            case "platform", "workflows" | "length":
                return "limit"
        return "not-found" if self._status == 404 and not self._reached else "bot-away"

    def _reject(self, end: End, reason: str) -> None:
        self._end, self._reason = end, reason
        match end:
            case "rejected":
                self._leg.reject(603, "Decline")
            case "not-found":
                self._leg.reject(404, "Not Found")
            case _:
                self._leg.reject(480, "Temporarily Unavailable")

    async def _apologise(self, reason: str) -> None:
        """Play the apology, and hang up."""
        self._end, self._reason = "bot-away", reason
        apology = self._services.apology
        if self._answered is None and not apology:
            self._leg.reject(503, "Service Unavailable")
            return
        if self._answered is None:
            await self._answer()
        if apology:
            self._leg.flush()
            await self._play(apology)
            await self._heard_out(len(apology) / LINEAR.bytes_a_second + TAIL)
        self._hang_up("bot-away", FAILURE, reason)

    async def _heard_out(self, most: float) -> None:
        """Wait until all that is queued was sent, for so many seconds at most, or until the caller has left."""
        with suppress(TimeoutError):
            async with asyncio.timeout(min(most, (self._leg.queued + 1) * FRAME)):
                await self._gone.wait()

    async def _connect(self, command: Transfer) -> int:
        """Connect the caller with an address that the operator allows, and return the answer as a SIP status.

        An unanswered call is sent there (302), an answered one is transferred (REFER, RFC 5589).
        """
        target = with_whisper(command.target, command.whisper)
        if self._answered is None:
            return self._redirect(target)
        await self._heard_out(TAIL)
        if self._gone.is_set():  # meanwhile, and all of it is told already
            return GONE
        self._transferring = True
        try:
            status = await self._leg.refer(target)
        except MalformedAddress:
            return BAD_ADDRESS
        else:
            if 200 <= status < 300:
                self._end = "transferred"
            return status
        finally:  # cancelled, too: the call may have ended in the same moment
            self._transferring = False
            if self._leg.over is not None:
                self._settle(self._leg.over)

    def _redirect(self, target: str) -> int:
        before, self._end = self._end, "transferred"  # known before the leg ends
        try:
            self._leg.redirect(target)
        except MalformedAddress:
            self._end = before
            return BAD_ADDRESS
        return 200

    def _hang_up(self, end: End, header: str, reason: str) -> None:
        if self._leg.over is None:
            self._end, self._reason = self._end or end, self._reason or reason
            self._leg.hang_up(header)

    # --- the caller -------------------------------------------------------------------------------------------------

    def _on_heard(self, heard: Heard) -> None:
        match heard:
            case SoundHeard(frame=frame):
                self._session.audio(frame)
            case KeyBegan(key=key):
                self._session.key_down(key)
            case KeyEnded():
                self._session.key_up()

    def _on_media(self, plan: MediaPlan) -> None:
        self._microphone.use(_CAPTURES.get(plan.codec, LINEAR))
        self._sounds.set()

    def _on_ended(self, over: SipCallEnded) -> None:
        self._sounds.set()
        self._gone.set()
        if not self._transferring:  # else it is not known yet whether the caller has left, or is where it should be
            self._settle(over)

    def _settle(self, over: SipCallEnded) -> None:
        """Let the bot know that the caller has left, count the call and log it."""
        if self._end != "transferred":
            self._session.hang_up()
        end, reason = self._end or _end_by_line(over, answered=self._answered is not None), self._reason or over.cause
        self._count(end)
        self._log(end, reason, q850(over.reason_header))
        self._over()

    # --- what is told of it -----------------------------------------------------------------------------------------

    def _look(self) -> LineFacts:
        """Return what is known of the line now."""
        plan, statistics, over = self._leg.plan, self._leg.statistics, self._leg.over
        facts = self._plan.facts
        if plan is not None:
            facts = replace(facts, codec=plan.codec, encrypted=plan.srtp is not None)
        if statistics is not None:
            facts = replace(
                facts,
                packets=statistics.received,
                loss=round(100 * statistics.loss, 2),
                jitter=round(1000 * statistics.jitter, 1),
            )
        return replace(facts, ended=over.cause) if over is not None else facts

    def _count(self, end: End) -> None:
        metrics, statistics = self._services.metrics, self._leg.statistics
        metrics.ended[end] += 1
        if self._answered is not None:
            metrics.seconds.add(asyncio.get_running_loop().time() - self._answered)
        if self._leg.plan is not None:
            metrics.codecs[self._leg.plan.codec] += 1
        if statistics is not None:
            metrics.packets += statistics.received
            metrics.lost += statistics.lost
            metrics.jitter.add(statistics.jitter)

    def _log(self, end: End, reason: str, cause: int | None) -> None:
        facts = self._look()
        said = {
            "platform_call": self._id,
            "caller": None if facts.withheld else self._plan.who.caller,
            "called": facts.called,
            "trunk": facts.trunk,
            "transport": facts.transport,
            "codec": facts.codec,
            "loss": facts.loss,
            "cause": cause,
        }
        seconds = round(asyncio.get_running_loop().time() - self._began, 1)
        known = {name: value for name, value in said.items() if value is not None}
        log.info("call ended", extra={"end": end, "reason": reason, "seconds": seconds, **known})


def _end_by_line(over: SipCallEnded, *, answered: bool) -> End:
    match over.by:
        case "local" if over.cause == "transferred":  # later than the bot would wait for it
            return "transferred"
        case "remote":
            return "caller"
        case "timeout" if answered:
            return "silence"
        case "local":
            return "drained"
    return "failed"


def q850(reason: str) -> int | None:
    """Return the cause in a Reason header (RFC 3326, ITU-T Q.850); None: it has none."""
    found = _CAUSE.search(reason[:LONGEST_REASON])
    return int(found[1]) if found else None
