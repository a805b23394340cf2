"""What a gateway counts, and how it is written for Prometheus (its text format, version 0.0.4).

Every counter but the answers' exists from the beginning with each of its labels, so that a first failure is seen as a
rise from 0. No label comes from outside: numbers of callers and names of hosts are in no metric.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, TypeAlias, TypeVar, get_args

from msgspec import Struct

from ivr.gateway.admission import Refusal
from ivr.histogram import Histogram
from ivr.sip.media_plan import CodecName

_AnyEnd: TypeAlias = Literal["bot", "transferred", "not-found", "bot-away", "limit", "silence", "drained", "failed"]
TakenEnd: TypeAlias = Literal[_AnyEnd, "caller", "rejected"]
PlacedEnd: TypeAlias = Literal[_AnyEnd, "called", "busy", "no-answer", "declined", "unreachable"]
End: TypeAlias = Literal[TakenEnd, PlacedEnd]
"""How a call ended. `caller`, `called`, `bot`: who hung up. `rejected`, `transferred`: by the bot. `not-found`: the bot
does not know the flow, or the call. `bot-away`: no usable answer, the apology was heard. `limit`: too long. `silence`:
the other side sent no sound. `drained`: the gateway ended. `failed`: the line, such as no ports, no ACK, no media in
common, a wrong password. `busy`, `no-answer`, `declined`, `unreachable`: who was called did not answer."""
OrderRefusal: TypeAlias = Literal[
    "token", "order", "size", "address", "target", "caller", "id-used", "rate", "at-once", "calls", "draining"
]
"Why an order of a call was not taken."

JITTER_BOUNDS = (0.001, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16)
"Seconds."
LENGTH_BOUNDS = (5.0, 15.0, 60.0, 300.0, 900.0, 3600.0)
"Seconds."

Label = TypeVar("Label", bound=str)

TYPE = "text/plain; version=0.0.4; charset=utf-8"


class CallCounts:
    """The calls of one direction."""

    def __init__(self) -> None:
        self.begun = 0
        self.answered = 0
        self.ended: Counter[End] = Counter()

    @property
    def now(self) -> int:
        """How many there are now."""
        return self.begun - self.ended.total()


class Metrics:
    """The counters of one gateway."""

    def __init__(self) -> None:
        self.taken = CallCounts()
        "Calls that came in."
        self.placed = CallCounts()
        "Calls that were ordered."
        self.refused: Counter[Refusal] = Counter()
        self.orders_refused: Counter[OrderRefusal] = Counter()
        self.codecs: Counter[CodecName] = Counter()
        "Of calls that are over, by their last codec."
        self.seconds = Histogram(LENGTH_BOUNDS)
        "Of answered calls that are over."
        self.packets = 0
        "RTP packets received in calls that are over."
        self.lost = 0
        self.jitter = Histogram(JITTER_BOUNDS)
        "Of answered calls that are over, in seconds."

    @property
    def calls(self) -> int:
        """How many calls there are now."""
        return self.taken.now + self.placed.now


class Snapshot(Struct, frozen=True):
    """What others than the gateway itself count."""

    lateness: tuple[Sequence[float], Sequence[int], float] = ((), (0,), 0.0)
    "Of frames: bounds in seconds, counts as in `Histogram`, and the sum."
    codecs: Mapping[CodecName, int] = {}
    "Of calls now."
    answers: Mapping[int, int] = {}
    "Final answers that were sent, by status."
    registered: bool | None = None
    "None: no registration is wanted."
    draining: bool = False


def written(metrics: Metrics, now: Snapshot) -> bytes:
    """Write everything."""
    lines: list[str] = []
    lines += _gauge("calls", "Calls now.", metrics.calls)
    lines += _counter("calls_begun_total", "Calls that came in and were let in.", metrics.taken.begun)
    lines += _counter("calls_answered_total", "Calls that came in and were answered.", metrics.taken.answered)
    lines += _labelled(
        "calls_ended_total", "Calls that came in and are over, by how they ended.", "end", get_args(TakenEnd),
        metrics.taken.ended,
    )  # fmt: skip
    lines += _counter("placed_calls_begun_total", "Calls that were ordered and begun.", metrics.placed.begun)
    lines += _counter("placed_calls_answered_total", "Those of them that were answered.", metrics.placed.answered)
    lines += _labelled(
        "placed_calls_ended_total", "Those of them that are over, by how they ended.", "end", get_args(PlacedEnd),
        metrics.placed.ended,
    )  # fmt: skip
    lines += _labelled(
        "orders_refused_total", "Orders of calls that were not taken, and why.", "reason", get_args(OrderRefusal),
        metrics.orders_refused,
    )  # fmt: skip
    lines += _labelled(
        "requests_refused_total", "Requests that were not taken, and why.", "reason", get_args(Refusal), metrics.refused
    )
    lines += _labelled("codec_calls", "Calls now, by codec.", "codec", get_args(CodecName), now.codecs, kind="gauge")
    lines += _labelled(
        "codec_calls_ended_total", "Calls that are over, by codec.", "codec", get_args(CodecName), metrics.codecs
    )
    lines += _histogram("call_seconds", "Length of answered calls.", metrics.seconds)
    lines += _counter("rtp_packets_received_total", "Of calls that are over.", metrics.packets)
    lines += _counter("rtp_packets_lost_total", "Of calls that are over.", metrics.lost)
    lines += _histogram("call_jitter_seconds", "Jitter (RFC 3550) at the end of calls.", metrics.jitter)
    bounds, counts, total = now.lateness
    late = Histogram(bounds)
    late.counts, late.total = list(counts), total
    lines += _histogram("frame_lateness_seconds", "How late frames of 20 ms were sent.", late)
    statuses = {f"{status}": count for status, count in sorted(now.answers.items())}
    lines += _labelled("sip_answers_total", "Final answers to SIP requests.", "status", statuses, statuses)
    if now.registered is not None:
        lines += _gauge("registered", "1 while a registrar holds the registration.", int(now.registered))
    lines += _gauge("draining", "1 from SIGTERM on.", int(now.draining))
    return ("\n".join(lines) + "\n").encode()


def _gauge(name: str, meaning: str, value: float) -> Iterator[str]:
    yield from _head(name, meaning, "gauge")
    yield f"ivr_gateway_{name} {value:g}"


def _counter(name: str, meaning: str, value: int) -> Iterator[str]:
    yield from _head(name, meaning, "counter")
    yield f"ivr_gateway_{name} {value}"


def _labelled(
    name: str, meaning: str, label: str, values: Iterable[Label], counts: Mapping[Label, int], *, kind: str = "counter"
) -> Iterator[str]:
    yield from _head(name, meaning, kind)
    for value in values:
        yield f'ivr_gateway_{name}{{{label}="{value}"}} {counts.get(value, 0)}'


def _histogram(name: str, meaning: str, values: Histogram) -> Iterator[str]:
    yield from _head(name, meaning, "histogram")
    below = 0
    for bound, count in zip(values.bounds, values.counts, strict=False):
        below += count
        yield f'ivr_gateway_{name}_bucket{{le="{bound:g}"}} {below}'
    total = sum(values.counts)
    yield f'ivr_gateway_{name}_bucket{{le="+Inf"}} {total}'
    yield f"ivr_gateway_{name}_sum {values.total:g}"
    yield f"ivr_gateway_{name}_count {total}"


def _head(name: str, meaning: str, kind: str) -> Iterator[str]:
    yield f"# HELP ivr_gateway_{name} {meaning}"
    yield f"# TYPE ivr_gateway_{name} {kind}"
