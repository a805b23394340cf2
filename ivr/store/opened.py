"""What is there once a store is open: for a server, and for a command beside it."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import Protocol, TypeAlias

from msgspec import Struct

from ivr.bot_state import BotStates, StateErasure
from ivr.call_search import CallSearch
from ivr.coordination import Coordination
from ivr.mailbox import Mailbox
from ivr.media_storage import MediaStore
from ivr.news import News
from ivr.outbox import Outbox, PlatformRequests
from ivr.sign_in_storage import SignInStore
from ivr.storage import Archive, CallStoreInMemory
from ivr.store.location import StoreLocation
from ivr.voicemails import Voicemails


class Opened(Struct, frozen=True):
    """What a server has of its store."""

    calls: CallStoreInMemory
    archive: Archive
    search: CallSearch
    voicemails: Voicemails
    recordings: MediaStore
    outbox: Outbox
    requests: PlatformRequests
    states: BotStates
    sign_ins: SignInStore
    mailbox: Mailbox
    news: News
    "Of what other servers on the same store have changed."
    coordination: Coordination
    "With them."
    link_key: bytes
    "The key of the addresses of recordings: derived from that of sealed values, as the next one is."
    token_key: bytes
    "The key of tokens in the addresses that platforms are given."
    sign_in_key: bytes
    "The key of what callers and browsers prove themselves with."
    set_aside: Sequence[tuple[str, str]]
    "Calls that cannot be read: our id of each, as it may be shown, and what of it cannot be read."
    flows_under_way: Sequence[str]
    "The flows, by hash, that calls under way began with."
    tend: Callable[[], Awaitable[None]]
    "Does what the store itself needs as time passes: to be called every hour or so, by one of its servers."
    parts: AsyncExitStack
    "Closes the parts, each before what it stands on."

    async def close(self) -> None:
        """Let go of the data, after everything under way is saved."""
        await self.parts.aclose()


Opener: TypeAlias = Callable[[StoreLocation], Awaitable[Opened]]
"Opens a store for one server."


class SchemaVersion(Struct, frozen=True):
    """What a database that many servers share says of its tables."""

    version: int
    least: int
    "The oldest version whose servers can use them."


class SchemaUpkeep(Protocol):
    """Bringing the tables of a shared database to another version, beside servers that go on.

    Raises DataUnusable where that cannot be, and says what to do; StoreUnavailable where the database is away, or its
    tables stay in use.
    """

    known: int
    "The version of this code."

    async def version(self) -> SchemaVersion | None:
        """Return that of the tables; None: there are none yet."""

    async def migrate(self) -> Sequence[SchemaVersion]:
        """Bring them to the version of this code, and return each that they had on the way."""

    async def migrate_back(self) -> SchemaVersion:
        """Bring them back by one version, and return it."""

    async def close(self) -> None:
        """Let go of the database."""


class CommandStore(Struct, frozen=True):
    """What a command has of a store, beside servers, too.

    To erase, a command holds the location (`StoreLocation.hold`).
    """

    archive: Archive
    recordings: MediaStore
    outbox: Outbox
    requests: PlatformRequests
    states: StateErasure
    parts: AsyncExitStack
    "Closes the parts, each before what it stands on."

    async def close(self) -> None:
        """Let go of the data."""
        await self.parts.aclose()
