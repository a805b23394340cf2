"""A `Verifier` for what browsers post into their conversations: a token of ours, and an activity that is as it says."""

from typing import Final

import msgspec
from msgspec import Struct, field

from ivr.auth.page_tokens import Grant, PageTokens
from ivr.channels.botframework.page_channel import PAGE, PAGE_MESSAGES
from ivr.errors import WebhookError
from ivr.ports import GoodCredentials, WebhookRequest
from ivr.rate_limit import RateLimit

MAX_ACTIVITY: Final = 48 * 1024
"Bytes of an activity: all letters that are read of a text, written as long as they can be."
PER_SECOND, BURST = 0.5, 20.0
"Messages into one conversation."


class _Party(Struct):
    id: str = ""


class _Written(Struct, rename="camel"):
    """What an activity says of who writes, and where."""

    channel_id: str = ""
    conversation: _Party = field(default_factory=_Party)
    sender: _Party = field(name="from", default_factory=_Party)


class PageVerifier:
    """Lets in who has the token of a conversation."""

    def __init__(self, tokens: PageTokens) -> None:
        self._tokens = tokens
        self._rate = RateLimit(PER_SECOND, BURST, most=16_384)

    async def verify(self, request: WebhookRequest, *, now: float) -> None:
        """Return if the token is good for this address, and not used too often; else raise WebhookError: 401 to 429."""
        grant = self._grant(request, now=now)
        if request.path != address_of(grant.flow):
            raise WebhookError(403, "token-flow", "The token is for another flow.")
        if not self._rate.take(grant.conversation, now):
            raise WebhookError(429, "too-often", "Too many messages. Wait a moment.")

    def verify_body(self, request: WebhookRequest) -> None:
        """Return if the activity is of the token's conversation and user; else raise WebhookError: 400, 403 or 413."""
        if len(request.body) > MAX_ACTIVITY:
            raise WebhookError(413, "too-large", f"A message has {MAX_ACTIVITY} bytes at most.")
        grant = self._grant(request, now=0.0)  # whether it is still good was looked at with the head
        try:
            written = msgspec.json.decode(request.body, type=_Written)
        except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
            raise WebhookError(400, "BadArgument", "The body is no activity.") from error
        named = written.channel_id, written.conversation.id, written.sender.id
        if named != (PAGE, grant.conversation, grant.user):
            raise WebhookError(403, "token-conversation", "The token is for another conversation.")

    def remembered(self, authorization: str, *, now: float) -> GoodCredentials | None:
        """Return nothing: pages do not take the short way."""
        return None

    def _grant(self, request: WebhookRequest, *, now: float) -> Grant:
        return self._tokens.read(borne(request.headers.get("authorization", "")), "talk", now=now)


def borne(authorization: str) -> str:
    """Return the token of an Authorization header (RFC 6750, 2.1); empty: it has none."""
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def address_of(flow: str) -> str:
    """Return where messages for a flow are posted to."""
    return f"{PAGE_MESSAGES}/{flow}" if flow else PAGE_MESSAGES
