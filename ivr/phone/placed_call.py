"""One call, from the platform's side (protocol 2): post, take the workflow, run it, report the one outcome, and again.

This module decides when a call ends and who ended it. What a workflow may be is in `workflow`, how its commands run in
`ivr.line`, what is written in `reports`, how it is sent in `exchange`; the handset is who is on the phone.
"""

import contextlib
from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from ivr.channels.skype import wire
from ivr.engine.commands import LineCommand, Record
from ivr.line import Finished, Outcome
from ivr.media.sound import EncodedRecording
from ivr.phone.command_run import Performed, perform
from ivr.phone.handset import Handset
from ivr.phone.net.exchange import MessageExchange, NotDelivered, Notifications
from ivr.phone.net.limits import PhoneLimits
from ivr.phone.phone_events import Dialled, Ended, StateChanged, WorkflowRefused
from ivr.phone.wire import reports
from ivr.phone.wire.line_news import LineNews, LookAtLine
from ivr.phone.wire.workflow import RefusedWorkflow, RunnableWorkflow, misplaced, read_workflow


class Caller(Struct, frozen=True):
    """Who calls whom, in the protocol's words (protocol 4.1)."""

    caller: str = "29:phone"
    "The person at the handset; of a call that the bot ordered, whom it called."
    bot: str = "28:bot"
    language: str | None = wire.LANGUAGE
    at: str | None = None
    "The time that it is to be for the bot, in its flow's time zone: `10:00`, `2026-12-24`, or both (protocol 21)."


class _Over(Exception):
    """The call is over, and nothing more is reported."""

    def __init__(self, ended: Ended) -> None:
        super().__init__(ended.reason)
        self.ended = ended


class _Report(Struct, frozen=True):
    """What is posted next."""

    url: str
    message: reports.PhoneMessage
    last: Ended | None = None
    "The call is over; whatever the bot answers to this is not done."


class PlacedCall:
    """One call. `run` it once."""

    def __init__(
        self,
        call: str,
        *,
        url: str,
        handset: Handset,
        exchange: MessageExchange,
        limits: PhoneLimits,
        line: LookAtLine | None = None,
        transfers: Sequence[str] | None = (),
        questions: bool = False,
        ordered: bool = False,
    ) -> None:
        """Call the bot at `url`; `call` is the call's id.

        The bot is told what there is to see of the `line`, and may have the caller connected with the addresses that
        one of the patterns in `transfers` allows (protocol 22, 23); None: with all. `questions`: it is
        offered what is added to them (25). `ordered`: the bot has ordered the call, and it was answered (26).
        """
        self._id = call
        self._url = url
        self._handset = handset
        self._exchange = exchange
        self._limits = limits
        self._transfers = transfers
        self._line = LineNews(line, transfer=self._offers_transfer, questions=questions)
        self._questions = questions
        self._notifications = Notifications(exchange)
        self._ends_at = handset.now() + limits.call_length
        self._ordered = ordered
        self._answered = ordered
        self._typed = ""
        "Keys that nothing has listened to so far."
        self._workflows = 0
        self._callback: str | None = None
        "The last that was named."
        self._cut: Literal["workflows", "length"] | None = None
        "Why the platform ends this call."

    async def run(self, who: Caller) -> Ended:
        """Hold the call to its end. Never raises for anything that the bot does."""
        self._handset.tell(Dialled(self._id, self._url))
        self._handset.tell(StateChanged("established" if self._ordered else "incoming"))
        announced = reports.conversation(
            self._id,
            caller=who.caller,
            bot=who.bot,
            language=who.language,
            at=who.at,
            line=self._line.take(),
            ordered=self._ordered,
        )
        try:
            report = _Report(self._url, announced)
            while report.last is None:
                reply = await self._exchange.send(report.url, report.message)
                report = await self._take(reply)
            ended = report.last
            await self._send_last(report)
        except NotDelivered as error:
            ended = Ended("platform", error.reason, error.detail)
        except _Over as over:
            ended = over.ended
        self._notifications.post(reports.notification(self._id, "terminated", line=self._line.take(last=True)))
        await self._notifications.sent()
        self._handset.tell(StateChanged("terminated"))
        self._handset.tell(ended)
        return ended

    async def _send_last(self, report: _Report) -> None:
        # The call is over as it is; that the bot did not hear of it changes nothing (protocol 12).
        with contextlib.suppress(NotDelivered):
            await self._exchange.send(report.url, report.message)

    async def _take(self, body: bytes) -> _Report:
        """Do what a reply says, and give what is to be reported."""
        if not body.strip():
            raise _Over(Ended("bot", "no-workflow", "The bot's answer was empty, so nothing follows."))
        workflow = read_workflow(body, transfer=self._offers_transfer, questions=self._questions)
        if isinstance(workflow, RunnableWorkflow):
            self._callback = workflow.callback or self._callback
            self._notifications.url = workflow.notification or self._notifications.url
            problems = misplaced(workflow, answered=self._answered)
            if not problems:
                return await self._run_workflow(workflow)
            workflow = RefusedWorkflow(workflow.commands[0].op, problems, workflow.callback, workflow.app_state)
        return self._refuse(workflow)

    @property
    def _offers_transfer(self) -> bool:
        return self._transfers is None or bool(self._transfers)

    def _refuse(self, refusal: RefusedWorkflow) -> _Report:
        """Do none of it, and say so (protocol 2); a bot that goes on like that is hung up on."""
        self._handset.tell(WorkflowRefused(refusal.problems))
        callback = refusal.callback or self._callback
        self._count()
        if self._cut:
            raise _Over(self._cut_off())
        if callback is None:
            raise _Over(Ended("platform", "refused", "; ".join(refusal.problems)))
        outcome = reports.validation_outcome(refusal.op, refusal.problems)
        return _Report(callback, self._result(outcome, refusal.app_state, over=False))

    async def _run_workflow(self, workflow: RunnableWorkflow) -> _Report:
        self._count()
        performed = await self._perform(workflow)
        finished = performed.finished
        ended = self._ended(finished)
        if workflow.callback is None:  # protocol 2: nothing is reported, and at the end the platform hangs up
            raise _Over(ended or Ended("platform", "no-links", "The bot did not ask for a report."))
        command, found = performed.line.todo[0], finished.outcome
        audio = await self._audio(command, found)
        outcome = reports.wire_outcome(command, found, audio)
        sent = audio if isinstance(outcome, wire.RecordOutcome) and outcome.outcome == "success" else None
        return _Report(
            workflow.callback, self._result(outcome, workflow.app_state, over=bool(ended), audio=sent), ended
        )

    async def _perform(self, workflow: RunnableWorkflow) -> Performed:
        performed = await perform(
            workflow.commands,
            self._handset,
            state=workflow.app_state or "",
            choice_pause=workflow.choice_pause,
            ends_at=self._ends_at,
            cut=self._cut is not None,
            connected=self._connected,
            transfers=self._transfers,
            typed=self._typed,
        )
        self._typed = performed.line.typed
        if performed.expired:
            self._cut = "length"
        return performed

    def _connected(self) -> None:
        self._answered = True
        self._handset.tell(StateChanged("established"))
        self._notifications.post(reports.notification(self._id, "established"))

    def _count(self) -> None:
        self._workflows += 1
        if self._workflows > self._limits.workflows:
            self._cut = "workflows"

    def _ended(self, finished: Finished) -> Ended | None:
        match finished.ended:
            case None:
                return None
            case "left":
                return self._cut_off() if self._cut else Ended("caller", "left")
            case how:
                return Ended("bot", how)

    def _cut_off(self) -> Ended:
        if self._cut == "workflows":
            return Ended("platform", "workflows", f"More than {self._limits.workflows} workflows in one call.")
        return Ended("platform", "length", f"The call is longer than {self._limits.call_length:g} s.")

    async def _audio(self, command: LineCommand, found: Outcome) -> EncodedRecording | None:
        if isinstance(command, Record) and found.ok:
            return await self._handset.recording(command, found.seconds)
        return None

    def _result(
        self, outcome: wire.Outcome, app_state: str | None, *, over: bool, audio: EncodedRecording | None = None
    ) -> reports.PhoneMessage:
        state: wire.CallState = "terminated" if over else "established" if self._answered else "establishing"
        line = self._line.take(last=over)
        return reports.result(self._id, outcome, state=state, app_state=app_state, audio=audio, line=line)
