"""The phone's view of a bot that is ours: what went wrong in its flow, which no bot tells its platform.

It is read from the store of this machine's settings. A call that is not in it was taken by another bot.
"""

from collections.abc import Sequence

import click
from rich.console import Console

from ivr.cli.datafolder import mistakes_in, store_location
from ivr.cli.phone.screen import Screen
from ivr.cli.stored_calls import StoredCalls
from ivr.errors import IvrError
from ivr.phone.phone_events import Dialled, Ended, PhoneEvent, Replied
from ivr.phone.platform import Target
from ivr.ports import CallKey
from ivr.server.plugs.skype import CHANNEL, DEVELOPMENT_ACCOUNT
from ivr.store.location import StoreLocation
from ivr.store.opening import open_for_command


class OwnBotScreen(Screen):
    """A screen that also shows what went wrong in the flow, as soon as the bot has answered."""

    def __init__(self, console: Console, target: Target, *, wire: bool) -> None:
        super().__init__(console, wire=wire)
        self._accounts = (DEVELOPMENT_ACCOUNT, target.app_id)
        self._call = ""
        self._shown = 0

    def show(self, event: PhoneEvent) -> None:
        """Write one event down, if it is of interest."""
        super().show(event)
        match event:
            case Dialled(call=call):
                self._call, self._shown = call, 0
            case Replied() | Ended():
                found = self._mistakes()
                for text in found[self._shown :]:
                    self.note(text)
                self._shown = max(self._shown, len(found))

    def _mistakes(self) -> Sequence[str]:
        try:
            with StoredCalls(open_for_command(store_location(None))) as archive:
                keys = (CallKey(CHANNEL, account, self._call) for account in self._accounts)
                found = next(filter(None, map(archive.named, keys)), None)
                return [one.text for one in mistakes_in(archive, found)] if found else ()
        except (IvrError, click.ClickException):  # there is no store: it is another bot
            return ()


def mistakes_in_all(location: StoreLocation) -> Sequence[str]:
    """List what went wrong in the flows of all calls of a store, which are few."""
    with StoredCalls(open_for_command(location)) as archive:
        return [one.text for call in archive.recent() for one in mistakes_in(archive, call.id)]
