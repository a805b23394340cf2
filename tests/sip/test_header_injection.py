"""Nothing that a stranger or an owner of a call writes can begin a header of its own, in any message that we send."""

import contextlib
import re

import pytest

from ivr.errors import IvrError
from ivr.sip.negotiation import LocalMedia, offer
from ivr.sip.outputs import Output, Send
from ivr.sip.registration import Registration
from ivr.sip.sip_call import Credentials
from tests.sip.sip_network import CALLEE, CALLER, Network, Side, link, media
from tests.sip.test_endpoint_calls import answering

BREAKS = ("\r\nEvil: 1", "\nEvil: 1", "\rEvil: 1", "\r\n\r\nEvil: 1", "%0d%0aEvil: 1", "\x85Evil: 1", "\u2028Evil: 1")


def headers(outputs: list[Output]) -> set[bytes]:
    """Return the names of all headers that are sent, as a careless reader finds them: after any line break."""
    heads = [each.data.partition(b"\r\n\r\n")[0] for each in outputs if isinstance(each, Send)]
    return {line.partition(b":")[0].strip() for head in heads for line in re.split(rb"[\r\n]+", head)}


@pytest.mark.parametrize("evil", BREAKS)
@pytest.mark.parametrize("command", ["dial", "caller", "header", "reject", "redirect", "refer", "hang_up", "register"])
def test_no_command_writes_a_header_that_its_text_holds(command: str, evil: str) -> None:
    network = answering(Network()) if command in ("refer", "hang_up") else Network()
    call = network.dial()
    network.run(1)
    side, now = network.caller, network.now
    incoming = network.callee.events[0].call
    outputs: list[Output] = []
    to = link(CALLER, CALLEE)
    with contextlib.suppress(IvrError, ValueError):
        match command:
            case "dial":
                outputs = side.endpoint.dial(f"sip:a@h{evil}", to, media(), now, caller="sip:b@h")[1]
            case "caller":
                outputs = side.endpoint.dial("sip:a@h", to, media(), now, caller=f'"b{evil}" <sip:b@h>')[1]
            case "header":
                outputs = side.endpoint.dial("sip:a@h", to, media(), now, caller="sip:b@h", headers=[("X", evil)])[1]
            case "reject":
                outputs = network.callee.endpoint.reject(incoming, 480, f"x{evil}", now)
            case "redirect":
                outputs = network.callee.endpoint.redirect(incoming, f"sip:a@h{evil}", now)
            case "refer":
                outputs = side.endpoint.refer(call, f"sip:a@h{evil}", now)
            case "hang_up":
                outputs = side.endpoint.hang_up(call, now, f"x{evil}")
            case "register":
                registration = Registration(f"sip:a@h{evil}", "sip:h", to, Credentials("u", "p"))
                outputs = side.endpoint.register(registration, now)
    assert b"Evil" not in headers(outputs)


INVITE = """\
INVITE sip:support@192.0.2.2;x={evil} SIP/2.0\r
Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK{evil};rport\r
From: "A{evil}" <sip:a@192.0.2.1>;tag=1{evil}\r
To: "B{evil}" <sip:support@192.0.2.2>\r
Call-ID: c{evil}\r
CSeq: 1 INVITE\r
Contact: <sip:a@192.0.2.1;x={evil}>\r
Record-Route: <sip:192.0.2.1;lr;x={evil}>\r
Require: 100rel{evil}\r
Supported: timer\r
Session-Expires: 1800;refresher={evil}\r
Content-Type: application/sdp\r
\r
"""
SIGNS = (
    "%0d%0aEvil:1",
    "\\\r\nEvil: 1",
    "\x00",
    "\t",
    "\x0b",
    "\x1c",
    '"',
    '\\"',
    "<",
    ">",
    ";",
    ",",
    "\u2028",
    "\x85",
    "\\",
)


@pytest.mark.parametrize("evil", SIGNS)
@pytest.mark.parametrize("place", range(12))
def test_no_answer_has_a_header_that_the_request_smuggled_in(place: int, evil: str) -> None:
    """The request is answered, its call rung, answered and hung up by us: everything that it named is written again."""
    parts = INVITE.split("{evil}")
    text = "".join(part + (evil if number == place else "") for number, part in enumerate(parts))
    data = text.encode() + offer(LocalMedia("192.0.2.1", 4000, 1, 1))
    side = Side("b", CALLEE, CALLER)
    outputs = side.endpoint.receive(data, side.link, 1.0)
    for event in outputs:
        if not isinstance(event, Send):
            outputs += side.endpoint.ring(event.call, 1.0)
            outputs += side.endpoint.answer(event.call, media(40000, CALLEE[0]), 1.0)
            outputs += side.endpoint.hang_up(event.call, 1.0)
            break
    outputs += side.endpoint.tick(40.0)
    assert b"Via" in headers(outputs) or place < 2  # without a start line or a Via there is nobody to answer
    assert b"Evil" not in headers(outputs)
