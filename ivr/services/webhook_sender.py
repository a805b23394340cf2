"""Notifications by webhook: a signed POST, as Standard Webhooks has it, to a host of the operator's list.

The receiver verifies `webhook-signature`: base64 of the HMAC-SHA-256, under the secret that both sides know, of the id,
the time and the body with points between them. The id is the same on each try.
"""

import base64
import hmac
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from http import HTTPStatus

import aiohttp
from msgspec import json

from ivr.engine.commands import Notify
from ivr.outbox import Notification
from ivr.services.egress import Egress, NotAllowed
from ivr.services.sender import Attachment, Attachments, NotSent

TYPE = "ivr.notification"
PATIENCE = 30.0
"Seconds that a receiver may take."
_LATER = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
)
"Answers under 500 after which another try can go better."


class WebhookSender:
    """`Sender` for webhooks."""

    def __init__(
        self,
        egress: Egress,
        attachments: Attachments,
        key: bytes,
        *,
        now: Callable[[], float],
        patience: float = PATIENCE,
    ) -> None:
        """Post where `egress` lets requests go, signed with `key`; `now` is in seconds since 1970."""
        self._egress = egress
        self._attachments = attachments
        self._key = key
        self._now = now
        self._patience = patience
        self._session: aiohttp.ClientSession | None = None

    async def send(self, notification: Notification) -> None:
        """Post a notification, or raise NotSent."""
        notify = notification.notify
        if notify is None:  # it was sent
            return
        try:
            url = self._egress.check(notify.to)
        except NotAllowed as error:
            raise NotSent("not-allowed", str(error)) from error  # the operator can still put it on the list
        attached = [await self._attachments.of(media, number) for number, media in enumerate(notify.attach, 1)]
        body = payload(notification, notify, attached)
        headers = {"Content-Type": "application/json", **signed(notification.id, body, self._key, now=self._now())}
        if self._session is None:
            self._session = self._egress.session()
        timeout = aiohttp.ClientTimeout(total=self._patience)
        try:
            async with self._session.post(
                url, data=body, headers=headers, allow_redirects=False, timeout=timeout
            ) as answer:
                status = answer.status
        except TimeoutError as error:
            raise NotSent("timeout", "the receiver did not answer in time") from error
        except (aiohttp.ClientError, OSError) as error:
            raise NotSent("unreachable", f"the receiver cannot be reached ({type(error).__name__})") from error
        _judge(status)

    async def close(self) -> None:
        """Let go of the connections."""
        if self._session is not None:
            await self._session.close()


def payload(notification: Notification, notify: Notify, attached: Sequence[Attachment | None]) -> bytes:
    """Return the body: the same for each try, but for the addresses of recordings."""
    data = {
        "call": notification.call,
        "flow": notify.flow,
        "direction": "outgoing" if notify.placed else "incoming",
        "from": notify.caller,
        "to": notify.called,
        "startedAt": _moment(notify.started),
        "subject": notify.subject or notify.flow,
        "text": notify.text,
        "recordings": [{"url": one.address} if one else {"url": None} for one in attached],
    }
    return json.encode({"type": TYPE, "timestamp": _moment(notification.made), "data": data})


def signed(name: str, body: bytes, key: bytes, *, now: float) -> dict[str, str]:
    """Return the fields that a receiver verifies."""
    at = str(int(now))
    signature = hmac.digest(key, b".".join([name.encode(), at.encode(), body]), "sha256")
    return {
        "webhook-id": name,
        "webhook-timestamp": at,
        "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
    }


def _judge(status: int) -> None:
    """Raise NotSent unless the receiver has taken it."""
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return
    # 410 is how a receiver says that it wants no more; a redirect is not followed, since it may lead anywhere.
    for_good = status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in _LATER
    raise NotSent("refused", f"the receiver answered {status}", for_good=for_good)


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
