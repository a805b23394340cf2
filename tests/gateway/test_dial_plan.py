"""Where placed calls go, and whom they show."""

import pytest

from ivr.gateway.dial_plan import DialPlan, NotCallable, NotTrunk, Trunk, trunk_uri
from ivr.gateway.gateway_settings import load_gateway_settings
from ivr.gateway.order_rules import trunk_of
from ivr.sip.outputs import Hop
from ivr.sip.sip_call import Credentials

SECRET = Credentials("acme", "a long password")
NUMBER, SHOWN = "+436601234567", "+4315550100"


def trunk(text: str = "sip:trunk.example.com", **known: object) -> Trunk:
    uri, hop = trunk_uri(text)
    return Trunk(uri, hop, **known)  # type: ignore[arg-type]  # by their names


@pytest.mark.parametrize(
    ("via", "uri", "hop"),
    [
        (
            "sip:trunk.example.com",
            "sip:+436601234567@trunk.example.com;user=phone",
            Hop("udp", "trunk.example.com", 5060),
        ),
        (
            "sip:192.0.2.7:5062;transport=tcp",
            "sip:+436601234567@192.0.2.7:5062;transport=tcp;user=phone",
            Hop("tcp", "192.0.2.7", 5062),
        ),
        ("sip:00{digits}@pbx.example.com", "sip:00436601234567@pbx.example.com", Hop("udp", "pbx.example.com", 5060)),
        ("sip:9{number}@pbx.example.com", "sip:9+436601234567@pbx.example.com", Hop("udp", "pbx.example.com", 5060)),
        ("sips:t.example", "sips:+436601234567@t.example;user=phone", Hop("tls", "t.example", 5061)),
        ("sip:[2001:db8::1]", "sip:+436601234567@[2001:db8::1];user=phone", Hop("udp", "2001:db8::1", 5060)),
    ],
)  # fmt: skip
def test_a_number_goes_to_the_trunk_as_the_trunk_wants_it(via: str, uri: str, hop: Hop) -> None:
    route = DialPlan(trunk(via)).route(NUMBER, SHOWN)
    assert (route.uri, route.hop) == (uri, hop)


@pytest.mark.parametrize(
    "text",
    [
        "tel:+431",
        "sip:acme@trunk.example.com",
        "sip:{number}{digits}@a.example",
        "sip:{name}{number}@a.example",
        "sip:a.example;transport=sctp",
        "sip:a.example?Route=x",
        "http://a.example",
        "",
    ],
)
def test_what_is_no_trunk_is_refused(text: str) -> None:
    with pytest.raises(NotTrunk):
        trunk_uri(text)


def test_the_caller_is_shown_in_from_at_the_trunk() -> None:
    route = DialPlan(trunk(credentials=SECRET)).route(NUMBER, SHOWN)
    assert (route.caller, route.shown, route.headers) == ("<sip:+4315550100@trunk.example.com>", SHOWN, ())


@pytest.mark.parametrize(
    ("place", "header"),
    [("p-asserted-identity", "P-Asserted-Identity"), ("p-preferred-identity", "P-Preferred-Identity")],
)
def test_a_trunk_may_want_its_account_in_from_and_the_caller_elsewhere(place: str, header: str) -> None:
    route = DialPlan(trunk(credentials=SECRET, caller_in=place)).route(NUMBER, SHOWN)
    assert route.caller == "<sip:acme@trunk.example.com>"
    assert route.headers == ((header, "<sip:+4315550100@trunk.example.com>"),)
    assert route.shown == SHOWN


def test_without_a_caller_the_account_is_shown() -> None:
    plan = DialPlan(trunk(account="sip:200@pbx.example.com", caller_in="p-asserted-identity"))
    route = plan.route(NUMBER, None)
    assert (route.caller, route.shown, route.headers) == ("<sip:200@pbx.example.com>", "200", ())
    assert DialPlan(trunk()).route(NUMBER, None).caller == "<sip:ivr@trunk.example.com>"


def test_an_address_goes_to_its_own_host_and_gets_no_password_of_the_trunk() -> None:
    route = DialPlan(trunk(credentials=SECRET)).route("sip:desk@other.example:5070", SHOWN)
    assert (route.uri, route.hop) == ("sip:desk@other.example:5070", Hop("udp", "other.example", 5070))
    assert route.credentials is None
    assert route.caller == "<sip:+4315550100@trunk.example.com>"


@pytest.mark.parametrize("target", ["sip:201@trunk.example.com", "sip:201@trunk.example.com:5062"])
def test_an_address_of_the_trunk_goes_by_the_trunk(target: str) -> None:
    route = DialPlan(trunk("sip:Trunk.example.com:5062;transport=tcp", credentials=SECRET)).route(target, None)
    assert (route.uri, route.hop.transport, route.hop.port) == (target, "tcp", 5062)
    assert route.credentials == SECRET


@pytest.mark.parametrize("target", ["sips:201@trunk.example.com", "sip:201@trunk.example.com:5099"])
def test_another_port_or_scheme_of_that_host_is_another_place(target: str) -> None:
    assert DialPlan(trunk(credentials=SECRET)).route(target, None).credentials is None


def test_without_a_trunk_only_addresses_are_called() -> None:
    with pytest.raises(NotCallable, match="no trunk"):
        DialPlan().route(NUMBER, None)
    assert DialPlan().route("sip:desk@pbx.example.com", None).caller == "<sip:ivr@pbx.example.com>"


# --- of settings ------------------------------------------------------------------------------------------------------

ORDERS = {"orders": "127.0.0.1:9071", "orders_token": "sixteen characters"}
REGISTERED = {"register_as": "sip:200@pbx.example.com:5062;transport=tcp", "register_password": "of the extension"}


def of_settings(**flags: object) -> Trunk | None:
    return trunk_of(load_gateway_settings(flags=ORDERS | flags).settings)


def test_the_registrar_is_the_trunk_if_none_is_named() -> None:
    found = of_settings(**REGISTERED)
    assert found is not None
    assert found.hop == Hop("tcp", "pbx.example.com", 5062)
    assert (found.account, found.credentials) == ("sip:200@pbx.example.com", Credentials("200", "of the extension"))
    assert DialPlan(found).route(NUMBER, None).uri == (
        "sip:+436601234567@pbx.example.com:5062;transport=tcp;user=phone"
    )


def test_the_password_of_the_registration_is_for_no_other_host() -> None:
    found = of_settings(**REGISTERED, call_via="sip:trunk.example.com")
    assert found is not None
    assert (found.account, found.credentials) == ("", None)
    same = of_settings(**REGISTERED, call_via="sip:0{digits}@PBX.example.com")
    assert same is not None
    assert same.credentials == Credentials("200", "of the extension")


def test_a_trunk_can_have_a_password_of_its_own() -> None:
    found = of_settings(**REGISTERED, call_via="sip:trunk.example.com", call_user="acme", call_password="secret words")
    assert found is not None
    assert found.credentials == Credentials("acme", "secret words")
    assert of_settings() is None
