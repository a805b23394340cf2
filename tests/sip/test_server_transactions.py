"""A request that comes again gets the same bytes again, and nothing else happens (RFC 3261 17.2, RFC 6026)."""

import pytest

from ivr.sip.message import encode, parse, top_via
from ivr.sip.outputs import Send
from ivr.sip.policy import EndpointConfig, Refused
from tests.sip.sip_network import CALLEE, CALLER, OpenPolicy, link, media
from tests.sip.sip_peer import OFFER, Peer, raw, status_of


def test_a_repeated_invite_gets_the_last_answer_and_is_no_second_call() -> None:
    peer = Peer()
    data = peer.request("INVITE", (), OFFER, to_tag="")
    peer.send(data)
    assert len(peer.events) == 1
    trying = raw(peer.outputs)
    peer.send(data)
    assert raw(peer.outputs) == trying
    peer.owner(peer.endpoint.ring(peer.events[0].call, peer.now))
    ringing = raw(peer.outputs)
    peer.send(data)
    assert raw(peer.outputs) == ringing
    assert len(peer.events) == 1
    assert peer.endpoint.calls == 1


def test_a_repeated_invite_gets_the_200_again_even_after_its_ack() -> None:
    peer = Peer()
    data = peer.request("INVITE", (), OFFER, to_tag="", branch="z9hG4bKinvite")
    peer.number -= 1
    peer.invite()
    peer.answered()
    answer = raw(peer.outputs)
    peer.ack()
    peer.send(data)
    assert raw(peer.outputs) == answer


def test_a_repeated_bye_gets_200_again() -> None:
    peer = Peer().established()
    data = peer.request("BYE")
    peer.send(data)
    first = raw(peer.outputs)
    peer.send(data)
    assert raw(peer.outputs) == first
    assert len([each for each in peer.events if type(each).__name__ == "SipCallEnded"]) == 1


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_refusal_after_a_1xx_is_repeated_by_udp_alone_until_the_ack(transport: str) -> None:
    peer = Peer(transport=transport)  # type: ignore[arg-type]
    peer.invite()
    peer.owner(peer.endpoint.reject(peer.handle, 603, "", peer.now))
    first = raw(peer.outputs)
    peer.wait(8.0)  # after 0.5, 1, 2, 4 s: timer G
    assert raw(peer.outputs) == (first * 4 if transport == "udp" else [])
    peer.send(peer.request("ACK", branch="z9hG4bKinvite"))
    assert peer.wait(20.0) == []


def test_a_refusal_without_ack_is_given_up_after_32_seconds() -> None:
    peer = Peer()
    peer.invite()
    peer.owner(peer.endpoint.reject(peer.handle, 603, "", peer.now))
    peer.wait(32.0)
    assert len(raw(peer.outputs)) == 10  # timer G: 0.5, 1.5, 3.5, 7.5, 11.5, … 31.5
    assert peer.wait(6.0) == []
    assert (peer.endpoint.transactions, peer.endpoint.deadline) == (0, None)


def test_a_refusal_without_a_1xx_is_one_datagram_for_one() -> None:
    peer = Peer(OpenPolicy(admission=Refused(403)))
    data = peer.request("INVITE", (), OFFER, to_tag="")
    (answer,) = peer.send(data)
    assert status_of(answer) == 403
    first = raw(peer.outputs)
    assert peer.wait(10.0) == []
    peer.send(data)
    assert raw(peer.outputs) == first


def test_an_answer_is_kept_for_as_long_as_a_repeat_of_its_request_can_come() -> None:
    peer = Peer()
    data = peer.request("OPTIONS", to_tag="")
    peer.send(data)
    first = raw(peer.outputs)
    peer.wait(36.5)  # the last repeat is sent after 31.5 s, and no message is under way for longer than T4
    peer.send(data)
    assert raw(peer.outputs) == first
    assert peer.policy.asked == 1
    peer.wait(2.0)
    peer.send(data)
    assert peer.policy.asked == 2


def test_an_ack_gets_no_answer() -> None:
    peer = Peer()
    assert peer.send(peer.request("ACK", to_tag="nobody")) == []
    assert peer.endpoint.transactions == 0


def test_a_response_to_nothing_gets_no_answer() -> None:
    peer = Peer()
    request = parse(peer.request("OPTIONS"))
    assert peer.send(encode(peer.answer_to(request, 200))) == []


def test_a_sender_of_rfc_2543_has_its_repeats_known_too() -> None:
    peer = Peer()
    data = peer.request("INVITE", (), OFFER, to_tag="", branch="1")
    peer.send(data)
    peer.send(data)
    assert peer.endpoint.calls == 1
    other = peer.request("INVITE", (), OFFER, to_tag="", branch="1", number=7).replace(
        b"Call-ID: call", b"Call-ID: two"
    )
    peer.send(other)
    assert peer.endpoint.calls == 2


def test_received_and_rport_are_filled_and_the_answer_goes_to_where_the_request_came_from() -> None:
    peer = Peer()
    (answer,) = peer.send(peer.request("OPTIONS", to_tag=""), link(CALLEE, ("198.51.100.7", 40123)))
    assert (top_via(answer).parameter("received"), top_via(answer).parameter("rport")) == ("198.51.100.7", "40123")
    assert [each.to for each in peer.outputs if isinstance(each, Send)] == [link(CALLEE, ("198.51.100.7", 40123))]


def test_without_rport_the_answer_goes_to_the_port_of_the_via_and_never_to_another_host() -> None:
    peer = Peer()
    data = (
        peer.request("OPTIONS", to_tag="")
        .replace(b";rport", b";maddr=203.0.113.5")
        .replace(b"192.0.2.1;", b"192.0.2.8:5099;")
    )
    peer.send(data, link(CALLEE, ("198.51.100.7", 40123)))
    assert [each.to for each in peer.outputs if isinstance(each, Send)] == [link(CALLEE, ("198.51.100.7", 5099))]


def test_the_table_of_answers_has_a_limit_in_number() -> None:
    peer = Peer(config=EndpointConfig(most_transactions=100))
    for _ in range(1000):
        peer.send(peer.request("OPTIONS", to_tag=""))
    assert peer.endpoint.transactions == 100


def test_the_table_of_answers_has_a_limit_in_bytes() -> None:
    peer = Peer(config=EndpointConfig(most_answer_bytes=100_000))
    for _ in range(100):
        peer.send(peer.request("OPTIONS", [("Via", f"SIP/2.0/UDP x;branch={'y' * 20_000}")], to_tag=""))
    assert peer.endpoint.transactions <= 5


def test_an_answer_follows_its_peer_to_a_new_connection() -> None:
    peer = Peer(transport="tcp")
    peer.invite()
    peer.owner(peer.endpoint.failed(peer.link, peer.now))
    assert [each.to.port for each in peer.outputs if isinstance(each, Send)] == [5060]
    peer.owner(peer.endpoint.answer(peer.handle, media(), peer.now))
    assert not any(each.to == peer.link for each in peer.outputs if isinstance(each, Send))
    assert CALLER[0] in {each.to.host for each in peer.outputs if isinstance(each, Send)}
