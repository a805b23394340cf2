"""What the mailbox keeps, as the column of a row, for every store. It may repeat what somebody wrote in confidence."""

from typing import Final

from ivr.errors import BrokenSeal
from ivr.mailbox import Mail
from ivr.store.sealing import Sealer

PURPOSE: Final = "mailbox"
"Of the key that is derived for this column."


class MailColumns:
    """Writes and reads the column with the key of one store."""

    def __init__(self, key: bytes) -> None:
        """`key`: what the store derives from its key for `PURPOSE`."""
        self._sealer = Sealer(key, source="the store's")

    def written(self, name: str, body: bytes) -> bytes:
        """Return the column of a message, by its id (`mail_id`)."""
        return self._sealer.seal(body, name)

    def read(self, name: str, sealed: bytes) -> Mail | None:
        """Read a message back; None: it is damaged."""
        try:
            return Mail(name, self._sealer.unseal(sealed, name).rstrip())
        except BrokenSeal:
            return None
