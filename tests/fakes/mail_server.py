"""A mail server on this machine (aiosmtpd), which can be slow, busy, refuse, want a login or TLS."""

from __future__ import annotations

import asyncio
import ssl
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as POLICY
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER, PASSWORD = "ivr", "a secret of the mail server"


class MailHost:
    """What came in, and what is answered."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.raw: list[bytes] = []
        self.recipients: list[list[str]] = []
        self.rcpt = "250 OK"
        "The answer to each recipient."
        self.data = ["250 OK"]
        "The answers to mails; the last one repeats."
        self.begun = asyncio.Event()
        "Set as soon as a mail is handed over."
        self.arrived = asyncio.Event()
        "Set by the first mail."
        self.stalls = False
        self.tries = 0
        self.port = 0

    async def handle_RCPT(  # noqa: N802  # the library's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.tries += 1
        if self.rcpt.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.rcpt

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.begun.set()
        if self.stalls:
            await asyncio.Event().wait()
        answer = self.data.pop(0) if len(self.data) > 1 else self.data[0]
        if answer.startswith("250"):
            content = envelope.content
            assert isinstance(content, bytes)
            self.raw.append(content)
            mail = message_from_bytes(content, policy=POLICY)
            assert isinstance(mail, EmailMessage)
            self.mails.append(mail)
            self.recipients.append(envelope.rcpt_tos)
            self.arrived.set()
        return answer


def _login(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object) -> AuthResult:
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=good)


@asynccontextmanager
async def mail_host(
    *, tls: ssl.SSLContext | None = None, starts_with_tls: bool = False, login: bool = False
) -> AsyncIterator[MailHost]:
    """Serve on a free port; with `tls`, by STARTTLS, or from the first byte."""
    host = MailHost()
    options: dict[str, Any] = {"enable_SMTPUTF8": False}
    if tls is not None and not starts_with_tls:
        options |= {"tls_context": tls, "require_starttls": True}
    if login:
        options |= {"authenticator": _login, "auth_required": True, "auth_require_tls": False}
    loop = asyncio.get_running_loop()

    def connected() -> SMTP:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of a login without TLS, which nobody else hears here
            return SMTP(host, loop=loop, **options)

    server = await loop.create_server(connected, "127.0.0.1", 0, ssl=tls if starts_with_tls else None)
    host.port = server.sockets[0].getsockname()[1]
    try:
        yield host
    finally:
        server.close()
