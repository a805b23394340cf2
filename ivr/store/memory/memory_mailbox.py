"""The twin in memory of the mailbox: what a `MemoryStore` holds. No method ever waits."""

from collections.abc import Sequence

from ivr.mailbox import KEPT, Mail, mail_id
from ivr.store.memory.memory_calls import MemoryStore


class MemoryMailbox:
    """`Mailbox`."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    async def put(self, name: str, conversation: str, body: bytes, *, at: float) -> None:
        """Take a message, at the end of its conversation."""
        mail = self._store.mail
        if name in mail or name.partition(".")[0] not in self._store.calls:
            return
        mail[name] = (conversation, Mail(mail_id(name), body))
        of_this = [one for one, (where, _) in mail.items() if where == conversation]
        for one in of_this[:-KEPT]:
            del mail[one]

    async def after(self, conversation: str, last: str, *, limit: int) -> Sequence[Mail]:
        """Return the messages that follow one, the oldest first."""
        found = [one for where, one in self._store.mail.values() if where == conversation]
        known = [number for number, one in enumerate(found, 1) if one.id == last]
        return found[known[0] if known else 0 :][:limit]
