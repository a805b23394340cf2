"""Spans sent by OTLP over HTTP, by OpenTelemetry's own library. Nothing else imports that: it is an extra.

Spans wait in a queue of its own thread, which is bounded: a collector that is slow or away costs spans, never calls.
"""

import io
import logging
import os
import socket
import threading
import time
from collections.abc import Sequence
from importlib.metadata import version
from typing import Final

import requests
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.trace import set_span_in_context as within

from ivr.server.telemetry.call_spans import Span

log = logging.getLogger(__name__)

QUEUE, BATCH = 4096, 512
"Spans that wait at most, some 8 MB; and those that go out together."
PAUSE = 2.0
"Seconds between two batches that are not full."
ANSWER = 2.0
"Seconds for the collector to answer, repeats included."
ANSWER_BYTES = 64 * 1024
"Of an answer that are read, packed as they may be: nobody looks at them."
AT_END = 2.0
"Seconds for what is left when the server ends; SIGTERM allows ten for everything."
QUIET = 60.0
"Seconds between two lines of the log on a collector that takes nothing."
_KINDS: Final = {kind.name.lower(): kind for kind in SpanKind}
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)


class SpanSender:
    """Takes spans, and sends them in batches."""

    def __init__(self, address: str, *, token: str | None) -> None:
        """Send to an address; `token` is borne, if there is one."""
        session = requests.Session()
        session.trust_env = False  # a .netrc would put its own password in the place of our token
        session.hooks["response"] = [_without_body]
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        exporter = OTLPSpanExporter(endpoint=address, headers=headers, timeout=ANSWER, session=session)
        self._processor = BatchSpanProcessor(
            _Told(exporter), max_queue_size=QUEUE, max_export_batch_size=BATCH, schedule_delay_millis=PAUSE * 1000
        )
        self._ids = _Ids()
        own = {
            "service.name": "ivr",
            "service.version": version("ivr"),
            "service.instance.id": f"{socket.gethostname()}-{os.getpid()}",
        }
        provider = TracerProvider(
            sampler=ALWAYS_ON, resource=Resource.create(own), id_generator=self._ids, shutdown_on_exit=False
        )
        provider.add_span_processor(self._processor)
        self._tracer = provider.get_tracer("ivr")

    def send(self, spans: Sequence[Span]) -> None:
        """Take some; what is too much is dropped."""
        try:
            for span in spans:
                self._take(span)
        except Exception:  # a library's mistake: no turn may fail by it
            log.exception("spans not made")

    def _take(self, span: Span) -> None:
        self._ids.trace, self._ids.span = span.trace, span.id
        context = None
        if span.parent is not None:
            parent = SpanContext(span.trace, span.parent, is_remote=True, trace_flags=_SAMPLED)
            context = within(NonRecordingSpan(parent))
        made = self._tracer.start_span(
            span.name,
            context=context,
            kind=_KINDS[span.kind],
            attributes=span.attributes,
            start_time=_nanoseconds(span.began),
        )
        if span.failed:
            made.set_status(Status(StatusCode.ERROR, span.failed))
        made.end(_nanoseconds(max(span.began, span.ended)))

    def close(self) -> None:
        """Send what is left, for as long as there is time; blocks."""
        # In a thread that is never joined: a collector may never answer, and must not keep the server from ending.
        last = threading.Thread(target=self._processor.shutdown, name="last spans", daemon=True)
        last.start()
        last.join(AT_END)


class _Ids(IdGenerator):
    """Gives each span the id that it has already."""

    trace = span = 1

    def generate_trace_id(self) -> int:
        return self.trace

    def generate_span_id(self) -> int:
        return self.span


class _Told(SpanExporter):
    """Sends spans, and logs that they cannot be sent: the library's own words may repeat the address or the answer."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._lost = 0
        self._quiet_until = 0.0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send spans; from the library's thread."""
        try:
            result = self._exporter.export(spans)
        except Exception as error:
            result, reason = SpanExportResult.FAILURE, type(error).__name__
        else:
            reason = "the collector takes none, or is not reached"
        if result is not SpanExportResult.SUCCESS:
            self._lost += len(spans)
            if time.monotonic() >= self._quiet_until:
                log.warning("spans not sent", extra={"removed": self._lost, "reason": reason})
                self._lost, self._quiet_until = 0, time.monotonic() + QUIET
        return result

    def shutdown(self) -> None:
        """End."""
        self._exporter.shutdown()


def _without_body(response: requests.Response, **_: object) -> requests.Response:
    """Return the status of an answer alone: the library would read and unpack all of it, and follow where it leads."""
    with response:
        response.raw.read(ANSWER_BYTES, decode_content=False)  # one that ends here leaves its connection to the next
    status = requests.Response()
    status.status_code, status.reason, status.url, status.request = (
        response.status_code, response.reason, response.url, response.request,
    )  # fmt: skip
    status.raw = io.BytesIO()
    if again := response.headers.get("Retry-After"):
        status.headers["Retry-After"] = again
    return status


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1e9)
