"""The mailbox in a database that several servers share."""

from collections.abc import Sequence
from typing import Final

from ivr.mailbox import KEPT, Mail, mail_id
from ivr.store.mail_columns import MailColumns
from ivr.store.postgres.postgres_pool import PostgresPool
from ivr.store.postgres.postgres_text import can_stand

# The messages of a conversation are numbered in the order in which they can be seen, or a reader would pass one over
# that comes late: so they are put in one after the other. A call whose erasure is under way is waited for.
_PUT: Final = (
    "WITH mine AS (SELECT row FROM call, pg_advisory_xact_lock(hashtextextended($2, 0)) WHERE call.id = $5 "
    "FOR KEY SHARE OF call), "
    "put AS (INSERT INTO mail (call, id, conversation, made, body) SELECT row, $1, $2, $3, $4 FROM mine "
    "ON CONFLICT (id) DO NOTHING RETURNING conversation), "
    "cut AS (DELETE FROM mail USING put WHERE mail.conversation = put.conversation AND seq <= (SELECT seq FROM mail "
    "WHERE conversation = $2 ORDER BY seq DESC LIMIT 1 OFFSET $6 - 1)) "
    "SELECT FROM put"
)
_AFTER: Final = (
    "SELECT id, body FROM mail WHERE conversation = $1 AND seq > "
    "coalesce((SELECT seq FROM mail WHERE id = $2 AND conversation = $1), 0) ORDER BY seq LIMIT $3"
)


class PostgresMailbox:
    """`Mailbox`."""

    def __init__(self, pool: PostgresPool, *, key: bytes) -> None:
        """`key` seals what is kept, and is derived from that of the store."""
        self._pool = pool
        self._columns = MailColumns(key)

    async def put(self, name: str, conversation: str, body: bytes, *, at: float) -> None:
        """Take a message, at the end of its conversation."""
        name_of_mail = mail_id(name)
        sealed = self._columns.written(name_of_mail, body)
        await self._pool.rows(_PUT, name_of_mail, conversation, at, sealed, name.partition(".")[0], KEPT)

    async def after(self, conversation: str, last: str, *, limit: int) -> Sequence[Mail]:
        """Return the messages that follow one, the oldest first; one that is damaged is passed over."""
        rows = await self._pool.rows(_AFTER, conversation, last if can_stand(last) else "", limit)
        read = (self._columns.read(name, sealed) for name, sealed in rows)
        return [mail for mail in read if mail is not None]
