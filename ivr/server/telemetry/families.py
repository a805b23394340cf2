"""The metrics of a server, by name, with their labels and what they mean: what is counted, made into rows.

Each server counts for itself: sum its counters over all servers. What stands in the store is the same for all that
share it: take the maximum (`SHARED`). docs/monitoring.md has them in words.
"""

from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Literal, Protocol, TypeAlias

from msgspec import Struct

from ivr.histogram import Histogram
from ivr.server.telemetry.label_counts import LabelCounts
from ivr.server.telemetry.store_look import StoreLook
from ivr.server.telemetry.turn_counts import TurnCounts

Labels: TypeAlias = tuple[str, ...]

SHARED = ("ivr_calls_live", "ivr_jobs_open", "ivr_job_oldest_seconds", "ivr_deliveries")
"Of the store: the same on all servers that share it."


class Family(Struct, frozen=True):
    """One metric with all its rows."""

    name: str
    "Whole; of a counter with its `_total`."
    meaning: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: Labels
    values: Mapping[Labels, float | Histogram]


class Port(Protocol):
    """The part of `Listener` that is counted."""

    @property
    def busy(self) -> int:
        """Requests under way."""

    @property
    def connections(self) -> int:
        """Connections that are open."""

    @property
    def short(self) -> int:
        """Requests that took the short way so far."""


class Now(Struct, frozen=True):
    """What is so at this moment."""

    port: Port
    refusals: LabelCounts
    running: int
    "Jobs."
    flows: int
    broken: int
    "Flow files of which nothing is served."
    store: StoreLook


def families(counts: TurnCounts, now: Now) -> Iterator[Family]:
    """Return all metrics."""
    yield from _calls(counts)
    yield from _turns(counts)
    yield from _requests(now)
    yield from _jobs(counts, now)
    yield from _store(now.store)
    yield _gauge("ivr_flows", "Flows that are served.", now.flows)
    yield _gauge("ivr_flows_broken", "Flow files of which nothing is served, since they have errors.", now.broken)
    yield Family("ivr_info", "1, with the version.", "gauge", ("version",), {(version("ivr"),): 1})


def _calls(counts: TurnCounts) -> Iterator[Family]:
    yield _counter("ivr_calls_started_total", "Calls that began.", ("flow", "channel"), counts.started)
    yield _counter(
        "ivr_calls_ended_total",
        "Calls that are over, by their last state and outcome; an outcome that the flow computed is left out.",
        ("flow", "state", "outcome"),
        counts.ended,
    )
    yield _histogram("ivr_call_seconds", "Length of calls that are over.", (), {(): counts.calls})
    yield _counter("ivr_states_entered_total", "Entries into states.", ("flow", "state"), counts.entered)
    yield _counter("ivr_flow_errors_total", "Errors in flows; the log has their lines.", ("flow",), counts.flow_errors)
    yield _counter(
        "ivr_recordings_total",
        "Recordings that calls took, kept with their turn (small) or apart.",
        ("kept",),
        counts.recordings,
    )
    yield _counter("ivr_recorded_seconds_total", "Length of those recordings.", (), {(): counts.recorded})


def _turns(counts: TurnCounts) -> Iterator[Family]:
    yield _counter("ivr_turns_total", "Turns that were saved.", ("channel",), counts.turns)
    yield _histogram(
        "ivr_turn_stage_seconds",
        "Time of the stages of turns: receive, load, advance, save, service.",
        ("stage",),
        counts.stages,
    )
    yield _histogram("ivr_reply_seconds", "From the first byte of a request to its reply.", (), {(): counts.replies})
    yield _counter("ivr_turns_stale_total", "Turns for which another was faster.", (), {(): counts.stale})
    yield _counter("ivr_turns_not_saved_total", "Turns that the store did not take.", (), {(): counts.unsaved})


def _requests(now: Now) -> Iterator[Family]:
    yield _counter("ivr_requests_short_total", "Requests that took the short way.", (), {(): now.port.short})
    yield _gauge("ivr_requests_in_progress", "Requests that are being answered.", now.port.busy)
    yield _gauge("ivr_connections", "Open connections.", now.port.connections)
    yield _counter(
        "ivr_requests_refused_total",
        "Requests and messages that were not taken, by the event in the log and its reason.",
        ("event", "reason"),
        now.refusals,
    )


def _jobs(counts: TurnCounts, now: Now) -> Iterator[Family]:
    yield _counter("ivr_jobs_total", "Jobs that are done, and how they ended.", ("service", "result"), counts.jobs)
    yield _histogram("ivr_job_seconds", "Time that services took.", ("service",), counts.services)
    yield _gauge("ivr_jobs_running", "Jobs that are being done.", now.running)
    yield _counter(
        "ivr_delivery_tries_total",
        "Tries to deliver notifications and requests to platforms.",
        ("kind", "result"),
        counts.deliveries,
    )


def _store(store: StoreLook) -> Iterator[Family]:
    yield _gauge("ivr_store_up", "Whether the store can be used: 1 or 0.", int(store.up))
    if not store.up:
        return  # what is not known has no row: a zero would look like a quiet day
    yield _gauge("ivr_calls_live", "Calls in the store that are not over.", store.backlog.calls)
    yield _gauge("ivr_jobs_open", "Jobs in the store that have no answer yet.", store.backlog.orders)
    yield _gauge("ivr_job_oldest_seconds", "Age of the oldest of them; 0: there is none.", store.oldest)
    yield Family(
        "ivr_deliveries",
        "Notifications and requests to platforms in the store that wait or were given up.",
        "gauge",
        ("kind", "state"),
        store.deliveries,
    )


def _counter(name: str, meaning: str, labels: Labels, values: Mapping[Labels, float]) -> Family:
    return Family(name, meaning, "counter", labels, dict(values))


def _gauge(name: str, meaning: str, value: float) -> Family:
    return Family(name, meaning, "gauge", (), {(): value})


def _histogram(name: str, meaning: str, labels: Labels, values: Mapping[Labels, Histogram]) -> Family:
    return Family(name, meaning, "histogram", labels, dict(values))
