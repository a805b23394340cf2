"""What we ask for: session refresh, re-INVITE, BYE; credentials once; when it is repeated (RFC 3261 17.1, RFC 4028)."""

import pytest

from ivr.sip.endpoint import Endpoint
from ivr.sip.message import Request, Response, cseq
from ivr.sip.negotiation import LocalMedia
from ivr.sip.outputs import MediaChanged, SipCallEnded
from ivr.sip.policy import EndpointConfig
from ivr.sip.registration import Registration
from ivr.sip.sip_call import Credentials
from tests.sip.sip_network import CALLEE, CALLER, OpenPolicy, link, media, tokens
from tests.sip.sip_peer import OFFER, Peer, raw, status_of

ALAW = OFFER.replace(b"0 8 101", b"8 101")
CHALLENGE = ("WWW-Authenticate", 'Digest realm="pbx", nonce="n1", qop="auth", algorithm=MD5')
STALE = ("WWW-Authenticate", 'Digest realm="pbx", nonce="n2", qop="auth", algorithm=MD5, stale=true')


def timed(refresher: str, *more: tuple[str, str], interval: int = 90) -> Peer:
    """Return a peer in a call with a session timer."""
    supported = ("Supported", "timer")
    expires = ("Session-Expires", f"{interval}{f';refresher={refresher}' if refresher else ''}")
    return Peer().established([supported, expires, *more])


def only(messages: list[Request | Response]) -> Request:
    """Return the one request that was sent, perhaps again and again."""
    (request,) = dict.fromkeys(messages)
    assert isinstance(request, Request)
    return request


def ended(peer: Peer) -> SipCallEnded:
    event = peer.events[-1]
    assert isinstance(event, SipCallEnded)
    return event


# --- session timer


@pytest.mark.parametrize(
    ("headers", "expires", "required"),
    [
        ([], None, ()),
        ([("Session-Expires", "1800"), ("Supported", "timer")], "1800;refresher=uac", ("timer",)),
        ([("Session-Expires", "1800;refresher=uac"), ("Supported", "timer")], "1800;refresher=uac", ("timer",)),
        ([("Session-Expires", "1800;refresher=uas"), ("Supported", "timer")], "1800;refresher=uas", ("timer",)),
        ([("Session-Expires", "1800")], "1800;refresher=uas", ()),  # a proxy's wish, of a caller without the extension
        ([("Session-Expires", "soon")], None, ()),
    ],
)
def test_a_session_timer_is_answered_and_never_asked_for(
    headers: list[tuple[str, str]], expires: str | None, required: tuple[str, ...]
) -> None:
    peer = Peer()
    peer.invite(headers)
    answer = peer.answered()
    assert (answer.headers.get("Session-Expires"), answer.headers.all("Require")) == (expires, required)


def test_a_caller_that_does_not_refresh_is_gone() -> None:
    peer = timed("uac")  # SE - min(32, SE/3)
    assert peer.wait(59.9) == []
    bye = only(peer.wait(0.2))
    assert (bye.method, bye.headers.get("Reason")) == ("BYE", 'SIP;cause=408;text="Session timed out"')
    assert (ended(peer).by, ended(peer).cause) == ("timeout", "the session was not refreshed")


def test_a_long_session_ends_32_seconds_before_its_time() -> None:
    peer = timed("uac", interval=1800)
    assert peer.wait(1767.9) == []
    assert only(peer.wait(0.2)).method == "BYE"


@pytest.mark.parametrize(("method", "body"), [("UPDATE", b""), ("OPTIONS", b""), ("INVITE", OFFER), ("UPDATE", OFFER)])
def test_the_peer_refreshes_the_session(method: str, body: bytes) -> None:
    peer = timed("uac")
    for _ in range(5):
        peer.wait(50)
        assert status_of(peer.ask(method, (), body)) == 200
        if method == "INVITE":
            peer.ack()
    peer.wait(50)
    assert not isinstance(peer.events[-1], SipCallEnded)
    assert only(peer.wait(11)).method == "BYE"


def test_a_refresh_may_agree_on_another_interval_but_not_on_one_that_is_too_short() -> None:
    peer = timed("uac")
    answer = peer.ask("UPDATE", [("Session-Expires", "300;refresher=uac"), ("Supported", "timer")])
    assert answer.headers.get("Session-Expires") == "300;refresher=uac"
    answer = peer.ask("UPDATE", [("Session-Expires", "89")])
    assert (status_of(answer), answer.headers.get("Min-SE")) == (422, "90")
    assert peer.wait(260) == []


def test_we_refresh_by_update_at_half_of_the_interval() -> None:
    peer = timed("uas", ("Allow", "INVITE, UPDATE, BYE, ACK"))
    assert peer.wait(44.9) == []
    update = only(peer.wait(0.2))
    assert (update.method, update.body) == ("UPDATE", b"")
    assert update.headers.get("Session-Expires") == "90;refresher=uac"
    peer.reply(update, 200, [("Session-Expires", "90;refresher=uac")])
    assert peer.wait(44.9) == []
    assert only(peer.wait(0.2)).method == "UPDATE"


def test_we_refresh_by_re_invite_if_the_peer_does_not_allow_update() -> None:
    peer = timed("uas")
    invite = only(peer.wait(45))
    assert invite.method == "INVITE"
    assert b"o=- 7 1 " in invite.body
    acks = peer.reply(invite, 200, [("Session-Expires", "90;refresher=uac")], OFFER)
    assert [each.method for each in acks if isinstance(each, Request)] == ["ACK"]
    assert only(peer.wait(45)).method == "INVITE"


def test_a_2xx_without_session_expires_ends_the_timer() -> None:
    peer = timed("uas", ("Allow", "UPDATE"))
    peer.reply(only(peer.wait(45)), 200)
    assert peer.wait(500) == []


def test_a_refresh_that_is_not_taken_as_update_is_tried_as_re_invite() -> None:
    peer = timed("uas", ("Allow", "UPDATE"))
    assert only(peer.reply(only(peer.wait(45)), 405)).method == "INVITE"


def test_a_refresh_with_too_short_an_interval_is_tried_with_the_longer_one() -> None:
    peer = timed("uas", ("Allow", "UPDATE"))
    again = only(peer.reply(only(peer.wait(45)), 422, [("Min-SE", "600")]))
    assert again.headers.get("Session-Expires") == "600;refresher=uac"


def test_a_refresh_that_fails_is_tried_again_until_the_session_has_expired() -> None:
    peer = timed("uas", ("Allow", "UPDATE"))
    peer.reply(only(peer.wait(45)), 500)
    update = only(peer.wait(10))
    assert update.method == "UPDATE"
    peer.reply(update, 500)
    assert only(peer.wait(10)).method == "BYE"
    assert ended(peer).cause == "the session was not refreshed"


@pytest.mark.parametrize("status", [408, 481])
def test_a_peer_that_does_not_know_the_call_ends_it(status: int) -> None:
    peer = timed("uas", ("Allow", "UPDATE"))
    assert only(peer.reply(only(peer.wait(45)), status)).method == "BYE"
    assert ended(peer).by == "timeout"


# --- re-INVITE of ours


def modified(peer: Peer) -> Request:
    local = LocalMedia(CALLEE[0], 40000, 7, 1, direction="sendonly")
    return only(peer.owner(peer.endpoint.modify(peer.handle, local, peer.now)))


def test_a_re_invite_of_ours_changes_the_media() -> None:
    peer = Peer().established()
    invite = modified(peer)
    assert b"o=- 7 2 " in invite.body
    assert b"a=sendonly" in invite.body
    ack = only(peer.reply(invite, 200, (), ALAW + b"a=recvonly\r\n"))
    assert (ack.method, cseq(ack).number) == ("ACK", cseq(invite).number)
    assert isinstance(told := peer.events[-1], MediaChanged)
    assert (told.plan.codec, told.plan.direction) == ("PCMA", "sendonly")
    peer.reply(invite, 200, (), ALAW)
    assert raw(peer.outputs) != []
    assert cseq(peer.ask("UPDATE", (), OFFER)).method == "UPDATE"


def test_a_re_invite_that_is_refused_leaves_the_media() -> None:
    peer = Peer().established()
    before = len(peer.events)
    assert only(peer.reply(modified(peer), 488)).method == "ACK"
    assert len(peer.events) == before
    assert peer.wait(60) == []


def test_a_re_invite_with_an_answer_that_cannot_be_used_ends_the_call() -> None:
    peer = Peer().established()
    words = [each.method for each in peer.reply(modified(peer), 200) if isinstance(each, Request)]
    assert words == ["ACK", "BYE"]
    assert ended(peer).by == "error"


def test_after_491_the_callee_tries_again_within_2_seconds() -> None:
    peer = Peer().established()
    peer.reply(modified(peer), 491)
    again = only(peer.wait(2.01))
    assert again.method == "INVITE"
    peer.reply(again, 200, (), ALAW)
    assert isinstance(peer.events[-1], MediaChanged)


def test_a_re_invite_waits_for_what_is_under_way() -> None:
    peer = Peer()
    peer.invite()
    peer.answered()
    local = media(40000, CALLEE[0])
    assert peer.owner(peer.endpoint.modify(peer.handle, local, peer.now)) == []
    peer.ack()
    assert only(peer.wait(0.51)).method == "INVITE"


def test_a_re_invite_without_answer_ends_the_call() -> None:
    peer = Peer().established()
    modified(peer)
    assert [each.method for each in peer.wait(32.1) if isinstance(each, Request)][-1] == "BYE"
    assert ended(peer).by == "timeout"


# --- repeats and credentials


def test_a_request_is_repeated_at_t1_doubling_to_t2_by_udp_and_given_up_after_32_seconds() -> None:
    peer = Peer().established()
    peer.owner(peer.endpoint.hang_up(peer.handle, peer.now))
    first = raw(peer.outputs)
    for pause in (0.5, 1, 2, 4, 4, 4, 4, 4, 4, 4):
        assert peer.wait(pause - 0.01) == []
        peer.wait(0.01)
        assert raw(peer.outputs) == first
    assert peer.wait(6) == []
    assert (peer.endpoint.calls, peer.endpoint.transactions) == (0, 0)


def test_a_provisional_answer_slows_the_repeats() -> None:
    peer = Peer().established()
    bye = only(peer.owner(peer.endpoint.hang_up(peer.handle, peer.now)))
    peer.reply(bye, 100)
    assert peer.wait(3.9) == []
    assert only(peer.wait(0.2)) == bye


def test_by_tcp_nothing_is_repeated() -> None:
    peer = Peer(transport="tcp").established()
    peer.owner(peer.endpoint.hang_up(peer.handle, peer.now))
    assert peer.wait(31) == []


def registered_pbx() -> Peer:
    """Return a peer that is the PBX which we are registered at, in a call with us."""
    endpoint = Endpoint(EndpointConfig(), OpenPolicy(), tokens("b"))
    peer = Peer(endpoint=endpoint)
    wanted = Registration("sip:200@192.0.2.1", "sip:192.0.2.1", link(CALLEE, CALLER), Credentials("200", "secret"))
    register = only(peer.owner(endpoint.register(wanted, peer.now)))
    peer.reply(register, 200)
    return peer.established()


def test_a_challenge_is_answered_once_with_the_credentials_of_the_registration() -> None:
    peer = registered_pbx()
    bye = only(peer.owner(peer.endpoint.hang_up(peer.handle, peer.now)))
    again = only(peer.reply(bye, 401, [CHALLENGE]))
    assert (again.method, cseq(again).number) == ("BYE", cseq(bye).number + 1)
    assert 'username="200"' in (again.headers.get("Authorization") or "")
    assert "secret" not in repr(again)
    assert peer.reply(again, 401, [CHALLENGE]) == []
    assert peer.endpoint.calls == 0


def test_a_stale_nonce_is_answered_again_but_not_for_ever() -> None:
    peer = registered_pbx()
    request = only(peer.owner(peer.endpoint.hang_up(peer.handle, peer.now)))
    asked = 0
    while answers := peer.reply(request, 401, [STALE]):
        request, asked = only(answers), asked + 1
    assert asked == 3
    assert peer.endpoint.calls == 0


def test_refer_and_re_invite_bring_credentials_too() -> None:
    peer = registered_pbx()
    refer = only(peer.owner(peer.endpoint.refer(peer.handle, "sip:x@192.0.2.9", peer.now)))
    again = only(peer.reply(refer, 407, [("Proxy-Authenticate", CHALLENGE[1])]))
    assert (again.method, again.headers.get("Refer-To")) == ("REFER", "<sip:x@192.0.2.9>")
    assert again.headers.get("Proxy-Authorization")
    invite = modified(peer)
    words = {each.method: each for each in peer.reply(invite, 401, [CHALLENGE]) if isinstance(each, Request)}
    assert set(words) == {"ACK", "INVITE"}
    assert words["INVITE"].headers.get("Authorization")


def test_without_credentials_a_challenge_is_a_refusal() -> None:
    peer = Peer().established()
    bye = only(peer.owner(peer.endpoint.hang_up(peer.handle, peer.now)))
    assert peer.reply(bye, 401, [CHALLENGE]) == []
    assert peer.endpoint.calls == 0


def test_a_refresh_by_re_invite_waits_for_a_re_invite_that_is_under_way() -> None:
    peer = timed("uas")
    peer.wait(44)
    invite = modified(peer)
    peer.reply(invite, 100)
    assert peer.wait(3) == []
    peer.reply(invite, 200, [("Session-Expires", "90;refresher=uac")], ALAW)
    assert next(each.method for each in peer.wait(45.1) if isinstance(each, Request)) == "INVITE"


def test_a_refresh_after_491_comes_again() -> None:
    peer = timed("uas")
    peer.reply(only(peer.wait(45)), 491)
    again = only(peer.wait(2.1))
    assert (again.method, again.headers.get("Session-Expires")) == ("INVITE", "90;refresher=uac")


def test_a_refresh_is_challenged_once() -> None:
    peer = registered_pbx()
    peer.ask("UPDATE", [("Session-Expires", "90;refresher=uas"), ("Supported", "timer")])
    again = only(peer.reply(only(peer.wait(45)), 401, [CHALLENGE])[1:])
    assert again.headers.get("Authorization")
    assert again.headers.get("Session-Expires") == "90;refresher=uac"


def test_a_422_that_asks_for_no_more_is_a_failure_like_others() -> None:
    peer = timed("uas", ("Allow", "UPDATE"))
    assert peer.reply(only(peer.wait(45)), 422, [("Min-SE", "90")]) == []
    assert only(peer.wait(10)).method == "UPDATE"


def test_after_our_bye_nothing_is_offered_any_more() -> None:
    peer = Peer().established()
    peer.owner(peer.endpoint.hang_up(peer.handle, peer.now))
    assert peer.endpoint.modify(peer.handle, media(), peer.now) == []
    assert peer.endpoint.refer(peer.handle, "sip:x@192.0.2.9", peer.now) == []
    assert peer.endpoint.hang_up(peer.handle, peer.now) == []


def test_an_answer_to_a_re_invite_that_comes_after_our_bye_is_acknowledged() -> None:
    peer = Peer().established()
    invite = modified(peer)
    peer.owner(peer.endpoint.hang_up(peer.handle, peer.now))
    assert only(peer.reply(invite, 200, (), ALAW)).method == "ACK"
