"""Metrics written down for Prometheus, by its own client. Nothing else imports that: it is an extra (`ivr[metrics]`).

The counters are plain numbers elsewhere, since each message passes them; here they become its families when somebody
asks, and its collector adds what the system knows of this process.
"""

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from ivr.histogram import Histogram
from ivr.server.telemetry.families import Family


class _Once(Collector):
    def __init__(self, found: Iterable[Family]) -> None:
        self._found = found

    def collect(self) -> Iterator[Metric]:
        """Return the families in the client's own form."""
        return map(_metric, self._found)


def prometheus_text(found: Iterable[Family]) -> bytes:
    """Write metrics in the text format, whatever a client says that it accepts: every Prometheus reads that one."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(_Once(found))
    return generate_latest(registry)


def _metric(one: Family) -> Metric:
    if one.kind == "histogram":
        metric = HistogramMetricFamily(one.name, one.meaning, labels=one.labels)
        for labels, value in one.values.items():
            if isinstance(value, Histogram):
                metric.add_metric(labels, list(_buckets(value)), value.total)
        return metric
    family = CounterMetricFamily if one.kind == "counter" else GaugeMetricFamily
    plain = family(one.name, one.meaning, labels=one.labels)
    for labels, value in one.values.items():
        if not isinstance(value, Histogram):
            plain.add_metric(labels, value)
    return plain


def _buckets(values: Histogram) -> Iterator[tuple[str, float]]:
    below = 0
    for bound, count in zip((*values.bounds, "+Inf"), values.counts, strict=True):
        below += count
        yield str(bound), below
