"""One call: a SIP leg on one side, the platform's session with the bot on the other. What both directions share.

| the bot | who is on the line gets | | who is on the line | the bot gets |
| --- | --- | --- | --- | --- |
| hangs up, or ends the call | BYE after what is still to be heard | | hangs up | `callTerminated` |
| transfers the call | REFER | | was transferred | the other side's answer |
| does not answer a message | silence, while it is sent again | | presses and releases a key | a key, at its release |
| still does not answer it | the apology, BYE | | holds the call | nothing: the call goes on |
| | | | sends nothing for 30 s | `callTerminated` |

What comes before the answer is in `taken_call` for calls that come in, in `ordered_call` for those that we place. Every
wait is bounded: the bot's by `PhoneLimits`, the line's by the endpoint, those in here by the constants below.
"""

import asyncio
import logging
import re
from collections.abc import Callable
from contextlib import suppress
from typing import ClassVar

from msgspec import Struct
from msgspec.structs import replace

from ivr.engine.commands import Transfer
from ivr.engine.line_facts import LineFacts
from ivr.gateway.metrics import CallCounts, End, Metrics
from ivr.gateway.whispers import with_whisper
from ivr.media.capture import A_LAW, LINEAR, MU_LAW
from ivr.media.microphone import Microphone
from ivr.media.payload_cache import PayloadCache
from ivr.media.sound import FRAME, Sound
from ivr.phone.phone_events import Dialled, Ended, PhoneEvent, PromptAudio, PromptOver, Replied, StateChanged
from ivr.phone.placed_call import Caller
from ivr.phone.platform import PlacesCalls, Platform
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


class Apologies(Struct, frozen=True):
    """What is heard when the bot is away: samples; empty: there is none."""

    to_callers: bytes = b""
    to_called: bytes = b""


class CallServices(Struct, frozen=True):
    """What all calls of a gateway share."""

    phone: Platform
    sound: Sound
    payloads: PayloadCache[CodecName]
    apologies: Apologies
    metrics: Metrics


class CallPlan(Struct, frozen=True):
    """What was decided of a call before it began."""

    bot: str
    "The address of the bot's calling webhook."
    who: Caller
    "Who calls whom, for the bot."
    facts: LineFacts
    "What is known of the line from the beginning."
    caller: str | None
    "Whom the log names as the caller; None: nobody."


class GatewayCall:
    """One call, of one direction."""

    left: ClassVar[End]
    "The end of a call whose other side hung up."

    def __init__(
        self,
        leg: CallLeg,
        plan: CallPlan,
        services: CallServices,
        *,
        phone: PlacesCalls,
        counts: CallCounts,
        apology: bytes,
        over: Callable[[], None],
    ) -> None:
        """`phone` holds the bot's side; `over` is called when the leg has ended: the bot may still have to be told."""
        self._leg = leg
        self._plan = plan
        self._services = services
        self._counts = counts
        self._apology = apology
        self._over = over
        self._microphone = Microphone(A_LAW)
        self._session = Session(phone, services.sound, microphone=self._microphone, connect=self._connect)
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
        "How the call is about to end, if not by the other side."
        self._reason = ""
        self._transferring = False
        "The other side was asked to connect itself with somebody else, and has not said what became of it."
        # At once: a CANCEL may come with the INVITE, before anything else has its turn.
        leg.on_heard, leg.on_media, leg.on_ended = self._on_heard, self._on_media, self._on_ended

    async def hold(self) -> None:
        """Hold the call, whose session has begun, to its end, and until the bot was told of it."""
        try:
            async for event in self._session.events():
                await self._take(event)
            ended = await self._session.ended()
            if self._leg.over is None:  # else it was the other side who ended it
                await self._finish(self._end_of(ended), ended.detail)
        finally:
            await self._session.close()
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
                await self._established()
            case PromptAudio(samples=samples):
                await self._play(samples)
            case PromptOver(interrupted=True):
                self._leg.flush()

    async def _established(self) -> None:
        """Do what is to be done once the bot has taken the call."""

    def _note_answer(self) -> None:
        """Take note that the line stands."""
        self._answered = asyncio.get_running_loop().time()
        self._counts.answered += 1

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

    async def _finish(self, end: End, reason: str) -> None:
        """Let the other side of an answered call know how the session ended."""
        if end in ("bot-away", "not-found"):
            await self._apologise(end, reason)
        else:
            await self._heard_out(TAIL)
            self._hang_up(end, NORMAL, reason)

    async def _apologise(self, end: End, reason: str) -> None:
        """Play the apology, and hang up."""
        self._end, self._reason = end, reason
        if self._apology:
            self._leg.flush()
            await self._play(self._apology)
            await self._heard_out(len(self._apology) / LINEAR.bytes_a_second + TAIL)
        self._hang_up(end, FAILURE, reason)

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

    async def _heard_out(self, most: float) -> None:
        """Wait until all that is queued was sent, for so many seconds at most, or until the other side has left."""
        with suppress(TimeoutError):
            async with asyncio.timeout(min(most, (self._leg.queued + 1) * FRAME)):
                await self._gone.wait()

    async def _connect(self, command: Transfer) -> int:
        """Connect the other side with an address that the operator allows, and return the answer as a SIP status.

        It is asked to call there by REFER (RFC 5589).
        """
        await self._heard_out(TAIL)
        if self._gone.is_set():  # meanwhile, and all of it is told already
            return GONE
        self._transferring = True
        try:
            status = await self._leg.refer(with_whisper(command.target, command.whisper))
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

    def _hang_up(self, end: End, header: str, reason: str) -> None:
        if self._leg.over is None:
            self._end, self._reason = self._end or end, self._reason or reason
            self._leg.hang_up(header)

    # --- the line ---------------------------------------------------------------------------------------------------

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
        if not self._transferring:  # else it is not known yet whether it has left, or is where it should be
            self._settle(over)

    def _settle(self, over: SipCallEnded) -> None:
        """Let the bot know that the other side has left, count the call and log it."""
        if self._end != "transferred":
            self._session.hang_up()
        end, reason = self._end or self._end_by_line(over), self._reason or over.cause
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
        self._counts.ended[end] += 1
        if self._answered is not None:
            metrics.seconds.add(asyncio.get_running_loop().time() - self._answered)
        if self._leg.plan is not None:
            metrics.codecs[self._leg.plan.codec] += 1
        if statistics is not None:
            metrics.packets += statistics.received
            metrics.lost += statistics.lost
            metrics.jitter.add(statistics.jitter)

    def _log(self, end: End, reason: str, cause: int | None) -> None:
        seconds = asyncio.get_running_loop().time() - self._began
        log_end(end, reason, seconds, call=self._id, caller=self._plan.caller, facts=self._look(), cause=cause)

    def _end_by_line(self, over: SipCallEnded) -> End:
        match over.by:
            case "local" if over.cause == "transferred":  # later than the bot would wait for it
                return "transferred"
            case "remote":
                return self.left
            case "timeout" if self._answered is not None:
                return "silence"
            case "local":
                return "drained"
        return "failed"


def log_end(
    end: End, reason: str, seconds: float, *, call: str, caller: str | None, facts: LineFacts, cause: int | None = None
) -> None:
    """Log the end of a call, of either direction; `seconds` from its beginning, `cause` of Q.850."""
    said = {
        "platform_call": call,
        "caller": caller,
        "called": facts.called,
        "trunk": facts.trunk,
        "transport": facts.transport,
        "codec": facts.codec,
        "loss": facts.loss,
        "cause": cause,
    }
    known = {name: value for name, value in said.items() if value is not None}
    log.info("call ended", extra={"end": end, "reason": reason, "seconds": round(seconds, 1), **known})


def q850(reason: str) -> int | None:
    """Return the cause in a Reason header (RFC 3326, ITU-T Q.850); None: it has none."""
    found = _CAUSE.search(reason[:LONGEST_REASON])
    return int(found[1]) if found else None
