"""The parts of sign-in, put together of settings and store."""

import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from ipaddress import ip_network
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

from ivr.auth.id_tokens import IdTokens
from ivr.auth.keys import KeyRing
from ivr.server.sign_in.sign_in_pages import CALLBACK, SignInPages
from ivr.services.egress import LOOPBACK, Egress, NotAllowed
from ivr.services.platform_api import is_loopback
from ivr.services.sign_in_authority import SignInAuthority
from ivr.setting_sources import SettingsError, secret_text
from ivr.settings import Settings
from ivr.sign_in_settings import is_directory_id
from ivr.signin.attempts import Attempts
from ivr.signin.browser_side import BrowserSignIns
from ivr.signin.call_side import CallSignIns, Offered
from ivr.signin.device_poller import DevicePoller
from ivr.signin.drawing import Digests
from ivr.signin.token_vault import TokenVault
from ivr.store.data_folder import DataFolder
from ivr.store.opened import Opened

NEEDS: Final = "IVR_SIGN_IN_CLIENT_ID needs IVR_SIGN_IN_SECRET, IVR_SIGN_IN_TENANT and IVR_SIGN_IN_NAME."


class SignInParts(Struct, frozen=True):
    """What a server has of sign-in."""

    calls: CallSignIns
    "For calls."
    attempts: Attempts
    poller: DevicePoller
    pages: SignInPages | None
    "None: there is no identity provider."
    keys: KeyRing | None
    "Of the provider."

    async def sweep(self) -> None:
        """Look after the attempts of all calls; to be done each second, by every server."""
        for polled in await self.attempts.sweep():
            self.poller.begin(polled.attempt)

    async def tend(self, now: float) -> None:
        """Fetch the provider's keys where they have grown old."""
        if self.keys is not None:
            self.keys.tend(now=now)


def check_sign_in(settings: Settings) -> None:
    """Raise SettingsError where sign-in is on and something of it is missing."""
    if settings.sign_in_client_id is None:
        return
    if not (settings.sign_in_secret and settings.sign_in_tenant and settings.sign_in_name):
        raise SettingsError(NEEDS)
    if not _tenants(settings):
        raise SettingsError(
            f"IVR_SIGN_IN_TENANT is {settings.sign_in_tenant}, which is no id of a directory: "
            "IVR_SIGN_IN_TENANTS must list the ids of those whose people may sign in."
        )


async def open_sign_in(
    stack: AsyncExitStack, settings: Settings, opened: Opened, folder: DataFolder, *, public: str, dev: bool
) -> SignInParts:
    """Put them together; raise SettingsError.

    `public` is the address of this server, as browsers reach it. `stack` ends what is begun.
    """
    attempts = Attempts(opened.sign_ins, opened.coordination, opened.news, now=time.time)
    digests = Digests(opened.sign_in_key)
    authority, keys = await _authority(stack, settings, folder, public) if settings.sign_in_client_id else (None, None)
    poller = DevicePoller(attempts, authority)
    stack.push_async_callback(poller.close)
    calls = CallSignIns(
        attempts,
        digests,
        authority,
        vault=TokenVault(attempts, authority, allows=TokenHosts(settings)),
        poller=poller,
        offered=Offered(public, device=settings.sign_in_device),
    )
    pages = None
    if authority is not None:
        pages = SignInPages(
            BrowserSignIns(attempts, digests, authority),
            name=settings.sign_in_name or "",
            login=settings.sign_in_login_url,
            plain=urlsplit(public).scheme != "https" and dev,
        )
    return SignInParts(calls, attempts, poller, pages, keys)


class TokenHosts:
    """Whether a token may go to an address: the operator's list, over TLS."""

    def __init__(self, settings: Settings) -> None:
        private = [ip_network(network) for network in settings.http_private]
        self._egress = Egress(settings.sign_in_hosts, [*private, *LOOPBACK], whose="the list IVR_SIGN_IN_HOSTS")

    def __call__(self, address: str) -> bool:
        """Return whether it may."""
        try:
            self._egress.check(address)
        except NotAllowed:
            return False
        return True


def _tenants(settings: Settings) -> Sequence[str]:
    tenant = (settings.sign_in_tenant or "").lower()
    return settings.sign_in_tenants or ((tenant,) if is_directory_id(tenant) else ())


async def _authority(
    stack: AsyncExitStack, settings: Settings, folder: DataFolder, public: str
) -> tuple[SignInAuthority, KeyRing]:
    login, tenant = settings.sign_in_login_url, settings.sign_in_tenant or ""
    client = settings.sign_in_client_id or ""
    try:
        keys = KeyRing(
            (f"{login}/{tenant}/v2.0/.well-known/openid-configuration",),
            file=folder.sign_in_keys,
            allow_loopback=is_loopback(urlsplit(login).hostname or ""),
        )
        authority = SignInAuthority(
            login,
            tenant,
            client=client,
            secret=secret_text(settings.sign_in_secret) or "",
            redirect=f"{public}{CALLBACK}",
            ids=IdTokens(client, f"{login}/{{tenant}}/v2.0", keys, tenants=_tenants(settings)),
            private=[ip_network(network) for network in settings.http_private],
        )
    except ValueError as error:
        raise SettingsError(f"IVR_SIGN_IN_LOGIN_URL: {error}") from error
    stack.push_async_callback(authority.close)
    await keys.start(now=time.time())
    stack.push_async_callback(keys.close)
    return authority, keys
