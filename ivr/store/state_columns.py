"""What bots keep, as the columns of a row, for every store: which of them are hashed, and what is sealed.

Bots keep what they like, tokens of their users among it. So data and ids are sealed, and found by keyed hashes.
"""

from collections.abc import Sequence
from typing import Final, TypeAlias

from msgspec import MsgspecError, Raw, Struct, json

from ivr.bot_state import StateKey, StateRecord
from ivr.errors import BrokenSeal, UnreadableRow
from ivr.store.sealing import Sealer

PURPOSE: Final = "bot state"
"Of the key that is derived for these rows."
LOOKED_AT: Final = 16
"Rows by which a key is known to be another one; one of them may be damaged."

StateRow: TypeAlias = tuple[str, str, str, str, str, str, bytes, float]
"A row: name, app, channel, conversation, user, tag, body, touched."


class _Body(Struct):
    conversation: str
    user: str
    data: Raw


class StoredState(Struct, frozen=True):
    """What of a row is read, as it stands."""

    name: str
    tag: str
    body: bytes
    touched: float


class StateColumns:
    """Writes and reads the columns with the key of one store."""

    def __init__(self, key: bytes) -> None:
        """`key`: what the store derives from its key for `PURPOSE`."""
        self._sealer = Sealer(key, source="derived for bot state")

    def name(self, key: StateKey) -> str:
        """Return the column that names a record."""
        return self._sealer.pseudonym(json.encode([key.app, key.channel, key.conversation, key.user]).decode())

    def hashed(self, identity: str) -> str:
        """Return the column for the id of a user or a conversation; empty: there is none."""
        return self._sealer.pseudonym(identity) if identity else ""

    def written(self, key: StateKey, record: StateRecord, at: float) -> StateRow:
        """Return all columns of a record that is kept at that time."""
        name = self.name(key)
        body = self._sealer.seal(
            json.encode(_Body(key.conversation, key.user, Raw(record.data))), f"{name}/{record.tag}"
        )
        hashes = self.hashed(key.conversation), self.hashed(key.user)
        return name, key.app, key.channel, *hashes, record.tag, body, at

    def read(self, row: StoredState) -> StateRecord:
        """Open a row; raise UnreadableRow."""
        return StateRecord(bytes(self._body(row).data), row.tag)

    def shown_id(self, row: StoredState) -> str:
        """Return what a row is called once it is gone: by its conversation, else by its user.

        Empty: it cannot be read.
        """
        try:
            body = self._body(row)
        except UnreadableRow:
            return ""  # it is gone, whatever it was
        return body.conversation or body.user

    def require_key(self, newest: Sequence[StoredState]) -> None:
        """Raise BrokenSeal if there are rows, and none of the newest can be read: then another key has written them.

        With that key no record is found under its name, so that bots would be told that there is none.
        """
        if newest and not any(self._is_readable(row) for row in newest):
            raise BrokenSeal(
                "What bots keep cannot be opened with this key of sealed values. Put the right key back. "
                "If it is lost, so are their records, which `ivr botstate erase --all` erases."
            )

    def _is_readable(self, row: StoredState) -> bool:
        try:
            self._body(row)
        except UnreadableRow:
            return False
        return True

    def _body(self, row: StoredState) -> _Body:
        try:
            return json.decode(self._sealer.unseal(row.body, f"{row.name}/{row.tag}"), type=_Body)
        except (BrokenSeal, MsgspecError, ValueError, RecursionError) as error:
            raise UnreadableRow("a record of a bot cannot be read") from error
