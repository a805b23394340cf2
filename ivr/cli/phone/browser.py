"""`ivr phone --browser`: the phone as a page, for as long as the command runs."""

import asyncio

import click

from ivr.cli.event_loop import on_first_signal
from ivr.cli.phone.terminal import tell_metadata
from ivr.phone.platform import Target
from ivr.server.phone.standalone import standalone_phone


async def show_page(target: Target, port: int) -> bool:
    """Serve the page until Ctrl-C."""
    stop = asyncio.Event()
    with on_first_signal(stop.set):
        async with standalone_phone(target, port=port) as alone:
            tell_metadata(target, alone.metadata)
            click.echo(f"The phone: {alone.page} (calls {target.bot}; Ctrl-C to stop)")
            await stop.wait()
            return True
