"""What the server needs to know of carriers that speak TwiML: the settings of each, who may call, where its API is."""

from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlencode

from msgspec import Struct

from ivr import trial_carrier
from ivr.auth.tokens import AcceptAll
from ivr.channels.address_token import AddressTokens
from ivr.channels.twiml import PROFILES, TwimlChannel
from ivr.channels.twiml.plivo_signature import PlivoVerifier
from ivr.channels.twiml.signalwire_signature import SignalWireVerifier
from ivr.channels.twiml.telnyx_signature import TelnyxVerifier
from ivr.channels.twiml.twilio_signature import TwilioVerifier
from ivr.ports import Verifier
from ivr.server.plugs.plug import Example, Plug, Registration, Source, Surroundings
from ivr.services.platform_api import PlatformApi, basic, bearer
from ivr.setting_sources import secret_text
from ivr.settings import Settings, SettingsError, variable
from ivr.trial_carrier import ACCOUNT


class _Carrier(Struct, frozen=True):
    """What the settings say of one carrier."""

    secret: str
    "The setting that turns it on."
    account: str
    "The setting with the account."
    needs: str
    verifier: Callable[[Settings, str], Verifier]
    "For the settings and the public address; the secret is set."
    api: Callable[[Settings], PlatformApi | None]
    deletes: Callable[[Settings], bool]


def _twilio_verifier(settings: Settings, public: str) -> Verifier:
    keys = {name: key.get_secret_value() for name, key in settings.twilio_webhook_keys.items()}
    return TwilioVerifier(public=public, auth_token=secret_text(settings.twilio_auth_token), webhook_keys=keys)


def _telnyx_api(settings: Settings) -> PlatformApi:
    key = secret_text(settings.telnyx_api_key)
    return PlatformApi(settings.telnyx_api_url, bearer(key) if key else None, hosts=settings.telnyx_recording_hosts)


def _signalwire_api(settings: Settings) -> PlatformApi | None:
    if settings.signalwire_api_url is None:
        return None
    user, token = settings.signalwire_project or "", secret_text(settings.signalwire_api_token)
    return PlatformApi(settings.signalwire_api_url, basic(user, token) if token else None)


_CARRIERS: Final[Mapping[str, _Carrier]] = {
    "twilio": _Carrier(
        "twilio_auth_token",
        "twilio_account_sid",
        "IVR_TWILIO_AUTH_TOKEN and IVR_TWILIO_ACCOUNT_SID, the account at Twilio",
        _twilio_verifier,
        lambda settings: PlatformApi(
            settings.twilio_api_url, basic(settings.twilio_account_sid or "", secret_text(settings.twilio_auth_token))
        ),
        lambda settings: settings.twilio_delete_recordings,
    ),
    "telnyx": _Carrier(
        "telnyx_public_key",
        "telnyx_account_sid",
        "IVR_TELNYX_PUBLIC_KEY and IVR_TELNYX_ACCOUNT_SID, the account at Telnyx",
        lambda settings, _: TelnyxVerifier(public_key=settings.telnyx_public_key or ""),
        _telnyx_api,
        lambda settings: settings.telnyx_delete_recordings and settings.telnyx_api_key is not None,
    ),
    "signalwire": _Carrier(
        "signalwire_signing_key",
        "signalwire_project",
        "IVR_SIGNALWIRE_SIGNING_KEY and IVR_SIGNALWIRE_PROJECT, the project at SignalWire",
        lambda settings, public: SignalWireVerifier(
            public=public, signing_key=secret_text(settings.signalwire_signing_key)
        ),
        _signalwire_api,
        lambda settings: settings.signalwire_delete_recordings and settings.signalwire_api_token is not None,
    ),
    "plivo": _Carrier(
        "plivo_auth_token",
        "plivo_auth_id",
        "IVR_PLIVO_AUTH_TOKEN and IVR_PLIVO_AUTH_ID, the account at Plivo",
        lambda settings, public: PlivoVerifier(public=public, auth_token=secret_text(settings.plivo_auth_token)),
        lambda settings: PlatformApi(
            settings.plivo_api_url,
            basic(settings.plivo_auth_id or "", secret_text(settings.plivo_auth_token)),
            hosts=settings.plivo_recording_hosts,
        ),
        lambda settings: settings.plivo_delete_recordings,
    ),
}


def _make(name: str, settings: Settings, here: Surroundings) -> Plug:
    carrier = _CARRIERS[name]
    is_on = _is_on(carrier, settings)
    account: str | None = getattr(settings, carrier.account)
    if is_on and not account:
        raise SettingsError(f"{variable(carrier.account)} is needed: {carrier.needs}")
    try:
        verifier = carrier.verifier(settings, here.public) if is_on else _unverified(carrier, here)
    except ValueError:
        raise SettingsError(f"{variable(carrier.secret)} is no key") from None  # its own words may show it
    try:
        api = carrier.api(settings) if is_on else _played(name)
    except ValueError as error:
        raise SettingsError(f"IVR_{name.upper()}_API_URL {error}") from error
    channel = TwimlChannel(
        PROFILES[name],
        account=account or ACCOUNT,
        public=here.public,
        media_base=here.media,
        tokens=AddressTokens(here.token_key),
        recording=here.links.for_line,
        deletes_recordings=carrier.deletes(settings),
        application=settings.telnyx_application_id,
    )
    return Plug(
        channel,
        verifier,
        account or ACCOUNT,
        registrations=(
            Registration(f"/{name}/call", "the number's voice webhook (POST)", starts=True),
            Registration(f"/{name}/status", "the number's status callback (POST)"),
            Registration(f"/{name}/fallback", "the number's fallback webhook (POST)"),
        ),
        api=api,
        places_with=f"IVR_{name.upper()}_API_URL" if is_on else carrier.needs,
        example=_example(name),
    )


def _unverified(carrier: _Carrier, here: Surroundings) -> Verifier:
    """Return the verifier of development; anywhere else a line without its secret is off."""
    if not here.dev:
        raise SettingsError(f"{variable(carrier.secret)} is needed: {carrier.needs}")
    return AcceptAll()


def _played(name: str) -> PlatformApi:
    """Return the API of development: that of a carrier which is played on this machine, and nobody else's."""
    proof = bearer(trial_carrier.TOKEN) if name == "telnyx" else basic(ACCOUNT, trial_carrier.TOKEN)
    return PlatformApi(f"http://127.0.0.1:{trial_carrier.PORT}", proof)


def _is_on(carrier: _Carrier, settings: Settings) -> bool:
    return bool(getattr(settings, carrier.secret))


def _example(name: str) -> Example:
    parties = {"From": "+15550100", "To": "+15550199"}
    of_plivo = PROFILES[name].twiml is None
    call = {"CallUUID": "call-1"} if of_plivo else {"AccountSid": ACCOUNT, "CallSid": "call-1"}
    return Example(f"/{name}/call", "application/x-www-form-urlencoded", urlencode(call | parties))


def _source(name: str) -> Source:
    carrier = _CARRIERS[name]
    return Source(
        name,
        PROFILES[name].can,
        is_on=lambda settings: _is_on(carrier, settings),
        needs=carrier.needs,
        make=lambda settings, here: _make(name, settings, here),
    )


SOURCES: Final[tuple[Source, ...]] = tuple(_source(name) for name in PROFILES)
