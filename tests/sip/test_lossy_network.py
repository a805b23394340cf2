"""Two endpoints on a bad network: whatever is lost, repeated, late or swapped, both come to the same end, in time.

Time is simulated: an example of an hour takes milliseconds.
"""

from collections import defaultdict
from random import Random

from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from ivr.sip.message import Request, cseq, parse, top_via
from ivr.sip.outputs import CallEstablished, CallFailed, CallOffered, Event, MediaChanged, Output, SipCallEnded
from tests.sip.sip_network import Network, Side, media

FATES = st.tuples(
    st.sampled_from([0.0, 0.1, 0.3, 0.6]),  # lost
    st.sampled_from([0.0, 0.2]),  # repeated
    st.sampled_from([0.01, 0.3, 1.5]),  # the longest delay, in seconds
)
MOMENTS = st.floats(min_value=0, max_value=6, allow_nan=False)
CALLERS = st.lists(st.tuples(MOMENTS, st.sampled_from(["modify", "hang_up", "refer", "hang_up"])), max_size=4)
CALLEES = st.lists(st.tuples(MOMENTS, st.sampled_from(["modify", "hang_up", "refer", "modify"])), max_size=4)
ANSWERS = st.tuples(st.sampled_from(["answer", "answer", "answer", "reject", "silence"]), st.booleans(), MOMENTS)
HEADERS = st.sampled_from([(), (("Require", "100rel"),), (("Session-Expires", "90;refresher=uas"),),
                           (("Session-Expires", "90;refresher=uac"),)])  # fmt: skip

HANGS_UP = 300.0
"Seconds after which both sides have had enough."


class Play:
    """One call with what both owners do, at which moments; at the end both hang up."""

    def __init__(self, seed: int, fate: tuple[float, float, float], answer: tuple[str, bool, float]) -> None:
        chance = Random(seed)
        lost, repeated, longest = fate

        def arrivals() -> list[float]:
            copies = (0 if chance.random() < lost else 1) + (1 if chance.random() < repeated else 0)
            return [chance.uniform(0.001, longest) for _ in range(copies)]

        self.network = Network(fate=arrivals)
        self.network.on_event = self.on_event
        self.how, self.rings, self.answer_after = answer
        self.callees: list[tuple[float, str]] = []
        self.todo: list[tuple[float, Side, str, str]] = []

    def on_event(self, side: Side, event: Event) -> list[Output]:
        if isinstance(event, CallOffered):
            actions = [(self.answer_after, self.how), *self.callees, (HANGS_UP, "hang_up")]
            self.todo += [(self.network.now + at, side, action, event.call) for at, action in actions]
            return side.endpoint.ring(event.call, self.network.now) if self.rings else []
        return []

    def act(self, side: Side, action: str, call: str) -> None:
        endpoint, now = side.endpoint, self.network.now
        local = media(40000 if side is self.network.callee else 30000, side.here[0])
        outputs: list[Output] = []
        match action:
            case "answer":
                outputs = endpoint.answer(call, local, now)
            case "reject":
                outputs = endpoint.reject(call, 486, "", now)
            case "modify":
                outputs = endpoint.modify(call, local, now)
            case "refer":
                outputs = endpoint.refer(call, "sip:other@192.0.2.9", now)
            case "hang_up":
                outputs = endpoint.hang_up(call, now)
        self.network.do(side, outputs)

    def run(self, seconds: float) -> None:
        """Run for some time, with all that is to be done on the way."""
        until = self.network.now + seconds
        while True:
            first = min(self.todo, key=lambda each: each[0], default=None)
            if first is not None and first[0] <= self.network.now:
                self.todo.remove(first)
                self.act(*first[1:])
                continue
            moments = [until, self.network.next_moment(), first[0] if first else None]
            nearest = max(self.network.now, min(each for each in moments if each is not None))
            self.network.run(nearest - self.network.now)
            if nearest >= until and not any(each[0] <= until for each in self.todo):
                return


def played(
    seed: int, fate: tuple[float, float, float], answer: tuple[str, bool, float], headers: tuple[tuple[str, str], ...],
    callers: list[tuple[float, str]], callees: list[tuple[float, str]],
) -> Network:  # fmt: skip
    """Return the network after a call that was over for long."""
    play = Play(seed, fate, answer)
    play.callees = callees
    call = play.network.dial(headers=headers)
    actions = [*callers, (HANGS_UP, "hang_up")]
    play.todo += [(play.network.now + at, play.network.caller, action, call) for at, action in actions]
    play.run(HANGS_UP + 200.0)
    return play.network


def check_the_end(network: Network) -> None:
    for side in (network.caller, network.callee):
        assert (side.endpoint.calls, side.endpoint.transactions, side.endpoint.deadline) == (0, 0, None), side.name
        calls = defaultdict(list)
        for event in side.events:
            calls[event.call].append(event)
        assert len(calls) <= 1, "one INVITE is one call"
        for told in calls.values():
            ends = [isinstance(each, SipCallEnded | CallFailed) for each in told]
            assert ends.count(True) == 1
            assert ends[-1], "nothing comes after the end"
            assert sum(isinstance(each, CallEstablished) for each in told) <= 1


def check_the_bytes(side: Side) -> None:
    """What is sent again is the same, byte for byte."""
    seen: dict[tuple[str, ...], bytes] = {}
    for data in side.sent:
        message = parse(data)
        kind = "request" if isinstance(message, Request) else "answer"
        if kind == "answer" and message.status < 200:
            continue
        assert data == seen.setdefault((kind, cseq(message).method, top_via(message).branch), data)


@given(st.integers(0, 2**32), FATES, ANSWERS, HEADERS, CALLERS, CALLEES)
@example(1_484_436_880, (0.6, 0.2, 1.5), ("silence", True, 0.0), (), [], [])  # the last CANCEL 33 s after the first
@example(3452, (0.6, 0.0, 1.5), ("answer", False, 0.0), (), [], [(0.0, "modify")])  # and the last BYE
@settings(max_examples=120, deadline=None)
def test_every_call_ends_on_both_sides(seed, fate, answer, headers, callers, callees) -> None:
    network = played(seed, fate, answer, headers, callers, callees)
    check_the_end(network)
    check_the_bytes(network.caller)
    check_the_bytes(network.callee)


MIRRORED = {"sendrecv": "sendrecv", "sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive"}
CHANGES = st.lists(
    st.tuples(MOMENTS, st.booleans(), st.sampled_from(["sendrecv", "sendonly", "inactive"])), max_size=6
)  # fmt: skip


@given(st.integers(0, 2**32), st.sampled_from([(0.0, 0.0, 0.05), (0.0, 0.2, 0.8), (0.2, 0.2, 0.3)]), CHANGES)
@settings(max_examples=80, deadline=None)
def test_both_sides_agree_on_the_media_whoever_changes_it_and_when(seed, fate, changes) -> None:
    play = Play(seed, fate, ("answer", True, 0.0))
    network = play.network
    call = network.dial()
    began = network.now
    for at, by_caller, direction in sorted(changes):
        play.run(max(0.0, began + at - network.now))
        side = network.caller if by_caller else network.callee
        handles = [each.call for each in side.events if isinstance(each, CallEstablished)]
        for handle in handles:
            local = replace(media(30000 if by_caller else 40000, side.here[0]), direction=direction)
            network.do(side, side.endpoint.modify(handle, local, network.now))
    play.run(120.0)
    plans = [
        [each.plan for each in side.events if isinstance(each, MediaChanged | CallEstablished)]
        for side in (network.caller, network.callee)
    ]
    assert all(plans), "a call that nobody hangs up stands"
    ours, theirs = (each[-1] for each in plans)
    assert MIRRORED[ours.direction] == theirs.direction
    assert ours.codec == theirs.codec
    network.do(network.caller, network.caller.endpoint.hang_up(call, network.now))
    play.run(300.0)
    check_the_end(network)


@given(st.integers(0, 2**32), ANSWERS, HEADERS, CALLERS, CALLEES, st.floats(0, 8, allow_nan=False), st.booleans())
@settings(max_examples=80, deadline=None)
def test_a_side_that_is_left_alone_comes_to_an_end_by_itself(
    seed, answer, headers, callers, callees, cut_at, caller_is_gone
) -> None:
    play = Play(seed, (0.0, 0.0, 0.05), answer)
    play.callees = callees
    network = play.network
    call = network.dial(headers=headers)
    play.todo += [(network.now + at, network.caller, action, call) for at, action in [*callers, (HANGS_UP, "hang_up")]]
    play.run(cut_at)
    network.fate = list
    alone = network.callee if caller_is_gone else network.caller
    play.todo = [each for each in play.todo if each[1] is alone]
    play.run(HANGS_UP + 100.0)
    assert (alone.endpoint.calls, alone.endpoint.transactions, alone.endpoint.deadline) == (0, 0, None)
    ends = [each for each in alone.events if isinstance(each, SipCallEnded | CallFailed)]
    assert len(ends) == (1 if alone.events else 0)
