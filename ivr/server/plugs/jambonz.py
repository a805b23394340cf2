"""What the server needs to know of jambonz: its channel, its settings, who may call, and where callers are recorded."""

import json
from collections.abc import Sequence
from ipaddress import ip_network
from typing import Final

from ivr.auth.tokens import AcceptAll
from ivr.channels.address_token import AddressTokens
from ivr.channels.jambonz.addresses import CALL, LISTEN, STATUS
from ivr.channels.jambonz.codec import JambonzChannel
from ivr.channels.jambonz.signature import SignatureVerifier
from ivr.channels.jambonz.voices import Voices
from ivr.coordination import Coordination
from ivr.jambonz_settings import secrets_in
from ivr.phone.wire.transfer_targets import may_transfer
from ivr.ports import Incoming
from ivr.server.listen_pages import ListenPages
from ivr.server.plugs.plug import Behind, Example, LinePages, Plug, Registration, Source, Surroundings
from ivr.services.platform_api import PlatformApi, bearer
from ivr.settings import Settings, SettingsError

CHANNEL: Final = JambonzChannel.name

DEVELOPMENT_ACCOUNT: Final = "development"
"The account of a server that is told none."

_EXAMPLE = {
    "call_sid": "call-1",
    "account_sid": DEVELOPMENT_ACCOUNT,
    "direction": "inbound",
    "from": "+15550100",
    "to": "+15550199",
    "call_status": "trying",
}


class _Sockets:
    """Where callers are recorded: there is none until the server stands behind it."""

    def __init__(self, channel: JambonzChannel, coordination: Coordination) -> None:
        self._channel = channel
        self._coordination = coordination
        self._pages: list[ListenPages] = []

    def pages(self, behind: Behind) -> Sequence[LinePages]:
        """Make it (`Plug.pages`)."""
        self._pages.append(
            ListenPages(
                channel=self._channel,
                path=LISTEN,
                store=behind.store,
                recordings=behind.recordings,
                turns=behind.turns,
                arrivals=behind.arrivals,
                coordination=self._coordination,
                now=behind.now,
                refusals=behind.refusals,
            )
        )
        return self._pages

    async def before(self, incoming: Incoming) -> None:
        """Wait until the recording that a message tells of is saved (`Plug.before`)."""
        for one in self._pages:
            await one.before(incoming)


def _channel(settings: Settings, here: Surroundings) -> JambonzChannel:
    patterns = settings.jambonz_allow_transfer
    return JambonzChannel(
        public=here.public,
        tokens=AddressTokens(here.token_key),
        account=settings.jambonz_account_sid,
        media_base=here.media,
        recording=here.links.for_line,
        may_call=lambda target: may_transfer(target, patterns),
        transfers=bool(patterns),
        refers=settings.jambonz_refer,
        voices=Voices(settings.jambonz_voices),
    )


def _make(settings: Settings, here: Surroundings) -> Plug:
    channel = _channel(settings, here)
    sockets = _Sockets(channel, here.coordination)
    secrets = secrets_in(settings.jambonz_webhook_secret) if settings.jambonz_webhook_secret else []
    return Plug(
        channel,
        SignatureVerifier(secrets) if secrets or not here.dev else AcceptAll(),
        settings.jambonz_account_sid or DEVELOPMENT_ACCOUNT,
        registrations=(
            Registration(CALL, "the application's calling webhook (POST)", starts=True),
            Registration(STATUS, "the application's call status webhook (POST)"),
        ),
        before=sockets.before,
        api=_api(settings),
        places_with="IVR_JAMBONZ_API_URL and IVR_JAMBONZ_API_KEY",
        pages=sockets.pages,
        example=Example(CALL, "application/json", json.dumps(_EXAMPLE)),
    )


def _api(settings: Settings) -> PlatformApi | None:
    """Return the REST API of jambonz; None: its address or its key is not set."""
    if settings.jambonz_api_url is None or settings.jambonz_api_key is None:
        return None
    key = bearer(settings.jambonz_api_key.get_secret_value())
    private = [ip_network(network) for network in settings.http_private]
    try:
        return PlatformApi(settings.jambonz_api_url, key, private=private)
    except ValueError as error:
        raise SettingsError(f"IVR_JAMBONZ_API_URL {error}") from error


SOURCE: Final = Source(
    CHANNEL,
    JambonzChannel.can,
    is_on=lambda settings: settings.jambonz_webhook_secret is not None,
    needs="IVR_JAMBONZ_WEBHOOK_SECRET, the account's webhook secret",
    make=_make,
)
