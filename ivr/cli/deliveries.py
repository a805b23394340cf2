"""What the commands share that look after deliveries: `ivr notifications` and `ivr requests`."""

import time
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic, TypeVar

import click
from msgspec import Struct

from ivr.cli.datafolder import data_option, stored_calls
from ivr.cli.terminal_text import escaped, json_text
from ivr.outbox import Deliveries, DeliveryState, Notification, PlatformRequest
from ivr.store.opened import CommandStore

T = TypeVar("T")
D = TypeVar("D", bound=Notification | PlatformRequest)
Command = TypeVar("Command", bound=Callable[..., Any])
MOST = 1000
"Deliveries of each state that are looked through for the beginning of an id, and read at a time."


class DeliveriesOf(Struct, Generic[D], frozen=True):
    """One kind of deliveries of a store."""

    of: Callable[[CommandStore], Deliveries[D]]
    one: str
    "What one is called."
    command: str
    "Which lists them."
    table: str
    "How a row of the list is laid out, for `str.format`."
    heading: Sequence[str]
    row: Callable[[D], Sequence[str]]
    "What stands below the heading."
    members: Callable[[D], dict[str, Any]]
    "What programs are shown of one, beside what all deliveries have in common."

    def show_list(self, data: Path | None, *, dead: bool, waiting: bool, limit: int, as_json: bool) -> None:
        """Print those that `list_options` choose, the newest first, or end the command."""
        state: DeliveryState | None = "dead" if dead else "waiting" if waiting else None
        found = self.asked(data, lambda deliveries: deliveries.list(state, limit=limit))
        if as_json:
            click.echo(json_text([{**_members(one), **self.members(one)} for one in found], indent=2))
        elif not found:
            click.echo(f"No {self.one}s.")
        else:
            click.echo(self.table.format(*self.heading))
            for one in found:
                click.echo(self.table.format(*map(escaped, self.row(one))).rstrip())

    def asked(self, data: Path | None, question: Callable[[Deliveries[D]], Coroutine[Any, Any, T]]) -> T:
        """Ask a store, or end the command."""
        with stored_calls(data) as store:
            return store.ask(lambda opened: question(self.of(opened)))

    def found(self, data: Path | None, beginning: str) -> D:
        """Find the one whose id begins so, or end the command."""
        begins = beginning.strip().lower()
        found = self.asked(data, lambda deliveries: _beginning_with(deliveries, begins))
        if not found:
            raise click.ClickException(f'There is no {self.one} "{beginning}". `{self.command}` lists them.')
        if len(found) > 1:
            some = ", ".join(one.id for one in found[:5])
            raise click.ClickException(f'Several {self.one}s begin with "{beginning}": {some}.')
        return found[0]

    def retried(self, data: Path | None, one: D) -> int:
        """Make one due, or end the command."""
        done = int(self.asked(data, lambda deliveries: deliveries.retry(one.id, now=time.time())))
        if not done:
            raise click.ClickException("It was sent already.")
        return done

    def all_retried(self, data: Path | None, may: Callable[[D], bool] = lambda _: True) -> int:
        """Make all due that were given up and that `may` be tried again, and return how many."""
        return self.asked(data, lambda deliveries: _retry_dead(deliveries, may))

    def dropped(self, data: Path | None, beginning: str) -> None:
        """Forget one, or end the command."""
        one = self.found(data, beginning)
        if not self.asked(data, lambda deliveries: deliveries.drop(one.id)):
            raise click.ClickException("It was sent already.")


def list_options(command: Command) -> Command:
    """Add the options of a list, for `DeliveriesOf.show_list`."""
    for option in reversed(
        [
            click.option("--dead", is_flag=True, help="Only what was given up."),
            click.option("--waiting", is_flag=True, help="Only what is still to be sent."),
            click.option(
                "--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="At most so many."
            ),
            click.option("--json", "as_json", is_flag=True, help="Print a JSON list."),
            data_option,
        ]
    ):
        command = option(command)
    return command


def when(at: float) -> str:
    """Return a time as it is shown."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}"


def _members(one: Notification | PlatformRequest) -> dict[str, Any]:
    known = {"id": one.id, "call": one.call, "state": one.state, "tries": one.tries, "reason": one.reason}
    return {**known, "made": one.made, "due": one.due}


async def _beginning_with(deliveries: Deliveries[D], begins: str) -> Sequence[D]:
    """Return those whose id begins so, as far as they are looked through; a whole id is found however old it is."""
    states: tuple[DeliveryState | None, ...] = (None, "waiting", "dead")
    listed = [one for state in states for one in await deliveries.list(state, limit=MOST)]
    found = {one.id: one for one in listed if one.id.startswith(begins)}
    exact = None if found else await deliveries.get(begins)
    return [exact] if exact else [*found.values()]


async def _retry_dead(deliveries: Deliveries[D], may: Callable[[D], bool]) -> int:
    """Make all that were given up due, and return how many; one that is given up meanwhile is not counted twice."""
    tried: set[str] = set()
    done, looked_at = 0, MOST
    while True:
        new = [one for one in await deliveries.list("dead", limit=looked_at) if one.id not in tried]
        if not new:
            return done
        for one in new:
            tried.add(one.id)
            if may(one):
                done += await deliveries.retry(one.id, now=time.time())
            else:
                looked_at += 1  # it stays in the list
