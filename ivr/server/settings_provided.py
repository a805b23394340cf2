"""What the settings provide for flows, for the check of flows: hosts, secrets, ways to tell somebody."""

from collections.abc import Callable, Collection
from functools import partial
from ipaddress import ip_network

from ivr.flowfile.checks import Provided
from ivr.services.egress import LOOPBACK, Egress, NotAllowed
from ivr.settings import Settings


def egress_of(settings: Settings, *, dev: bool) -> Egress:
    """Return the way out to web services; in development mode, hosts on the list may be this machine."""
    private = [ip_network(network) for network in settings.http_private]
    return Egress(settings.http_hosts, [*private, *(LOOPBACK if dev else ())])


def provided_by(settings: Settings, secrets: Collection[str], egress: Egress, *, writes_mails: bool) -> Provided:
    """Return what a server with these settings provides; `writes_mails`: without a mail server, as files."""
    return Provided(
        refuses=hosts_refused(egress),
        secrets=secrets,
        mail=settings.smtp_server is not None or writes_mails,
        recipients=settings.smtp_server is None or bool(settings.mail_to),
        webhooks=settings.webhook_secret is not None,
    )


def hosts_refused(egress: Egress) -> Callable[[str], str]:
    """Return what says why no request may go to a host."""
    return partial(_refused, egress)


def _refused(egress: Egress, address: str) -> str:
    try:
        egress.check(address)
    except NotAllowed as error:
        return str(error)
    return ""
