"""The flows that took calls, by the hash that each call names, and a stored call made into a case with its flow."""

from collections.abc import Callable, Iterable

from msgspec import Struct

from ivr.call_record import CallRecord, Stepped
from ivr.errors import FlowError
from ivr.flowfile.bundle import Bundle
from ivr.flowfile.load import rebuild
from ivr.trace.case import Case
from ivr.trace.flow_places import FlowPlaces, FlowWithPlaces
from ivr.trace.recorded import case_of


class StoredCase(Struct, frozen=True):
    """A stored call as a case, and where everything stood in the flow that took it."""

    case: Case
    places: FlowPlaces


class StoredFlows:
    """The flows of a store, each read once."""

    def __init__(self, source: Callable[[str], bytes | None]) -> None:
        """Read flows with `source`, which returns what the store keeps of a flow by its hash; None: it is lost."""
        self._source = source
        self._known: dict[str, FlowWithPlaces] = {}

    def get(self, flow_hash: str) -> FlowWithPlaces:
        """Return a flow by its hash; raise FlowError if it is lost or cannot be read any more."""
        if flow_hash not in self._known:
            source = self._source(flow_hash)
            if source is None:
                raise FlowError(f"the flow {flow_hash[:12]} is not in the store")
            self._known[flow_hash] = _read(source, flow_hash)
        return self._known[flow_hash]

    def case(self, record: CallRecord, trace: Iterable[Stepped]) -> StoredCase:
        """Make a case of a stored call; raise FlowError if its flow cannot be had, CaseError as `case_of` does."""
        taken_by = self.get(record.call.flow)
        return StoredCase(case_of(record, trace, taken_by.flow, taken_by.places.lines()), taken_by.places)


def _read(source: bytes, flow_hash: str) -> FlowWithPlaces:
    bundle = Bundle.decode(source, flow_hash)
    return FlowWithPlaces(rebuild(bundle).served(), FlowPlaces.of(bundle))
