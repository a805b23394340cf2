"""What the server needs to know of the Skype Bot Platform v2: its channel and settings, who may write, and where to."""

import json
from ipaddress import ip_network
from typing import Final

from yarl import URL

from ivr.auth.connector_tokens import ServiceVerifier
from ivr.auth.tokens import AcceptAll
from ivr.channels.skype_v2.addresses import MESSAGES
from ivr.channels.skype_v2.codec import SkypeV2Channel
from ivr.server.plugs.bot_registration import bot_credentials, check_patience, needed
from ivr.server.plugs.key_rings import beginning, having, key_ring
from ivr.server.plugs.plug import Example, Plug, Registration, Source, Surroundings
from ivr.services.connector_api import ConnectorApi
from ivr.setting_sources import secret_text
from ivr.settings import Settings, SettingsError

CHANNEL: Final = SkypeV2Channel.name

DEVELOPMENT_ACCOUNT: Final = "development"
"The app id of a bot that has none."
_PREFIX: Final = "IVR_SKYPE_V2"
"What the names of its settings begin with."

_EXAMPLE = [
    {
        "id": "0",
        "activity": "message",
        "from": "8:me",
        "to": "28:bot",
        "time": "2016-07-12T06:26:08.231Z",
        "content": "Hello",
    }
]


def _make(settings: Settings, here: Surroundings) -> Plug:
    account = settings.skype_v2_app_id or DEVELOPMENT_ACCOUNT
    check_patience(settings, settings.skype_v2_patience, setting="IVR_SKYPE_V2_PATIENCE", dev=here.dev)
    channel = SkypeV2Channel(
        account=account,
        base=settings.skype_v2_url,
        media_base=here.media,
        recording=here.links.for_line,
        wire=settings.skype_v2_wire,
        patience=settings.skype_v2_patience,
        greets=settings.skype_v2_greets,
    )
    keys = (
        None
        if here.dev
        else key_ring(
            settings.skype_v2_openid_metadata,
            setting="IVR_SKYPE_V2_OPENID_METADATA",
            file=here.folder.skype_v2_keys,
            loopback=settings.openid_loopback,
        )
    )
    return Plug(
        channel,
        ServiceVerifier(account, keys, issuer=settings.skype_v2_issuer) if keys else AcceptAll(),
        account,
        api=_api(settings, here),
        registrations=(Registration(MESSAGES, "the bot's messaging webhook", starts=True),),
        proof="head",
        begin=beginning(keys) if keys else None,
        tend=(lambda now: keys.tend(now=now)) if keys else None,
        checks={"skype_v2_keys": having(keys)} if keys else {},
        example=Example(MESSAGES, "application/json", json.dumps(_EXAMPLE)),
    )


def _api(settings: Settings, here: Surroundings) -> ConnectorApi:
    """Return the way to the platform; in development without a secret it has to be on this machine."""
    private = [ip_network(network) for network in settings.http_private]
    credentials = bot_credentials(
        _PREFIX,
        app_id=settings.skype_v2_app_id,
        password=secret_text(settings.skype_v2_password),
        login_url=settings.skype_v2_login_url,
        tenant=settings.skype_v2_tenant,
        scope=settings.skype_v2_scope,
        private=private,
        dev=here.dev,
    )
    hosts = [] if credentials is None else [_host(settings.skype_v2_url)]
    api = ConnectorApi(hosts, credentials, private=private, local=here.dev, whose="IVR_SKYPE_V2_URL")
    if credentials is not None and not api.serves(settings.skype_v2_url):
        raise SettingsError("IVR_SKYPE_V2_URL must be an address such as https://apis.skype.com")
    return api


def _host(address: str) -> str:
    """Return the host and port of the platform's address; raise SettingsError."""
    try:
        url = URL(address)
        if url.raw_host and url.port:
            return f"[{url.raw_host}]:{url.port}" if ":" in url.raw_host else f"{url.raw_host}:{url.port}"
    except ValueError:
        pass
    raise SettingsError("IVR_SKYPE_V2_URL must be an address such as https://apis.skype.com")


SOURCE: Final = Source(
    CHANNEL,
    SkypeV2Channel.can,
    is_on=lambda settings: settings.skype_v2_app_id is not None,
    needs=needed(_PREFIX),
    make=_make,
)
