"""How notifications leave this server: which sender there is for which way, as the settings say."""

import logging
import time
from contextlib import AsyncExitStack
from pathlib import Path

from ivr.audio.workers import Workers
from ivr.engine.commands import NotificationWay
from ivr.media_storage import MediaStore
from ivr.server.origin import is_loopback_name
from ivr.server.recording_files import AttachedRecordings, RecordingFiles
from ivr.server.recording_links import RecordingLinks
from ivr.services.egress import Egress
from ivr.services.mail_folder import MailFolder
from ivr.services.mail_sender import MailSender, MailServer
from ivr.services.sender import Attachments, Sender
from ivr.services.webhook_sender import WebhookSender
from ivr.setting_sources import secret_text
from ivr.settings import Settings, webhook_key

log = logging.getLogger(__name__)


def make_senders(
    stack: AsyncExitStack,
    settings: Settings,
    recordings: MediaStore,
    links: RecordingLinks,
    *,
    egress: Egress,
    mails: Path | None,
) -> dict[NotificationWay, Sender]:
    """Make the senders; `mails` is where mails are written if there is no mail server, in development.

    Webhooks go where `egress` lets them.
    """
    workers = Workers(size=1)
    stack.push_async_callback(workers.close)
    attached = AttachedRecordings(RecordingFiles(recordings, workers), links, now=time.time)
    senders: dict[NotificationWay, Sender] = {}
    if settings.smtp_server is not None:
        senders["mail"] = MailSender(
            mail_server(settings), attached, allowed=settings.mail_to, most=settings.mail_attach_limit
        )
    elif mails is not None:
        senders["mail"] = _folder(mails, attached, settings)
    if settings.webhook_secret is not None:
        key = webhook_key(settings.webhook_secret.get_secret_value())
        webhooks = senders["webhook"] = WebhookSender(egress, attached, key, now=time.time)
        stack.push_async_callback(webhooks.close)
    return senders


def mail_server(settings: Settings) -> MailServer:
    """Return the mail server of the settings, which name one."""
    host = settings.smtp_server or ""
    return MailServer(
        host,
        settings.smtp_port,
        settings.smtp_from or "",
        settings.smtp_encryption or ("none" if is_loopback_name(host) else "starttls"),
        settings.smtp_user or "",
        secret_text(settings.smtp_password),
    )


def _folder(mails: Path, attached: Attachments, settings: Settings) -> Sender:
    log.info("mails are written into a folder", extra={"path": str(mails)})
    return MailFolder(mails, attached, most=settings.mail_attach_limit)
