"""One call, from the carrier's side: ask for a document, carry it out, post what came of it, and again.

This module decides when a call ends and who ended it. What a document may be is in `document_reading`, how it is
carried out in `interpreter`, how requests are sent in `delivery`; the handset is who is on the phone.
"""

import asyncio
import math
from collections.abc import Mapping
from contextlib import suppress
from typing import Literal

from ivr.carriers.bot import BotFailed, BotReply
from ivr.carriers.misbehaviour import Misbehaviour
from ivr.carriers.twiml.call_plan import CallNumbers, CallStatus, TwimlCallPlan, call_form
from ivr.carriers.twiml.call_progress import EVENTS, CallProgress
from ivr.carriers.twiml.carrier_account import CarrierAccount, KeptRecording
from ivr.carriers.twiml.delivery import Delivery
from ivr.carriers.twiml.dialects import reading_of
from ivr.carriers.twiml.interpreter import apply, begin
from ivr.carriers.twiml.recording import recorded_by
from ivr.carriers.twiml.run_state import Ask, CallOver, DialNews, RecordingMade, RecordingNews, RunStep
from ivr.carriers.twiml.twiml_document import Document, Record, Refused, Target
from ivr.line import Connected, PromptEnded, PromptFailed, Signal
from ivr.media.recorder import wav
from ivr.media.sound import silence
from ivr.phone.handset import Handset
from ivr.phone.net.exchange import reason_of
from ivr.phone.net.limits import PhoneLimits
from ivr.phone.phone_events import Dialled, Ended, PromptOver, StateChanged, WorkflowRefused, events_of_effect

SILENT_FILE = 60.0
"Seconds of silence, at most, in the file of a recording of which there is no sound."
NOT_FETCHED, NOT_REACHED = 11200, 11205
"The carrier's codes for a document that cannot be had."


class _Over(Exception):
    """The call is over."""

    def __init__(self, ended: Ended, status: CallStatus, sip: str = "200") -> None:
        super().__init__(ended.reason)
        self.ended = ended
        self.status = status
        "The carrier's word for it."
        self.sip = sip


class CarriedCall:
    """One call. `run` it once."""

    def __init__(
        self,
        sid: str,
        plan: TwimlCallPlan,
        *,
        handset: Handset,
        delivery: Delivery,
        account: CarrierAccount,
        misbehaviour: Misbehaviour,
        limits: PhoneLimits,
    ) -> None:
        self._numbers = CallNumbers(sid, account.sid, plan)
        self._plan = plan
        self._handset = handset
        self._delivery = delivery
        self._account = account
        self._misbehaviour = misbehaviour
        self._limits = limits
        self._read = reading_of(account.profile)
        self._began = handset.now()
        self._progress = CallProgress(self._numbers, delivery=delivery, handset=handset, account=account)
        self._documents = 0
        self._recording = ""
        "The id of the recording that is made, or was made last."
        self._dialled = ""
        "The id of the call to somebody else."
        self._untold: tuple[Record, KeptRecording] | None = None

    async def run(self) -> Ended:
        """Hold the call to its end. Never raises for anything that the bot does."""
        self._handset.tell(Dialled(self._numbers.sid, self._plan.voice.url))
        self._handset.tell(StateChanged("incoming"))
        try:
            target, fields = self._plan.voice, await self._connected()
            while True:
                document = await self._document(target, fields)
                following = await self._carry_out(document)
                if isinstance(following, CallOver):
                    raise self._ended(following)
                target, fields = await self._following(following)
        except _Over as over:
            await self._progress.tell_end(over.status, over.sip)
            self._handset.tell(StateChanged("terminated"))
            self._handset.tell(over.ended)
            return over.ended

    async def _connected(self) -> Mapping[str, str]:
        """Ring where somebody is called, and return what the first document is asked with; raise _Over."""
        callee = self._plan.callee
        if callee is None:
            return {}
        if unanswered := await self._progress.ring(callee):
            status, sip = unanswered
            raise _Over(Ended("caller", "unanswered", status), status, sip)
        self._handset.tell(StateChanged("established"))
        return await self._progress.detect(callee)

    # --- documents --------------------------------------------------------------------------------------------------

    async def _document(self, target: Target, fields: Mapping[str, str]) -> Document:
        """Ask for a document and read it; where that fails, ask the fallback. Raise _Over."""
        self._documents += 1
        if self._documents > self._limits.workflows:
            raise self._cut_off("workflows", f"More than {self._limits.workflows} documents in one call.")
        found = await self._asked(target, fields)
        await self._tell_recorded()
        if isinstance(found, Refused) and self._plan.fallback is not None:
            error = {"ErrorCode": str(found.code), "ErrorUrl": target.url}
            target = self._plan.fallback
            found = await self._asked(target, error)
        if isinstance(found, Refused):
            reason = "unreachable" if found.code == NOT_REACHED else "refused"
            detail = f"{'; '.join(found.problems)} (error {found.code})"
            raise _Over(Ended("platform", reason, detail), self._or_completed("failed"))
        return found

    async def _asked(self, target: Target, fields: Mapping[str, str]) -> Document | Refused:
        try:
            reply = await self._sent(target, fields)
        except BotFailed as error:
            return Refused(NOT_REACHED, (str(error) if target.url in str(error) else f"{target.url}: {error}",))
        found: Document | Refused
        if 200 <= reply.status < 300:
            found = self._read(reply, target.url)
        else:
            found = Refused(NOT_FETCHED, (f"{target.url} answered {reply.status}{reason_of(reply.body)}",))
        if isinstance(found, Refused):
            self._handset.tell(WorkflowRefused(tuple(f"{found.code} {one}" for one in found.problems)))
        return found

    async def _sent(self, target: Target, fields: Mapping[str, str]) -> BotReply:
        form = {**call_form(self._numbers, self._progress.status), **fields}
        if not self._misbehaviour.does("hangup-open") or self._documents != self._misbehaviour.hangs_up_at:
            return await self._delivery.ask(target, form)
        asking = asyncio.create_task(self._delivery.ask(target, form))
        await self._progress.tell_end("completed")
        with suppress(BotFailed):
            await asking
        raise _Over(Ended("caller", "left"), "completed")

    async def _following(self, asked: Ask) -> tuple[Target, Mapping[str, str]]:
        """Return what is asked for next; of a call that is over, tell what there is to tell. Raise _Over."""
        fields = dict(asked.fields)
        if asked.recording is not None:
            kept = await self._keep(asked.recording)
            self._untold = (asked.recording.verb, kept)
            fields |= self._of_recording(kept)
        if not asked.last:
            return asked.target, fields
        if asked.recording is not None and self._account.profile.dialect == "Plivo XML":
            # Its pages say nothing of an action that is asked after the caller has left: the recording is told alone.
            await self._progress.tell_end("completed")
            await self._tell_recorded()
            raise _Over(Ended("caller", "left"), "completed")
        if self._misbehaviour.does("status-first"):
            await self._progress.tell_end("completed")
        with suppress(BotFailed):
            await self._delivery.ask(asked.target, {**call_form(self._numbers, "completed"), **fields})
        await self._tell_recorded()
        transferred = "DialCallStatus" in fields
        raise _Over(Ended("bot", "transfer") if transferred else Ended("caller", "left"), "completed")

    # --- a document --------------------------------------------------------------------------------------------------

    async def _carry_out(self, document: Document) -> Ask | CallOver:
        patient = self._account.profile.patient_records
        answered = self._progress.answered_at is not None
        step = begin(document, now=self._handset.now(), answered=answered, patient_records=patient)
        ends_at = self._began + self._limits.call_length
        while True:
            await self._perform(step)
            if step.next is not None:
                return step.next
            deadline = step.run.deadline
            signal: Signal = await self._handset.next(ends_at if deadline is None else min(deadline, ends_at))
            if isinstance(signal, PromptEnded | PromptFailed):
                self._handset.tell(PromptOver(step.run.op, interrupted=False))
            now = self._handset.now()
            if now >= ends_at:
                raise self._cut_off("length", f"The call is longer than {self._limits.call_length:g} s.")
            step = apply(step.run, signal, now=now)

    async def _perform(self, step: RunStep) -> None:
        for effect in step.effects:
            if isinstance(effect, Connected):
                self._progress.answer()
                self._handset.tell(StateChanged("established"))
            for event in events_of_effect(effect, ""):
                self._handset.tell(event)
            self._handset.perform(effect)
        for news in step.news:
            if isinstance(news, DialNews):
                await self._tell_dialled(news)
            else:
                await self._tell_news(news)

    # --- recordings --------------------------------------------------------------------------------------------------

    async def _keep(self, made: RecordingMade) -> KeptRecording:
        encoded = await self._handset.recording(recorded_by("", made.verb), made.seconds)
        data = encoded.data if encoded else wav(silence(min(made.told, SILENT_FILE)) or silence(0.1)).data
        return self._account.keep(self._recording, self._numbers.sid, data, math.floor(made.told + 0.5))

    def _of_recording(self, kept: KeptRecording) -> Mapping[str, str]:
        return {
            "RecordingDuration": str(kept.seconds),
            "RecordingSid": kept.sid,
            "RecordingUrl": self._account.address(kept.sid),
        }

    async def _tell_news(self, news: RecordingNews) -> None:
        if news.status == "in-progress":
            self._recording = f"RE{self._account.new_id()}"
        await self._tell_recording(news.verb, news.status, None)

    async def _tell_recorded(self) -> None:
        """Let the bot know that a recording is there: it is processed first, while its action is asked already."""
        if self._untold is not None:
            (verb, kept), self._untold = self._untold, None
            await self._tell_recording(verb, "completed", kept)

    async def _tell_recording(self, verb: Record, status: str, kept: KeptRecording | None) -> None:
        if verb.status is None or status not in verb.events:
            return
        fields = {
            **call_form(self._numbers, self._progress.status),
            "RecordingChannels": "1",
            "RecordingSid": self._recording,
            "RecordingSource": "RecordVerb",
            "RecordingStatus": status,
            **(self._of_recording(kept) if kept else {}),
        }
        with suppress(BotFailed):
            await self._delivery.ask(verb.status, fields)

    # --- whoever is connected ----------------------------------------------------------------------------------------

    async def _tell_dialled(self, news: DialNews) -> None:
        """Let the bot know how far the other call is; once it is answered, ask what whoever answered hears."""
        verb, status = news.verb, news.status
        if status == "initiated":
            self._dialled = f"{self._account.profile.call_prefix}{self._account.new_id()}"
        form = {
            **call_form(self._numbers, status),
            "CallSid": self._dialled,
            "Direction": "outbound-dial",
            "ParentCallSid": self._numbers.sid,
            "To": verb.number.removeprefix("tel:"),
        }
        if verb.status is not None and EVENTS.get(status, "completed") in verb.events:
            with suppress(BotFailed):
                await self._delivery.ask(verb.status, form)
        if status == "in-progress" and verb.whisper is not None:
            await self._asked(verb.whisper, form)

    # --- the end -----------------------------------------------------------------------------------------------------

    def _or_completed(self, unanswered: CallStatus) -> CallStatus:
        return unanswered if self._progress.answered_at is None else "completed"

    def _ended(self, over: CallOver) -> _Over:
        match over.how:
            case "hangup" | "transfer":
                return _Over(Ended("bot", over.how), "completed")
            case "reject":
                return _Over(Ended("bot", "reject", over.reason), "busy" if over.reason == "busy" else "no-answer")
            case "failed":
                return _Over(Ended("platform", "line", "The line failed."), "failed")
        return _Over(Ended("caller", "left"), self._or_completed("canceled"))

    @staticmethod
    def _cut_off(reason: Literal["workflows", "length"], detail: str) -> _Over:
        return _Over(Ended("platform", reason, detail), "completed")
