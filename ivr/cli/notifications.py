"""`ivr notifications`: what flows tell by mail and webhook, what could not be sent, and sending it again."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from ivr.cli.datafolder import data_option
from ivr.cli.deliveries import DeliveriesOf, list_options, when
from ivr.cli.terminal_text import escaped
from ivr.outbox import Notification


def _members(one: Notification) -> dict[str, Any]:
    told = one.notify
    return {"way": told.way, "to": told.to, "subject": told.subject, "recordings": len(told.attach)} if told else {}


def _row(one: Notification) -> Sequence[str]:
    to = one.notify.to if one.notify else "–"
    return (one.id, one.state, when(one.made), str(one.tries), to, one.reason)


_STORED = DeliveriesOf(
    lambda store: store.outbox,
    "notification",
    "ivr notifications",
    "{:<38} {:<8} {:<19} {:>5}  {:<32} {}",
    ("notification", "state", "made (UTC)", "tries", "to", "reason"),
    _row,
    _members,
)


@click.group(invoke_without_command=True)
@list_options
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
    if context.invoked_subcommand is None:
        _STORED.show_list(data, dead=dead, waiting=waiting, limit=limit, as_json=as_json)


@notifications.command()
@click.argument("notification")
@data_option
@click.pass_obj
def show(of_group: Path | None, /, notification: str, data: Path | None) -> None:
    """Show one notification: what is told, and why it was not sent. NOTIFICATION is its id, or the beginning of it."""
    one = _STORED.found(data or of_group, notification)
    rows = [f"notification {one.id}", f"call         {one.call}", f"state        {one.state}, {one.tries} tries"]
    rows.append(f"made         {when(one.made)} UTC")
    rows.append(f"{'next try' if one.state == 'waiting' else one.state:<12} {when(one.due)} UTC")
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
    done = (
        _STORED.all_retried(folder)
        if notification is None
        else _STORED.retried(folder, _STORED.found(folder, notification))
    )
    click.echo(f"{done} to be sent again. A running server does it within seconds.")


@notifications.command()
@click.argument("notification")
@data_option
@click.pass_obj
def drop(of_group: Path | None, /, notification: str, data: Path | None) -> None:
    """Forget one that waits or was given up; it is not sent."""
    _STORED.dropped(data or of_group, notification)
    click.echo("It will not be sent.")
