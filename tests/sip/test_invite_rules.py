"""An INVITE: what is checked, in which order, and what comes after (RFC 3261 13.3, RFC 3262, RFC 4028 9)."""

from typing import Any

import pytest

from ivr.sip.addresses import parse_name_address
from ivr.sip.message import Request, Response, cseq, parse, to
from ivr.sip.outputs import CallEstablished, CallOffered, MediaChanged, Send, SipCallEnded
from ivr.sip.policy import Allowed, Challenge, EndpointConfig, Refused, Silence
from ivr.sip.proving import proof
from ivr.sip.sip_call import Credentials
from tests.sip.sip_network import CALLEE, OpenPolicy, link, media
from tests.sip.sip_peer import OFFER, Peer, raw, status_of

VIDEO = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=video 3000 RTP/AVP 99\r\n"
ANSWER = OFFER.replace(b"0 8 101", b"8 101")


def kinds(peer: Peer) -> list[type]:
    return [type(each) for each in peer.events]


# --- the checks, and their order

WRONG: dict[int, dict[str, Any]] = {
    401: {"admission": Challenge()},
    420: {"headers": [("Require", "precondition")]},
    422: {"headers": [("Session-Expires", "60")]},
    503: {"full": True},
    415: {"kind": "text/plain"},
    488: {"body": VIDEO},
    404: {"served": False},
}
"What is wrong with an INVITE that gets this answer, in the order of the checks; 482 has its own test."


def peer_with(*wrong: int) -> tuple[Peer, bytes]:
    """Return a peer and its INVITE with all of these faults."""
    faults = {name: value for status in wrong for name, value in WRONG[status].items() if name != "headers"}
    headers = [line for status in wrong for line in WRONG[status].get("headers", [])]
    policy = OpenPolicy(
        admission=faults.get("admission", Allowed()), full="full" in faults, served="served" not in faults,
    )  # fmt: skip
    peer = Peer(policy)
    data = peer.request("INVITE", headers, faults.get("body", OFFER), to_tag="")
    return peer, data.replace(b"application/sdp", str(faults.get("kind", "application/sdp")).encode())


@pytest.mark.parametrize("status", WRONG)
def test_an_invite_with_one_fault_gets_its_answer(status: int) -> None:
    peer, data = peer_with(status)
    (answer,) = peer.send(data)
    assert status_of(answer) == status
    assert to(answer).tag
    assert peer.events == []
    assert peer.endpoint.calls == 0


@pytest.mark.parametrize("first", list(WRONG))
def test_the_first_fault_in_the_order_of_the_profile_decides(first: int) -> None:
    statuses = list(WRONG)
    peer, data = peer_with(*statuses[statuses.index(first) :])
    (answer,) = peer.send(data)
    assert status_of(answer) == first


@pytest.mark.parametrize(
    ("status", "name", "value"),
    [
        (420, "Unsupported", "precondition"),
        (422, "Min-SE", "90"),
        (503, "Retry-After", "5"),
        (415, "Accept", "application/sdp"),
    ],
)
def test_a_refusal_says_what_would_be_taken(status: int, name: str, value: str) -> None:
    peer, data = peer_with(status)
    (answer,) = peer.send(data)
    assert answer.headers.get(name) == value


def test_what_is_only_supported_and_not_required_is_ignored() -> None:
    peer = Peer()
    assert [status_of(each) for each in peer.invite([("Supported", "precondition, gruu")])] == [100]


def test_the_same_call_by_another_way_gets_482() -> None:
    peer = Peer()
    peer.invite()
    (answer,) = peer.send(peer.request("INVITE", (), OFFER, number=1, branch="z9hG4bKother", to_tag=""))
    assert status_of(answer) == 482
    assert peer.endpoint.calls == 1


def test_a_scheme_that_is_none_of_ours_gets_416() -> None:
    peer = Peer()
    (answer,) = peer.send(peer.request("INVITE", (), OFFER, to_tag="", uri="mailto:x@example.com"))
    assert status_of(answer) == 416


def test_silence_is_no_answer_and_nothing_is_kept() -> None:
    peer = Peer(OpenPolicy(admission=Silence()))
    assert peer.send(peer.request("INVITE", (), OFFER, to_tag="")) == []
    assert peer.send(peer.request("OPTIONS", to_tag="")) == []
    assert peer.send(peer.request("BYE", to_tag="x")) == []
    assert peer.send(peer.request("CANCEL", to_tag="")) == []
    assert peer.send(peer.request("INVITE", (), OFFER, to_tag="").replace(b"CSeq", b"XSeq")) == []
    assert peer.endpoint.transactions == 0


def test_a_refusal_of_the_policy_is_its_status() -> None:
    peer = Peer(OpenPolicy(admission=Refused(503, retry_after=60)))
    (answer,) = peer.send(peer.request("INVITE", (), OFFER, to_tag=""))
    assert (status_of(answer), answer.headers.get("Retry-After")) == (503, "60")


def test_a_caller_with_the_right_password_gets_in_and_is_not_trusted_with_assertions() -> None:
    peer = Peer(OpenPolicy(admission=Challenge(), passwords={"anna": "right"}))
    for password, expected in [("wrong", 401), ("right", 100)]:
        invite = peer.request("INVITE", (), OFFER, to_tag="")
        (challenge,) = peer.send(invite)
        assert isinstance(challenge, Response)
        assert [each.split("algorithm=")[1][:3] for each in challenge.headers.all("WWW-Authenticate")] == ["SHA", "MD5"]
        peer.send(peer.request("ACK", branch=""))
        request = Request("INVITE", "sip:support@192.0.2.2", challenge.headers)
        header = proof(request, challenge, Credentials("anna", password), "seed", 0)
        assert header is not None
        (answer,) = peer.send(peer.request("INVITE", [header], OFFER, to_tag=""))
        assert status_of(answer) == expected
    assert [each.trusted for each in peer.events if isinstance(each, CallOffered)] == [False]


def test_the_nonce_of_one_call_does_not_serve_another() -> None:
    peer = Peer(OpenPolicy(admission=Challenge(), passwords={"anna": "right"}))
    (challenge,) = peer.send(peer.request("INVITE", (), OFFER, to_tag=""))
    assert isinstance(challenge, Response)
    request = Request("INVITE", "sip:support@192.0.2.2", challenge.headers)
    header = proof(request, challenge, Credentials("anna", "right"), "seed", 0)
    assert header is not None
    (first,) = peer.send(peer.request("INVITE", [header], OFFER, to_tag=""))
    peer.call_id = "replayed"
    (second,) = peer.send(peer.request("INVITE", [header], OFFER, to_tag=""))
    assert [status_of(first), status_of(second)] == [100, 401]


def test_calls_and_unanswered_invites_of_one_host_have_limits() -> None:
    peer = Peer(config=EndpointConfig(most_calls=5, most_unanswered=3))
    for number in range(4):
        peer.call_id = f"call{number}"
        answers = peer.send(peer.request("INVITE", (), OFFER, to_tag=""))
    assert [status_of(each) for each in answers] == [503]
    assert peer.endpoint.unanswered("192.0.2.1") == 3
    elsewhere = link(CALLEE, ("192.0.2.77", 5060))
    statuses = []
    for number in range(5, 8):
        peer.call_id = f"call{number}"
        statuses.append(status_of(peer.send(peer.request("INVITE", (), OFFER, to_tag=""), elsewhere)[0]))
    assert statuses == [100, 100, 503]


def test_calls_whose_peer_does_not_confirm_the_end_take_no_place_but_have_a_limit() -> None:
    peer = Peer(config=EndpointConfig(most_calls=2))
    statuses = []
    for number in range(5):
        peer.call_id, peer.remote_tag, peer.number = f"call{number}", "", 0
        (answer,) = peer.send(peer.request("INVITE", (), OFFER, to_tag=""))
        statuses.append(status_of(answer))
        if statuses[-1] == 503:
            continue
        peer.handle = peer.events[-1].call
        peer.answered()
        peer.ack(number=1)
        peer.owner(peer.endpoint.hang_up(peer.handle, peer.now))
    assert statuses == [100, 100, 503, 503, 503]
    peer.wait(33)
    peer.call_id = "later"
    assert status_of(peer.send(peer.request("INVITE", (), OFFER, to_tag=""))[0]) == 100


def test_a_flood_of_invites_leaves_nothing_behind() -> None:
    peer = Peer(config=EndpointConfig(most_unanswered=10))
    for number in range(500):
        peer.call_id = f"call{number}"
        peer.send(peer.request("INVITE", (), OFFER, to_tag=""))
    assert peer.endpoint.calls == 10
    peer.wait(300)
    assert (peer.endpoint.calls, peer.endpoint.transactions, peer.endpoint.deadline) == (0, 0, None)
    assert peer.endpoint.unanswered("192.0.2.1") == 0


# --- requests outside of a dialog that are no INVITE


def test_options_says_what_we_can_and_503_while_draining() -> None:
    peer = Peer()
    (answer,) = peer.send(peer.request("OPTIONS", to_tag=""))
    assert status_of(answer) == 200
    assert {"INVITE", "BYE", "UPDATE", "PRACK"} <= set(answer.headers.all("Allow"))
    assert answer.headers.all("Accept") == ("application/sdp",)
    assert "timer" in answer.headers.all("Supported")
    peer.policy.draining = True
    (answer,) = peer.send(peer.request("OPTIONS", to_tag=""))
    assert status_of(answer) == 503
    (answer,) = peer.send(peer.request("INVITE", (), OFFER, to_tag=""))
    assert status_of(answer) == 503


@pytest.mark.parametrize("method", ["REFER", "SUBSCRIBE", "MESSAGE", "REGISTER", "NEWS"])
def test_what_we_do_not_do_gets_405_with_allow(method: str) -> None:
    peer = Peer()
    (answer,) = peer.send(peer.request(method, to_tag=""))
    assert status_of(answer) == 405
    assert "INVITE" in answer.headers.all("Allow")


@pytest.mark.parametrize("method", ["BYE", "CANCEL", "PRACK", "UPDATE", "INFO", "NOTIFY", "INVITE", "OPTIONS"])
def test_a_dialog_that_is_not_there_gets_481(method: str) -> None:
    peer = Peer()
    (answer,) = peer.send(peer.request(method, to_tag="nobody"))
    assert status_of(answer) == 481


def test_a_request_that_cannot_be_read_gets_400_if_its_sender_gets_answers() -> None:
    peer = Peer()
    unreadable = peer.request("OPTIONS", to_tag="").replace(b"CSeq: 1", b"CSeq: one")
    (answer,) = peer.endpoint.receive(unreadable, peer.link, peer.now)
    assert isinstance(answer, Send)
    assert answer.data.startswith(b"SIP/2.0 400 Bad Request\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1;rport=5060")
    peer.policy.admission = Refused()
    assert peer.endpoint.receive(unreadable, peer.link, peer.now) == []


# --- a call that comes in


def test_100_at_once_then_180_and_200_with_all_that_makes_a_dialog() -> None:
    peer = Peer()
    (trying,) = peer.invite([("Record-Route", "<sip:192.0.2.5;lr>"), ("Record-Route", "<sip:192.0.2.6;lr>")])
    assert (status_of(trying), to(trying).tag) == (100, "")
    (ringing,) = peer.owner(peer.endpoint.ring(peer.handle, peer.now))
    assert (status_of(ringing), ringing.headers.get("Contact")) == (180, "<sip:ivr@192.0.2.2:5060>")
    answer = peer.answered()
    assert status_of(answer) == 200
    assert answer.headers.all("Record-Route") == ("<sip:192.0.2.5;lr>", "<sip:192.0.2.6;lr>")
    assert len(to(answer).tag) == 16
    assert answer.headers.get("Session-Expires") is None
    assert b"m=audio 40000 RTP/AVP 0 101" in answer.body
    assert kinds(peer) == [CallOffered, MediaChanged]
    peer.ack()
    assert kinds(peer) == [CallOffered, MediaChanged, CallEstablished]


@pytest.mark.parametrize(
    ("transport", "parameter"), [("udp", ""), ("tcp", ";transport=tcp"), ("tls", ";transport=tls")]
)
def test_contact_names_the_transport_and_port_that_the_call_came_by(transport: str, parameter: str) -> None:
    peer = Peer(transport=transport)  # type: ignore[arg-type]
    peer.invite()
    contact = peer.answered().headers.get("Contact") or ""
    assert parse_name_address(contact).uri == f"sip:ivr@192.0.2.2:5060{parameter}"


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_the_200_is_repeated_on_every_transport_until_the_ack(transport: str) -> None:
    peer = Peer(transport=transport)  # type: ignore[arg-type]
    peer.invite()
    peer.answered()
    first = raw(peer.outputs)
    moments = []
    for _ in range(120):
        if peer.wait(0.1):
            assert raw(peer.outputs) == first
            moments.append(round(peer.now - 1000, 1))
    assert moments == [0.5, 1.5, 3.5, 7.5, 11.5]
    peer.ack()
    assert peer.wait(60) == []


def test_no_ack_within_32_seconds_ends_the_call_with_a_bye() -> None:
    peer = Peer()
    peer.invite()
    peer.answered()
    messages = peer.wait(33)
    assert [each.method for each in messages if isinstance(each, Request)][:1] == ["BYE"]
    assert isinstance(ended := peer.events[-1], SipCallEnded)
    assert (ended.by, ended.cause) == ("timeout", "no ACK came")
    peer.wait(64)
    assert (peer.endpoint.calls, peer.endpoint.transactions) == (0, 0)


@pytest.mark.parametrize("we_hang_up", [False, True])
def test_without_an_ack_nobody_but_who_has_called_gets_a_bye(we_hang_up: bool) -> None:
    """A forged INVITE can name anybody as its proxy or in its Contact."""
    peer = Peer()
    peer.invite([("Record-Route", "<sip:203.0.113.9;transport=tcp;lr>")])
    peer.answered()
    if we_hang_up:
        peer.owner(peer.endpoint.hang_up(peer.handle, peer.now))
    peer.wait(33)
    byes = [each for each in peer.outputs if isinstance(each, Send) and each.data.startswith(b"BYE")]
    assert {each.to for each in byes} == {peer.link}
    assert all(parse(each.data).headers.all("Via")[0].startswith("SIP/2.0/UDP") for each in byes)


def test_a_bye_of_ours_waits_for_the_ack() -> None:
    peer = Peer()
    peer.invite()
    peer.answered()
    assert peer.owner(peer.endpoint.hang_up(peer.handle, peer.now)) == []
    assert kinds(peer)[-1] is SipCallEnded
    (bye,) = peer.ack()
    assert isinstance(bye, Request)
    assert bye.method == "BYE"


def test_a_cancel_ends_an_invite_without_final_answer_with_487() -> None:
    peer = Peer()
    peer.invite()
    answers = peer.send(peer.request("CANCEL", [("Reason", "Q.850;cause=16")], branch="z9hG4bKinvite", to_tag=""))
    assert [(status_of(each), cseq(each).method) for each in answers] == [(200, "CANCEL"), (487, "INVITE")]
    assert to(answers[0]).tag == to(answers[1]).tag
    assert peer.events[-1] == SipCallEnded(
        peer.handle, "remote", "the caller hung up before the answer", "Q.850;cause=16"
    )


def test_a_cancel_after_the_answer_gets_200_and_changes_nothing() -> None:
    peer = Peer()
    peer.invite()
    answer = peer.answered()
    (cancelled,) = peer.send(peer.request("CANCEL", branch="z9hG4bKinvite", to_tag=""))
    assert (status_of(cancelled), to(cancelled).tag) == (200, to(answer).tag)
    assert kinds(peer) == [CallOffered, MediaChanged]


def test_a_cancel_is_judged_by_its_ids_not_by_its_address() -> None:
    peer = Peer()
    peer.invite()
    stranger = link(CALLEE, ("203.0.113.9", 9))
    (refused,) = peer.send(peer.request("CANCEL", branch="z9hG4bKguessed", to_tag=""), stranger)
    assert status_of(refused) == 481
    answers = peer.send(peer.request("CANCEL", branch="z9hG4bKinvite", to_tag=""), stranger)
    assert [status_of(each) for each in answers] == [200, 487]


@pytest.mark.parametrize(("status", "reason"), [(603, ""), (404, "Unknown number")])
def test_a_call_is_rejected(status: int, reason: str) -> None:
    peer = Peer()
    peer.invite()
    (answer,) = peer.owner(peer.endpoint.reject(peer.handle, status, reason, peer.now, [("X-Why", "so")]))
    assert (status_of(answer), answer.headers.get("X-Why")) == (status, "so")
    assert isinstance(answer, Response)
    assert answer.reason == (reason or "Decline")
    assert kinds(peer) == [CallOffered, SipCallEnded]


def test_a_call_is_redirected() -> None:
    peer = Peer()
    peer.invite()
    (answer,) = peer.owner(peer.endpoint.redirect(peer.handle, "sip:other@192.0.2.9", peer.now))
    assert (status_of(answer), answer.headers.get("Contact")) == (302, "<sip:other@192.0.2.9>")


def test_a_text_with_a_line_break_is_refused_before_anything_happens() -> None:
    peer = Peer()
    peer.invite()
    with pytest.raises(ValueError, match="line break"):
        peer.endpoint.reject(peer.handle, 603, "No\r\nX: y", peer.now)
    assert status_of(peer.answered()) == 200


def test_it_does_not_ring_for_ever_and_says_so_each_minute() -> None:
    peer = Peer()
    peer.invite()
    peer.owner(peer.endpoint.ring(peer.handle, peer.now))
    peer.wait(170)
    assert [status_of(parse(each)) for each in raw(peer.outputs)] == [180, 180]
    (refused, *_) = peer.wait(11)
    assert status_of(refused) == 480
    assert kinds(peer)[-1] is SipCallEnded


def test_the_callers_expires_is_kept_to() -> None:
    peer = Peer()
    peer.invite([("Expires", "20")])
    (refused, *_) = peer.wait(20)
    assert status_of(refused) == 487


# --- late offer


def test_an_invite_without_offer_gets_ours_and_the_ack_has_the_answer() -> None:
    peer = Peer()
    peer.invite(body=b"")
    answer = peer.answered()
    assert b"RTP/AVP 8 0 101" in answer.body
    assert kinds(peer) == [CallOffered]
    peer.ack(ANSWER)
    assert isinstance(established := peer.events[-1], CallEstablished)
    assert (established.plan.codec, established.plan.remote) == ("PCMA", ("192.0.2.1", 30000))


@pytest.mark.parametrize("body", [b"", VIDEO])
def test_a_late_offer_without_a_usable_answer_ends_the_call(body: bytes) -> None:
    peer = Peer()
    peer.invite(body=b"")
    peer.answered()
    (bye,) = peer.ack(body)
    assert isinstance(bye, Request)
    assert bye.method == "BYE"
    assert isinstance(ended := peer.events[-1], SipCallEnded)
    assert ended.by == "error"


def test_media_that_no_longer_fits_at_the_answer_gets_488() -> None:
    peer = Peer()
    peer.invite()
    narrow = media(40000, CALLEE[0]).__class__(CALLEE[0], 40000, 7, 1, codecs=("G722",))
    (answer,) = peer.owner(peer.endpoint.answer(peer.handle, narrow, peer.now))
    assert status_of(answer) == 488
    assert kinds(peer) == [CallOffered, SipCallEnded]


# --- 100rel


def rung(peer: Peer) -> Response:
    peer.invite([("Require", "100rel")])
    (ringing,) = peer.owner(peer.endpoint.ring(peer.handle, peer.now))
    assert isinstance(ringing, Response)
    return ringing


def test_a_180_is_reliable_if_the_caller_requires_it_and_the_200_waits_for_the_prack() -> None:
    peer = Peer()
    ringing = rung(peer)
    assert (ringing.status, ringing.headers.get("Require")) == (180, "100rel")
    rseq = int(ringing.headers.get("RSeq") or "")
    assert 0 < rseq < 2**31
    assert peer.owner(peer.endpoint.answer(peer.handle, media(40000, CALLEE[0]), peer.now)) == []
    answers = peer.send(peer.request("PRACK", [("RAck", f"{rseq} 1 INVITE")]))
    assert [(status_of(each), cseq(each).method) for each in answers] == [(200, "PRACK"), (200, "INVITE")]
    peer.ack(number=1)
    assert kinds(peer)[-1] is CallEstablished


def test_the_reliable_180_is_repeated_at_t1_doubling_and_given_up_with_504() -> None:
    peer = Peer()
    rung(peer)
    first = raw(peer.outputs)
    for pause in (0.5, 1, 2, 4, 8, 16):
        assert peer.wait(pause - 0.01) == []
        peer.wait(0.01)
        assert raw(peer.outputs) == first
    (refused, *_) = peer.wait(0.5)
    assert status_of(refused) == 504


@pytest.mark.parametrize("rack", ["1 1 INVITE", "", "x"])
def test_a_prack_for_nothing_gets_481(rack: str) -> None:
    peer = Peer()
    rung(peer)
    assert status_of(peer.ask("PRACK", [("RAck", rack)] if rack else [])) == 481


def test_a_late_offer_that_requires_100rel_is_not_rung() -> None:
    peer = Peer()
    peer.invite([("Require", "100rel")], body=b"")
    assert peer.owner(peer.endpoint.ring(peer.handle, peer.now)) == []
    assert status_of(peer.answered()) == 200


# --- requests before the answer


@pytest.mark.parametrize(
    ("method", "body", "status"),
    [("OPTIONS", b"", 200), ("INFO", b"", 200), ("UPDATE", b"", 200), ("UPDATE", OFFER, 500), ("INVITE", OFFER, 500),
     ("REFER", b"", 405), ("NOTIFY", b"", 405)],
)  # fmt: skip
def test_requests_before_the_answer(method: str, body: bytes, status: int) -> None:
    peer = Peer()
    peer.invite()
    peer.owner(peer.endpoint.ring(peer.handle, peer.now))
    assert status_of(peer.ask(method, (), body)) == status


def test_a_bye_before_the_answer_ends_the_invite_too() -> None:
    peer = Peer()
    peer.invite()
    peer.owner(peer.endpoint.ring(peer.handle, peer.now))
    answers = peer.send(peer.request("BYE"))
    assert [(status_of(each), cseq(each).method) for each in answers] == [(200, "BYE"), (487, "INVITE")]


def test_what_is_unknown_or_out_of_order_before_the_answer() -> None:
    peer = Peer()
    peer.invite()
    peer.owner(peer.endpoint.ring(peer.handle, peer.now))
    assert status_of(peer.ask("OPTIONS", [("Require", "gruu")])) == 420
    (answer,) = peer.send(peer.request("OPTIONS", number=1))
    assert status_of(answer) == 500
    peer.tag = "other"
    assert status_of(peer.ask("OPTIONS")) == 481


def test_commands_for_a_call_that_is_over_do_nothing() -> None:
    peer = Peer()
    peer.invite()
    peer.owner(peer.endpoint.reject(peer.handle, 603, "", peer.now))
    endpoint, call, now = peer.endpoint, peer.handle, peer.now
    assert endpoint.ring(call, now) == endpoint.answer(call, media(), now) == endpoint.hang_up(call, now) == []
    assert endpoint.reject(call, 603, "", now) == endpoint.refer(call, "sip:x@192.0.2.9", now) == []
    assert endpoint.modify(call, media(), now) == endpoint.cancel(call, now) == []
    assert not any(isinstance(each, Send) for each in endpoint.unregister(now))
