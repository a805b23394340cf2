"""A registration as an extension of a PBX has it (RFC 3261 10)."""

import pytest

from ivr.sip.endpoint import Endpoint
from ivr.sip.message import Request, call_id, cseq
from ivr.sip.outputs import Registered, RegistrationFailed
from ivr.sip.policy import EndpointConfig
from ivr.sip.registration import Registration
from ivr.sip.sip_call import Credentials
from tests.sip.sip_network import CALLEE, CALLER, OpenPolicy, link, tokens
from tests.sip.sip_peer import Peer

CHALLENGE = ("WWW-Authenticate", 'Digest realm="pbx", nonce="n1", qop="auth", algorithm=MD5')
STALE = ("WWW-Authenticate", 'Digest realm="pbx", nonce="n2", qop="auth", algorithm=MD5, stale=true')
WANTED = Registration("sip:200@pbx.example", "sip:pbx.example", link(CALLEE, CALLER), Credentials("200", "secret"))
CONTACT = "<sip:200@192.0.2.2:5060>"


def registering(wanted: Registration = WANTED) -> tuple[Peer, Request]:
    """Return a registrar and the first REGISTER that it gets."""
    peer = Peer(endpoint=Endpoint(EndpointConfig(), OpenPolicy(), tokens("b")))
    return peer, only(peer.owner(peer.endpoint.register(wanted, peer.now)))


def only(messages: list) -> Request:
    (request,) = dict.fromkeys(messages)
    assert isinstance(request, Request)
    return request


def test_the_first_register() -> None:
    _, register = registering()
    assert (register.method, register.uri, cseq(register).number) == ("REGISTER", "sip:pbx.example", 1)
    assert register.headers.get("Contact") == CONTACT
    assert register.headers.get("Expires") == "300"
    assert register.headers.get("To") == "<sip:200@pbx.example>"


def test_it_is_refreshed_at_80_percent_with_the_same_call_id_and_the_next_number() -> None:
    peer, first = registering()
    peer.reply(first, 200, [("Contact", f"{CONTACT};expires=300")])
    assert peer.events == [Registered(300)]
    assert peer.wait(239.9) == []
    second = only(peer.wait(0.2))
    assert (call_id(second), cseq(second).number) == (call_id(first), 2)
    peer.reply(second, 200)
    assert peer.events[-1] == Registered(300)


@pytest.mark.parametrize(
    ("headers", "granted"),
    [
        ([("Contact", f"{CONTACT};expires=120")], 120),
        ([("Contact", f"<sip:200@192.0.2.44>;expires=60, {CONTACT};expires=90"), ("Expires", "10")], 90),
        ([("Contact", CONTACT), ("Expires", "100")], 100),
        ([("Contact", "<sip:200@192.0.2.44>;expires=60"), ("Expires", "77")], 77),
        ([], 300),
        ([("Contact", f"{CONTACT};expires=never"), ("Expires", "x")], 300),
        ([("Contact", "<mailto:x@y>;expires=5")], 300),
    ],
)
def test_what_is_granted_counts(headers: list[tuple[str, str]], granted: int) -> None:
    peer, register = registering()
    peer.reply(register, 200, headers)
    assert peer.events == [Registered(granted)]
    assert peer.wait(granted * 0.8 - 0.1) == []
    assert only(peer.wait(0.2)).method == "REGISTER"


def test_however_little_is_granted_there_is_no_storm() -> None:
    peer, register = registering()
    peer.reply(register, 200, [("Contact", f"{CONTACT};expires=0")])
    assert peer.wait(9.9) == []


def test_credentials_are_sent_once_and_a_wrong_password_stops_it() -> None:
    peer, register = registering()
    again = only(peer.reply(register, 401, [CHALLENGE]))
    assert cseq(again).number == 2
    assert 'response="' in (again.headers.get("Authorization") or "")
    assert peer.reply(again, 401, [CHALLENGE]) == []
    assert peer.events == [RegistrationFailed(401, "Reason", None)]
    assert peer.wait(4000) == []


def test_a_stale_nonce_is_answered_again() -> None:
    peer, register = registering()
    again = only(peer.reply(register, 401, [CHALLENGE]))
    third = only(peer.reply(again, 401, [STALE]))
    peer.reply(third, 200)
    assert peer.events == [Registered(300)]


def test_without_credentials_a_challenge_stops_it() -> None:
    peer, register = registering(Registration("sip:200@pbx.example", "sip:pbx.example", WANTED.to))
    peer.reply(register, 401, [CHALLENGE])
    assert peer.events == [RegistrationFailed(401, "Reason", None)]


def test_403_stops_it() -> None:
    peer, register = registering()
    peer.reply(register, 403)
    assert peer.events == [RegistrationFailed(403, "Reason", None)]
    assert peer.wait(4000) == []


def test_423_is_answered_with_the_longer_time_once() -> None:
    peer, register = registering()
    again = only(peer.reply(register, 423, [("Min-Expires", "1800")]))
    assert again.headers.get("Expires") == "1800"
    assert peer.reply(again, 423, [("Min-Expires", "1800")]) == []
    assert peer.events == [RegistrationFailed(423, "Reason", 30)]


def test_failures_are_tried_again_after_30_seconds_doubling_to_30_minutes() -> None:
    peer, register = registering()
    pauses = []
    for _ in range(9):
        peer.reply(register, 503)
        failed = peer.events[-1]
        assert isinstance(failed, RegistrationFailed)
        assert failed.retry_in is not None
        pauses.append(failed.retry_in)
        assert peer.wait(failed.retry_in - 0.1) == []
        register = only(peer.wait(0.2))
    assert pauses == [30, 60, 120, 240, 480, 960, 1800, 1800, 1800]
    peer.reply(register, 200)
    peer.reply(only(peer.wait(240)), 500)
    assert peer.events[-1] == RegistrationFailed(500, "Reason", 30)


def test_retry_after_is_kept_to() -> None:
    peer, register = registering()
    peer.reply(register, 503, [("Retry-After", "120 (maintenance)")])
    assert peer.events == [RegistrationFailed(503, "Reason", 120)]


def test_no_answer_and_no_way_are_failures_too() -> None:
    peer, _ = registering()
    peer.wait(32)
    assert peer.events == [RegistrationFailed(408, "no answer", 30)]
    peer.wait(30)
    peer.owner(peer.endpoint.failed(WANTED.to, peer.now))
    assert peer.events[-1] == RegistrationFailed(503, "not sent", 60)


def test_it_is_taken_back_at_the_end() -> None:
    peer, register = registering()
    peer.reply(register, 200)
    last = only(peer.owner(peer.endpoint.unregister(peer.now)))
    assert (last.headers.get("Expires"), last.headers.get("Contact"), cseq(last).number) == ("0", CONTACT, 2)
    with_proof = only(peer.reply(last, 401, [CHALLENGE]))
    assert with_proof.headers.get("Expires") == "0"
    assert peer.owner(peer.endpoint.unregister(peer.now)) == []
    peer.reply(with_proof, 200)
    assert peer.events[-1] == Registered(0)
    peer.wait(33)
    assert (peer.endpoint.deadline, peer.endpoint.transactions) == (None, 0)


def test_a_registrar_that_does_not_answer_the_last_register_is_not_waited_for_for_ever() -> None:
    peer, register = registering()
    peer.reply(register, 200)
    peer.owner(peer.endpoint.unregister(peer.now))
    peer.wait(33)
    assert peer.events[-1] == Registered(0)
    assert peer.endpoint.deadline is None


def test_nothing_is_taken_back_where_nothing_is_registered() -> None:
    peer, register = registering()
    peer.reply(register, 403)
    assert peer.owner(peer.endpoint.unregister(peer.now)) == []
    assert peer.events[-1] == Registered(0)
    assert peer.endpoint.unregister(peer.now) == []


def test_a_new_way_to_the_registrar_keeps_the_registration() -> None:
    peer, register = registering()
    peer.reply(register, 200)
    other = Registration("sip:200@pbx.example", "sip:pbx.example", link(CALLEE, CALLER, "tcp", 9), WANTED.credentials)
    again = only(peer.owner(peer.endpoint.register(other, peer.now)))
    assert (call_id(again), cseq(again).number) == (call_id(register), 2)
    assert again.headers.get("Contact") == "<sip:200@192.0.2.2:5060;transport=tcp>"
    peer.reply(register, 500)  # late, for the one before
    assert not isinstance(peer.events[-1], RegistrationFailed)


def test_the_password_is_not_shown() -> None:
    assert "secret" not in repr(WANTED)
