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


def provided_by(settings: Settings, secrets: Collection[str], egress: Egress, *, pretends: bool) -> Provided:
    """Return what a server with these settings provides.

    `pretends`: without a mail server mails are written as files, and without an identity provider sign-ins are made up.
    """
    private = [ip_network(network) for network in settings.http_private]
    bearing = Egress(settings.sign_in_hosts, [*private, *LOOPBACK], whose="the list IVR_SIGN_IN_HOSTS")
    return Provided(
        refuses=hosts_refused(egress),
        secrets=secrets,
        mail=settings.smtp_server is not None or pretends,
        recipients=settings.smtp_server is None or bool(settings.mail_to),
        webhooks=settings.webhook_secret is not None,
        sign_ins=settings.sign_in_client_id is not None or pretends,
        device_codes=settings.sign_in_device or (settings.sign_in_client_id is None and pretends),
        bears=hosts_refused(bearing),
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
