"""The chat of a page of our own: the same activities, posted by a browser, and fetched by it.

What a browser posts has passed its token's check, which holds conversation and user against the token's.
"""

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from ivr.channels.botframework.addresses import CHANNEL
from ivr.channels.botframework.codec import BotFrameworkChannel
from ivr.ports import Endpoint, Incoming, WebhookReply, WebhookRequest

PAGE: Final = "page"
"The channel's name in stored calls, and `channelId` of its activities."
PAGE_MESSAGES: Final = "/chat/messages"
"Where a browser posts; `/NAME` may follow."
PAGE_SERVICE: Final = "page:"
"The `serviceUrl` of its activities: what is sent there goes nowhere, and is fetched."


class PageChannel(BotFrameworkChannel):
    """`ports.Channel` for the pages of this server."""

    name = PAGE
    vouches = False  # a browser posts, and may name whom it likes
    endpoints: Sequence[Endpoint] = (Endpoint(PAGE_MESSAGES, named=True),)

    def decode(self, request: WebhookRequest) -> Sequence[Incoming] | WebhookReply:
        """Read a request, as the chat does; for a flow it is a chat. Raises WebhookError."""
        decoded = super().decode(request)
        return decoded if isinstance(decoded, WebhookReply) else [replace(one, line=CHANNEL) for one in decoded]
