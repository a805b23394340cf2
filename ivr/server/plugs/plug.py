"""A channel as the server takes it: with whoever verifies its platform's requests, and what else belongs to it.

`Source` is what is known of a channel before there is a server: its name, what its line can do, which settings turn it
on. It makes the `Plug` of a server, once the store is open. All sources stand in `ivr.server.plugs.SOURCES`; the rest
of the server names no channel.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Literal, Protocol

from msgspec import Struct, field

from ivr.capabilities import Capabilities
from ivr.coordination import Coordination
from ivr.mailbox import Mailbox
from ivr.media_storage import MediaStore
from ivr.news import News
from ivr.ports import Channel, Incoming, Verifier
from ivr.server.app import Pages
from ivr.server.arrivals import Arrivals
from ivr.server.flow_registry import FlowRegistry
from ivr.server.readiness import Check
from ivr.server.recording_links import RecordingLinks
from ivr.server.refusals import Refusals
from ivr.services.platform_api import Api
from ivr.settings import Settings
from ivr.storage import CallStoreInMemory
from ivr.store.data_folder import DataFolder
from ivr.turn import TurnsInMemory


class Surroundings(Struct, frozen=True):
    """What a channel may know of the server that it is plugged into."""

    public: str
    "The address under which its platform reaches this server; without a slash at its end."
    media: str
    "Where the assets of flows are, each at `<media>/<sha256>`."
    links: RecordingLinks
    "The addresses of recordings."
    token_key: bytes
    "The key of tokens in the addresses that it hands out; the same after each restart."
    folder: DataFolder
    dev: bool
    "Development mode: only this machine can connect, and no request is verified."
    pretends: bool
    "Callers may say what time it is to be."
    mailbox: Mailbox
    "Where messages wait for whoever comes and reads them."
    news: News
    "Of what other servers on the same store have changed."
    coordination: Coordination
    "With them."


class Behind(Struct, frozen=True):
    """What stands behind the routes, for a channel that has more than webhooks."""

    store: CallStoreInMemory
    recordings: MediaStore
    arrivals: Arrivals
    turns: TurnsInMemory
    refusals: Refusals
    flows: FlowRegistry
    now: Callable[[], float]
    "Seconds since 1970."


class LinePages(Pages, Protocol):
    """What a channel serves beside its webhooks."""

    async def close(self) -> None:
        """End what is under way, as the server goes down."""


class Registration(Struct, frozen=True):
    """An address that an operator gives to the platform."""

    path: str
    what: str
    'What it is there, such as "the bot\'s calling webhook".'
    starts: bool = False
    "Calls begin there, and the name of a flow may follow."


class Example(Struct, frozen=True):
    """The least that a platform sends when somebody calls."""

    path: str
    content_type: str
    body: str


class Plug(Struct, frozen=True):
    """A channel that is on."""

    channel: Channel
    verifier: Verifier
    account: str
    "The account of its calls (`CallKey.account`)."
    api: Api | None = None
    "Where its platform takes requests, and gives out recordings."
    places_with: str = ""
    "What to set so that it has an `api` to place calls by; for whoever orders one where it has none."
    registrations: Sequence[Registration] = ()
    proof: Literal["head", "body"] = "body"
    "What its verifier needs to know who sends: where it is the body, the connection counts as a stranger's until then."
    short_way: bool = False
    "Plain requests may take the short way. Of one channel alone, whose proof is the head."
    begin: Callable[[AsyncExitStack], Awaitable[None]] | None = None
    "Begins what it does by itself, such as fetching keys; the stack ends that."
    tend: Callable[[float], None] | None = None
    "Called each minute with the time."
    checks: Mapping[str, Check] = field(default_factory=dict)
    "What has to be right before it can take calls; for `/readyz`, each by its name."
    before: Callable[[Incoming], Awaitable[None]] | None = None
    "Awaited before a message is taken, such as until what it tells of is saved."
    pages: Callable[[Behind], Sequence[LinePages]] | None = None
    "Makes what it serves beside its webhooks."
    phone: bool = False
    "The phone of development calls on this line."
    example: Example | None = None


class Source(Struct, frozen=True):
    """A channel that this server knows, on or off."""

    name: str
    can: Capabilities
    is_on: Callable[[Settings], bool]
    "Whether its secret is set, without which its platform cannot be told from anybody else."
    needs: str
    "What to set to turn it on."
    make: Callable[[Settings, Surroundings], Plug]
    "Makes the plug; in development mode also where the secret is not set. Raises SettingsError."
