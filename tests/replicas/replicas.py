"""Two servers with data folders of their own on one store, behind a balancer that asks one and then the other."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct

from ivr.server.assembly import Running, running
from ivr.settings import Settings
from tests.replicas.balancer import Balancer, balanced
from tests.replicas.shared_store import SharedStore


class Replicas(Struct):
    """What tests see of them."""

    servers: Sequence[Running]
    store: SharedStore
    balancer: Balancer

    @property
    def asked(self) -> set[str]:
        """The servers that were asked anything."""
        return {server for server, _ in self.balancer.asked}


@asynccontextmanager
async def replicas(
    folder: Path, flows: Sequence[Path], settings: dict[str, Any], *, count: int = 2, store: SharedStore | None = None
) -> AsyncIterator[Replicas]:
    """Serve flows, the first of them at the first server and so on, or all at all where there is one list."""
    store = store or SharedStore()
    async with AsyncExitStack() as stack:
        servers = [
            await stack.enter_async_context(
                running(
                    Settings(**{"port": 0, **settings, "data": folder / f"data-{number}"}),
                    flows,
                    dev=False,
                    opener=store,
                )
            )
            for number in range(count)
        ]
        balancer = await stack.enter_async_context(balanced([server.url for server in servers]))
        yield Replicas(servers, store, balancer)
