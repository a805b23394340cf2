"""`ivr requests`: what carriers are to be asked and could not be, such as to delete a recording; and asking again."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from ivr.cli.datafolder import data_option
from ivr.cli.deliveries import DeliveriesOf, list_options, when
from ivr.outbox import PlatformRequest


def _members(one: PlatformRequest) -> dict[str, Any]:
    """Return what is shown to programs. The body is left out: whom to call is the call's own."""
    asked = one.request
    return {"once": asked.once, "channel": one.key.channel, "method": asked.method, "path": asked.path}


def _row(one: PlatformRequest) -> Sequence[str]:
    what = f"{one.request.method} {one.request.path}{f': {one.reason}' if one.reason else ''}"
    return (one.id, one.state, when(one.made), str(one.tries), one.key.channel, what)


_STORED = DeliveriesOf(
    lambda store: store.requests,
    "request",
    "ivr requests",
    "{:<44} {:<8} {:<19} {:>5}  {:<10} {}",
    ("request", "state", "made (UTC)", "tries", "channel", "what, and why not"),
    _row,
    _members,
)


@click.group(invoke_without_command=True)
@list_options
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
    if context.invoked_subcommand is None:
        _STORED.show_list(data, dead=dead, waiting=waiting, limit=limit, as_json=as_json)


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
