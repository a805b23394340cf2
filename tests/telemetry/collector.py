"""A collector of traces, as anybody's that speaks OTLP over HTTP: what it is sent, it reads by the published schema."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

PATH = "/v1/traces"


class Collector:
    """What came so far."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.raw = b""
        self.authorizations: list[str] = []
        self.resources: dict[str, str] = {}
        self.status = 200

    async def handle(self, request: web.BaseRequest) -> web.Response:
        assert request.headers["Content-Type"] == "application/x-protobuf"
        self.authorizations += request.headers.getall("Authorization", [])
        body = await request.read()
        if self.status == 200:
            self.raw += body
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                self.resources |= {one.key: one.value.string_value for one in resource.resource.attributes}
                for scope in resource.scope_spans:
                    self.spans += scope.spans
        return web.Response(status=self.status)

    def named(self, name: str) -> list[Span]:
        return [span for span in self.spans if span.name == name]

    def parent(self, span: Span) -> Span:
        (found,) = [one for one in self.spans if one.span_id == span.parent_span_id]
        return found

    def path(self, span: Span) -> list[str]:
        """Return the names from a span up to the call."""
        names = [span.name]
        while span.parent_span_id:
            span = self.parent(span)
            names.append(span.name)
        return names


@asynccontextmanager
async def collecting() -> AsyncIterator[tuple[Collector, str]]:
    """Serve one, and give its address."""
    collector = Collector()
    runner = web.ServerRunner(web.Server(collector.handle))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        yield collector, f"http://127.0.0.1:{port}{PATH}"
    finally:
        await runner.cleanup()
