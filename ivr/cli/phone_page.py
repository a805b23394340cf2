"""`ivr phone --browser`: the phone as a page, for as long as the command runs."""

import asyncio
import signal

import click

from ivr.errors import IvrError
from ivr.phone.platform import Target
from ivr.server.phone.alone import phone_alone


async def show_page(target: Target, port: int) -> bool:
    """Serve the page until Ctrl-C."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        async with phone_alone(target, port=port) as address:
            click.echo(f"The phone: {address} (calls {target.bot}; Ctrl-C to stop)")
            await stop.wait()
            return True
    except OSError as error:
        raise IvrError(f"Cannot listen on port {port}: {error.strerror}. Choose another with --port.") from error
