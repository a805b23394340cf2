"""What lines on which one writes to a bot share: how it proves to a platform who it is, and how patient it may be."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network

from ivr.services.client_credentials import ClientCredentials
from ivr.settings import Settings, SettingsError


def needed(prefix: str) -> str:
    """Return the names of the settings without which a line is off; `prefix` is what they begin with: `IVR_CHAT`."""
    return f"{prefix}_APP_ID and {prefix}_PASSWORD, the bot's app id and its secret"


def bot_credentials(
    prefix: str,
    *,
    app_id: str | None,
    password: str | None,
    login_url: str,
    tenant: str,
    scope: str,
    private: Sequence[IPv4Network | IPv6Network],
    dev: bool,
) -> ClientCredentials | None:
    """Return what the bot's tokens are had with; None: in development, without a secret. Raise SettingsError."""
    if not (app_id and password):
        if dev:
            return None
        raise SettingsError(f"{prefix}_PASSWORD is needed: {needed(prefix)}")
    try:
        return ClientCredentials(login_url, tenant, client=app_id, secret=password, scope=scope, private=private)
    except ValueError as error:
        raise SettingsError(f"{prefix}_LOGIN_URL {error}") from error


def check_patience(settings: Settings, seconds: float, *, setting: str, dev: bool) -> None:
    """Raise SettingsError where a call would be closed before its caller's time to write is over."""
    if not dev and seconds >= settings.idle:
        raise SettingsError(f"{setting} must be under the {settings.idle:g} seconds of IVR_IDLE")
