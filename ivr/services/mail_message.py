"""A notification as a mail (RFC 5322). Pure: the same notification, the same mail.

Nothing of a caller's can become a header of its own: subjects are one line, and addresses were looked at before.
"""

from collections.abc import Sequence
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate

from ivr.engine.commands import Notify
from ivr.outbox import Notification
from ivr.services.sender import Attachment, cleaned

SUBJECT = 200
"Characters of a subject; the rest is cut off."


def mail_of(
    notification: Notification, notify: Notify, attached: Sequence[Attachment | None], *, sender: str, most: int
) -> EmailMessage:
    """Return the mail. Recordings of more than `most` bytes together are not attached: the mail says where they are."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender
    mail["To"] = notify.to
    mail["Subject"] = _one_line(notify.subject) or notify.flow
    mail["Date"] = formatdate(notification.made)
    mail["Message-ID"] = f"<{notification.id}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday notice answers it
    there = [one for one in attached if one is not None]
    fits = sum(len(one.content) for one in there) <= most
    notes = ["A recording was erased." for one in attached if one is None]
    if not fits:
        notes += [f"Recording (for seven days): {one.address}" for one in there]
    text = "\n\n".join(part for part in (notify.text.strip("\n"), "\n".join(notes)) if part)
    mail.set_content(text + "\n", charset="utf-8")
    for one in there if fits else ():
        maintype, _, subtype = one.content_type.partition("/")
        mail.add_attachment(one.content, maintype=maintype, subtype=subtype, filename=one.name)
    return mail


def _one_line(subject: str) -> str:
    """Return a subject that is nothing but its own text.

    `email` reads what looks like an encoded word (RFC 2047: `=?utf-8?q?=0A?=`) and writes what it stands for, line ends
    included: whoever can put one into a subject could write headers and a body.
    """
    return cleaned(subject, SUBJECT).replace("=?", "= ?")
