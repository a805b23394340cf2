"""Metrics and spans of one server, as its settings say: who follows its turns and jobs, and where that can be seen."""

import asyncio
import socket
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack

from msgspec import Struct

from ivr.server.backend import Backend
from ivr.server.listener import Listener
from ivr.server.refusals import Refusals
from ivr.server.telemetry.call_spans import CallSpans
from ivr.server.telemetry.families import Family, Now, families
from ivr.server.telemetry.job_watch import Watch
from ivr.server.telemetry.metrics_page import bind_metrics, metrics_page
from ivr.server.telemetry.several_watches import SeveralWatches
from ivr.server.telemetry.store_look import StoreLooks
from ivr.server.telemetry.turn_counts import TurnCounts
from ivr.setting_sources import SettingsError, secret_text
from ivr.settings import Settings

Writes = Callable[[Iterable[Family]], bytes]


class Telemetry(Struct, frozen=True):
    """What follows the turns and jobs of a server."""

    watch: Watch | None = None
    "None: nobody does, since nobody could see it."
    counts: TurnCounts | None = None
    sock: socket.socket | None = None
    "Where the metrics are to be served."
    writes: Writes | None = None
    token: str | None = None
    "What whoever reads them has to know; None: nothing."


def open_telemetry(stack: AsyncExitStack, settings: Settings, *, worker: int) -> Telemetry:
    """Take the address of /metrics, and begin to count and to trace; raise SettingsError.

    `worker`: the number of this process, counted from 0, among those that have the same settings on this machine.
    """
    spans = _call_spans(stack, settings)
    sock = bind_metrics(settings, worker=worker)
    if sock is None:
        return Telemetry(spans)
    stack.callback(sock.close)
    counts = TurnCounts()
    watch = counts if spans is None else SeveralWatches([counts, spans])
    return Telemetry(watch, counts, sock, _prometheus(), secret_text(settings.metrics_token) or None)


async def show_metrics(
    stack: AsyncExitStack, telemetry: Telemetry, *, backend: Backend, port: Listener, refusals: Refusals
) -> None:
    """Serve /metrics, if it is to be served, until `stack` is closed."""
    counts, sock, writes = telemetry.counts, telemetry.sock, telemetry.writes
    if counts is None or sock is None or writes is None:
        return
    looks = StoreLooks(backend.store.calls, backend.store.outbox, backend.store.requests)

    async def written() -> bytes:
        now = Now(
            port,
            refusals.totals,
            backend.worker.running,
            len(backend.registry.names),
            len(backend.registry.broken),
            await looks.now(),
        )
        return await asyncio.to_thread(writes, list(families(counts, now)))  # thousands of rows take milliseconds

    await stack.enter_async_context(metrics_page(sock, written, token=telemetry.token, refusals=refusals))


def _prometheus() -> Writes:
    try:
        from ivr.server.telemetry.prometheus_text import prometheus_text  # noqa: PLC0415  # it needs an extra
    except ImportError as error:
        raise SettingsError("IVR_METRICS needs the extra metrics: pip install 'ivr[metrics]'") from error
    return prometheus_text


def _call_spans(stack: AsyncExitStack, settings: Settings) -> CallSpans | None:
    if settings.tracing is None:
        return None
    try:
        from ivr.server.telemetry.span_sender import SpanSender  # noqa: PLC0415  # it needs an extra
    except ImportError as error:
        raise SettingsError("IVR_TRACING needs the extra tracing: pip install 'ivr[tracing]'") from error
    sender = SpanSender(settings.tracing, token=secret_text(settings.tracing_token) or None)
    stack.push_async_callback(asyncio.to_thread, sender.close)
    return CallSpans(sender, share=settings.tracing_share)
