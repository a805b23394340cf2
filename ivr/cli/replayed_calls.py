"""The calls that `ivr replay` is to look at: cases, or stored calls."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from ivr.cli.stored_calls import StoredCalls
from ivr.errors import FlowError
from ivr.trace.case import Case, CaseError
from ivr.trace.files import read_case
from ivr.trace.flow_places import FlowPlaces
from ivr.trace.stored_flows import StoredFlows


class Subject(Struct, frozen=True):
    """One recorded call, and the flow that took it if it is at hand."""

    name: str
    recorded: Case | None
    then: FlowPlaces | None = None
    trouble: str = ""
    "Why there is no case of a stored call."
    kind: str | None = None
    "What carried it, where the line has told (`LineFacts.kind`)."


class Subjects(Struct, frozen=True):
    """Recorded calls, one after the other."""

    calls: Iterable[Subject]
    count: int


def cases_in(files: Sequence[Path]) -> Subjects:
    """Return the calls of case files; reading one raises CaseError if it is none."""
    return Subjects((Subject(str(file), read_case(file)) for file in files), len(files))


def calls_in(archive: StoredCalls) -> Subjects:
    """Return all calls of an archive, those too of which no case can be made."""
    return Subjects(_stored(archive), archive.count("all"))


def _stored(archive: StoredCalls) -> Iterator[Subject]:
    flows = StoredFlows(archive.flow)
    for one in archive.stored():
        if one.record is None:
            yield Subject(one.id, None, trouble=one.trouble)
            continue
        try:
            stored = flows.case(one.record, one.trace)
        except (FlowError, CaseError) as error:  # of an earlier release, perhaps; the other calls can be replayed
            yield Subject(one.id, None, trouble=str(error))
            continue
        line = one.record.line
        yield Subject(one.id, stored.case, stored.places, kind=line.kind if line else None)
