"""`ivr botstate`: what bots keep in a state service, asked as a bot asks it; and erased from the store."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import wraps
from ipaddress import ip_network
from pathlib import Path
from typing import Any, TypeVar

import click
from msgspec import Struct

from ivr.cli.datafolder import data_option, store_location
from ivr.cli.stored_calls import StoredCalls
from ivr.cli.terminal_text import clean, escaped, json_text
from ivr.errors import DataUnusable, FolderInUse, StateChanged, StoreUnavailable
from ivr.services.bot_state_api import BotStateApi, KeptState, StatePlace, StateRefused
from ivr.services.client_credentials import ClientCredentials
from ivr.setting_sources import secret_text
from ivr.settings import Settings, SettingsError, load_settings
from ivr.store.opening import open_for_command

T = TypeVar("T")
_WHY = {
    401: "The service takes no request without the token of a bot: set IVR_CHAT_APP_ID and IVR_CHAT_PASSWORD here, "
    "and where the service is, IVR_BOT_STATE_APPS and who makes the bot's tokens (IVR_BOT_STATE_ISSUERS).",
    403: "The service does not serve this bot. Where it is, add the bot's app id to IVR_BOT_STATE_APPS.",
    404: "There is no state service at this address. If it is ours, IVR_BOT_STATE_APPS is not set there.",
}

_WHY_NOT_ASKED = {
    "token": "The identity provider gives no token. See IVR_CHAT_APP_ID, IVR_CHAT_PASSWORD, IVR_CHAT_TENANT and "
    "IVR_CHAT_LOGIN_URL.",
    "unreachable": "The service cannot be reached. Does it run? --url and IVR_BOT_STATE_URL say where.",
    "timeout": "The service did not answer in time.",
}


class _Asked(Struct, frozen=True):
    """Whom to ask, for which record."""

    url: str | None
    place: StatePlace


@click.group()
def botstate() -> None:
    """Read, write and erase what bots keep in a state service (docs/bot-state.md).

    get, set and delete ask a service as the bot of IVR_CHAT_APP_ID and IVR_CHAT_PASSWORD: that of this machine, or the
    one at IVR_BOT_STATE_URL. A server with --dev needs no bot. erase works on the store itself: see its own help.

    \b
    Example:  ivr botstate set skype --user 29:anna '{"seat": "12A"}'
              ivr botstate get skype --user 29:anna
              ivr botstate delete skype --user 29:anna
              ivr botstate erase --user 29:anna
    """


def _asks(command: Callable[..., None]) -> Callable[..., None]:
    """Add what the commands that ask a service have in common; they get an `_Asked`."""

    @wraps(command)  # its own parameters come after these
    def asked(*, channel: str, user: str, conversation: str, url: str | None, **more: Any) -> None:
        if not user and not conversation:
            raise click.UsageError("Whose? Use --user, --conversation, or both.")
        if odd := next((one for one in (channel, user, conversation) if one and not one.strip(".")), None):
            raise click.UsageError(f'"{odd}" is no id: in an address, dots alone lead elsewhere.')
        command(_Asked(url, StatePlace(channel, user, conversation)), **more)

    for add in (
        click.option("--url", help="The address of the service. [default: IVR_BOT_STATE_URL, else this machine]"),
        click.option(
            "--conversation", default="", help="What is kept of a conversation; with --user, of a user in it."
        ),
        click.option("--user", default="", help="What is kept of a user."),
        click.argument("channel"),
    ):
        asked = add(asked)
    return asked


@botstate.command("get")
@_asks
def get_state(asked: _Asked) -> None:
    """Print a record as JSON, with its tag. CHANNEL is the bot's channel, such as skype or msteams.

    A record that is not there has the data null and the tag *.
    """
    _print(_answer(asked.url, lambda service: service.get(asked.place)))


@botstate.command("set")
@_asks
@click.argument("data")
@click.option("--tag", help="Write only where the record still has this eTag. [default: whatever it has]")
def set_state(asked: _Asked, *, data: str, tag: str | None) -> None:
    """Keep DATA, which is JSON (- reads it from standard input), and print the record with its new tag."""
    text = sys.stdin.read() if data == "-" else data
    try:
        json.loads(text)
        written = text.encode()
    except (ValueError, RecursionError):
        raise click.BadParameter('must be JSON, such as {"seat": "12A"} or "a text"', param_hint="DATA") from None
    _print(_answer(asked.url, lambda service: service.put(asked.place, written, tag)))


@botstate.command("delete")
@_asks
@click.option("--tag", help="Only where the record still has this eTag; not for all of a user.")
def delete_state(asked: _Asked, *, tag: str | None) -> None:
    """Have the service forget a record: with --conversation that one, with --user alone all that is kept of a user.

    What is kept of conversations, whoever is in them, stays where a user is forgotten.
    """
    place = asked.place
    if place.conversation:
        _answer(asked.url, lambda service: service.put(place, b"null", tag))
        click.echo("Deleted.")
        return
    if tag is not None:
        raise click.UsageError("--tag is for one record: use --conversation, too.")
    gone = _answer(asked.url, lambda service: service.drop_user(place.channel, place.user))
    if gone is None:
        click.echo("The service has taken it, and does not say what was deleted.")
        return
    click.echo(f"Deleted: {', '.join(escaped(one) for one in gone) or 'nothing was there'}.")


@botstate.command("erase")
@click.option("--user", help="What any bot keeps of this user, in any channel.")
@click.option("--all", "everything", is_flag=True, help="All that bots keep.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@data_option
def erase_state(*, user: str | None, everything: bool, yes: bool, data: Path | None) -> None:
    """Erase what bots keep, of one user or all of it, and overwrite what was there.

    With SQLite, stop the server first; servers that share a database go on. `ivr calls erase --caller` does this for a
    caller, too. Records of a conversation with the user's own id are the user's.
    """
    if (user is None) == (not everything):
        raise click.UsageError("Use either --user or --all.")
    location = store_location(data)
    try:
        location.require()
        with location.hold(), StoredCalls(open_for_command(location)) as stored:
            found = stored.ask(lambda store: store.states.count(user))
            if found and not yes:
                click.confirm(f"Erase {found} record{'' if found == 1 else 's'} permanently?", abort=True)
            erased = stored.ask(lambda store: store.states.erase(user))
    except (FolderInUse, DataUnusable) as error:
        raise click.ClickException(str(error)) from error
    except StoreUnavailable as error:
        raise click.ClickException(f"Nothing was erased: {error}. Try again.") from error
    click.echo(f"Erased: {erased.records} record{'' if erased.records == 1 else 's'} of bots.")
    if erased.left:
        click.echo(f"STILL ON THE DISK: the erased data is still in the database's log, because {erased.left}.")
        click.echo("Run this command again later.")
    if erased.left or (user is not None and not erased.records):
        raise click.exceptions.Exit(1)


def _print(kept: KeptState) -> None:
    with suppress(ValueError, RecursionError):
        click.echo(json_text({"data": json.loads(kept.data), "eTag": kept.tag}, indent=2))
        return
    raise click.ClickException("What the service keeps there is not JSON that can be shown.")


def _answer(url: str | None, ask: Callable[[BotStateApi], Awaitable[T]]) -> T:
    """Ask the service, or end the command."""

    async def answered() -> T:
        service = _service(url)
        try:
            return await ask(service)
        finally:
            await service.close()

    try:
        return asyncio.run(answered())
    except StateChanged as error:
        raise click.ClickException("The record has another eTag by now. Read it again, and decide anew.") from error
    except StateRefused as error:
        raise click.ClickException(_why(error)) from error


def _why(error: StateRefused) -> str:
    if not error.status:
        return _WHY_NOT_ASKED.get(error.code, f"The service cannot be asked: {error}.")
    said = f"The service refuses ({error.status}): {clean(str(error)) or 'it does not say why'}"
    return _WHY.get(error.status, said)


def _service(url: str | None) -> BotStateApi:
    try:
        settings = load_settings().settings
        private = [ip_network(network) for network in settings.http_private]
        address = url or settings.bot_state_url or f"http://127.0.0.1:{settings.port}"
        return BotStateApi(address, _credentials(settings), private=private)
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
    except ValueError as error:
        raise click.ClickException(f"The address of the state service {error}") from error


def _credentials(settings: Settings) -> ClientCredentials | None:
    if settings.chat_app_id is None or settings.chat_password is None:
        return None
    try:
        return ClientCredentials(
            settings.chat_login_url,
            settings.chat_tenant,
            client=settings.chat_app_id,
            secret=secret_text(settings.chat_password),
            scope=settings.chat_scope,
            private=[ip_network(network) for network in settings.http_private],
        )
    except ValueError as error:
        raise SettingsError(f"IVR_CHAT_LOGIN_URL {error}") from error
