"""`ivr requests`: what carriers are to be asked and could not be, such as to delete a recording; and asking again."""

from pathlib import Path
from typing import Any

import click

from ivr.cli.datafolder import data_option
from ivr.cli.deliveries import DeliveriesOf, when
from ivr.cli.terminal_text import escaped, json_text
from ivr.outbox import DeliveryState, PlatformRequest
from ivr.store.opening import open_requests

_STORED = DeliveriesOf(open_requests, "request", "ivr requests")
_ROW = "{:<44} {:<8} {:<19} {:>5}  {:<10} {}"


@click.group(invoke_without_command=True)
@click.option("--dead", is_flag=True, help="Only what was given up.")
@click.option("--waiting", is_flag=True, help="Only what is still to be sent.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="At most so many.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
@data_option
@click.pass_context
def requests(
    context: click.Context, /, *, dead: bool, waiting: bool, limit: int, as_json: bool, data: Path | None
) -> None:
    """List what the carriers of calls are to be asked, the newest first: to delete a recording, to place a call.

    Nothing is kept of what was sent. Works while the server runs.

    \b
    Example:  ivr requests --dead
              ivr requests retry 1f3a
              ivr requests retry --dead
    """
    context.obj = data
    if context.invoked_subcommand is not None:
        return
    state: DeliveryState | None = "dead" if dead else "waiting" if waiting else None
    found = _STORED.asked(data, lambda stored: stored.list(state, limit=limit))
    if as_json:
        click.echo(json_text([_as_json(one) for one in found], indent=2))
    elif not found:
        click.echo("No requests.")
    else:
        click.echo(_ROW.format("request", "state", "made (UTC)", "tries", "channel", "what, and why not"))
        for one in found:
            click.echo(_row(one))


@requests.command()
@click.argument("request", required=False)
@click.option("--dead", is_flag=True, help="All that were given up and can be asked twice.")
@data_option
@click.pass_obj
def retry(of_group: Path | None, /, request: str | None, dead: bool, data: Path | None) -> None:
    """Try again, at once: one that waits or was given up, or with --dead all that were.

    A call is not ordered again by that, since two people would be called if the first order was carried out.
    """
    if (request is None) == (not dead):
        raise click.UsageError("Use either an id or --dead.")
    folder = data or of_group
    if request is None:
        done = _STORED.all_retried(folder, lambda one: not one.request.once)
    else:
        one = _STORED.found(folder, request)
        if one.request.once:
            raise click.ClickException("It must not be done twice, and may have been done: order the call again.")
        done = _STORED.retried(folder, one)
    if not done:
        click.echo("Nothing to be sent again. An order to place a call never is: order the call anew.")
        return
    click.echo(f"{done} to be sent again. A running server does it within seconds.")


@requests.command()
@click.argument("request")
@data_option
@click.pass_obj
def drop(of_group: Path | None, /, request: str, data: Path | None) -> None:
    """Forget one that waits or was given up; it is not sent."""
    _STORED.dropped(data or of_group, request)
    click.echo("It will not be sent.")


def _as_json(one: PlatformRequest) -> dict[str, Any]:
    """Return what is shown to programs. The body is left out: whom to call is the call's own."""
    asked = {"channel": one.key.channel, "method": one.request.method, "path": one.request.path}
    known = {"id": one.id, "call": one.call, "state": one.state, "tries": one.tries, "reason": one.reason}
    return {**known, "made": one.made, "due": one.due, "once": one.request.once, **asked}


def _row(one: PlatformRequest) -> str:
    what = f"{one.request.method} {one.request.path}{f': {one.reason}' if one.reason else ''}"
    row = (one.id, one.state, when(one.made), str(one.tries), one.key.channel, what)
    return _ROW.format(*map(escaped, row)).rstrip()
