"""`ivr notifications`: what flows tell by mail and webhook, what could not be sent, and sending it again."""

from pathlib import Path
from typing import Any

import click

from ivr.cli.datafolder import data_option
from ivr.cli.deliveries import DeliveriesOf, when
from ivr.cli.terminal_text import escaped, json_text
from ivr.outbox import DeliveryState, Notification
from ivr.store.opening import open_outbox

_STORED = DeliveriesOf(open_outbox, "notification", "ivr notifications")
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
    found = _STORED.asked(data, lambda outbox: outbox.list(state, limit=limit))
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


def _as_json(one: Notification) -> dict[str, Any]:
    told = one.notify
    about = {"way": told.way, "to": told.to, "subject": told.subject, "recordings": len(told.attach)} if told else {}
    known = {"id": one.id, "call": one.call, "state": one.state, "tries": one.tries, "reason": one.reason}
    return {**known, "made": one.made, "due": one.due, **about}


def _row(one: Notification) -> str:
    to = one.notify.to if one.notify else "–"
    return _ROW.format(*map(escaped, (one.id, one.state, when(one.made), str(one.tries), to, one.reason))).rstrip()
