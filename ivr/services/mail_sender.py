"""Notifications by mail, through the mail server of the settings (SMTP, RFC 5321)."""

import ssl
from collections.abc import Sequence
from email.message import EmailMessage
from fnmatch import fnmatchcase
from typing import Literal, TypeAlias

import aiosmtplib
from msgspec import Struct

from ivr.engine.commands import Notify
from ivr.mail_address import is_address
from ivr.outbox import Notification
from ivr.services.mail_message import mail_of
from ivr.services.sender import Attachments, NotSent, cleaned

Encryption: TypeAlias = Literal["starttls", "tls", "none"]
"`tls`: from the first byte. As the settings have it."
PATIENCE = 60.0
"Seconds that each step of a mail server may take."
_SAID = 200
"Characters of what a mail server says that are kept."
_REFUSED = 500
"The codes from which on a mail server will never take a mail."


class MailServer(Struct, frozen=True):
    """Where mails go."""

    host: str
    port: int
    sender: str
    "The address that they come from."
    encryption: Encryption
    user: str = ""
    "Empty: nobody logs in."
    password: str = ""


class MailSender:
    """`Sender` for mails."""

    def __init__(
        self,
        server: MailServer,
        attachments: Attachments,
        *,
        allowed: Sequence[str] = (),
        most: int,
        trust: ssl.SSLContext | None = None,
        patience: float = PATIENCE,
    ) -> None:
        """Send through a server.

        `allowed` are patterns of addresses (`*@example.com`) that a call may put together; those that a flow has
        written out need none. `most` is how many bytes of recordings are attached. `trust` is whose certificates are
        believed: those of this machine, unless it is given.
        """
        self._server = server
        self._attachments = attachments
        self._allowed = [pattern.lower() for pattern in allowed]
        self._most = most
        self._trust = trust
        self._patience = patience

    async def send(self, notification: Notification) -> None:
        """Hand a mail over to the server, or raise NotSent."""
        notify = notification.notify
        if notify is None:  # it was sent
            return
        check_recipient(notify, self._allowed)
        attached = [await self._attachments.of(media, number) for number, media in enumerate(notify.attach, 1)]
        mail = mail_of(notification, notify, attached, sender=self._server.sender, most=self._most)
        await self._hand_over(mail, notify.to)

    async def _hand_over(self, mail: EmailMessage, to: str) -> None:
        server = self._server
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user or None,
            password=server.password or None,
            use_tls=server.encryption == "tls",
            start_tls=server.encryption == "starttls",
            tls_context=self._trust,
            timeout=self._patience,
        )
        try:
            async with client:
                await client.send_message(mail, sender=server.sender, recipients=[to])
        except (aiosmtplib.SMTPException, OSError) as error:
            raise _why(error) from error


def _why(error: Exception) -> NotSent:
    match error:
        case aiosmtplib.SMTPRecipientsRefused():
            [one, *_] = error.recipients
            return _refused("the recipient", one)
        case aiosmtplib.SMTPDataError():
            return _refused("the mail", error)
        case aiosmtplib.SMTPAuthenticationError(code=code):
            return NotSent("login", f"the mail server refused the login ({code})")
        case aiosmtplib.SMTPResponseException(code=code, message=said):
            # A server that is busy, wants a login or another sender: what is set can still be mended.
            return NotSent("answer", f"the mail server answered {code}: {cleaned(said, _SAID)}")
        case aiosmtplib.SMTPTimeoutError():
            return NotSent("timeout", "the mail server did not answer in time")
    return NotSent("unreachable", f"the mail server cannot be reached or used ({type(error).__name__})")


def _refused(what: str, error: aiosmtplib.SMTPResponseException) -> NotSent:
    """Return why a mail is not taken; one that is refused for now only, greylisted say, is tried again."""
    said = f"the mail server refused {what} ({error.code}): {cleaned(error.message, _SAID)}"
    return NotSent("refused", said, for_good=error.code >= _REFUSED)


def check_recipient(notify: Notify, allowed: Sequence[str]) -> None:
    """Raise NotSent if a mail may not go there: a caller must not choose who gets mail from this server."""
    if not is_address(notify.to):
        raise NotSent("address", f'"{cleaned(notify.to, _SAID)}" is not a mail address', for_good=True)
    if notify.computed and not any(fnmatchcase(notify.to.lower(), pattern) for pattern in allowed):
        why = f"{notify.to} was put together in a call, and IVR_MAIL_TO does not allow it"
        raise NotSent("not-allowed", why, for_good=True)
