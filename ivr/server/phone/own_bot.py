"""What our own server knows of a call that its own phone has made: where it stands, and what can be done with it.

No bot tells its platform of this, so the phone does not know it. It is read from the archive, beside the line.
"""

import asyncio
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from msgspec import Struct

from ivr.call_record import CallRecord
from ivr.engine.flow import Flow
from ivr.errors import FlowError, IvrError
from ivr.flowfile.chart import chart_of
from ivr.ports import CallKey
from ivr.server.console.figures import marks_of
from ivr.server.drawing.svg import picture
from ivr.server.flow_registry import FlowRegistry
from ivr.server.page_frame import CONSOLE
from ivr.server.phone.remembered import Remembered, remembered
from ivr.storage import Archive, CallStore
from ivr.trace.case import CaseError
from ivr.trace.current_flows import read_current_flow
from ivr.trace.failures import flow_failures
from ivr.trace.files import keep_case
from ivr.trace.folders import CASES, flows_in
from ivr.trace.replay import replay
from ivr.trace.report import Report, report
from ivr.trace.stored_flows import StoredCase, StoredFlows


class CallUnusable(IvrError):
    """The call cannot be kept as a case, or not be replayed; the text says why."""


class CallProgress(Struct, frozen=True, tag="Whereabouts"):
    """Where a call stands, for the picture of its flow."""

    flow: str
    state: str
    states: tuple[str, ...]
    "Entered so far."
    transitions: tuple[tuple[str, str], ...]
    "Taken so far, by the names of their boxes."
    over: bool
    outcome: str | None
    page: str
    "Where the console shows the call."
    variables: tuple[Remembered, ...]
    mistakes: tuple[str, ...]
    "What went wrong in the flow so far."


class SavedCase(Struct, frozen=True, tag="Saved"):
    """The call is a case now."""

    file: str
    replay: str | None
    "The command that replays it from now on; None: its flow is not served any more."


class Outdated(Struct, frozen=True, tag=True):
    """A call was taken by another version of its flow than its file holds."""

    fault: str
    "What is wrong with the file; empty: nothing, it was edited a moment ago."


class OwnBot(Struct, frozen=True):
    """The server as its phone sees it."""

    url: str
    "Where it is called; the name of a flow may follow."
    account: str
    channel: str
    store: CallStore
    archive: Archive
    registry: FlowRegistry
    cases: Path
    "The folder of the cases; each flow has one in it."

    def address(self, flow: str) -> str:
        """Return the address at which a flow is called."""
        return f"{self.url}/{quote(flow)}" if flow else self.url

    @property
    def flows(self) -> Mapping[str, str]:
        """The flows that can be called, with what they are for."""
        return {one.flow.name: one.flow.description for one in self.registry.all() if one.flow}

    @property
    def languages(self) -> Sequence[str]:
        """The languages of those flows that have several: a caller's decides in which such a flow begins."""
        flows = [one.flow for one in self.registry.all() if one.flow]
        return sorted({language for flow in flows for language in flow.languages})

    @property
    def default(self) -> str | None:
        """The flow that is called where none is named."""
        return self.registry.default

    async def progress(self, call: str) -> CallProgress | None:
        """Find a call by the platform's id; None: the server has not heard of it yet."""
        record = await self._record(call)
        if record is None:
            return None
        flow = await self.registry.get(record.call.flow)
        trace = await self.archive.trace(record.id)
        states, transitions = marks_of((taken for step in trace for taken in step.path), flow)
        over = record.call.phase == "over"
        state = record.call.state
        page, known = f"{CONSOLE}/calls/{record.id}", remembered(record.call, flow)
        wrong = tuple(one.text for one in flow_failures(trace, flow.file))
        return CallProgress(
            flow.name, state, tuple(states), tuple(transitions), over, record.call.outcome, page, known, wrong
        )

    async def outdated(self, call: str) -> Outdated | None:
        """Return whether a call was taken by another version than its file holds now; None: it cannot be known."""
        record = await self._record(call)
        taken_by = await self.registry.get(record.call.flow) if record else None
        shown = next(
            (one for one in self.registry.all() if taken_by and one.flow and one.flow.name == taken_by.name), None
        )
        if taken_by is None or shown is None:
            return None
        try:
            today = await asyncio.to_thread(read_current_flow, shown.file, taken_by.zone.key)
        except FlowError as error:
            return Outdated(str(error))
        if shown.fault:
            return Outdated(shown.fault)  # what only a server finds: the line, or a twin, cannot do with it
        return Outdated("") if today.flow.hash != taken_by.hash else None

    def drawing(self, flow: str) -> str | None:
        """Draw a flow that is served."""
        served = self._served(flow)
        return picture(chart_of(served[0]), f"The flow {flow}") if served else None

    async def save(self, call: str, name: str) -> SavedCase:
        """Keep a call as a case; raise CallUnusable. A case that is there already is left alone."""
        recorded = (await self._taken(call)).case
        try:
            file = await asyncio.to_thread(keep_case, recorded, name, self.cases)
        except CaseError as error:
            raise CallUnusable(str(error)) from error
        served = self._served(recorded.header.flow)
        return SavedCase(str(file), self._replay_command(served[1]) if served else None)

    def _replay_command(self, flow: Path) -> str:
        """Write the command that replays the cases of a flow, where the server was started."""
        usual = flow.parent.resolve() == flows_in(Path()).resolve()
        return shlex.join(
            ["ivr", "replay"]
            + ([] if usual else ["--flow", str(flow)])
            + ([] if self.cases.resolve() == CASES.resolve() else [str(self.cases)])
        )

    async def replayed(self, call: str) -> Report:
        """Run a call through the flow as its file stands now, and report what came of it; raise CallUnusable.

        The file is read here and now: what is served of it may be older, by a look of the registry or by its mistakes.
        """
        taken = await self._taken(call)
        header = taken.case.header
        file = self._file(header.flow, taken.places.file)
        if file is None:
            raise CallUnusable(f'No flow called "{header.flow}" is served any more, so the call cannot be replayed.')
        try:
            today = await asyncio.to_thread(read_current_flow, file, header.zone)
        except FlowError as error:
            raise CallUnusable(f"The call cannot be replayed: the flow's file has mistakes.\n\n{error}") from error
        if today.flow.name != header.flow:
            raise CallUnusable(
                f'{today.places.file} holds the flow "{today.flow.name}" now; this call was to "{header.flow}".'
            )
        return report("this call", taken.case, replay(taken.case, today.flow), today.places)

    def _served(self, name: str) -> tuple[Flow, Path] | None:
        return next(((one.flow, one.file) for one in self.registry.all() if one.flow and one.flow.name == name), None)

    def _file(self, flow: str, then: str) -> Path | None:
        """Find the file of a flow; if none is called so any more, the one that held it `then`."""
        if served := self._served(flow):
            return served[1]
        return next((one.file for one in self.registry.all() if str(one.file) == then), None)

    async def _taken(self, call: str) -> StoredCase:
        record = await self._record(call)
        if record is None:
            raise CallUnusable("The server has no record of this call.")
        source = await self.store.flow(record.call.flow)
        if source is None:
            raise CallUnusable("The flow of this call is not stored.")
        try:
            flows = StoredFlows({record.call.flow: source}.get)
            return await asyncio.to_thread(flows.case, record, await self.archive.trace(record.id))
        except (FlowError, CaseError) as error:
            raise CallUnusable(f"This call cannot be read: {error}") from error

    async def _record(self, call: str) -> CallRecord | None:
        return await self.store.load(CallKey(self.channel, self.account, call))
