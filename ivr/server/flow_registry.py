"""The flows that can be called, and those that calls under way still need.

A call keeps the flow it began with, by hash; a flow is in the store before the first call can name it. An edited file
is loaded while the old version goes on answering, and takes over only if nothing is wrong with it.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from ivr.engine.flow import Flow
from ivr.engine.naming import normal
from ivr.engine.secret_values import Secrets
from ivr.errors import FlowError, StoreUnavailable, WebhookError
from ivr.flowfile.bundle import Bundle
from ivr.flowfile.finding import as_text
from ivr.flowfile.flow_folder import Skipped, find_flows, same_name, twin_of
from ivr.flowfile.load import LoadedFlow, rebuild
from ivr.nearest import did_you_mean
from ivr.server.static_files import Asset, content_type_of

log = logging.getLogger(__name__)

_TOLD = ("code", "line", "column", "message", "suggestion")
"What the log has of a finding."
_FOR_OPERATORS = ("speech", "settings")
"Checks of what the server lacks for a flow."

Stamp: TypeAlias = Mapping[Path, tuple[int, int]]
"Time of change and size of every file that a flow was made from."

Load: TypeAlias = Callable[[Path], LoadedFlow]
"`load_flow` with whatever the server has to add to it."

OLD_VERSIONS = 64
"Replaced versions kept in memory for calls under way; older ones come back from the store when a call needs them."
MISSED = 2
"Looks after which a file is gone for good."
WAITING = 64
"Requests for prompt files that wait for the store; strangers may ask, and a slow database answers nobody."


class KeepsFlows(Protocol):
    """The part of a store that the registry needs."""

    async def save_flow(self, flow_hash: str, source: bytes, assets: Sequence[str] = ()) -> None:
        """Keep the source of a flow for as long as calls name it, and the names of its `assets`."""

    async def flow(self, flow_hash: str) -> bytes | None:
        """Return the source of a flow."""

    async def flow_with(self, asset: str) -> str | None:
        """Return the hash of a flow that has this asset, if another server may have saved it."""


class NameTaken(FlowError):
    """Two files hold flows of one name, and nothing tells which of them is meant."""


class RegisteredFlow(Struct, frozen=True):
    """One flow file, to be shown."""

    file: Path
    flow: Flow | None
    "What is served of it; None: it never was without errors."
    fault: str = ""
    "What is wrong with the file as it stands now."
    doubts: str = ""
    "The warnings of what is served."


class FlowRegistry:
    """All flows of one server; `ivr.turn.Flows`."""

    def __init__(
        self,
        store: KeepsFlows,
        places: Sequence[Path],
        *,
        load: Load,
        default: str | None = None,
        routes: Mapping[str, str] | None = None,
        secrets: Secrets | None = None,
    ) -> None:
        """Serve the flows in `places`: files, or folders of `*.yaml`. `routes` leads from called identity to flow.

        `secrets` are what their guards can read.
        """
        self._secrets = secrets or Secrets()
        self._store = store
        self._places = places
        self._load = load
        self._default = default
        self._routes = {called.casefold(): name for called, name in (routes or {}).items()}
        self._served: dict[Path, Flow] = {}
        self._named: Mapping[str, Flow] = {}
        "The same, by name."
        self._watched: dict[Path, tuple[Path, ...]] = {}
        "By flow file: what must change for it to be looked at again."
        self._stamps: dict[Path, Stamp] = {}
        self._faults: dict[Path, str] = {}
        "Of files that were refused since they were served last."
        self._doubts: dict[Path, str] = {}
        self._held_back: set[Path] = set()
        "Broken since the start. Had they been served, the flow that is left would not be the only one."
        self._skipped: set[Skipped] = set()
        "Files beside the flows that have been told of."
        self._missed: dict[Path, int] = {}
        "In how many looks, one after the other, a served file was not there."
        self._by_hash: OrderedDict[str, Flow] = OrderedDict()
        self._assets: dict[str, dict[str, Asset]] = {}
        "By flow and asset."
        self._looking_up = asyncio.Lock()
        self._waiting = 0
        "Those who wait for a prompt file that is not here."

    async def open(self, *, strict: bool) -> None:
        """Load everything; raise FlowError, with all that is wrong, where that is more than one flow's own matter.

        A broken flow is never served. It does not keep the others from it, unless `strict` says so, none is left, a
        setting leads to it, or two files have the same flow name.
        """
        faults: dict[Path, FlowError] = {}
        for file in self._files():
            try:
                await self._take_in(file, _stamp([file]))
            except FlowError as error:
                faults[file] = error
        if not self._served and not faults:
            raise FlowError(f"No flow (*.yaml) was found in {', '.join(str(place) for place in self._places)}.")
        strangers = self._strangers() if self._served else []
        has_taken_name = any(isinstance(fault, NameTaken) for fault in faults.values())
        if strangers or has_taken_name or (faults and (strict or not self._served)):
            raise FlowError("\n".join([*map(str, faults.values()), *strangers]))
        for file, fault in faults.items():
            self._refuse(file, {}, fault)
        self._held_back = set(faults)

    async def restore(self, hashes: Iterable[str]) -> None:
        """Bring back the flows of calls under way, so that their prompts can be fetched before their next message."""
        for wanted in dict.fromkeys(hashes):
            try:
                await self.get(wanted)
            except (FlowError, StoreUnavailable) as error:
                log.error("flow of a running call lost", extra={"flow": wanted, "reason": str(error)})  # noqa: TRY400

    async def refresh(self) -> None:
        """Look whether a file has changed or is new. A broken one is reported once, and what it was goes on."""
        files = self._files()
        for gone in {*self._faults, *self._held_back}.difference(files):
            self._drop(gone)
        for file in files:
            stamp = _stamp(self._watched.get(file, [file]))
            self._miss(file, there=file in stamp)
            if stamp == self._stamps.get(file) or file not in stamp:
                continue
            try:
                await self._take_in(file, stamp)
            except FlowError as error:
                self._refuse(file, stamp, error)
            except StoreUnavailable as error:
                log.warning("flow waits for the store", extra={"file": str(file), "reason": str(error)})
            else:
                log.info("flow loaded", extra={"file": str(file), "flow": self._served[file].name})

    def choose(self, name: str | None, called: str) -> Flow:
        """Pick the flow for a new call: by address, by called identity, the default, or the only one; else 404."""
        wanted = (normal(name) if name else "") or self._routes.get(called.casefold()) or self.default
        if wanted is None:
            raise WebhookError(
                404,
                "no-default-flow",
                "Several flows are served: call …/call/NAME, with the name of one, or set IVR_DEFAULT_FLOW.",
            )
        flow = self._named.get(wanted)
        if flow is None:
            raise WebhookError(404, "unknown-flow", "No flow with this name is served here.")
        return flow

    def held(self, flow_hash: str) -> Flow | None:
        """Return the flow that a running call began with, if it is in memory."""
        flow = self._by_hash.get(flow_hash)
        if flow is not None:
            self._by_hash.move_to_end(flow_hash)
        return flow

    async def get(self, flow_hash: str) -> Flow:
        """Return the flow that a running call began with; raise FlowError if it is lost."""
        if self.held(flow_hash) is None:
            source = await self._store.flow(flow_hash)
            if source is None:
                raise FlowError("the flow of this call is not in the store")
            loaded = await asyncio.to_thread(rebuild, Bundle.decode(source, flow_hash))
            self._remember(self._with_secrets(loaded.served()), loaded.assets)
        return self._by_hash[flow_hash]

    def _with_secrets(self, flow: Flow) -> Flow:
        return replace(flow, secrets=self._secrets)

    async def asset(self, sha256: str) -> Asset | None:
        """Return a prompt file of any flow in use, here or at another server; raise StoreUnavailable.

        A call is told of it by the server that has taken its message, and its platform fetches it from any.
        """
        if (found := self._held_asset(sha256)) is not None:
            return found
        if self._waiting >= WAITING:
            raise StoreUnavailable(f"{self._waiting} wait for prompt files already.")
        self._waiting += 1
        try:
            async with self._looking_up:  # whoever asks for what there is not gets one connection, and no more
                return self._held_asset(sha256) or await self._asset_from_elsewhere(sha256)
        finally:
            self._waiting -= 1

    async def _asset_from_elsewhere(self, sha256: str) -> Asset | None:
        flow = await self._store.flow_with(sha256)
        try:
            if flow is not None:
                await self.get(flow)
        except FlowError as error:
            log.warning("flow cannot be read", extra={"flow": flow, "reason": str(error)})
        return self._held_asset(sha256)

    def _held_asset(self, sha256: str) -> Asset | None:
        return next((assets[sha256] for assets in self._assets.values() if sha256 in assets), None)

    def all(self) -> Sequence[RegisteredFlow]:
        """Return every flow file, with what is served of it and what is wrong with it."""
        files = sorted({*self._served, *self._faults})
        return [
            RegisteredFlow(file, self._served.get(file), self._faults.get(file, ""), self._doubts.get(file, ""))
            for file in files
        ]

    @property
    def broken(self) -> Sequence[Path]:
        """The files that nothing is served of."""
        return [one.file for one in self.all() if one.flow is None]

    @property
    def names(self) -> Sequence[str]:
        """The flows that can be called, by name."""
        return sorted(self._named)

    @property
    def default(self) -> str | None:
        """The flow of `/call`, if there is one."""
        alone = len(self._served) == 1 and not self._held_back
        return self._default or (next(iter(self._named)) if alone else None)

    async def _take_in(self, file: Path, stamp: Stamp) -> None:
        """Load a file; `stamp` is that of before, so that an edit made meanwhile is seen at the next look."""
        # Of a file that is refused, the folder too: what it lacks may come, and its twin may go.
        self._watched[file] = (file, file.parent)
        try:
            loaded = await asyncio.to_thread(self._load, file)
        except OSError as error:
            raise FlowError(f"{file} cannot be read: {error.strerror}") from error
        files = (file, *(file.parent / name for name in loaded.beside))
        self._watched[file] = (*files, file.parent)
        flow, bundle = self._with_secrets(loaded.served()), loaded.bundle
        if bundle is None:
            raise FlowError(f"{file} cannot be stored")
        twin = twin_of(file, flow.name, {path: one.name for path, one in self._served.items()})
        if twin and twin.exists():
            raise NameTaken(same_name(file, twin, flow.name))
        await self._store.save_flow(flow.hash, bundle.encode(), list(loaded.assets))
        if twin:  # gone from the disk: it was renamed to this one
            self._drop(twin)
        self._served[file] = flow
        self._named = {one.name: one for one in self._served.values()}
        self._watched[file] = files
        self._faults.pop(file, None)
        self._held_back.discard(file)
        self._stamps[file] = {**_stamp(files), **{path: seen for path, seen in stamp.items() if path in files}}
        self._doubts[file] = as_text(loaded.findings)
        self._remember(flow, loaded.assets)
        for found in loaded.findings:
            if found.code in _FOR_OPERATORS:  # an author's other doubts are for `ivr check`
                place = f"{found.file}:{found.line}"
                log.warning("flow wants more", extra={"file": place, "reason": found.message})

    def _miss(self, file: Path, *, there: bool) -> None:
        """Log once that a file is gone: at the second look, since an editor may be between deleting and renaming."""
        self._missed[file] = 0 if there else self._missed.get(file, 0) + 1
        if self._missed[file] == MISSED and file in self._served:
            reason = "its flow is served until the server is restarted"
            log.warning("flow file gone", extra={"file": str(file), "flow": self._served[file].name, "reason": reason})

    def _refuse(self, file: Path, stamp: Stamp, error: FlowError) -> None:
        """Note what is wrong with a file; it is told once, however often the folder changes."""
        self._stamps[file] = stamp
        if self._faults.get(file) == str(error):
            return
        self._faults[file] = str(error)
        found = error.findings
        # Each finding is a record of its own; the text with its lines and carets is for people.
        reason = f"{len(found)} error{'' if len(found) == 1 else 's'}" if found else str(error)
        told = {"findings": [{name: one[name] for name in _TOLD} for one in found]} if found else {}
        log.warning("flow refused", extra={"file": str(file), "reason": reason, **told})

    def _drop(self, file: Path) -> None:
        self._served.pop(file, None)
        self._named = {one.name: one for one in self._served.values()}
        self._held_back.discard(file)
        for known in (self._watched, self._stamps, self._faults, self._doubts, self._missed):
            known.pop(file, None)

    def _remember(self, flow: Flow, files: Mapping[str, bytes]) -> None:
        self._by_hash[flow.hash] = flow
        self._assets[flow.hash] = {
            sha256: Asset(content, content_type_of(content)) for sha256, content in files.items()
        }
        current = {one.hash for one in self._served.values()}
        old = [known for known in self._by_hash if known not in current]
        for forgotten in old[:-OLD_VERSIONS]:
            del self._by_hash[forgotten], self._assets[forgotten]

    def _files(self) -> Sequence[Path]:
        found = find_flows(self._places)
        for skipped in found.skipped:
            if skipped not in self._skipped:
                self._skipped.add(skipped)
                log.info("file skipped", extra={"file": str(skipped.file), "reason": skipped.reason})
        return list(dict.fromkeys([*found.flows, *self._served]))

    def _strangers(self) -> list[str]:
        """Find settings that lead to flows that are not there."""
        asked = {"IVR_DEFAULT_FLOW": self._default, **{f"IVR_ROUTES, {key}": to for key, to in self._routes.items()}}
        found = []
        for setting, name in asked.items():
            if name is not None and name not in self._named:
                hint = did_you_mean(name, self.names) or f"Served flows: {', '.join(self.names)}."
                found.append(f'{setting}: there is no flow "{name}". {hint}')
        return found


def _stamp(files: Iterable[Path]) -> Stamp:
    """Return what has changed without reading; a file that is not there is left out."""
    stamps = {}
    for file in files:
        with suppress(OSError, ValueError):  # a flow can name a file that no system could have
            state = file.stat()
            stamps[file] = (state.st_mtime_ns, state.st_size)
    return stamps
