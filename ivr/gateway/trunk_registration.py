"""The gateway as an extension of a telephone system (PBX): what is registered where, and what became of it."""

import asyncio
import logging
import socket
from collections.abc import Callable

from ivr.errors import IvrError
from ivr.gateway.networks import Address, address_of
from ivr.sip.addresses import MalformedAddress, host_port, parse_uri
from ivr.sip.caller_identity import cleaned
from ivr.sip.next_hop import hop_of
from ivr.sip.outputs import Registered, RegistrationFailed
from ivr.sip.sip_call import Credentials
from ivr.useragent.registering import RegistrationOrder
from ivr.useragent.user_agent import UserAgent

log = logging.getLogger(__name__)

LONGEST_REASON = 80
"Characters of what a registrar says."


class NoExtension(IvrError):
    """A text that names no extension of a telephone system."""


def order_of(address: str, *, user: str | None, password: str) -> RegistrationOrder:
    """Read `sip:USER@HOST`, perhaps with a port and a transport; raise NoExtension.

    `user` is the one to prove, where it is another than that of the address.
    """
    try:
        uri = parse_uri(address)
    except MalformedAddress as error:
        raise NoExtension(str(error)) from error
    hop = hop_of(uri)
    if hop is None or not uri.user:
        raise NoExtension("no user, or a transport that is not udp, tcp or tls")
    scheme = "sips" if uri.scheme == "sips" else "sip"
    place = host_port(uri.host, None)
    credentials = Credentials(user or uri.user, password) if password else None
    return RegistrationOrder(f"{scheme}:{uri.user}@{place}", f"{scheme}:{place}", hop, credentials)


class TrunkRegistration:
    """One registration: begun once, kept by the user agent, told in the log."""

    def __init__(self, order: RegistrationOrder, trust: Callable[[frozenset[Address]], None]) -> None:
        """`trust` is told the registrar's addresses, from which calls are taken."""
        self.held = False
        "A registrar holds it."
        self._order = order
        self._trust = trust
        self._looking: asyncio.Task[None] | None = None

    async def begin(self, agent: UserAgent) -> None:
        """Register; what becomes of it is logged."""
        await self._look_up()
        agent.register(self._order, self._told)

    async def _look_up(self) -> None:
        """Find out where calls of the registrar come from; with each refresh again, since a name may move."""
        try:
            found = await asyncio.get_running_loop().getaddrinfo(self._order.hop.host, None, type=socket.SOCK_DGRAM)
        except OSError:
            log.warning("registrar not found", extra={"reason": f"{self._order.hop.host} has no address now"})
            return
        self._trust(frozenset(address_of(str(place[0])) for _, _, _, _, place in found))

    def _told(self, news: Registered | RegistrationFailed) -> None:
        if isinstance(news, Registered):
            if news.expires:
                self._looking = asyncio.create_task(self._look_up())
            self._hold(held=news.expires > 0)
            return
        self.held = False
        log.warning(
            "not registered",
            extra={"status": news.status, "reason": cleaned(news.reason, LONGEST_REASON), "seconds": news.retry_in},
        )

    def _hold(self, *, held: bool) -> None:
        if held != self.held:
            self.held = held
            if held:
                log.info("registered")
            else:
                log.info("no longer registered")
