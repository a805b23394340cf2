"""Calls that we place: provisional answers, PRACK, ACK of each 2xx, CANCEL, credentials, forks (RFC 3261 13.2, 9.1)."""

import pytest

from ivr.sip.message import Message, Request, cseq, to, top_via
from ivr.sip.outputs import CallEstablished, CallFailed, Hop, MediaChanged, Ringing, Send, SipCallEnded
from ivr.sip.policy import EndpointConfig
from ivr.sip.sip_call import Credentials
from tests.sip.sip_network import CALLEE, media
from tests.sip.sip_peer import OFFER, Peer, raw, status_of

ANSWER = OFFER.replace(b"0 8 101", b"8 101")
CONTACT = ("Contact", "<sip:desk@192.0.2.1:5060>")
CHALLENGE = 'Digest realm="pbx", nonce="n1", qop="auth", algorithm=MD5'


def dialled(peer: Peer | None = None, credentials: Credentials | None = None) -> tuple[Peer, Request]:
    """Let the endpoint call the peer; return its INVITE."""
    peer = peer or Peer()
    peer.handle, outputs = peer.endpoint.dial(
        "sip:desk@192.0.2.1", peer.link, media(40000, CALLEE[0]), peer.now, caller='"Line" <sip:ivr@192.0.2.2>',
        credentials=credentials, headers=[("X-Test", "1")],
    )  # fmt: skip
    (invite,) = peer.owner(outputs)
    assert isinstance(invite, Request)
    peer.call_id = invite.headers.get("Call-ID") or ""
    return peer, invite


def methods(messages: list[Message]) -> list[str]:
    return [each.method for each in messages if isinstance(each, Request)]


def hung_up(peer: Peer) -> None:
    """Let both sides forget everything."""
    peer.wait(400)
    assert (peer.endpoint.calls, peer.endpoint.transactions, peer.endpoint.deadline) == (0, 0, None)


def test_the_invite_has_what_an_invite_needs() -> None:
    _, invite = dialled()
    assert (invite.uri, to(invite).tag, cseq(invite).number) == ("sip:desk@192.0.2.1", "", 1)
    assert invite.headers.get("Contact") == "<sip:ivr@192.0.2.2:5060>"
    assert (invite.headers.get("From") or "").startswith('"Line" <sip:ivr@192.0.2.2>;tag=')
    assert invite.headers.get("X-Test") == "1"
    assert set(invite.headers.all("Supported")) >= {"timer", "100rel"}
    assert invite.headers.get("Session-Expires") is None
    assert top_via(invite).parameter("rport") == ""
    assert b"m=audio 40000 RTP/AVP 8 0 101" in invite.body


def test_ringing_then_answered() -> None:
    peer, invite = dialled()
    peer.reply(invite, 100)
    assert peer.events == []
    peer.reply(invite, 180)
    (ack,) = peer.reply(invite, 200, [CONTACT], ANSWER)
    assert isinstance(ack, Request)
    assert (ack.method, ack.uri, cseq(ack).number) == ("ACK", "sip:desk@192.0.2.1:5060", 1)
    assert top_via(ack).branch != top_via(invite).branch
    assert [type(each) for each in peer.events] == [Ringing, CallEstablished]
    assert isinstance(established := peer.events[-1], CallEstablished)
    assert (established.plan.codec, established.plan.remote) == ("PCMA", ("192.0.2.1", 30000))


def test_each_2xx_gets_the_same_ack_and_nothing_else_happens() -> None:
    peer, invite = dialled()
    peer.reply(invite, 200, [CONTACT], ANSWER)
    first = raw(peer.outputs)
    for _ in range(3):
        peer.wait(1)
        peer.reply(invite, 200, [CONTACT], ANSWER)
        assert raw(peer.outputs) == first
    assert len(peer.events) == 1


def test_the_invite_is_repeated_until_a_provisional_answer() -> None:
    peer, invite = dialled()
    moments = sum(bool(peer.wait(0.5)) for _ in range(10))
    assert moments == 3  # 0.5, 1.5, 3.5 s: timer A has no longest pause
    peer.reply(invite, 100)
    assert peer.wait(60) == []


def test_no_answer_within_32_seconds_is_a_408() -> None:
    peer, _ = dialled()
    peer.wait(32)
    assert peer.events == [CallFailed(peer.handle, 408, "Request Timeout", silent=True)]
    hung_up(peer)


def test_an_invite_that_cannot_be_sent_is_a_503() -> None:
    peer, _ = dialled()
    peer.owner(peer.endpoint.failed(peer.link, peer.now))
    assert peer.events == [CallFailed(peer.handle, 503, "Service Unavailable", silent=True)]
    hung_up(peer)


def test_it_does_not_ring_for_ever() -> None:
    peer, invite = dialled(Peer(config=EndpointConfig(longest_ringing=60)))
    peer.reply(invite, 180)
    assert methods(peer.wait(60)) == ["CANCEL"]
    assert peer.events[-1] == CallFailed(peer.handle, 408, "no answer")
    hung_up(peer)


@pytest.mark.parametrize("status", [302, 404, 486, 503, 603])
def test_a_refusal_is_acknowledged_by_the_transaction_and_told(status: int) -> None:
    peer, invite = dialled()
    (ack,) = peer.reply(invite, status, [("Contact", "<sip:there@192.0.2.9>")])
    assert isinstance(ack, Request)
    assert (ack.method, ack.uri, top_via(ack)) == ("ACK", invite.uri, top_via(invite))
    assert to(ack).tag == "peer"
    contacts = ("sip:there@192.0.2.9",) if status == 302 else ()
    assert peer.events == [CallFailed(peer.handle, status, "Reason", contacts)]
    again = raw(peer.outputs)
    peer.reply(invite, status, [("Contact", "<sip:there@192.0.2.9>")])
    assert raw(peer.outputs) == again
    hung_up(peer)


def test_credentials_are_sent_once() -> None:
    peer, invite = dialled(credentials=Credentials("200", "secret"))
    words = {
        each.method: each
        for each in peer.reply(invite, 407, [("Proxy-Authenticate", CHALLENGE)])
        if isinstance(each, Request)
    }
    assert set(words) == {"ACK", "INVITE"}
    again = words["INVITE"]
    assert cseq(again).number == 2
    assert (again.headers.get("Call-ID"), again.headers.get("From")) == (
        invite.headers.get("Call-ID"),
        invite.headers.get("From"),
    )
    assert top_via(again).branch != top_via(invite).branch
    assert 'username="200"' in (again.headers.get("Proxy-Authorization") or "")
    assert methods(peer.reply(again, 407, [("Proxy-Authenticate", CHALLENGE)])) == ["ACK"]
    assert peer.events == [CallFailed(peer.handle, 407, "Reason")]
    hung_up(peer)


def test_the_ack_has_the_credentials_of_its_invite() -> None:
    peer, invite = dialled(credentials=Credentials("200", "secret"))
    _, again = peer.reply(invite, 401, [("WWW-Authenticate", CHALLENGE)])
    (ack,) = peer.reply(again, 200, [CONTACT], ANSWER)
    assert ack.headers.get("Authorization") == again.headers.get("Authorization") is not None


def test_without_credentials_a_challenge_is_a_refusal() -> None:
    peer, invite = dialled()
    assert methods(peer.reply(invite, 401, [("WWW-Authenticate", CHALLENGE)])) == ["ACK"]
    assert peer.events == [CallFailed(peer.handle, 401, "Reason")]


# --- CANCEL


def test_a_cancel_waits_for_a_provisional_answer() -> None:
    peer, invite = dialled()
    assert peer.owner(peer.endpoint.cancel(peer.handle, peer.now)) == []
    assert peer.events == [CallFailed(peer.handle, 487, "Request Terminated", silent=True)]
    (cancel,) = peer.reply(invite, 100)
    assert isinstance(cancel, Request)
    assert (cancel.method, cancel.uri, top_via(cancel), cseq(cancel).number) == (
        "CANCEL",
        invite.uri,
        top_via(invite),
        1,
    )
    assert cancel.headers.get("To") == invite.headers.get("To")
    peer.reply(cancel, 200)
    assert methods(peer.reply(invite, 487)) == ["ACK"]
    assert len(peer.events) == 1
    hung_up(peer)


def test_an_answer_that_was_faster_than_the_cancel_is_acknowledged_and_hung_up() -> None:
    peer, invite = dialled()
    peer.reply(invite, 180)
    assert methods(peer.owner(peer.endpoint.cancel(peer.handle, peer.now))) == ["CANCEL"]
    assert methods(peer.reply(invite, 200, [CONTACT], ANSWER)) == ["ACK", "BYE"]
    assert [type(each) for each in peer.events] == [Ringing, CallFailed]
    hung_up(peer)


def test_a_peer_that_never_answers_a_cancelled_invite_is_given_up() -> None:
    peer, invite = dialled()
    peer.reply(invite, 180)
    peer.owner(peer.endpoint.hang_up(peer.handle, peer.now))
    peer.wait(33)
    assert peer.endpoint.calls == 0
    hung_up(peer)


# --- reliable provisional answers


def test_a_reliable_answer_gets_a_prack_each_once_and_in_order() -> None:
    peer, invite = dialled()
    reliable = [("Require", "100rel"), CONTACT]
    (prack,) = peer.reply(invite, 180, [*reliable, ("RSeq", "7")])
    assert isinstance(prack, Request)
    assert (prack.method, prack.headers.get("RAck"), cseq(prack).number) == ("PRACK", "7 1 INVITE", 2)
    assert peer.reply(invite, 180, [*reliable, ("RSeq", "7")]) == []
    assert peer.reply(invite, 183, [*reliable, ("RSeq", "9")]) == []
    assert methods(peer.reply(invite, 183, [*reliable, ("RSeq", "8")])) == ["PRACK"]
    peer.reply(prack, 200)
    (ack,) = peer.reply(invite, 200, [CONTACT], ANSWER)
    assert cseq(ack).number == 1
    (bye,) = peer.owner(peer.endpoint.hang_up(peer.handle, peer.now))
    assert cseq(bye).number == 4


def test_early_media_is_told_and_a_200_without_sdp_keeps_it() -> None:
    peer, invite = dialled()
    reliable = [("Require", "100rel"), ("RSeq", "1"), CONTACT]
    peer.reply(invite, 183, reliable, ANSWER)
    assert [type(each) for each in peer.events] == [Ringing, MediaChanged]
    peer.reply(invite, 200, [CONTACT])
    assert isinstance(established := peer.events[-1], CallEstablished)
    assert established.plan.codec == "PCMA"


def test_an_answer_that_cannot_be_used_is_acknowledged_and_ended() -> None:
    peer, invite = dialled()
    assert methods(peer.reply(invite, 200, [CONTACT])) == ["ACK", "BYE"]
    assert peer.events == [CallFailed(peer.handle, 488, "the answer cannot be used")]
    hung_up(peer)


# --- forks


def test_the_first_fork_that_answers_is_the_call_and_the_others_are_ended() -> None:
    peer, invite = dialled()
    for tag in ("one", "two"):
        peer.reply(invite, 180, [CONTACT], tag=tag)
    assert methods(peer.reply(invite, 200, [CONTACT], ANSWER, tag="two")) == ["ACK"]
    stray = peer.reply(invite, 200, [CONTACT], ANSWER, tag="one")
    assert methods(stray) == ["ACK", "BYE"]
    assert {to(each).tag for each in stray} == {"one"}
    assert methods(peer.reply(invite, 200, [CONTACT], ANSWER, tag="one")) == ["ACK"]
    assert sum(isinstance(each, CallEstablished) for each in peer.events) == 1
    peer.owner(peer.endpoint.hang_up(peer.handle, peer.now))
    hung_up(peer)


def test_a_fork_that_answers_when_the_call_is_over_is_ended_too() -> None:
    peer, invite = dialled()
    peer.reply(invite, 200, [CONTACT], ANSWER, tag="two")
    peer.remote_tag, peer.tag = (invite.headers.get("From") or "").rpartition("tag=")[2], "two"
    assert status_of(peer.ask("BYE")) == 200
    assert peer.endpoint.calls == 0
    assert methods(peer.reply(invite, 200, [CONTACT], ANSWER, tag="one")) == ["ACK", "BYE"]
    hung_up(peer)


def test_not_more_forks_are_taken_than_a_call_can_have() -> None:
    peer, invite = dialled()
    for number in range(40):
        peer.reply(invite, 180, [CONTACT], tag=f"fork{number}")
    assert len([each for each in peer.events if isinstance(each, Ringing)]) == 16
    answered = sum(bool(peer.reply(invite, 200, [CONTACT], ANSWER, tag=f"fork{number}")) for number in range(40))
    assert answered == 16


# --- requests of the peer


@pytest.mark.parametrize(
    ("method", "body", "status"),
    [("OPTIONS", b"", 200), ("UPDATE", b"", 200), ("INFO", b"", 200), ("UPDATE", OFFER, 491), ("INVITE", OFFER, 491),
     ("REFER", b"", 405)],
)  # fmt: skip
def test_requests_before_the_answer(method: str, body: bytes, status: int) -> None:
    peer, invite = dialled()
    peer.reply(invite, 180, [CONTACT])
    peer.remote_tag = (invite.headers.get("From") or "").rpartition("tag=")[2]
    assert status_of(peer.ask(method, (), body)) == status
    (late,) = peer.send(peer.request(method, (), body, number=peer.number))
    assert status_of(late) == 500
    assert status_of(peer.ask("OPTIONS", [("Require", "gruu")])) == 420
    peer.tag = "stranger"
    assert status_of(peer.ask("OPTIONS")) == 481


def test_a_bye_before_the_answer_ends_the_call() -> None:
    peer, invite = dialled()
    peer.reply(invite, 180, [CONTACT])
    peer.remote_tag = (invite.headers.get("From") or "").rpartition("tag=")[2]
    answers = peer.send(peer.request("BYE"))
    assert status_of(answers[0]) == 200
    assert methods(answers) == ["CANCEL"]
    assert peer.events[-1] == CallFailed(peer.handle, 480, "the peer hung up")
    hung_up(peer)


def test_requests_of_the_peer_in_the_call() -> None:
    peer, invite = dialled()
    peer.reply(invite, 200, [CONTACT], ANSWER)
    peer.remote_tag = (invite.headers.get("From") or "").rpartition("tag=")[2]
    answer = peer.ask("INVITE", (), ANSWER + b"a=sendonly\r\n")
    assert (status_of(answer), b"a=recvonly" in answer.body) == (200, True)
    peer.ack()
    assert status_of(peer.ask("OPTIONS")) == 200
    assert status_of(peer.ask("UPDATE", (), ANSWER)) == 200
    assert status_of(peer.ask("BYE")) == 200
    assert peer.events[-1] == SipCallEnded(peer.handle, "remote", "the peer hung up")
    hung_up(peer)


def test_the_route_of_a_call_that_we_placed_is_the_record_route_from_the_end() -> None:
    peer, invite = dialled()
    peer.reply(invite, 200, [CONTACT, ("Record-Route", "<sip:192.0.2.5;lr>, <sip:192.0.2.6;lr>")], ANSWER)
    (bye,) = peer.owner(peer.endpoint.hang_up(peer.handle, peer.now))
    assert bye.headers.all("Route") == ("<sip:192.0.2.6;lr>", "<sip:192.0.2.5;lr>")
    assert [each.to.remote for each in peer.outputs if isinstance(each, Send)] == [("192.0.2.6", 5060)]


def test_a_session_timer_of_the_callee_is_kept_to() -> None:
    peer, invite = dialled()
    peer.reply(invite, 200, [CONTACT, ("Session-Expires", "90;refresher=uac"), ("Allow", "UPDATE")], ANSWER)
    assert methods(peer.wait(45)) == ["UPDATE"]


def test_a_response_with_two_vias_is_for_somebody_else() -> None:
    peer, invite = dialled()
    peer.reply(invite, 486, [("Via", "SIP/2.0/UDP 192.0.2.99;branch=z9hG4bKx")])
    assert peer.events == []


def test_an_ack_that_gets_no_way_takes_a_new_connection() -> None:
    peer, invite = dialled(Peer(transport="tcp"))
    peer.reply(invite, 200, [("Contact", "<sip:desk@192.0.2.1:5080;transport=tcp>")], ANSWER)
    ack = raw(peer.outputs)
    peer.owner(peer.endpoint.failed(peer.link, peer.now))
    assert [(each.to, each.data) for each in peer.outputs if isinstance(each, Send)] == [
        (Hop("tcp", "192.0.2.1", 5080), *ack)
    ]
    peer.owner(peer.endpoint.failed(Hop("tcp", "192.0.2.1", 5080), peer.now))
    assert peer.outputs == []
    peer.reply(invite, 200, [("Contact", "<sip:desk@192.0.2.1:5080;transport=tcp>")], ANSWER)
    assert raw(peer.outputs) == ack


def test_a_second_cancel_and_a_ring_of_ours_do_nothing() -> None:
    peer, invite = dialled()
    peer.reply(invite, 180)
    peer.owner(peer.endpoint.cancel(peer.handle, peer.now))
    assert peer.endpoint.cancel(peer.handle, peer.now) == []
    assert peer.endpoint.refer(peer.handle, "sip:x@192.0.2.9", peer.now) == []
    assert peer.reply(invite, 183) == []
