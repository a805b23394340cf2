"""The API of a platform that has it at many addresses: each conversation names its own (activity protocol, A5).

Such an address comes with a message. So its host has to be on the operator's list, both when it is heard and when
something is sent there; and the token goes to hosts of that list alone. Files of callers can be at other hosts, which
get none.
"""

import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from http import HTTPStatus
from typing import Final

from yarl import URL

from ivr.ports import Outbound
from ivr.services.client_credentials import ClientCredentials
from ivr.services.egress import LOOPBACK, Egress, Network, NotAllowed
from ivr.services.platform_api import (
    Download,
    Manners,
    PlatformAnswer,
    PlatformClient,
    PlatformUnreachable,
    bearer,
    is_loopback,
)

PATIENCE: Final = 15.0
"Seconds that a connector may take for an answer."
MANNERS: Final = Manners(
    first_pause=0.5, longest_pause=30.0, spread=True, statuses=frozenset({412, 429, 502, 503, 504})
)
_NO_TOKEN = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
"Answers after which another token may do."
_ADDRESS = re.compile(r"[!-\[\]-~]{1,4096}", re.ASCII)
"Visible letters, but for the backslash, which some take for a slash."
_MOST_LOCAL = 16
"Ports of this machine that are known at a time."


class ConnectorApi:
    """All connectors of one bot."""

    manners = MANNERS

    def __init__(
        self,
        hosts: Sequence[str],
        credentials: ClientCredentials | None,
        *,
        files: Sequence[str] = (),
        private: Sequence[Network] = (),
        local: bool = False,
        whose: str = "IVR_CHAT_HOSTS",
    ) -> None:
        """Take the lists of connectors and of hosts with files, as in `IVR_HTTP_HOSTS`; raise ValueError.

        Without `credentials` no token is sent. `local`: connectors on this machine are served as well, and get none.
        `whose`: the setting that names the connectors.
        """
        here = LOOPBACK if any(is_loopback(host.rpartition(":")[0].strip("[]")) for host in hosts) else ()
        self._connectors = PlatformClient(Egress(hosts, (*private, *here), whose=whose), patience=PATIENCE)
        self._files = PlatformClient(Egress(files, private, whose="IVR_CHAT_FILE_HOSTS"))
        self._credentials = credentials
        self._local: dict[URL, PlatformClient] | None = {} if local else None

    def __repr__(self) -> str:
        return "ConnectorApi"

    def serves(self, address: str) -> bool:
        """Return whether something may be sent to what begins with an address: so it ends with a path."""
        if "?" in address or "#" in address:
            return False
        try:
            self._found(address)
        except NotAllowed:
            return False
        return True

    async def send(self, request: Outbound, name: str) -> PlatformAnswer:
        """Send a request to the address that it names; raise PlatformUnreachable.

        Where the token is refused, another one is tried, once.
        """
        try:
            client, url, trusted = self._found(request.path)
        except NotAllowed as error:
            raise PlatformUnreachable("not-allowed", str(error), sent=False) from error
        if self._credentials is None or not trusted:
            return await client.send(url, request, name, None)
        token = await self._credentials.token()
        answer = await client.send(url, request, name, bearer(token))
        if answer.status not in _NO_TOKEN:
            return answer
        self._credentials.drop(token)
        return await client.send(url, request, name, bearer(await self._credentials.token()))

    def get(self, address: str) -> AbstractAsyncContextManager[Download]:
        """Open a file of a caller; raise NotAllowed or PlatformUnreachable. The token goes to connectors alone."""
        try:
            client, url, trusted = self._found(address)
        except NotAllowed:
            client, url, trusted = self._files, self._files.check(address), False
        return self._opened(client, url, trusted=trusted)

    async def close(self) -> None:
        """Let go of the connections."""
        for client in (self._connectors, self._files, *(self._local or {}).values()):
            await client.close()
        if self._credentials is not None:
            await self._credentials.close()

    @asynccontextmanager
    async def _opened(self, client: PlatformClient, url: URL, *, trusted: bool) -> AsyncGenerator[Download, None]:
        token = await self._credentials.token() if self._credentials is not None and trusted else None
        async with client.get(url, None if token is None else bearer(token)) as download:
            yield download

    def _found(self, address: str) -> tuple[PlatformClient, URL, bool]:
        """Return who asks a connector, its address, and whether it may have the token; raise NotAllowed."""
        try:
            return self._connectors, _exact(address, self._connectors.check(address)), True
        except NotAllowed:
            client = self._client_here(address)
            if client is None:
                raise
            return client, _exact(address, client.check(address)), False

    def _client_here(self, address: str) -> PlatformClient | None:
        """Return who asks connectors on this machine; None: nobody does."""
        if self._local is None:
            return None
        try:
            origin = URL(address).origin()
        except ValueError:
            return None
        if not origin.raw_host or not is_loopback(origin.raw_host):
            return None
        if origin not in self._local and len(self._local) < _MOST_LOCAL:
            own = f"[{origin.raw_host}]" if ":" in origin.raw_host else origin.raw_host
            self._local[origin] = PlatformClient(Egress([f"{own}:{origin.port}"], LOOPBACK), patience=PATIENCE)
        return self._local.get(origin)


def _exact(address: str, checked: URL) -> URL:
    """Return an address that was checked, letter by letter: ids in it are encoded; raise NotAllowed."""
    exact = URL(address, encoded=True) if _ADDRESS.fullmatch(address) else None
    if exact is None or exact.origin() != checked.origin():
        raise NotAllowed("this is no address of a connector")
    return exact
