"""What our own server knows of a call that its own phone has made: where it stands, and what can be done with it.

No bot tells its platform of this, so the phone does not know it. It is read from the archive, beside the line.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from ivr.engine.flow import Flow
from ivr.errors import FlowError, IvrError
from ivr.ports import Archive, CallKey, CallRecord, CallStore
from ivr.server.console.figures import marks_of
from ivr.server.drawing.chart import chart_of
from ivr.server.drawing.svg import picture
from ivr.server.flows import FlowShelf
from ivr.trace.case import Case, CaseError
from ivr.trace.files import dumps
from ivr.trace.folders import SUFFIX
from ivr.trace.places import Places
from ivr.trace.recorded import case_of
from ivr.trace.replay import replay
from ivr.trace.report import Report, report
from ivr.trace.shelf import flow_of_that_day


class CannotKeep(IvrError):
    """The call cannot be kept as a case, or not be replayed; the text says why."""


class Whereabouts(Struct, frozen=True, tag=True):
    """Where a call stands, for the picture of its flow."""

    flow: str
    state: str
    states: tuple[str, ...]
    "Entered so far."
    ways: tuple[tuple[str, str], ...]
    "Taken so far, by the names of their boxes."
    over: bool
    outcome: str | None


class OwnBot(Struct, frozen=True):
    """The server as its phone sees it."""

    url: str
    account: str
    channel: str
    store: CallStore
    archive: Archive
    shelf: FlowShelf
    cases: Path
    "The folder of the cases; each flow has one in it."

    def address(self, flow: str) -> str:
        """Give the address at which a flow is called."""
        return f"{self.url}/call/{flow}" if flow else f"{self.url}/call"

    @property
    def flows(self) -> Mapping[str, str]:
        """The flows that can be called, with what they are for."""
        return {one.flow.name: one.flow.description for one in self.shelf.all() if one.flow}

    @property
    def default(self) -> str | None:
        """The flow that is called where none is named."""
        return self.shelf.default

    async def whereabouts(self, call: str) -> Whereabouts | None:
        """Find a call by the platform's id; None: the server has not heard of it yet."""
        record = await self._record(call)
        if record is None:
            return None
        flow = await self.shelf.get(record.call.flow)
        trace = await self.archive.trace(record.id)
        states, ways = marks_of((taken for step in trace for taken in step.path), flow)
        over = record.call.phase == "over"
        state = record.call.state
        return Whereabouts(flow.name, state, tuple(states), tuple(ways), over, record.call.outcome)

    def drawing(self, flow: str) -> str | None:
        """Draw a flow that is served."""
        served = self._served(flow)
        return picture(chart_of(served[0]), f"The flow {flow}") if served else None

    async def save(self, call: str, name: str) -> Path:
        """Keep a call as a case; raise CannotKeep. A case that is there already is left alone."""
        recorded = await self._case(call)
        file = self.cases / recorded.header.flow / f"{name}{SUFFIX}"
        try:
            await asyncio.to_thread(_write_new, file, dumps(recorded))
        except FileExistsError as error:
            raise CannotKeep(f"There is a case called {name} already; choose another name.") from error
        except OSError as error:
            raise CannotKeep(f"{file} cannot be written: {error.strerror}") from error
        return file

    async def replayed(self, call: str) -> Report:
        """Run a call through the flow as its file stands now, and report what came of it; raise CannotKeep."""
        recorded = await self._case(call)
        served = self._served(recorded.header.flow)
        if served is None:
            raise CannotKeep("The flow is not served any more.")
        flow, file = served
        places = Places(str(file), await asyncio.to_thread(file.read_bytes))
        return report("this call", recorded, replay(recorded, flow), places)

    def _served(self, name: str) -> tuple[Flow, Path] | None:
        return next(((one.flow, one.file) for one in self.shelf.all() if one.flow and one.flow.name == name), None)

    async def _case(self, call: str) -> Case:
        record = await self._record(call)
        if record is None:
            raise CannotKeep("The server knows nothing of this call.")
        source = await self.store.flow(record.call.flow)
        if source is None:
            raise CannotKeep("The flow of this call is not in the store.")
        try:
            then = await asyncio.to_thread(flow_of_that_day, source)
            return case_of(record, await self.archive.trace(record.id), then.flow, then.places.lines())
        except (FlowError, CaseError) as error:
            raise CannotKeep(f"This call cannot be read: {error}") from error

    async def _record(self, call: str) -> CallRecord | None:
        return await self.store.load(CallKey(self.channel, self.account, call))


def _write_new(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("xb") as opened:
        opened.write(content)
