"""Take one message of a call and answer it once; wake a call for which no message is open.

The page to read first. A turn has two short transactions. The first saves what happened: the message's id, the new
state, the orders to services. If the call now waits for a service, its reply is saved as owed (None). The turn then
waits, within the reply's budget, and the second saves the step of the answer (or of the hold) and the reply.

*Why not one, at the end.* A crash while the service works would lose a message whose recording lies whole on the disk;
an order would run that no restart knows of; and a repeat that comes meanwhile would order everything once more.

*Why not one, at the beginning.* Then the reply cannot hold the answer: every caller would hear the hold prompt, for
words that are there in a second, and each hold costs one of the few workflows that the platform allows a call.

Nothing is held in memory that a restart would miss:

- a repeat finds its id, and waits for the same reply or gets the same bytes;
- who loses a race (`StaleCall`) loads and looks at the message id again, since the winner may have been that message:
  to step again without looking would apply it twice;
- an answer that comes when no request is open is stepped by `wake`, if the caller has gone or the line can speak.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Protocol

from msgspec.structs import replace

from ivr.advance import Heard, advance, heard_enough
from ivr.engine.call import Call, Facts, new_call
from ivr.engine.events import CallEnded, CallReceived, RecordingMade
from ivr.engine.flow import OUTCOMES, Flow
from ivr.errors import StaleCall, WebhookError
from ivr.ports import REMEMBERED, CallKey, CallRecord, Channel, Commit, Incoming, Leg, WebhookReply
from ivr.storage import CallStore

log = logging.getLogger(__name__)


class Flows(Protocol):
    """The flows that can be called, and those that calls under way still need."""

    def choose(self, name: str | None, called: str) -> Flow:
        """Pick the flow for a new call: by name, by called identity, or the default; raise WebhookError 404."""

    async def get(self, flow_hash: str) -> Flow:
        """Return the flow that a running call began with."""


class Jobs(Protocol):
    """The worker that carries out orders to services."""

    def kick(self) -> None:
        """Look for new orders soon: some were committed."""

    async def settled(self, call: str, timeout: float) -> None:  # noqa: ASYNC109
        """Return when an answer for this call lies in its inbox, or after `timeout` seconds."""


class Uploads(Protocol):
    """The recordings that are on their way in."""

    def under_way(self, key: CallKey, *, before: float) -> bool:
        """Return whether one that began before then (seconds since 1970) is this call's, or may be."""


class Turns:
    """All turns of all calls of one server."""

    def __init__(
        self,
        *,
        store: CallStore,
        channels: Mapping[str, Channel],
        flows: Flows,
        jobs: Jobs,
        uploads: Uploads,
        now: Callable[[], float],
        mint: Callable[[], str],
        idle: float,
        grace: float,
        budget: float,
    ) -> None:
        """Put together what a turn needs.

        `now` gives seconds since 1970, UTC; `mint` a new call id, 128 bits in hexadecimal digits; `idle` is the time
        without a message after which a call is closed; `grace` the time for which a recording may come in after the end
        of its call; `budget` the time a reply may take from the arrival of its request's first byte, all in seconds.
        """
        self._store = store
        self._channels = channels
        self._flows = flows
        self._jobs = jobs
        self._uploads = uploads
        self._now = now
        self._mint = mint
        self._idle = idle
        self._grace = grace
        self._budget = budget

    async def take(self, incoming: Incoming, *, flow: str | None = None, arrived: float) -> WebhookReply:
        """Take one message and give its reply, the same bytes however often it is sent.

        `flow` names the flow of a new call, as the address called says; `arrived` is when the request's first byte
        came. Raises WebhookError (404: no such call or flow), StoreUnavailable (nothing was saved), and FlowError or
        DataUnusable where what was stored of the call or of its flow cannot be read any more.
        """
        incoming = await self._with_pseudonym(incoming)
        record = await self._apply(incoming, flow)
        while (reply := record.replies.get(incoming.id)) is None:
            await self._jobs.settled(record.id, max(0.0, arrived + self._budget - self._now()))
            record = await self._answer_or_hold(incoming)
        return reply

    async def wake(self, key: CallKey) -> None:
        """Step a call whose deadline is over or whose answer has come, if the line can speak or the caller has left."""
        while (record := await self._store.load(key)) is not None and record.call.phase != "over":
            now = self._now()
            channel = self._channels[key.channel]
            uploading = self._uploading(record)
            forgotten = record.call.phase != "gone" and record.idle_at <= now and not uploading
            if not (forgotten or channel.can.push or record.call.phase == "gone"):
                return
            flow = await self._flows.get(record.call.flow)
            commit = advance(
                flow,
                channel,
                record,
                now=now,
                idle=self._idle,
                grace=self._grace,
                uploading=uploading,
                events=(CallEnded("system"),) if forgotten else (),
                inbox=await self._store.inbox(record.id),
            )
            if not commit.trace or await self._committed(flow, record, commit):
                return

    async def _with_pseudonym(self, incoming: Incoming) -> Incoming:
        """Return the message with the id under which its reply is stored."""
        record = await self._store.load(incoming.key)
        if record is not None and incoming.id in record.replies:
            return incoming  # answered by an earlier release, which stored ids as they came
        return replace(incoming, id=self._store.pseudonym(incoming.id))

    async def _apply(self, incoming: Incoming, name: str | None) -> CallRecord:
        """Save what happened; nothing is done for a message that was applied before."""
        channel = self._channels[incoming.key.channel]
        while True:
            record = await self._store.load(incoming.key)
            if record is not None and incoming.id in record.replies:
                return record
            leg = record.leg if record is not None else Leg()
            heard = Heard(incoming, channel.hear(leg, incoming, now=self._now()))
            if record is None:
                record = self._opened(heard, name)
            flow = await self._flows.get(record.call.flow)
            commit = advance(
                flow,
                channel,
                record,
                now=self._now(),
                idle=self._idle,
                grace=self._grace,
                uploading=self._uploading(record),
                heard=heard,
                inbox=await self._store.inbox(record.id),
            )
            if heard_enough(record):
                return commit.record
            if await self._committed(flow, record, commit):
                _log_message(flow, commit)
                return commit.record

    async def _answer_or_hold(self, incoming: Incoming) -> CallRecord:
        """Write the reply that a message is owed: with the service's answer if it is there, else with a hold."""
        while True:
            record = await self._store.load(incoming.key)
            if record is None:
                raise WebhookError(404, "unknown-call", "This call is not known here any more.")
            if record.replies.get(incoming.id) is not None:
                return record
            flow = await self._flows.get(record.call.flow)
            commit = advance(
                flow,
                self._channels[incoming.key.channel],
                record,
                now=self._now(),
                idle=self._idle,
                grace=self._grace,
                inbox=await self._store.inbox(record.id),
                answers=incoming.id,
            )
            if await self._committed(flow, record, commit):
                return commit.record

    async def _committed(self, flow: Flow, before: CallRecord, commit: Commit) -> bool:
        """Save a turn; return whether it was saved, since another may be faster. Every end of a call passes here."""
        try:
            await self._store.commit(commit)
        except StaleCall:
            return False
        if commit.jobs or commit.outbound:
            self._jobs.kick()
        _log_failures(flow, commit)
        if commit.record.call.phase == "over" != before.call.phase:
            _log_end(flow, commit.record.call, now=self._now())
        return True

    def _uploading(self, record: CallRecord) -> bool:
        """Return whether a call's time is over, and a recording is on its way in that may be its own."""
        until = record.idle_at if record.call.grace_until is None else record.call.grace_until
        return until <= self._now() and self._uploads.under_way(record.key, before=until)

    def _opened(self, heard: Heard, flow: str | None) -> CallRecord:
        """Return the record of a new call, with the flow that belongs to the number called."""
        incoming = heard.incoming
        received = next((event for event in heard.exchange.events if isinstance(event, CallReceived)), None)
        if not incoming.starts or received is None:
            raise WebhookError(404, "unknown-call", "No call with this id is known here.")
        chosen = self._flows.choose(flow, received.called)
        call_id = self._mint()
        facts = Facts(id=call_id, channel=incoming.key.channel)
        return CallRecord(call_id, incoming.key, new_call(chosen.hash, facts))


def _log_message(flow: Flow, commit: Commit) -> None:
    """Log that a call begins, or why a message moves none; one that was answered before does not come here."""
    record = commit.record
    if record.version == 1:
        log.info("call begins", extra={"call": record.id, "platform_call": record.key.id, "flow": flow.name})
    if record.unmoved > REMEMBERED:
        return
    # A message can move a call by one of the things that it tells; a recording of it is not dropped silently either.
    ignored = [
        step for step in commit.trace if step.ignored and (record.unmoved or isinstance(step.event, RecordingMade))
    ]
    if ignored:
        last = "; further ones are not logged" if record.unmoved == REMEMBERED else ""
        event, why = type(ignored[0].event).__name__, f"{ignored[0].ignored}{last}"
        where = {"call": record.id, "flow": flow.name, "state": record.call.state}
        log.info("message ignored", extra=where | {"code": event, "reason": why})


def _log_failures(flow: Flow, commit: Commit) -> None:
    """Log, for whoever wrote the flow, what went wrong in it, and where it stands in the file."""
    for failure in (failure for step in commit.trace for failure in step.failures):
        where = {"call": commit.record.id, "flow": flow.name, "state": failure.state}
        what = {"code": failure.event, "reason": failure.reason, "file": flow.file, "line": failure.line}
        log.warning("error in a flow", extra=where | what)


def _log_end(flow: Flow, call: Call, *, now: float) -> None:
    # An outcome that the flow computed may be what the caller said, so only words that somebody wrote are logged.
    written = {*OUTCOMES} | {state.outcome for state in flow.states.values()}
    outcome = {"outcome": call.outcome} if call.outcome in written else {}
    seconds = round(max(now - call.facts.started, 0.0), 1)  # a clock may have been set back
    known = {"call": call.facts.id, "flow": flow.name, "state": call.state, "seconds": seconds}
    log.info("call over", extra=known | outcome)
