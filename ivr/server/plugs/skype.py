"""What the server needs to know of the Skype calling platform: its channel, its settings, who may call."""

import json
from ipaddress import ip_network
from typing import Final

from ivr.auth.tokens import AcceptAll, BearerVerifier
from ivr.channels.skype import CALL, CALLBACK, SkypeChannel
from ivr.server.plugs.key_rings import beginning, having, key_ring
from ivr.server.plugs.plug import Example, Plug, Registration, Source, Surroundings
from ivr.services.platform_api import PlatformApi, bearer
from ivr.settings import Settings, SettingsError

CHANNEL: Final = SkypeChannel.name
"The channel's name in stored calls."

DEVELOPMENT_ACCOUNT: Final = "development"
"The app id of a server that has none."

_EXAMPLE = {
    "id": "call-1",
    "participants": [{"identity": "29:me", "originator": True}, {"identity": "28:bot", "originator": False}],
    "presentedModalityTypes": ["audio"],
    "callState": "incoming",
}
"Protocol 4.1."


def _make(settings: Settings, here: Surroundings) -> Plug:
    account = settings.app_id or DEVELOPMENT_ACCOUNT
    channel = SkypeChannel(
        account=account,
        callback=f"{here.public}{CALLBACK}",
        media_base=here.media,
        recording=here.links.for_prompt,
        pretends=here.pretends,
    )
    keys = (
        None
        if here.dev
        else key_ring(
            settings.openid_metadata,
            setting="IVR_OPENID_METADATA",
            file=here.folder.openid_keys,
            loopback=settings.openid_loopback,
        )
    )
    return Plug(
        channel,
        BearerVerifier(settings.app_id or "", keys) if keys else AcceptAll(),
        account,
        registrations=(Registration(CALL, "the bot's calling webhook", starts=True),),
        proof="head",
        short_way=True,
        begin=beginning(keys) if keys else None,
        tend=(lambda now: keys.tend(now=now)) if keys else None,
        checks={"keys": having(keys)} if keys else {},
        api=_gateway(settings),
        places_with="IVR_SKYPE_GATEWAY_URL and IVR_SKYPE_GATEWAY_TOKEN",
        phone=True,
        example=Example(CALL, "application/json", json.dumps(_EXAMPLE)),
    )


def _gateway(settings: Settings) -> PlatformApi | None:
    """Return the gateway that places calls (protocol 26); None: it is not set, and the vendor's platform places none.

    The gateway is not the platform: it gets the token of its orders, and never one of the platform's.
    """
    address, token = settings.skype_gateway_url, settings.skype_gateway_token
    if address is None and token is None:
        return None
    if address is None or token is None:
        missing = "IVR_SKYPE_GATEWAY_URL" if address is None else "IVR_SKYPE_GATEWAY_TOKEN"
        raise SettingsError(f"calls are placed by a gateway that has an address and a token: set {missing}, too")
    private = [ip_network(network) for network in settings.http_private]
    try:
        return PlatformApi(address, bearer(token.get_secret_value()), private=private)
    except ValueError as error:
        raise SettingsError(f"IVR_SKYPE_GATEWAY_URL {error}") from error


SOURCE: Final = Source(
    CHANNEL,
    SkypeChannel.can,
    is_on=lambda settings: settings.app_id is not None,
    needs="IVR_APP_ID, the bot's app id",
    make=_make,
)
