"""Three servers behind HAProxy on one PostgreSQL, with or without a standby, each with a network of its own to it.

Callers keep so many calls up all the time. What the servers have acknowledged is noted, and held in the end against
what is in the database (`tests.chaos.books`).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import asyncpg

from ivr.phone.net.guard import Guard
from ivr.phone.net.post import WebPost
from ivr.settings import variable
from tests.chaos.balancer import haproxy
from tests.chaos.callers import PATIENT, THINKING, Crowd, DoublingLine
from tests.chaos.desk import COLOURS, Colour, write_desk
from tests.chaos.outside import SECRET, Outside, outside
from tests.chaos.replica import Replica, without_settings
from tests.chaos.wire import Wire, wire_to
from tests.crash.town import BadLine
from tests.phone.calling import Phone, Signer
from tests.postgres.cluster import Cluster, Database, cluster_folder
from tests.postgres.serving import SEAL_KEY
from tests.waiting import PATIENCE

REPLICAS = 3
STANDBY = "standby1"
STEP = 50
"Messages for which callers are waited for before something else happens."


class Servers:
    """The database and its standby, the servers, and the wires between them."""

    def __init__(
        self, folder: Path, services: Outside, clusters: Sequence[Cluster], settings: Mapping[str, str]
    ) -> None:
        self.replicas: list[Replica] = []
        self.wires: list[list[Wire]] = []
        "Of each server: one to each database."
        self.clusters = [*clusters]
        "The first is the one that is written to."
        self.settings = settings
        "The variables of commands, which ask the database without a wire."
        self.flows = {colour: write_desk(folder, colour, services.address) for colour in COLOURS}
        self.folder = folder

    @property
    def url(self) -> str:
        """Of the database that is written to."""
        return self.clusters[0].url()

    @property
    def environment(self) -> dict[str, str]:
        """That of a command."""
        return {**without_settings(), **self.settings, "IVR_STORE": self.url, "IVR_DATA": str(self.folder / "command")}

    async def add(self, stack: AsyncExitStack, colour: Colour = "blue") -> None:
        """Add a server; it is not yet started."""
        wires = [await stack.enter_async_context(wire_to(cluster.port)) for cluster in self.clusters]
        url = self.url.replace(str(self.clusters[0].port), str(wires[0].port))
        if len(wires) > 1:
            url = url.replace("/postgres", f",127.0.0.1:{wires[1].port}/postgres") + "?target_session_attrs=primary"
        environment = {**without_settings(), **self.settings, "IVR_STORE": url}
        replica = Replica(f"server{len(self.replicas)}", self.folder, self.flows[colour], environment)
        stack.push_async_callback(replica.close)
        self.replicas.append(replica)
        self.wires.append(wires)

    async def fail_over(self) -> None:
        """Kill the primary for good, and make the standby the one that is written to."""
        dead, *others = self.clusters
        await aside(dead.kill)
        await aside(others[0].promote)
        self.clusters = others


class World:
    """All of it, while callers are on the phone."""

    def __init__(
        self, servers: Servers, services: Outside, line: BadLine, doubling: DoublingLine, crowd: Crowd
    ) -> None:
        self.servers = servers
        self.services = services
        self.line = line
        self.doubling = doubling
        self.crowd = crowd

    @asynccontextmanager
    async def callers(self) -> AsyncIterator[None]:
        """Let people call until the context ends."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.crowd.call())
            yield
            self.crowd.go_home()
            self.doubling.hurry.set()

    @property
    def replicas(self) -> Sequence[Replica]:
        return self.servers.replicas

    @property
    def wires(self) -> Sequence[Sequence[Wire]]:
        return self.servers.wires

    async def more(self) -> None:
        """Return once some more messages are acknowledged: callers are served, whatever is broken now."""
        async with asyncio.timeout(PATIENCE):
            await self.line.after(len(self.line.acknowledged) + STEP).wait()

    async def met(self) -> None:
        """Return once some messages were not taken: it was not broken in a moment when nobody called."""
        async with asyncio.timeout(PATIENCE):
            await self.doubling.refusals(STEP).wait()

    async def servers_known(self, count: int) -> None:
        """Return once the database names so many servers: a dead one is noticed by the others."""
        async with asyncio.timeout(PATIENCE):
            while await self._asked("SELECT count(*) FROM replica") != count:
                await asyncio.sleep(0.2)

    async def _asked(self, sql: str) -> object:
        connection = await asyncpg.connect(self.servers.url)
        try:
            return await connection.fetchval(sql)
        finally:
            await connection.close()


async def aside(work: Callable[[], None]) -> None:
    """Do what blocks, while callers go on."""
    await asyncio.to_thread(work)


@contextmanager
def _clusters(*, standby: bool) -> Iterator[Sequence[Cluster]]:
    """Make and start the database, and a standby for which each commit waits (as docs/replicas.md has it)."""
    with contextlib.ExitStack() as stack:
        folders = [stack.enter_context(cluster_folder()) for _ in range(2 if standby else 1)]
        found = [Cluster(folder, wal_retrieve_retry_interval="200ms") for folder in folders]
        primary = found[0]
        primary.make()
        for number, cluster in enumerate(found):
            if number:
                cluster.copy(primary, name=STANDBY)
            cluster.start()
            stack.callback(cluster.stop)
        if standby:
            database = Database(primary.url())
            database.run(f"ALTER SYSTEM SET synchronous_standby_names = '{STANDBY}'")
            database.run("ALTER SYSTEM SET synchronous_commit = 'remote_apply'")
            database.run("SELECT pg_reload_conf()")
            database.close()
        yield found


@asynccontextmanager
async def servers_behind_haproxy(
    folder: Path, signer: Signer, services: Outside, *, standby: bool
) -> AsyncIterator[tuple[Servers, int]]:
    """Start everything but the callers; give the port of HAProxy, too."""
    async with AsyncExitStack() as stack:
        clusters = stack.enter_context(_clusters(standby=standby))
        settings = {
            **{variable(name): value for name, value in signer.settings.items()},
            "IVR_SEAL_KEY": SEAL_KEY,
            "IVR_STT": "openai",
            "IVR_OPENAI_URL": f"http://{services.address}/v1",
            "IVR_HTTP_HOSTS": services.address,
            "IVR_HTTP_PRIVATE": "127.0.0.0/8",
            "IVR_WEBHOOK_SECRET": SECRET,
        }
        servers = Servers(folder, services, clusters, settings)
        for _ in range(REPLICAS):
            await servers.add(stack)
        await asyncio.gather(*(replica.start() for replica in servers.replicas))
        yield servers, stack.enter_context(haproxy(folder, [replica.port for replica in servers.replicas]))


@asynccontextmanager
async def world(
    folder: Path, signer: Signer, *, calls: int = 40, standby: bool = False, seed: int = 1, thinking: float = THINKING
) -> AsyncIterator[World]:
    """Start everything; nobody calls yet. `calls` are so many at once."""
    async with (
        outside() as services,
        servers_behind_haproxy(folder, signer, services, standby=standby) as (servers, port),
    ):
        web = WebPost(Guard(), connections=4 * calls)
        try:
            phone = Phone(web, port, signer)
            doubling = DoublingLine(phone.way, seed=seed, thinking=thinking)
            line = BadLine(doubling, seed=seed)
            yield World(
                servers, services, line, doubling, Crowd(phone.platform(line, PATIENT), at_once=calls, seed=seed)
            )
        finally:
            await web.close()
