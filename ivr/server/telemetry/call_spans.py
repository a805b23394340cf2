"""One call as spans: what its turns, jobs and deliveries become, on whichever server they were.

The id of a call, 128 bits drawn by chance, is the id of its trace. So all servers agree on it, after restarts, too,
and nothing has to be passed on or stored; whoever calls cannot choose it. What others hang under has an id that is
computed from the call's: the call itself, and each order to a service. Everything else has one drawn by chance.

    call, from its first event to its end; sent with the turn that ends it
      webhook, from the first byte of a request to its reply
        turn
          store, until the turn is durable
          order transcribe, as the turn gives it
            job transcribe, by the worker, perhaps on another server
              service transcribe
        wait, of a reply for a service
        turn, which writes the reply

No attribute is of a caller: they are our ids, words of the flow file, and names of classes.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Literal, Protocol, TypeAlias

from msgspec import Struct

from ivr.call_record import Commit
from ivr.engine.events import ServiceFailed, ServicesEvent
from ivr.server.telemetry.job_watch import DeliveryTry, JobTimes
from ivr.storage import Order
from ivr.store.recent import Recent
from ivr.turn_log import written_outcome
from ivr.turn_watch import Turn, TurnTimes

SpanKind: TypeAlias = Literal["internal", "server", "client", "producer", "consumer"]
Attributes: TypeAlias = Mapping[str, str | int | Sequence[str]]

JOB, NOTIFICATION, REQUEST = "job", "notification", "platform_request"
"Who carries an order out: the worker's name."
OPEN = 4096
"Webhooks whose reply is to come that are known at most; a reply that never comes must not fill the memory."
_LOW = 2**64


class Span(Struct, frozen=True):
    """A part of a trace, over."""

    trace: int
    id: int
    parent: int | None
    "None: the call itself."
    name: str
    kind: SpanKind
    began: float
    "Seconds since 1970, like its end."
    ended: float
    attributes: Attributes = {}
    failed: str = ""
    "Why it is one that failed, in a word of ours; empty: it did not."


class Sender(Protocol):
    """Whoever takes spans; never to wait or to raise."""

    def send(self, spans: Sequence[Span]) -> None:
        """Take some."""


class CallSpans:
    """`TurnWatch` and `JobWatch`: makes spans of a share of all calls, the same calls on every server."""

    def __init__(self, sender: Sender, *, share: float) -> None:
        self._sender = sender
        self._below = int(share * _LOW)
        self._webhooks: Recent[tuple[str, str], Span] = Recent(OPEN)
        "By call and message: those that wait for their reply."

    # --- turns ---

    def saved(self, turn: Turn, times: TurnTimes) -> None:
        """Make spans of a turn that was saved, and the call, if it is over with it."""
        call = turn.commit.record.id
        if not self._is_traced(call):
            return
        trace, record = _trace_of(call), turn.commit.record
        parent = self._parent(turn, times, trace)
        one = self._turn(turn, times, trace, parent)
        spans = [one, _child(one, "store", "client", times.handed, times.saved)]
        spans += [_order(one, order, what, times.handed) for order, what in _orders(turn.commit)]
        if turn.ends_call:
            outcome = written_outcome(turn.flow, record.call)
            facts = {**one.attributes, "ivr.outcome": outcome, "ivr.turns": record.version}
            began = record.call.facts.started
            spans.append(Span(trace, _call_id(call), None, "call", "internal", began, times.saved, facts))
        self._sender.send(spans)

    def not_saved(self, turn: Turn, times: TurnTimes, error: Exception) -> None:
        """Make spans of a turn that was not saved: another was faster, or the store failed."""
        call = turn.commit.record.id
        if self._is_traced(call):
            trace = _trace_of(call)
            one = self._turn(turn, times, trace, _call_id(call), failed=type(error).__name__)
            store = _child(one, "store", "client", times.handed, times.saved, failed=one.failed)
            self._sender.send([one, store])

    def waited(self, call: str, message: str, since: float, until: float) -> None:
        """Make a span of the time that a reply waited for a service."""
        if self._is_traced(call):
            webhook = self._webhooks.get((call, message))
            parent = webhook.id if webhook else _call_id(call)
            self._sender.send([Span(_trace_of(call), _chance(), parent, "wait", "internal", since, until)])

    def replied(self, call: str, message: str, arrived: float, now: float) -> None:
        """Make a span of the webhook whose reply is there; the repeat of one has none."""
        if self._is_traced(call) and (webhook := self._webhooks.get((call, message))) is not None:
            self._webhooks.forget((call, message))
            self._sender.send([Span(webhook.trace, webhook.id, webhook.parent, "webhook", "server", arrived, now)])

    # --- jobs ---

    def job_done(self, order: Order, times: JobTimes, event: ServicesEvent) -> None:
        """Make spans of a job whose answer was saved."""
        if not self._is_traced(order.call):
            return
        request = order.request
        failed = event.code if isinstance(event, ServiceFailed) else ""
        job = Span(
            _trace_of(order.call),
            _chance(),
            _order_id(order.call, JOB, request.job),
            f"job {request.service}",
            "consumer",
            times.began,
            times.saved,
            {"ivr.service": request.service, "ivr.attempt": order.attempts},
            failed,
        )
        service = _child(job, f"service {request.service}", "client", times.began, times.answered, failed=failed)
        store = _child(job, "store", "client", times.answered, times.saved)
        self._sender.send([job, service, store])

    def delivered(self, tried: DeliveryTry) -> None:
        """Make a span of a try to deliver something."""
        if self._is_traced(tried.call):
            one = Span(
                _trace_of(tried.call),
                _chance(),
                _order_id(tried.call, tried.kind, tried.job),
                f"deliver {tried.kind}",
                "consumer",
                tried.began,
                tried.ended,
                failed="" if tried.result == "sent" else tried.result,
            )
            self._sender.send([one])

    # --- parts ---

    def _is_traced(self, call: str) -> bool:
        return _trace_of(call) % _LOW < self._below  # as OpenTelemetry's own sampler by ratio has it

    def _parent(self, turn: Turn, times: TurnTimes, trace: int) -> int:
        """Return what a turn is part of: its webhook, or the call, where no request caused it."""
        call, message = turn.commit.record.id, turn.commit.message
        if message is None:
            return _call_id(call)
        webhook = self._webhooks.get((call, message))
        if webhook is None:
            if not times.arrived:
                return _call_id(call)
            webhook = Span(trace, _chance(), _call_id(call), "webhook", "server", times.arrived, 0.0)
            self._webhooks[call, message] = webhook
        return webhook.id

    def _turn(self, turn: Turn, times: TurnTimes, trace: int, parent: int, *, failed: str = "") -> Span:
        record = turn.commit.record
        told: dict[str, str | int | Sequence[str]] = {
            "ivr.call": record.id,
            "ivr.flow": turn.flow.name,
            "ivr.channel": record.key.channel,
            "ivr.state": record.call.state,
            "ivr.version": record.version,
            "ivr.events": [type(step.event).__name__ for step in turn.commit.trace],
        }
        return Span(trace, _chance(), parent, "turn", "internal", times.taken or turn.began, times.saved, told, failed)


def _child(parent: Span, name: str, kind: SpanKind, began: float, ended: float, *, failed: str = "") -> Span:
    return Span(parent.trace, _chance(), parent.id, name, kind, began, ended, failed=failed)


def _orders(commit: Commit) -> Iterator[tuple[int, str]]:
    """Return the id of each order of a turn, and what is ordered."""
    call = commit.record.id
    for request in commit.jobs:
        yield _order_id(call, JOB, request.job), request.service
    for notify in commit.notifications:
        yield _order_id(call, NOTIFICATION, notify.job), notify.way
    for outbound in commit.outbound:
        yield _order_id(call, REQUEST, outbound.id), "platform request"


def _order(turn: Span, order: int, what: str, at: float) -> Span:
    """Return the moment in which a turn gives an order: what is done for it hangs under it, on whichever server."""
    return Span(turn.trace, order, turn.id, f"order {what}", "producer", at, at)


def _trace_of(call: str) -> int:
    return int(call, 16)


def _call_id(call: str) -> int:
    return _computed(call, "call")


def _order_id(call: str, kind: str, job: str) -> int:
    return _computed(call, f"{kind} {job}")


def _computed(call: str, what: str) -> int:
    """Return the id of a part that others name: computed, since they may be on another server."""
    return int.from_bytes(blake2b(what.encode(), key=call.encode(), digest_size=8).digest()) or 1


def _chance() -> int:
    return random.getrandbits(64) or 1  # no secret
