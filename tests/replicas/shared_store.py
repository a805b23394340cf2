"""A store that several servers of one process share: the twin in memory, and what they tell each other."""

import time
from contextlib import AsyncExitStack

from ivr.coordination import LocalCoordination
from ivr.news import LocalNews
from ivr.store.location import StoreLocation
from ivr.store.memory.memory_archive import MemoryArchive
from ivr.store.memory.memory_bot_state import MemoryBotStates
from ivr.store.memory.memory_calls import MemoryStore
from ivr.store.memory.memory_mailbox import MemoryMailbox
from ivr.store.memory.memory_media import MemoryMedia
from ivr.store.memory.memory_outbox import MemoryOutbox, MemoryPlatformRequests
from ivr.store.memory.memory_search import MemorySearch
from ivr.store.memory.memory_sign_ins import MemorySignIns
from ivr.store.memory.memory_voicemails import MemoryVoicemails
from ivr.store.opened import Opened


class SharedCoordination(LocalCoordination):
    """Of servers that are not alone."""

    alone = False


class SharedStore:
    """What servers open instead of their data folders (`opener`)."""

    def __init__(self) -> None:
        self.calls = MemoryStore()
        self.archive = MemoryArchive(self.calls)
        self.recordings = MemoryMedia(self.calls.media)
        self.outbox = MemoryOutbox(self.calls)
        self.requests = MemoryPlatformRequests(self.calls)
        self.states = MemoryBotStates()
        self.sign_ins = MemorySignIns(self.calls)
        self.mailbox = MemoryMailbox(self.calls)
        self.news = LocalNews()
        self.coordination = SharedCoordination(time.time)

    async def __call__(self, location: StoreLocation) -> Opened:
        """Open it for one more server."""
        return Opened(
            calls=self.calls,
            archive=self.archive,
            search=MemorySearch(self.calls),
            voicemails=MemoryVoicemails(self.calls),
            recordings=self.recordings,
            outbox=self.outbox,
            requests=self.requests,
            states=self.states,
            sign_ins=self.sign_ins,
            mailbox=self.mailbox,
            news=self.news,
            coordination=self.coordination,
            link_key=b"l" * 32,
            token_key=b"t" * 32,
            sign_in_key=b"s" * 32,
            set_aside=(),
            flows_under_way=(),
            tend=_nothing,
            parts=AsyncExitStack(),
        )


async def _nothing() -> None:
    """Do nothing: memory needs no tending."""
