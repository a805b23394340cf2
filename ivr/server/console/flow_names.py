"""How flows are called that calls name by their hashes."""

from ivr.call_search import CallSearch
from ivr.errors import FlowError
from ivr.server.flow_registry import FlowRegistry
from ivr.store.recent import Recent

REMEMBERED = 10_000
"Names that are kept: a flow that is not in memory any more has to be read again for its name."


class FlowNames:
    """The names of all flows that calls name."""

    def __init__(self, registry: FlowRegistry, search: CallSearch) -> None:
        self._registry = registry
        self._search = search
        self._known: Recent[str, str] = Recent(REMEMBERED)

    async def of(self, flow_hash: str) -> str:
        """Return a flow's name, or what there is of it."""
        name = self._known.get(flow_hash)
        if name is None:
            try:
                name = (await self._registry.get(flow_hash)).name
            except FlowError:
                return f"({flow_hash[:8]})"
            self._known[flow_hash] = name
        return name

    async def hashes(self, name: str) -> frozenset[str]:
        """Return all versions of a flow, by its name as it is shown."""
        return frozenset([known for known in await self._search.flows() if await self.of(known) == name])
