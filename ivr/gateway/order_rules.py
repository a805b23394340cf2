"""What the settings of placed calls come to: who takes them, and which may be ordered."""

from msgspec.structs import replace

from ivr.gateway.dial_plan import NUMBER, DialPlan, Trunk, trunk_uri
from ivr.gateway.gateway_settings import GatewaySettings, register_password_of
from ivr.gateway.order_book import OrderRules
from ivr.gateway.order_settings import call_password_of
from ivr.gateway.trunk_registration import order_of
from ivr.sip.addresses import parse_uri
from ivr.sip.sip_call import Credentials
from ivr.useragent.registering import RegistrationOrder


def order_rules_of(settings: GatewaySettings) -> OrderRules:
    """Return which calls may be ordered, and how they go."""
    return OrderRules(
        targets=settings.call_targets,
        callers=settings.call_callers,
        a_minute=settings.placed_per_minute,
        at_once=settings.placed_at_once,
        plan=DialPlan(trunk_of(settings)),
    )


def registration_order_of(settings: GatewaySettings) -> RegistrationOrder | None:
    """Return what is to be registered; None: nothing."""
    if settings.register_as is None:
        return None
    return order_of(settings.register_as, user=settings.register_user, password=register_password_of(settings))


def trunk_of(settings: GatewaySettings) -> Trunk | None:
    """Return who takes calls to numbers: the trunk that is named, else the registrar; None: nobody.

    The registration's password is for the registrar, and for a trunk that is the same host, unless it has its own.
    """
    registered = registration_order_of(settings)
    if settings.call_via is not None:
        uri, hop = trunk_uri(settings.call_via)
    elif registered is not None and settings.register_as is not None:
        uri, hop = replace(parse_uri(settings.register_as), user=NUMBER), registered.hop
    else:
        return None
    trunk = Trunk(uri, hop, caller_in=settings.call_caller_in)
    if settings.call_user is not None:
        return replace(trunk, credentials=Credentials(settings.call_user, call_password_of(settings)))
    if registered is not None and registered.hop.host.lower() == hop.host.lower():
        return replace(trunk, account=registered.address, credentials=registered.credentials)
    return trunk
