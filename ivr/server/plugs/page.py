"""What the server needs to know of the chat on its own pages: its channel, its settings, who may write and read."""

import json
from typing import Final

from ivr.auth.page_tokens import PageTokens
from ivr.channels.botframework.page_channel import PAGE, PAGE_MESSAGES, PAGE_SERVICE, PageChannel
from ivr.server.chat_page.chat_pages import HOLD, LOOK, ChatPages
from ivr.server.chat_page.listeners import Listeners
from ivr.server.chat_page.page_delivery import PageDelivery
from ivr.server.chat_page.page_verifier import PageVerifier
from ivr.server.chat_page.visits import Visits
from ivr.server.plugs.bot_registration import check_patience
from ivr.server.plugs.plug import Behind, Example, LinePages, Plug, Source, Surroundings
from ivr.setting_sources import secret_text
from ivr.settings import Settings, SettingsError

_ACCOUNT: Final = "page"
_NEEDS: Final = "IVR_CHAT_PAGE_SECRET and IVR_CHAT_PAGE_SITES, for the chat on a company's own pages"
_LISTENING: Final = 4
"Of the connections, one in so many may wait for messages of pages: the others are for calls."

_EXAMPLE = {
    "type": "message",
    "id": "1",
    "channelId": PAGE,
    "serviceUrl": PAGE_SERVICE,
    "from": {"id": "visitor"},
    "recipient": {"id": "bot"},
    "conversation": {"id": "conversation-1"},
    "text": "Hello",
}


def _make(settings: Settings, here: Surroundings) -> Plug:
    secret = secret_text(settings.chat_page_secret)
    if secret and not settings.chat_page_sites:
        raise SettingsError("IVR_CHAT_PAGE_SITES is needed: the sites whose pages may show the chat")
    check_patience(settings, settings.chat_patience, setting="IVR_CHAT_PATIENCE", dev=here.dev)
    tokens = PageTokens(here.token_key)
    listeners = Listeners(max(8, settings.max_connections // _LISTENING))
    here.news.hear("mail", listeners.wake)
    channel = PageChannel(
        account=_ACCOUNT,
        serves=lambda address: address == PAGE_SERVICE,
        media_base=here.media,
        recording=here.links.for_line,
        patience=settings.chat_patience,
    )

    def pages(behind: Behind) -> tuple[LinePages]:
        def flows() -> dict[str, str]:
            return {one.flow.name: one.flow.description for one in behind.flows.all() if one.flow}

        visits = Visits(
            tokens,
            flows,
            default=lambda: behind.flows.default,
            sites=settings.chat_page_sites,
            life=settings.chat_page_token_life,
            own=here.dev,
        )
        page = ChatPages(
            visits,
            here.mailbox,
            listeners,
            flows=flows,
            now=behind.now,
            secret=secret,
            sites=settings.chat_page_sites,
            title=settings.chat_page_title,
            own=here.dev,
            forwarded=settings.chat_page_forwarded,
            look=HOLD if here.coordination.alone else LOOK,
        )
        return (page,)

    return Plug(
        channel,
        PageVerifier(tokens),
        _ACCOUNT,
        api=PageDelivery(here.mailbox, here.news),
        proof="head",
        pages=pages,
        example=Example(PAGE_MESSAGES, "application/json", json.dumps(_EXAMPLE)),
    )


SOURCE: Final = Source(
    PAGE, PageChannel.can, is_on=lambda settings: settings.chat_page_secret is not None, needs=_NEEDS, make=_make
)
