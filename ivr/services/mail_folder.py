"""Mails as files, for development: what would have been sent can be read, and no mail server is needed."""

import asyncio
from pathlib import Path

from ivr.outbox import Notification
from ivr.services.mail_message import mail_of
from ivr.services.mail_sender import check_recipient
from ivr.services.sender import Attachments, NotSent
from ivr.smallfiles import write_whole

SENDER = "ivr@localhost"


class MailFolder:
    """`Sender` that writes each mail into a folder, as `<id>.eml`, which any mail program opens."""

    def __init__(self, folder: Path, attachments: Attachments, *, most: int) -> None:
        self._folder = folder
        self._attachments = attachments
        self._most = most

    async def send(self, notification: Notification) -> None:
        """Write a mail, or raise NotSent. Whoever a call chooses gets it here: nothing leaves this machine."""
        notify = notification.notify
        if notify is None:  # it was sent
            return
        check_recipient(notify, ["*"])
        attached = [await self._attachments.of(media, number) for number, media in enumerate(notify.attach, 1)]
        mail = mail_of(notification, notify, attached, sender=SENDER, most=self._most)
        try:
            await asyncio.to_thread(self._write, notification.id, bytes(mail))
        except OSError as error:
            raise NotSent("folder", f"the mail cannot be written to {self._folder}: {error.strerror}") from error

    def _write(self, name: str, mail: bytes) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        write_whole(self._folder / f"{name}.eml", mail)
