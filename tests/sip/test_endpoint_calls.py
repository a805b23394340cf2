"""Whole calls between two endpoints, on a network that loses nothing."""

from ivr.sip.outputs import CallEstablished, CallFailed, CallOffered, Event, MediaChanged, Output, Ringing, SipCallEnded
from tests.sip.sip_network import CALLEE, Network, Side, media


def answering(network: Network) -> Network:
    """Let the callee ring and answer at once."""

    def on_event(side: Side, event: Event) -> list[Output]:
        if not isinstance(event, CallOffered):
            return []
        ringing = side.endpoint.ring(event.call, network.now)
        return ringing + side.endpoint.answer(event.call, media(40000, CALLEE[0]), network.now)

    network.on_event = on_event
    return network


def kinds(side: Side) -> list[type[Event]]:
    return [type(each) for each in side.events]


def test_a_call_is_answered_and_hung_up_by_the_caller() -> None:
    network = answering(Network())
    call = network.dial()
    network.run(5)
    network.do(network.caller, network.caller.endpoint.hang_up(call, network.now))
    network.run(64)
    assert network.caller.words == ["INVITE", "ACK", "BYE"]
    assert network.callee.words == ["100 INVITE", "180 INVITE", "200 INVITE", "200 BYE"]
    assert kinds(network.caller) == [Ringing, CallEstablished, SipCallEnded]
    assert kinds(network.callee) == [CallOffered, MediaChanged, CallEstablished, SipCallEnded]
    assert [each.by for each in (network.caller.events[-1], network.callee.events[-1])] == ["local", "remote"]


def test_a_call_is_hung_up_by_the_callee() -> None:
    network = answering(Network())
    network.dial()
    network.run(5)
    call = network.callee.events[0].call
    network.do(network.callee, network.callee.endpoint.hang_up(call, network.now))
    network.run(64)
    assert network.callee.words[-1] == "BYE"
    assert network.caller.words[-1] == "200 BYE"
    assert network.caller.events[-1] == SipCallEnded(network.caller.events[0].call, "remote", "the peer hung up")


def test_a_call_is_cancelled_before_the_answer() -> None:
    network = Network()
    call = network.dial()
    network.run(5)
    network.do(network.caller, network.caller.endpoint.cancel(call, network.now))
    network.run(64)
    assert network.caller.words == ["INVITE", "CANCEL", "ACK"]
    assert network.callee.words == ["100 INVITE", "200 CANCEL", "487 INVITE"]
    assert network.caller.events == [CallFailed(call, 487, "Request Terminated")]
    assert kinds(network.callee) == [CallOffered, SipCallEnded]


def test_nothing_is_left_of_a_call_that_is_over() -> None:
    network = answering(Network())
    call = network.dial()
    network.run(5)
    network.do(network.caller, network.caller.endpoint.hang_up(call, network.now))
    network.run(64)
    for side in (network.caller, network.callee):
        assert (side.endpoint.calls, side.endpoint.transactions, side.endpoint.deadline) == (0, 0, None)
