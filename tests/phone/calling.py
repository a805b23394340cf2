"""The phone, for end-to-end tests of our server: it signs, calls, and remembers what it sent and what came back.

A server with its token check on names a public https address for its callbacks. Here that address leads to the port
of the server, as it does behind a proxy that ends TLS.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from msgspec import Struct

from ivr.channels.skype.wire import MESSAGE_ID
from ivr.media.recorder import Recorder
from ivr.media.sound import SilentRenderer, Sound
from ivr.phone.callers.turn_based import CallerAction, TurnBased
from ivr.phone.net.guard import Guard
from ivr.phone.net.identity import Identity, identity_served
from ivr.phone.net.limits import PhoneLimits
from ivr.phone.net.post import Post, Reply, WebPost
from ivr.phone.phone_events import Dialled, Ended, Replied
from ivr.phone.platform import Platform, Target
from tests.phone.fake_bot import Told
from tests.phone.people import QUICK, Person

APP = "an-app-id"
PUBLIC = "https://ivr.example"
RECORDS = Sound(SilentRenderer(), Recorder.installed())
"Says nothing aloud, and records in every format."


class Signer:
    """The phone's identity, and the host of its documents, which can go away."""

    identity = Identity(APP)  # making a key takes longer than most tests
    metadata_url = ""

    async def start(self) -> None:
        self._host = AsyncExitStack()
        self.metadata_url = await self._host.enter_async_context(identity_served(self.identity))

    async def stop(self) -> None:
        """Stop serving; once more does nothing."""
        await self._host.aclose()

    @property
    def settings(self) -> Mapping[str, str]:
        """Those of a server that checks tokens, and believes this phone alone."""
        return {
            "app_id": APP,
            "openid_metadata": self.metadata_url,
            "openid_loopback": "yes",
            "public_url": PUBLIC,
        }

    def token(self) -> str:
        return self.identity.token(time.time())


class Letter(Struct, frozen=True):
    """A message as it was sent, and its reply."""

    url: str
    data: bytes
    headers: Mapping[str, str]
    reply: Reply

    @property
    def id(self) -> str:
        return self.headers[MESSAGE_ID]

    @property
    def told(self) -> Told:
        return Told(self.url, self.headers, self.data)

    @property
    def json(self) -> dict[str, Any]:
        return self.told.json

    @property
    def audio(self) -> bytes | None:
        """The recording that went with it."""
        return self.told.audio

    @property
    def actions(self) -> list[str]:
        """What the reply wants done, by name."""
        return [action["action"] for action in json.loads(self.reply.body or b'{"actions": []}')["actions"]]


class Way:
    """The `Post` to one server; every letter that was answered is kept."""

    def __init__(self, web: Post, port: int) -> None:
        self.letters: list[Letter] = []
        self._web = web
        self._address = f"http://127.0.0.1:{port}"

    async def send(self, url: str, data: bytes, headers: Mapping[str, str], *, answer_time: float, most: int) -> Reply:
        local = url.replace(PUBLIC, self._address, 1)
        reply = await self._web.send(local, data, headers, answer_time=answer_time, most=most)
        self.letters.append(Letter(url, data, headers, reply))
        return reply


class Held(Struct, frozen=True):
    """A call that is over."""

    ended: Ended
    person: Person

    @property
    def id(self) -> str:
        return next(event.call for event in self.person.events if isinstance(event, Dialled))

    @property
    def heard(self) -> list[str]:
        return self.person.heard

    @property
    def statuses(self) -> list[int]:
        """How each message was answered; 0: not at all."""
        return [event.status for event in self.person.events if isinstance(event, Replied)]


class Phone:
    """Places calls at one server."""

    def __init__(self, web: WebPost, port: int, signer: Signer) -> None:
        self.way = Way(web, port)
        self.port = port
        self._web = web
        self._signer = signer

    @property
    def letters(self) -> list[Letter]:
        return self.way.letters

    async def call(
        self,
        *caller_actions: CallerAction | tuple[CallerAction, ...] | None,
        flow: str | None = None,
        sound: Sound = RECORDS,
        limits: PhoneLimits = QUICK,
        identity: Identity | None = None,
        by: Post | None = None,
    ) -> Held:
        """Let somebody call; `identity` is another phone's, `by` another way to the server."""
        person = Person(list(caller_actions))
        bot = f"{PUBLIC}/call/{flow}" if flow else None
        platform = self.platform(by or self.way, limits, identity)
        return Held(await platform.place(TurnBased(person, sound), bot=bot), person)

    def platform(self, post: Post, limits: PhoneLimits, identity: Identity | None = None) -> Platform:
        """Return what places the calls."""
        target = Target(f"{PUBLIC}/call", APP, limits=limits)
        signer = self._signer
        return Platform(target, post, identity or signer.identity, metadata=signer.metadata_url, files=self._web)


@asynccontextmanager
async def phone_to(port: int, signer: Signer) -> AsyncIterator[Phone]:
    """Return a phone whose bot is the server at a port of this machine."""
    web = WebPost(Guard())
    try:
        yield Phone(web, port, signer)
    finally:
        await web.close()
