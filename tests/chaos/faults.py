"""What goes wrong while callers are on the phone. After each, callers are served again by all servers."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, TypeAlias

from tests.chaos.desk import Colour
from tests.chaos.replica import ivr
from tests.chaos.wire import Wire
from tests.chaos.world import REPLICAS, World, aside

Fault: TypeAlias = Callable[[World], Awaitable[None]]


async def kill_servers(one: World) -> None:
    """A server is killed, and started again once the others have gone on without it; then all three are, at once."""
    await one.replicas[0].kill()
    await one.more()
    await one.replicas[0].start()
    await one.more()
    await asyncio.gather(*(replica.kill() for replica in one.replicas))
    await one.met()
    await asyncio.gather(*(replica.start() for replica in one.replicas))
    await one.more()


async def take_two_for_dead(one: World) -> None:
    """A server stands still, and another cannot reach the database, until both are taken for dead; then both go on.

    Callers can reach them all the time.
    """
    one.replicas[0].freeze()
    for wire in one.wires[1]:
        wire.go_silent()
    await one.more()
    await one.servers_known(REPLICAS - 2)
    one.replicas[0].thaw()
    for wire in one.wires[1]:
        wire.heal()
    await one.servers_known(REPLICAS)
    await one.more()


async def restart_database(one: World) -> None:
    """The database is restarted as operators do it."""
    await _restart(one, signal.SIGINT)


async def crash_database(one: World) -> None:
    """The database crashes, and recovers."""
    await _restart(one, signal.SIGQUIT)


async def _restart(one: World, number: signal.Signals) -> None:
    database = one.servers.clusters[0]
    await aside(lambda: database.stop(number))
    await one.met()
    await aside(database.start)
    await one.more()


async def break_off(one: World) -> None:
    """All connections to the database are reset, again and again."""
    for _ in range(3):
        for wire in _all_wires(one):
            wire.break_off()
        await one.more()


async def fall_silent(one: World) -> None:
    """The network to the database loses everything, and tells nobody; later it is back."""
    for wire in _all_wires(one):
        wire.go_silent()
    await one.met()
    for wire in _all_wires(one):
        wire.heal()
    await one.more()


async def upgrade_and_back(one: World) -> None:
    """All servers are replaced by those of the next version, with newer tables and another flow, and back again."""
    environment = one.servers.environment

    async def said(*words: str, status: int = 0) -> str:
        ended, output = await ivr(*words, environment=environment, newer=True)
        assert ended == status, output
        return output

    too_early = await said("serve", str(one.servers.flows["green"]), status=1)
    assert "while servers of the version before go on: ivr store migrate" in too_early
    assert "have version 2, for servers of version 1 to 2." in await said("store", "migrate")
    await one.more()
    await _replace_all(one, newer=True, colour="green")
    assert "(version 2) is running" in await said("store", "migrate", "--back", status=1)
    await _replace_all(one, newer=False, colour="blue")
    assert "have version 1, for servers of version 1." in await said("store", "migrate", "--back")
    await one.more()


async def _replace_all(one: World, *, newer: bool, colour: Colour) -> None:
    for replica in one.replicas:
        await replica.stop()
        replica.newer, replica.flows = newer, one.servers.flows[colour]
        await replica.start()
        await one.more()


async def stop_standby(one: World) -> None:
    """The standby is away, so that commits stand and are not acknowledged; later it is back."""
    standby = one.servers.clusters[1]
    await aside(standby.stop)
    await one.met()
    await aside(standby.start)
    await one.more()


async def fail_over(one: World) -> None:
    """The database is killed for good, and its standby takes its place."""
    await one.servers.fail_over()
    for _ in range(4):
        await one.more()


def _all_wires(one: World) -> Sequence[Wire]:
    return [wire for wires in one.wires for wire in wires]


REPEATABLE: Final[Mapping[str, Fault]] = {
    one.__name__: one
    for one in (
        *(kill_servers, take_two_for_dead, upgrade_and_back),
        *(restart_database, crash_database, break_off, fall_silent, stop_standby),
    )
}
"All but the last one there is: nobody fails over twice to one standby."
