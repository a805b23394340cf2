"""Which services failed in a call, where and when: speech engines, web services, transfers (LANGUAGE C8)."""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from ivr.call_record import Stepped

OTHERS = frozenset({"error.expression", "error.limit", "error.system", "error.workflow"})
"Errors of the flow itself and of the line, which are no failures of a service."


class ServiceFailure(Struct, frozen=True):
    """A service did not do what a state asked for."""

    state: str
    event: str
    "Such as `error.http.timeout` or `failed.busy`."
    at: float
    "Seconds since 1970."


def service_failures(trace: Iterable[Stepped]) -> Iterator[ServiceFailure]:
    """Go through the failures of services in a call, in order, whether a state handled them or not.

    A transfer that failed is told of the state that handled it: it is no error, so that the path alone tells of it.
    """
    for step in trace:
        for failed in step.failures:
            if failed.event.startswith("error.") and failed.event not in OTHERS:
                yield ServiceFailure(failed.state, failed.event, step.now)
        for taken in step.path:
            if taken.event.startswith("failed."):
                yield ServiceFailure(taken.state, taken.event, step.now)
