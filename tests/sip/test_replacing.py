"""Another caller takes the place of the one we talk to (RFC 3891)."""

import pytest

from ivr.sip.message import Request, Response, to
from ivr.sip.outputs import CallOffered, MediaChanged, SipCallEnded, TransferNotified
from tests.sip.sip_peer import OFFER, Peer, status_of


def newcomer(
    peer: Peer, replaces: str | None = None, body: bytes = OFFER.replace(b"30000", b"34000")
) -> list[Request | Response]:
    """Send an INVITE of another phone that wants to take the place; the peer is that phone from then on."""
    wanted = replaces or f"{peer.call_id};to-tag={peer.remote_tag};from-tag={peer.tag}"
    peer.call_id, peer.tag, peer.number = "newcomer", "newcomer", 0
    return peer.send(peer.request("INVITE", [("Require", "replaces"), ("Replaces", wanted)], body, to_tag=""))


def test_the_call_goes_on_with_the_newcomer_and_the_old_peer_gets_a_bye() -> None:
    peer = Peer().established()
    old = peer.remote_tag
    answer, bye = newcomer(peer)
    assert isinstance(answer, Response)
    assert isinstance(bye, Request)
    assert (answer.status, b"o=- 7 2 " in answer.body) == (200, True)
    assert to(answer).tag != old
    assert (bye.method, bye.headers.get("Call-ID"), to(bye).tag) == ("BYE", "call", "peer")
    assert isinstance(peer.events[-1], MediaChanged)
    assert peer.events[-1].call == peer.handle
    assert peer.events[-1].plan.remote == ("192.0.2.1", 34000)
    peer.reply(bye, 200)
    assert peer.ack() == []
    assert peer.wait(60) == []
    assert status_of(peer.ask("BYE")) == 200
    assert isinstance(peer.events[-1], SipCallEnded)
    assert sum(isinstance(each, CallOffered) for each in peer.events) == 1
    peer.wait(64)
    assert (peer.endpoint.calls, peer.endpoint.transactions, peer.endpoint.deadline) == (0, 0, None)


def test_requests_of_the_old_dialog_find_nothing_any_more() -> None:
    peer = Peer().established()
    old = peer.remote_tag
    newcomer(peer)
    peer.call_id, peer.tag = "call", "peer"
    (answer,) = peer.send(peer.request("BYE", number=9, to_tag=old))
    assert status_of(answer) == 481


def test_without_an_offer_ours_is_answered_in_the_ack() -> None:
    peer = Peer().established()
    answer, _ = newcomer(peer, body=b"")
    assert b"m=audio" in answer.body
    peer.ack(OFFER.replace(b"30000", b"35000"))
    assert isinstance(peer.events[-1], MediaChanged)
    assert peer.events[-1].plan.remote == ("192.0.2.1", 35000)


def test_without_ack_the_call_ends() -> None:
    peer = Peer().established()
    newcomer(peer)
    peer.wait(33)
    assert isinstance(peer.events[-1], SipCallEnded)
    assert peer.events[-1].cause == "no ACK came"


def test_a_transfer_under_way_ends_with_it() -> None:
    peer = Peer().established()
    peer.owner(peer.endpoint.refer(peer.handle, "sip:x@192.0.2.9", peer.now))
    newcomer(peer)
    assert peer.events[-1] == TransferNotified(peer.handle, 487, done=True)


@pytest.mark.parametrize(
    ("replaces", "status"),
    [
        ("call;to-tag=x;from-tag=peer", 481),
        ("other;to-tag={ours};from-tag=peer", 481),
        ("call;to-tag={ours};from-tag=x", 481),
        ("call;to-tag={ours};from-tag=peer;early-only", 486),
        ("call;to-tag={ours}", 400),
        (";to-tag={ours};from-tag=peer", 400),
        ("call;to-tag==;;,", 400),
        ("call", 400),
    ],
)
def test_what_is_not_meant_or_not_allowed_changes_nothing(replaces: str, status: int) -> None:
    peer = Peer().established()
    before = len(peer.events)
    (answer,) = newcomer(peer, replaces.format(ours=peer.remote_tag))
    assert status_of(answer) == status
    assert len(peer.events) == before
    peer.call_id, peer.tag = "call", "peer"


def test_what_is_not_established_cannot_be_given_away() -> None:
    peer = Peer()
    peer.invite()
    peer.owner(peer.endpoint.ring(peer.handle, peer.now))
    (early,) = newcomer(peer)
    assert status_of(early) == 481


def test_a_call_that_we_have_left_is_declined() -> None:
    peer = Peer().established()
    peer.owner(peer.endpoint.hang_up(peer.handle, peer.now))
    (answer,) = newcomer(peer)
    assert status_of(answer) == 603


def test_media_that_does_not_fit_this_call_leaves_it() -> None:
    peer = Peer().established()
    ipv6 = OFFER.replace(b"IN IP4 192.0.2.1", b"IN IP6 2001:db8::1")
    (answer,) = newcomer(peer, body=ipv6)
    assert status_of(answer) == 488
