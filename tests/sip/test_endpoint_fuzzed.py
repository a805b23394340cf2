"""Damaged, invented and misplaced messages in any state of a call: no exception, no growth, an end in bounded time.

`FUZZ=100000 pytest tests/sip/test_endpoint_fuzzed.py` sends so many of them.
"""

import os
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.sip.endpoint import Endpoint
from ivr.sip.outputs import CallOffered, Link, Send
from ivr.sip.policy import Challenge, EndpointConfig
from ivr.sip.registration import Registration
from ivr.sip.sip_call import Credentials
from tests.sip.sip_network import CALLEE, CALLER, Network, OpenPolicy, link, media, tokens
from tests.sip.test_endpoint_calls import answering

COUNT = int(os.environ.get("FUZZ", "14000"))
STEPS = 120
"With each of three endpoints."
METHODS = [b"INVITE", b"ACK", b"BYE", b"CANCEL", b"OPTIONS", b"PRACK", b"UPDATE", b"INFO", b"NOTIFY", b"REFER",
           b"REGISTER", b"SUBSCRIBE", b"MESSAGE", b"NEWS"]  # fmt: skip
STATUSES = [
    100,
    180,
    183,
    200,
    202,
    299,
    300,
    302,
    401,
    407,
    408,
    415,
    420,
    422,
    423,
    481,
    487,
    488,
    491,
    500,
    503,
    603,
]
LINES = [
    b"Require: 100rel\r\nRSeq: 1\r\n", b"Require: precondition\r\n", b"Session-Expires: 90;refresher=uas\r\n",
    b"Session-Expires: 9\r\n", b"Session-Expires: x;;\r\n", b"Min-SE: 4000000000\r\n", b"RAck: 1 1 INVITE\r\n",
    b"Expires: 1\r\n", b"Event: refer\r\nSubscription-State: terminated\r\n", b"Contact: <tel:+4989>\r\n",
    b"Contact: <sip:x@[::1]:5062;transport=tcp>\r\n", b"Contact: *\r\n", b"Record-Route: <sip:192.0.2.7;lr>\r\n",
    b"Record-Route: <sip:strict.example>\r\n", b"Record-Route: <mailto:x>\r\n",
    b"Content-Type: application/dtmf-relay\r\n",
    b"WWW-Authenticate: Digest realm=\"x\", nonce=\"n\", qop=\"auth\", stale=true\r\n", b"WWW-Authenticate: Digest\r\n",
    b"Authorization: Digest username=\"u\"\r\n", b"Retry-After: 99999999999999\r\n", b"Via: SIP/2.0/TCP 192.0.2.9\r\n",
]  # fmt: skip


def recorded() -> list[bytes]:
    """Return the messages of a call with much in it, from both sides."""
    network = answering(Network())
    call = network.dial(headers=[("Require", "100rel"), ("Session-Expires", "90;refresher=uac")])
    network.run(3)
    network.do(network.caller, network.caller.endpoint.modify(call, media(), network.now))
    network.run(3)
    network.do(network.caller, network.caller.endpoint.refer(call, "sip:z@192.0.2.9", network.now))
    network.run(100)
    network.do(network.caller, network.caller.endpoint.hang_up(call, network.now))
    network.run(100)
    other = network.dial()
    network.do(network.caller, network.caller.endpoint.cancel(other, network.now))
    network.run(100)
    return network.caller.sent + network.callee.sent


RECORDED = recorded()


def damaged(data: bytes, chance: Random) -> bytes:
    """Change a message in one way or another."""
    match chance.randrange(8):
        case 0:
            method = data.split(b" ", 1)[0]
            other = chance.choice(METHODS)
            return data.replace(method + b" ", other + b" ", 1).replace(
                b" " + method + b"\r\n", b" " + other + b"\r\n", 1
            )
        case 1:
            return data.replace(b"\r\n", b"\r\n" + chance.choice(LINES), 1)
        case 2:
            lines = data.split(b"\r\n")
            del lines[chance.randrange(len(lines))]
            return b"\r\n".join(lines)
        case 3:
            at = chance.randrange(len(data))
            return data[:at] + bytes(chance.randrange(256) for _ in range(chance.randrange(4))) + data[at + 1 :]
        case 4:
            return data[: chance.randrange(len(data))]
        case 5 if data.startswith(b"SIP/2.0 "):
            return b"SIP/2.0 %d" % chance.choice(STATUSES) + data[11:]
        case 6:
            return data.replace(b"CSeq: ", b"CSeq: %d" % chance.randrange(3), 1)
        case 7:
            return data.replace(b";branch=z9hG4bK", b";branch=z9hG4bK%d" % chance.randrange(9), 1)
    return data


def endpoints() -> list[Endpoint]:
    """Return a callee, a caller with the tags of the recorded calls, and one that asks for passwords."""
    policy, strict = OpenPolicy(), OpenPolicy(admission=Challenge(), passwords={"u": "p"})
    config = EndpointConfig(most_transactions=50, most_calls=20)
    return [
        Endpoint(config, policy, tokens("b")),
        Endpoint(config, policy, tokens("a")),
        Endpoint(config, strict, tokens("c")),
    ]


def command(endpoint: Endpoint, handles: list[str], chance: Random, now: float) -> list[object]:
    """Let an owner do something."""
    call = chance.choice(handles) if handles else "none"
    to = link(CALLER, CALLEE)
    match chance.randrange(8):
        case 0:
            handle, outputs = endpoint.dial("sip:x@192.0.2.2", to, media(), now, caller="sip:a@192.0.2.1",
                                            credentials=Credentials("u", "p"))  # fmt: skip
            handles.append(handle)
            return list(outputs)
        case 1:
            return list(endpoint.ring(call, now))
        case 2:
            return list(endpoint.answer(call, media(), now))
        case 3:
            return list(endpoint.reject(call, 603, "", now))
        case 4:
            return list(endpoint.hang_up(call, now))
        case 5:
            return list(endpoint.modify(call, media(), now))
        case 6:
            return list(endpoint.refer(call, "sip:z@192.0.2.9", now))
    return list(endpoint.register(Registration("sip:200@192.0.2.2", "sip:192.0.2.2", to, Credentials("u", "p")), now))


@given(st.integers(0, 2**32))
@settings(max_examples=max(1, COUNT // (3 * STEPS)), deadline=None)
def test_nothing_that_comes_in_breaks_an_endpoint(seed: int) -> None:
    chance = Random(seed)
    for endpoint in endpoints():
        now, handles = 1000.0, []
        links: list[Link] = [link(CALLEE, CALLER), link(CALLER, CALLEE), link(CALLEE, CALLER, "tcp", 3)]
        for _ in range(STEPS):
            now += chance.choice([0.0, 0.01, 0.6, 5.0, 40.0])
            outputs: list[object] = []
            match chance.randrange(10):
                case 0:
                    outputs = command(endpoint, handles, chance, now)
                case 1:
                    outputs = list(endpoint.tick(now))
                case 2:
                    outputs = list(endpoint.failed(chance.choice(links), now))
                case _:
                    data = chance.choice(RECORDED)
                    data = damaged(data, chance) if chance.random() < 0.7 else data
                    outputs = list(endpoint.receive(data, chance.choice(links), now))
            handles += [each.call for each in outputs if isinstance(each, CallOffered)]
            assert len([each for each in outputs if isinstance(each, Send)]) < 60
        assert endpoint.calls <= 20 + len(handles)
        endpoint.unregister(now)
        for handle in handles:
            endpoint.hang_up(handle, now)
        for _ in range(10_000):
            if (due := endpoint.deadline) is None:
                break
            now = max(now, due)
            endpoint.tick(now)
        assert endpoint.deadline is None
        assert (endpoint.calls, endpoint.transactions) == (0, 0)


@pytest.mark.parametrize(
    "data", [b"", b"\r\n\r\n", b"\0" * 20, b"SIP/2.0 200 OK\r\n\r\n", b"INVITE sip:x SIP/2.0\r\n\r\n"]
)
def test_what_is_no_message_gets_no_answer(data: bytes) -> None:
    endpoint = Endpoint(EndpointConfig(), OpenPolicy(), tokens("b"))
    assert endpoint.receive(data, link(CALLEE, CALLER), 1.0) == []
