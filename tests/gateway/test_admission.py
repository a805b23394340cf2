"""Who may call: addresses, passwords, limits, scanners and floods."""

from __future__ import annotations

from collections import Counter
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.gateway.admission import AdmissionPolicy, AdmissionRules
from ivr.sip.outputs import Transport
from ivr.sip.policy import Admission, Allowed, Challenge, Refused, Silence
from tests.gateway.requests_made import link, request

NAMED = (ip_network("198.51.100.0/24"), ip_network("2001:db8::/32"))
PASSWORD = "correct horse battery"
STRANGER, PRIVATE, HERE, TRUNK = "203.0.113.9", "192.168.1.7", "127.0.0.1", "198.51.100.4"


class Door:
    """A policy, and what it refused."""

    def __init__(self, rules: AdmissionRules = AdmissionRules(), *, served: bool = True) -> None:  # noqa: B008
        self.refused: Counter[str] = Counter()
        self.policy = AdmissionPolicy(
            rules, secret=b"s", served=lambda _: served, refused=lambda why: self.refused.update([why])
        )

    def ask(self, host: str, method: str = "INVITE", now: float = 0.0, **headers: str) -> Admission:
        return self.policy.admit(request(method, **headers), link(host), now)


@pytest.mark.parametrize(
    ("host", "default", "named", "password", "both"),
    [
        (HERE, Allowed(trusted=True), Refused(403), Challenge(), Challenge()),
        ("::1", Allowed(trusted=True), Refused(403), Challenge(), Challenge()),
        ("::ffff:127.0.0.1", Allowed(trusted=True), Refused(403), Challenge(), Challenge()),
        (PRIVATE, Allowed(), Refused(403), Challenge(), Challenge()),
        ("10.1.2.3", Allowed(), Refused(403), Challenge(), Challenge()),
        ("172.31.0.1", Allowed(), Refused(403), Challenge(), Challenge()),
        ("172.32.0.1", Refused(403), Refused(403), Challenge(), Challenge()),
        ("fd00::1", Allowed(), Refused(403), Challenge(), Challenge()),
        ("fe80::1%eth0", Allowed(), Refused(403), Challenge(), Challenge()),
        (STRANGER, Refused(403), Refused(403), Challenge(), Challenge()),
        (TRUNK, Refused(403), Allowed(trusted=True), Challenge(), Allowed(trusted=True)),
        ("2001:db8::5", Refused(403), Allowed(trusted=True), Challenge(), Allowed(trusted=True)),
    ],
)
def test_who_may_call(host: str, default: Admission, named: Admission, password: Admission, both: Admission) -> None:
    assert Door().ask(host) == default
    assert Door(AdmissionRules(named=NAMED)).ask(host) == named
    assert Door(AdmissionRules(user="desk", password=PASSWORD)).ask(host) == password
    assert Door(AdmissionRules(named=NAMED, user="desk", password=PASSWORD)).ask(host) == both


def test_whoever_reaches_a_loopback_address_is_on_this_machine() -> None:
    """A softphone here may call by the machine's public address; what it says of itself is not believed."""
    assert Door(AdmissionRules(only_here=True)).ask(STRANGER) == Allowed()
    assert Door(AdmissionRules(only_here=True)).ask(HERE) == Allowed(trusted=True)
    assert Door(AdmissionRules(only_here=True, named=NAMED)).ask(STRANGER) == Refused(403)
    assert Door(AdmissionRules(only_here=True, user="desk", password=PASSWORD)).ask(STRANGER) == Challenge()


def test_the_password_is_that_of_the_user() -> None:
    policy = Door(AdmissionRules(user="desk", password=PASSWORD)).policy
    assert policy.password_of("desk") == PASSWORD
    assert policy.password_of("root") is None
    assert policy.password_of("") is None
    assert Door().policy.password_of("") is None


@pytest.mark.parametrize("agent", ["friendly-scanner", "SIPVicious 0.3.4", "sundayddr", "sipcli/v1.8"])
@pytest.mark.parametrize("host", [HERE, STRANGER])
@pytest.mark.parametrize("method", ["INVITE", "OPTIONS", "REGISTER"])
def test_a_scanner_gets_no_answer_wherever_it_comes_from(agent: str, host: str, method: str) -> None:
    door = Door()
    assert door.ask(host, method, User_Agent=agent) == Silence()
    assert door.refused == {"scanner": 1}


@pytest.mark.parametrize("method", ["OPTIONS", "REGISTER", "SUBSCRIBE", "MESSAGE", "XYZZY"])
def test_strangers_get_no_answer_to_anything_but_a_call(method: str) -> None:
    assert Door().ask(STRANGER, method) == Silence()
    assert Door(AdmissionRules(user="desk", password=PASSWORD)).ask(STRANGER, method) == Silence()
    assert Door().ask(PRIVATE, method) == Allowed()


def test_a_burst_is_taken_and_a_flood_gets_silence() -> None:
    door = Door(AdmissionRules(invites_per_second=2))
    assert [door.ask(PRIVATE) for _ in range(6)] == 4 * [Allowed()] + 2 * [Silence()]
    assert door.ask(PRIVATE, now=0.5) == Allowed()
    assert door.ask("192.168.1.8") == Allowed()
    assert door.refused == {"flood": 2}


@pytest.mark.parametrize("method", ["REGISTER", "SUBSCRIBE"])
def test_a_flood_of_other_requests_costs_the_calls_of_its_address_nothing(method: str) -> None:
    door = Door()
    answers = Counter(type(door.ask(PRIVATE, method)) for _ in range(10_000))
    assert answers == {Allowed: 20, Silence: 9980}
    assert door.ask(PRIVATE) == Allowed()


def test_all_strangers_together_get_a_limited_number_of_answers() -> None:
    door = Door()
    answers = [door.ask(f"203.0.{number // 250}.{number % 250}") for number in range(10_000)]
    assert answers.count(Refused(403)) == 200
    assert answers.count(Silence()) == 9800
    assert door.ask(PRIVATE) == Allowed()


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_who_has_made_a_connection_gets_its_challenge_in_a_flood_of_forged_datagrams(transport: Transport) -> None:
    door = Door(AdmissionRules(user="desk", password=PASSWORD))
    for number in range(10_000):
        door.ask(f"203.{number // 62500}.{number // 250 % 250}.{number % 250}")
    assert door.ask(STRANGER) == Silence()
    answers = [door.policy.admit(request(), link(STRANGER, transport=transport), 0.0) for _ in range(100)]
    assert answers == 40 * [Challenge()] + 60 * [Silence()], "no more than any address"


def test_one_host_of_ipv6_is_counted_once_whichever_of_its_addresses_it_takes() -> None:
    door = Door(AdmissionRules(named=NAMED, invites_per_second=1))
    taken = [door.ask(f"2001:db8::{number:x}") for number in range(10)]
    assert taken == 2 * [Allowed(trusted=True)] + 8 * [Silence()]
    assert door.ask("2001:db8:0:1::1") == Allowed(trusted=True)


def test_calls_of_one_address_and_of_all_have_a_limit() -> None:
    door = Door(AdmissionRules(calls=3, calls_per_address=2))
    for _ in range(2):
        door.policy.began(link(PRIVATE))
    assert door.ask(PRIVATE) == Refused(503, 5)
    assert door.ask(HERE) == Allowed(trusted=True)
    assert not door.policy.full
    door.policy.began(link(HERE))
    assert door.policy.full
    door.policy.ended(link(PRIVATE))
    assert door.ask(PRIVATE) == Allowed()
    assert not door.policy.full
    assert door.refused == {"calls": 1}


def test_a_stranger_with_many_calls_is_not_asked_for_its_password_again() -> None:
    door = Door(AdmissionRules(user="desk", password=PASSWORD, calls_per_address=1))
    assert door.ask(STRANGER) == Challenge()
    door.policy.began(link(STRANGER))
    assert door.ask(STRANGER) == Refused(503, 5)
    assert door.refused == {"challenge": 1, "calls": 1}


def test_a_number_that_leads_nowhere_is_counted() -> None:
    door = Door(served=False)
    assert not door.policy.serves(request())
    assert door.refused == {"number": 1}
    assert Door().policy.serves(request())


def test_a_peer_without_an_address_gets_no_answer() -> None:
    assert Door().ask("localhost") == Silence()


@given(st.lists(st.tuples(st.sampled_from([HERE, PRIVATE, TRUNK, "::1"]), st.booleans())))
def test_what_began_and_ended_leaves_nothing(calls: list[tuple[str, bool]]) -> None:
    policy = Door(AdmissionRules(calls=1)).policy
    begun = []
    for host, again in calls:
        policy.began(link(host))
        begun.append(host)
        if again:
            policy.ended(link(begun.pop()))
    for host in begun:
        policy.ended(link(host))
    assert not policy.full
    assert not policy._calls
