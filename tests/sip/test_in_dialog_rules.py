"""What the peer may ask for in a call, and what it gets (RFC 3261 12.2.2, 14.2, 15.1.2, RFC 3311, RFC 3515)."""

import pytest
from msgspec.structs import replace

from ivr.sip.message import Request
from ivr.sip.outputs import CallEstablished, KeyPressed, MediaChanged, Send, SipCallEnded, TransferNotified
from tests.sip.sip_network import CALLEE, link, media
from tests.sip.sip_peer import OFFER, Peer, raw, status_of

ALAW = OFFER.replace(b"0 8 101", b"8 101")
HOLD = OFFER + b"a=sendonly\r\n"
VIDEO = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=video 3000 RTP/AVP 99\r\n"


def version(body: bytes) -> int:
    """Return the number of an SDP among those of its call."""
    return int(body.split(b"o=")[1].split()[2])


def method_of(message: object) -> str:
    assert isinstance(message, Request)
    return message.method


def test_a_bye_ends_the_call_and_its_reason_is_told() -> None:
    peer = Peer().established()
    assert status_of(peer.ask("BYE", [("Reason", "Q.850;cause=16")])) == 200
    assert peer.events[-1] == SipCallEnded(peer.handle, "remote", "the caller hung up", "Q.850;cause=16")
    peer.wait(38)
    assert (peer.endpoint.calls, peer.endpoint.transactions, peer.endpoint.deadline) == (0, 0, None)


def test_all_reasons_of_a_bye_are_told() -> None:
    """RFC 3326 2: one for SIP, one for the telephone network, in one header or two."""
    for headers in ([("Reason", 'SIP;cause=200, Q.850;cause=17;text="Busy"')],
                    [("Reason", "SIP;cause=200"), ("Reason", 'Q.850;cause=17;text="Busy"')]):  # fmt: skip
        peer = Peer().established()
        peer.ask("BYE", headers)
        reason = 'SIP;cause=200, Q.850;cause=17;text="Busy"'
        assert peer.events[-1] == SipCallEnded(peer.handle, "remote", "the caller hung up", reason)


def test_a_bye_is_judged_by_its_dialog_and_not_by_its_address() -> None:
    peer = Peer().established()
    stranger = link(CALLEE, ("203.0.113.9", 9))
    (guess,) = peer.send(peer.request("BYE", to_tag="guess"), stranger)
    assert status_of(guess) == 481
    peer.tag, ours = "other", peer.tag
    (guess,) = peer.send(peer.request("BYE"), stranger)
    assert status_of(guess) == 481
    peer.tag = ours
    (answer,) = peer.send(peer.request("BYE"), stranger)
    assert status_of(answer) == 200


@pytest.mark.parametrize("number", [0, 1])
def test_a_cseq_that_does_not_rise_gets_500(number: int) -> None:
    peer = Peer().established()
    for method in ("BYE", "INVITE", "OPTIONS", "UPDATE", "INFO"):
        (answer,) = peer.send(peer.request(method, number=number))
        assert status_of(answer) == 500
    assert not isinstance(peer.events[-1], SipCallEnded)


def test_an_unknown_extension_gets_420() -> None:
    peer = Peer().established()
    answer = peer.ask("INVITE", [("Require", "precondition")], OFFER)
    assert (status_of(answer), answer.headers.get("Unsupported")) == (420, "precondition")


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_the_media_changes_as_the_offer_says_with_the_next_version(method: str) -> None:
    peer = Peer().established()
    first = peer.events[-1]
    assert isinstance(first, CallEstablished)
    assert first.plan.codec == "PCMU"
    answer = peer.ask(method, (), ALAW.replace(b"30000", b"31000"))
    assert (status_of(answer), version(answer.body)) == (200, 2)
    assert answer.headers.get("Contact") == "<sip:ivr@192.0.2.2:5060>"
    assert isinstance(told := peer.events[-1], MediaChanged)
    assert (told.plan.codec, told.plan.remote) == ("PCMA", ("192.0.2.1", 31000))
    if method == "INVITE":
        peer.ack()
    assert peer.events[-1] is told
    assert peer.wait(20) == []


def test_hold_and_resume() -> None:
    peer = Peer().established()
    for body, ours in [(HOLD, "recvonly"), (OFFER, "sendrecv"), (OFFER + b"a=inactive\r\n", "inactive")]:
        answer = peer.ask("INVITE", (), body)
        peer.ack()
        assert f"a={ours}".encode() in answer.body
        assert isinstance(told := peer.events[-1], MediaChanged)
        assert told.plan.direction == ours


@pytest.mark.parametrize(("body", "kind", "status"), [(VIDEO, "application/sdp", 488), (OFFER, "text/plain", 415)])
@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_an_offer_that_cannot_be_taken_leaves_all_as_it_was(method: str, body: bytes, kind: str, status: int) -> None:
    peer = Peer().established()
    before = len(peer.events)
    (answer,) = peer.send(peer.request(method, (), body).replace(b"application/sdp", kind.encode()))
    assert status_of(answer) == status
    assert len(peer.events) == before
    answer = peer.ask("UPDATE", (), OFFER)
    assert (status_of(answer), version(answer.body)) == (200, 2)


def test_the_200_of_a_re_invite_is_repeated_and_without_ack_the_call_ends() -> None:
    peer = Peer().established()
    peer.ask("INVITE", (), OFFER)
    first = raw(peer.outputs)
    peer.wait(0.5)
    assert raw(peer.outputs) == first
    assert method_of(peer.wait(32)[-1]) == "BYE"
    assert isinstance(ended := peer.events[-1], SipCallEnded)
    assert ended.cause == "no ACK came"


def test_a_re_invite_without_sdp_gets_our_last_sdp_as_an_offer() -> None:
    peer = Peer()
    peer.invite()
    first = peer.answered()
    peer.ack()
    offer = peer.ask("INVITE")
    assert offer.body == first.body
    peer.ack(OFFER.replace(b"30000", b"32000"))
    assert isinstance(told := peer.events[-1], MediaChanged)
    assert told.plan.remote == ("192.0.2.1", 32000)


def test_after_hold_we_offer_what_we_want_ourselves() -> None:
    peer = Peer().established()
    peer.ask("INVITE", (), HOLD)
    peer.ack()
    offer = peer.ask("INVITE")
    assert b"a=sendrecv" in offer.body
    assert version(offer.body) == 3
    peer.ack(OFFER)
    again = peer.ask("INVITE")
    assert again.body == offer.body
    peer.ack()
    assert version(peer.ask("UPDATE", (), OFFER).body) == 4


def test_a_re_invite_without_sdp_whose_ack_has_none_keeps_the_media() -> None:
    peer = Peer().established()
    peer.ask("INVITE")
    before = len(peer.events)
    assert peer.ack() == []
    assert len(peer.events) == before
    assert status_of(peer.ask("BYE")) == 200


def test_both_at_once_gets_491() -> None:
    peer = Peer().established()
    (ours,) = peer.owner(peer.endpoint.modify(peer.handle, media(40000, CALLEE[0]), peer.now))
    assert method_of(ours) == "INVITE"
    assert status_of(peer.ask("INVITE", (), OFFER)) == 491
    assert status_of(peer.ask("UPDATE", (), OFFER)) == 491
    assert status_of(peer.ask("UPDATE")) == 200
    peer.reply(ours, 200, body=OFFER.replace(b"0 8 101", b"8 101"))
    assert status_of(peer.ask("INVITE", (), OFFER)) == 200


def test_an_offer_while_ours_waits_for_its_answer_in_the_ack_gets_491() -> None:
    peer = Peer().established()
    peer.ask("INVITE")
    number = peer.number
    assert status_of(peer.ask("INVITE", (), OFFER)) == 491
    peer.ack(OFFER, number=number)
    assert status_of(peer.ask("INVITE", (), OFFER)) == 200


def test_a_re_invite_in_place_of_a_lost_ack_establishes_the_call() -> None:
    peer = Peer()
    peer.invite()
    peer.answered()
    answer = peer.ask("INVITE", (), ALAW)  # the codec locked right after the answer, and the ACK lost
    assert status_of(answer) == 200
    assert [type(each) for each in peer.events][-2:] == [CallEstablished, MediaChanged]
    peer.ack()
    assert peer.wait(20) == []


def test_options_and_update_without_sdp_get_200() -> None:
    peer = Peer().established()
    assert "UPDATE" in peer.ask("OPTIONS").headers.all("Allow")
    assert status_of(peer.ask("UPDATE")) == 200
    assert status_of(peer.ask("PRACK", [("RAck", "1 1 INVITE")])) == 481


@pytest.mark.parametrize(
    ("kind", "body", "key"),
    [
        ("application/dtmf-relay", b"Signal=5\r\nDuration=160\r\n", "5"),
        ("application/dtmf-relay", b"Signal= #\r\nDuration= 160", "#"),
        ("application/dtmf-relay", b"Duration=1\r\nsignal=10\r\n", "*"),
        ("application/dtmf-relay; charset=x", b"Signal=d\r\n", "D"),
        ("application/dtmf", b"7", "7"),
        ("application/dtmf", b" * \r\n", "*"),
        ("application/dtmf-relay", b"Signal=99\r\n", None),
        ("application/dtmf-relay", b"Signal=\r\n", None),
        ("application/dtmf", b"77x", None),
        ("text/plain", b"Signal=5", None),
    ],
)
def test_a_key_by_info(kind: str, body: bytes, key: str | None) -> None:
    peer = Peer().established()
    (answer,) = peer.send(peer.request("INFO", (), body).replace(b"application/sdp", kind.encode()))
    assert status_of(answer) == 200
    pressed = [each.key for each in peer.events if isinstance(each, KeyPressed)]
    assert pressed == ([] if key is None else [key])


def test_a_key_counts_after_the_ack() -> None:
    peer = Peer()
    peer.invite()
    peer.answered()
    data = peer.request("INFO", (), b"5").replace(b"application/sdp", b"application/dtmf")
    assert [status_of(each) for each in peer.send(data)] == [200]
    assert not any(isinstance(each, KeyPressed) for each in peer.events)


@pytest.mark.parametrize("method", ["REFER", "SUBSCRIBE", "MESSAGE", "NOTIFY", "NEWS"])
def test_no_call_is_made_for_a_caller(method: str) -> None:
    peer = Peer().established()
    answer = peer.ask(method, [("Refer-To", "<sip:+9001234@192.0.2.66>"), ("Event", "refer")])
    assert status_of(answer) == 405
    assert "INVITE" in answer.headers.all("Allow")
    assert next(each for each in peer.outputs if isinstance(each, Send)).to == peer.link
    assert peer.wait(30) == []


def test_requests_of_ours_follow_the_record_route_and_the_last_contact() -> None:
    peer = Peer()
    peer.invite([("Record-Route", "<sip:192.0.2.5;lr>, <sip:192.0.2.6;lr>")])
    peer.answered()
    peer.ack()
    data = peer.request("UPDATE").replace(b"<sip:anna@192.0.2.1:5060>", b"<sip:anna@192.0.2.50:5070>")
    peer.send(data)
    (bye,) = peer.owner(peer.endpoint.hang_up(peer.handle, peer.now))
    assert isinstance(bye, Request)
    assert bye.uri == "sip:anna@192.0.2.50:5070"
    assert bye.headers.all("Route") == ("<sip:192.0.2.5;lr>", "<sip:192.0.2.6;lr>")
    assert [each.to for each in peer.outputs if isinstance(each, Send)] == [
        replace(peer.link, remote=("192.0.2.5", 5060))
    ]


def test_a_strict_router_gets_the_request_as_rfc_2543_had_it() -> None:
    peer = Peer()
    peer.invite([("Record-Route", "<sip:192.0.2.5>")])
    peer.answered()
    peer.ack()
    (bye,) = peer.owner(peer.endpoint.hang_up(peer.handle, peer.now))
    assert isinstance(bye, Request)
    assert (bye.uri, bye.headers.all("Route")) == ("sip:192.0.2.5", ("<sip:anna@192.0.2.1:5060>",))


@pytest.mark.parametrize(
    ("contact", "sent_to"),
    [
        ("sip:anna@192.0.2.1:5070", ("udp", "192.0.2.1", 5070)),
        ("sip:anna@192.0.2.1", ("udp", "192.0.2.1", 5060)),
        ("sip:anna@192.0.2.1;transport=tcp", ("tcp", "192.0.2.1", 5060)),
        ("sip:anna@192.0.2.1;transport=TLS", ("tls", "192.0.2.1", 5061)),
        ("sips:anna@phone.example", ("tls", "phone.example", 5061)),
        ("sip:anna@phone.example", ("udp", "phone.example", 5060)),
        ("sip:anna@[2001:db8::1]:5062", ("udp", "2001:db8::1", 5062)),
        ("tel:+498912345", ("udp", "192.0.2.1", 5060)),
        ("mailto:anna@example.com", ("udp", "192.0.2.1", 5060)),
    ],
)
def test_the_next_hop_is_what_the_contact_says(contact: str, sent_to: tuple[str, str, int]) -> None:
    peer = Peer()
    data = peer.request("INVITE", (), OFFER, to_tag="").replace(b"sip:anna@192.0.2.1:5060", contact.encode())
    peer.send(data)
    peer.handle = peer.events[0].call
    peer.answered()
    peer.ack()
    peer.owner(peer.endpoint.hang_up(peer.handle, peer.now))
    (bye,) = (each for each in peer.outputs if isinstance(each, Send))
    where = bye.to
    found = (where.transport, *where.remote) if hasattr(where, "remote") else (where.transport, where.host, where.port)
    assert found == sent_to
    assert bye.data.split(b"Via: SIP/2.0/")[1][:3] == where.transport.upper().encode()


def test_a_connection_is_used_as_long_as_it_is_there_and_then_another_is_opened() -> None:
    peer = Peer(transport="tcp").established()
    peer.owner(peer.endpoint.hang_up(peer.handle, peer.now))
    (bye,) = (each for each in peer.outputs if isinstance(each, Send))
    assert bye.to == peer.link
    peer.owner(peer.endpoint.failed(peer.link, peer.now))
    again = [each for each in peer.outputs if isinstance(each, Send) and each.data == bye.data]
    assert [(each.to.host, each.to.port) for each in again] == [("192.0.2.1", 5060)]
    peer.owner(peer.endpoint.failed(again[0].to, peer.now))
    assert peer.endpoint.calls == 0


def test_crossing_byes_both_get_200() -> None:
    peer = Peer().established()
    (ours,) = peer.owner(peer.endpoint.hang_up(peer.handle, peer.now))
    assert status_of(peer.ask("BYE")) == 200
    assert sum(isinstance(each, SipCallEnded) for each in peer.events) == 1
    peer.reply(ours, 200)
    peer.wait(38)
    assert (peer.endpoint.calls, peer.endpoint.transactions) == (0, 0)


def test_after_our_bye_other_requests_get_481() -> None:
    peer = Peer().established()
    peer.owner(peer.endpoint.hang_up(peer.handle, peer.now))
    assert status_of(peer.ask("INVITE", (), OFFER)) == 481


# --- transfer out


def referred(peer: Peer) -> Request:
    (refer,) = peer.owner(peer.endpoint.refer(peer.handle, "sip:+4989123@192.0.2.9", peer.now))
    assert isinstance(refer, Request)
    return refer


def notify(peer: Peer, status: int, state: str = "active") -> list[str]:
    """Send a NOTIFY; return what the endpoint sends, in words."""
    headers = [("Event", "refer"), ("Subscription-State", state)]
    data = peer.request("NOTIFY", headers, f"SIP/2.0 {status} X\r\n".encode()).replace(
        b"application/sdp", b"message/sipfrag"
    )
    return [each.method if isinstance(each, Request) else str(each.status) for each in peer.send(data)]


def told(peer: Peer) -> list[tuple[int, bool]]:
    return [(each.status, each.done) for each in peer.events if isinstance(each, TransferNotified)]


def test_a_transfer_goes_through_and_ends_with_our_bye() -> None:
    peer = Peer().established()
    refer = referred(peer)
    assert refer.headers.get("Refer-To") == "<sip:+4989123@192.0.2.9>"
    assert refer.headers.get("Referred-By") == "<sip:support@192.0.2.2>"
    peer.reply(refer, 202)
    assert notify(peer, 100) == ["200"]
    assert notify(peer, 180) == ["200"]
    assert notify(peer, 200, "terminated;reason=noresource") == ["200", "BYE"]
    assert told(peer) == [(100, False), (180, False), (200, True)]
    assert isinstance(ended := peer.events[-1], SipCallEnded)
    assert (ended.by, ended.cause) == ("local", "transferred")


@pytest.mark.parametrize("status", [302, 486, 603])
def test_a_transfer_that_fails_leaves_the_call(status: int) -> None:
    peer = Peer().established()
    peer.reply(referred(peer), 202)
    assert notify(peer, status, "terminated") == ["200"]
    assert told(peer) == [(status, True)]
    assert status_of(peer.ask("NOTIFY", [("Event", "refer")])) == 405
    assert status_of(peer.ask("OPTIONS")) == 200


def test_a_refused_refer_leaves_the_call() -> None:
    peer = Peer().established()
    peer.reply(referred(peer), 405)
    assert told(peer) == [(405, True)]


def test_no_news_of_a_transfer_for_60_seconds_is_a_408() -> None:
    peer = Peer().established()
    peer.reply(referred(peer), 202)
    peer.wait(59)
    assert told(peer) == []
    peer.wait(1)
    assert told(peer) == [(408, True)]


def test_a_refer_that_gets_no_answer_is_a_408() -> None:
    peer = Peer().established()
    referred(peer)
    peer.wait(33)
    assert told(peer) == [(408, True)]


def test_a_notify_may_come_before_the_202_and_one_of_another_event_is_refused() -> None:
    peer = Peer().established()
    refer = referred(peer)
    assert status_of(peer.ask("NOTIFY", [("Event", "presence")])) == 489
    assert notify(peer, 200) == ["200", "BYE"]
    peer.reply(refer, 202)
    assert told(peer) == [(200, True)]


def test_a_notify_that_ends_the_subscription_without_news_ends_the_transfer() -> None:
    peer = Peer().established()
    peer.reply(referred(peer), 202)
    assert notify(peer, 100, "terminated;reason=timeout") == ["200"]
    assert told(peer) == [(100, True)]


def test_one_transfer_at_a_time_and_to_a_uri() -> None:
    peer = Peer().established()
    referred(peer)
    peer.owner(peer.endpoint.refer(peer.handle, "sip:x@192.0.2.9", peer.now))
    assert (raw(peer.outputs), told(peer)) == ([], [(491, True)])
    with pytest.raises(Exception, match="URI"):
        peer.endpoint.refer(peer.handle, "nobody", peer.now)


def test_a_refer_waits_for_the_ack_of_our_200() -> None:
    peer = Peer()
    peer.invite()
    peer.answered()
    assert peer.owner(peer.endpoint.refer(peer.handle, "sip:x@192.0.2.9", peer.now)) == []
    (refer,) = peer.ack()
    assert method_of(refer) == "REFER"
    assert isinstance(peer.events[-1], CallEstablished)
    peer.reply(refer, 603)
    assert told(peer) == [(603, True)]


def test_whoever_asks_for_a_transfer_that_cannot_be_is_told() -> None:
    peer = Peer()
    peer.invite()
    assert peer.endpoint.refer(peer.handle, "sip:x@192.0.2.9", peer.now) == [
        TransferNotified(peer.handle, 481, done=True)
    ]
    assert peer.endpoint.refer("nobody", "sip:x@192.0.2.9", peer.now) == []
