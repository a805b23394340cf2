"""What the server needs to know of the Bot Framework's chat: its channel and settings, who may write, and where to."""

import json
from ipaddress import ip_network
from typing import Final

from ivr.auth.connector_tokens import ConnectorVerifier
from ivr.auth.tokens import AcceptAll
from ivr.channels.botframework.addresses import MESSAGES
from ivr.channels.botframework.codec import BotFrameworkChannel
from ivr.server.plugs.key_rings import beginning, having, key_ring
from ivr.server.plugs.plug import Example, Plug, Registration, Source, Surroundings
from ivr.services.client_credentials import ClientCredentials
from ivr.services.connector_api import ConnectorApi
from ivr.setting_sources import secret_text
from ivr.settings import Settings, SettingsError

CHANNEL: Final = BotFrameworkChannel.name

DEVELOPMENT_ACCOUNT: Final = "development"
"The app id of a bot that has none."
_NEEDS: Final = "IVR_CHAT_APP_ID and IVR_CHAT_PASSWORD, the bot's app id and its secret"

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
    if not here.dev and settings.chat_patience >= settings.idle:
        raise SettingsError(f"IVR_CHAT_PATIENCE must be under the {settings.idle:g} seconds of IVR_IDLE")
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
    password = secret_text(settings.chat_password)
    if not here.dev and not (settings.chat_app_id and password):
        raise SettingsError(f"IVR_CHAT_PASSWORD is needed: {_NEEDS}")
    private = [ip_network(network) for network in settings.http_private]
    credentials = None
    if settings.chat_app_id and password:
        try:
            credentials = ClientCredentials(
                settings.chat_login_url,
                settings.chat_tenant,
                client=settings.chat_app_id,
                secret=password,
                scope=settings.chat_scope,
                private=private,
            )
        except ValueError as error:
            raise SettingsError(f"IVR_CHAT_LOGIN_URL {error}") from error
    return ConnectorApi(
        settings.chat_hosts, credentials, files=settings.chat_file_hosts, private=private, local=here.dev
    )


SOURCE: Final = Source(
    CHANNEL,
    BotFrameworkChannel.can,
    is_on=lambda settings: settings.chat_app_id is not None,
    needs=_NEEDS,
    make=_make,
)
