"""`ivr notifications`: what flows tell by mail and webhook, what could not be sent, and sending it again."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from ivr.cli.datafolder import data_folder, data_option, stored_calls
from ivr.cli.terminal_text import escaped, json_text
from ivr.errors import StoreUnavailable
from ivr.outbox import DeliveryState, Notification, Outbox
from ivr.store.opening import open_outbox

T = TypeVar("T")
MOST = 1000
"Notifications of each state that are looked through for the beginning of an id, and read at a time."
_ROW = "{:<38} {:<8} {:<19} {:>5}  {:<32} {}"


@click.group(invoke_without_command=True)
@click.option("--dead", is_flag=True, help="Only what was given up.")
@click.option("--waiting", is_flag=True, help="Only what is still to be sent.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="At most so many.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
@data_option
@click.pass_context
def notifications(
    context: click.Context, /, *, dead: bool, waiting: bool, limit: int, as_json: bool, data: Path | None
) -> None:
    """List what flows tell by mail and webhook, the newest first. Works while the server runs.

    \b
    Example:  ivr notifications --dead
              ivr notifications show 1f3a
              ivr notifications retry 1f3a
              ivr notifications retry --dead
    """
    context.obj = data
    if context.invoked_subcommand is not None:
        return
    state: DeliveryState | None = "dead" if dead else "waiting" if waiting else None
    found = _asked(data, lambda outbox: outbox.list(state, limit=limit))
    if as_json:
        click.echo(json_text([_as_json(one) for one in found], indent=2))
    elif not found:
        click.echo("No notifications.")
    else:
        click.echo(_ROW.format("notification", "state", "made (UTC)", "tries", "to", "reason"))
        for one in found:
            click.echo(_row(one))


@notifications.command()
@click.argument("notification")
@data_option
@click.pass_obj
def show(of_group: Path | None, /, notification: str, data: Path | None) -> None:
    """Show one notification: what is told, and why it was not sent. NOTIFICATION is its id, or the beginning of it."""
    one = _found(data or of_group, notification)
    rows = [f"notification {one.id}", f"call         {one.call}", f"state        {one.state}, {one.tries} tries"]
    rows.append(f"made         {_when(one.made)}")
    rows.append(f"{'next try' if one.state == 'waiting' else one.state:<12} {_when(one.due)}")
    if one.reason:
        rows.append(f"reason       {one.reason}")
    if told := one.notify:
        rows += [f"{told.way:<12} {told.to}", f"subject      {told.subject or told.flow}"]
        rows += [f"recordings   {len(told.attach)}", ""]
        rows += told.text.splitlines()
    else:
        rows.append("What was told is in `ivr calls show`.")
    click.echo("\n".join(map(escaped, rows)))


@notifications.command()
@click.argument("notification", required=False)
@click.option("--dead", is_flag=True, help="All that were given up.")
@data_option
@click.pass_obj
def retry(of_group: Path | None, /, notification: str | None, dead: bool, data: Path | None) -> None:
    """Try again, at once: one that waits or was given up, or with --dead all that were."""
    if (notification is None) == (not dead):
        raise click.UsageError("Use either an id or --dead.")
    folder = data or of_group
    if notification is None:
        done = _asked(folder, _retry_dead)
    else:
        one = _found(folder, notification)
        done = int(_asked(folder, lambda outbox: outbox.retry(one.id, now=time.time())))
        if not done:
            raise click.ClickException("It was sent already.")
    click.echo(f"{done} to be sent again. A running server does it within seconds.")


@notifications.command()
@click.argument("notification")
@data_option
@click.pass_obj
def drop(of_group: Path | None, /, notification: str, data: Path | None) -> None:
    """Forget one that waits or was given up; it is not sent."""
    one = _found(data or of_group, notification)
    if not _asked(data or of_group, lambda outbox: outbox.drop(one.id)):
        raise click.ClickException("It was sent already.")
    click.echo("It will not be sent.")


def _found(data: Path | None, beginning: str) -> Notification:
    """Find the one notification whose id begins so, or end the command."""
    begins = beginning.strip().lower()
    found = _asked(data, lambda outbox: _beginning_with(outbox, begins))
    if not found:
        raise click.ClickException(f'There is no notification "{beginning}". `ivr notifications` lists them.')
    if len(found) > 1:
        some = ", ".join(one.id for one in found[:5])
        raise click.ClickException(f'Several notifications begin with "{beginning}": {some}.')
    return found[0]


async def _beginning_with(outbox: Outbox, begins: str) -> Sequence[Notification]:
    """Return those whose id begins so, as far as they are looked through; a whole id is found however old it is."""
    states: tuple[DeliveryState | None, ...] = (None, "waiting", "dead")
    listed = [one for state in states for one in await outbox.list(state, limit=MOST)]
    found = {one.id: one for one in listed if one.id.startswith(begins)}
    exact = None if found else await outbox.get(begins)
    return [exact] if exact else [*found.values()]


async def _retry_dead(outbox: Outbox) -> int:
    """Make all that were given up due, and return how many; one that is given up meanwhile is not counted twice."""
    tried: set[str] = set()
    done = 0
    while new := [one for one in await outbox.list("dead", limit=MOST) if one.id not in tried]:
        for one in new:
            tried.add(one.id)
            done += await outbox.retry(one.id, now=time.time())
    return done


def _asked(data: Path | None, question: Callable[[Outbox], Awaitable[T]]) -> T:
    """Ask the outbox of a data folder, or end the command."""

    async def asked() -> T:
        outbox = open_outbox(data_folder(data))
        try:
            return await question(outbox)
        finally:
            await outbox.close()

    with stored_calls(data):  # says what is wrong with a folder that cannot be read
        try:
            return asyncio.run(asked())
        except StoreUnavailable as error:
            raise click.ClickException(str(error)) from error


def _as_json(one: Notification) -> dict[str, Any]:
    told = one.notify
    about = {"way": told.way, "to": told.to, "subject": told.subject, "recordings": len(told.attach)} if told else {}
    known = {"id": one.id, "call": one.call, "state": one.state, "tries": one.tries, "reason": one.reason}
    return {**known, "made": one.made, "due": one.due, **about}


def _row(one: Notification) -> str:
    to = one.notify.to if one.notify else "–"
    made = datetime.fromtimestamp(one.made, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return _ROW.format(*map(escaped, (one.id, one.state, made, str(one.tries), to, one.reason))).rstrip()


def _when(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"
