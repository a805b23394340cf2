"""What the server needs to know of the Bot Framework's chat: its channel and settings, who may write, and where to."""

import json
from ipaddress import ip_network
from typing import Final

from ivr.auth.connector_tokens import ConnectorVerifier
from ivr.auth.tokens import AcceptAll
from ivr.channels.botframework.addresses import MESSAGES
from ivr.channels.botframework.codec import BotFrameworkChannel
from ivr.server.plugs.bot_registration import bot_credentials, check_patience, needed
from ivr.server.plugs.key_rings import beginning, having, key_ring
from ivr.server.plugs.plug import Example, Plug, Registration, Source, Surroundings
from ivr.services.connector_api import ConnectorApi
from ivr.setting_sources import secret_text
from ivr.settings import Settings

CHANNEL: Final = BotFrameworkChannel.name

DEVELOPMENT_ACCOUNT: Final = "development"
"The app id of a bot that has none."
_PREFIX: Final = "IVR_CHAT"
"What the names of its settings begin with."

_EXAMPLE = {
    "type": "message",
    "id": "activity-1",
    "serviceUrl": "https://webchat.botframework.com/",
    "channelId": "webchat",
    "from": {"id": "me"},
    "conversation": {"id": "conversation-1"},
    "recipient": {"id": "bot"},
    "text": "Hello",
}


def _make(settings: Settings, here: Surroundings) -> Plug:
    account = settings.chat_app_id or DEVELOPMENT_ACCOUNT
    check_patience(settings, settings.chat_patience, setting="IVR_CHAT_PATIENCE", dev=here.dev)
    api = _api(settings, here)
    channel = BotFrameworkChannel(
        account=account,
        serves=api.serves,
        media_base=here.media,
        recording=here.links.for_line,
        patience=settings.chat_patience,
        greets=settings.chat_greets,
        hands_over=settings.chat_handoff,
    )
    keys = (
        None
        if here.dev
        else key_ring(
            settings.chat_openid_metadata,
            setting="IVR_CHAT_OPENID_METADATA",
            file=here.folder.chat_keys,
            loopback=settings.openid_loopback,
        )
    )
    issuer, endorsed = settings.chat_issuer, settings.chat_endorsed
    return Plug(
        channel,
        ConnectorVerifier(account, keys, issuer=issuer, endorsed=endorsed) if keys else AcceptAll(),
        account,
        api=api,
        registrations=(Registration(MESSAGES, "the bot's messaging endpoint", starts=True),),
        proof="head",
        begin=beginning(keys) if keys else None,
        tend=(lambda now: keys.tend(now=now)) if keys else None,
        checks={"chat_keys": having(keys)} if keys else {},
        example=Example(MESSAGES, "application/json", json.dumps(_EXAMPLE)),
    )


def _api(settings: Settings, here: Surroundings) -> ConnectorApi:
    """Return the way to all connectors; in development without a secret, to those on this machine."""
    private = [ip_network(network) for network in settings.http_private]
    credentials = bot_credentials(
        _PREFIX,
        app_id=settings.chat_app_id,
        password=secret_text(settings.chat_password),
        login_url=settings.chat_login_url,
        tenant=settings.chat_tenant,
        scope=settings.chat_scope,
        private=private,
        dev=here.dev,
    )
    return ConnectorApi(
        settings.chat_hosts, credentials, files=settings.chat_file_hosts, private=private, local=here.dev
    )


SOURCE: Final = Source(
    CHANNEL,
    BotFrameworkChannel.can,
    is_on=lambda settings: settings.chat_app_id is not None,
    needs=needed(_PREFIX),
    make=_make,
)
