"""The short way and the long one, side by side: the same bytes get the same answers, whatever the bytes are.

Two servers, one with the short way and one without, are sent the same bytes, cut at the same places. What comes back is
the same to the last byte (but for `Date`), the connection has the same fate, and the same calls are stored.
"""

import asyncio
import itertools
import re
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

from ivr.call_record import CallRecord
from ivr.phone.net.identity import LIFETIME, Identity
from ivr.server.listener import Listener
from tests.phone.calling import Signer
from tests.server.harness import Way, connected, read_answer, request
from tests.server.odd_requests import CALL, HARMLESS, ODDITIES, PLAIN, STRANGE, Sent, conversation
from tests.server.world import World
from tests.waiting import Clock

FLOW = """\
flow: desk
initial: main
on: {exhausted: bye, error: bye}
states:
  main:
    menu:
      prompt: Press 1 to leave a message.
      choices: {message: {dtmf: "1"}}
    on: {message: report}
  report:
    record: {prompt: Speak after the beep., into: problem}
    next: bye
  bye: {say: Goodbye., final: true}
"""
"No service is waited for: how long that takes would be the difference."
MEMORY = Path("/dev/shm")
"Where syncing costs nothing."
PROBE = "probe"
"The call of which messages tell that all before them is saved."
ROUNDS = 6
"Of the loop, in which what was written is read, answered and read again."
GONE, TURNS = 3000.0, 50
"Seconds after which a connection is closed, whatever it waits for, and how often that may be needed."


# --- what is sent, and how it is cut ---------------------------------------------------------------------------------


class Step(Struct, frozen=True):
    """One request of a connection."""

    what: str
    odd: tuple[str, ...] = ()
    call: int = 0
    token: str = "good"
    cuts: tuple[int, ...] = ()
    "Where it is cut, in per mille of its length; the pieces come one after the other."
    waits: bool = True
    "Whether its answer is waited for before the next one is sent."

    @property
    def is_strange(self) -> bool:
        return any(odd in STRANGE for odd in self.odd)


steps = st.builds(
    Step,
    what=st.sampled_from([*PLAIN]),
    odd=st.one_of(
        st.just(()),
        st.lists(st.sampled_from([*HARMLESS]), max_size=3, unique=True).map(tuple),
        st.lists(st.sampled_from([*ODDITIES]), min_size=1, max_size=2, unique=True).map(tuple),
    ),
    call=st.integers(0, 1),
    token=st.sampled_from(["good"] * 6 + ["another", "expired", "foreign"]),
    cuts=st.lists(st.integers(0, 1000), max_size=3).map(sorted).map(tuple),
    waits=st.booleans(),
)


class Heard(asyncio.Protocol):
    """The platform's end of a connection: what came by it, and whether it is over."""

    def __init__(self) -> None:
        self.bytes = bytearray()
        self.over = False

    def data_received(self, data: bytes) -> None:
        self.bytes += data

    def connection_lost(self, exc: Exception | None) -> None:
        self.over = True


class Side:
    """One of the two servers."""

    def __init__(self, port: int, world: World, listener: Listener, clock: Clock) -> None:
        self.port, self.world, self.listener, self._clock = port, world, listener, clock
        self._probes = 0

    @property
    def taken_short(self) -> int:
        """How many requests of `talk` took the short way."""
        return self.listener.short - self._probes

    async def talk(self, pieces: Sequence[tuple[bytes, bool]], token: bytes) -> bytes:
        """Send pieces, those with a pause behind them first read and answered; return what comes until the end."""
        transport, heard = await asyncio.get_running_loop().create_connection(Heard, "127.0.0.1", self.port)
        for piece, pause in pieces:
            transport.write(piece)
            if pause:
                await self._settled(token)
        await self._settled(token)
        transport.write(request("GET", "/healthz", token=None))  # tells whether a request can begin here
        for _ in range(TURNS):
            await self._settled(token)
            if heard.over:
                return bytes(heard.bytes)
            self._clock.turn(GONE)
        pytest.fail("the connection stays open")

    async def _settled(self, token: bytes) -> None:
        """Return when what was sent is read, and answered or waits for more of it."""
        for _ in range(3):
            await _rounds()
            if not self.listener.busy:
                return
            self._probes += 1  # saved after all that came before it
            probe = Sent(conversation(PROBE), line=CALL, id=b"%d" % self._probes, token=token)
            async with connected(self.port) as (reader, writer):
                writer.write(probe.written)
                assert (await read_answer(reader)).status == 200
        await _rounds()


async def _rounds() -> None:
    for _ in range(ROUNDS):
        await asyncio.sleep(0)


def _end_of(written: bytes) -> int:
    """Return where a request ends by its own word, if that is within what was written."""
    head, _, body = written.partition(b"\r\n\r\n")
    told = re.search(rb"\r\nContent-Length: ([0-9]{1,6})\r\n", head + b"\r\n")
    return len(written) - max(0, len(body) - int(told[1])) if told else len(written)


Stored = tuple[object, ...]


class Pair:
    """Both, and who is believed there."""

    def __init__(self, signer: Signer, short: Side, long: Side) -> None:
        now = time.time()
        self.short, self.long = short, long
        self._tokens = {
            "good": signer.token(),
            "another": signer.identity.token(now - 1),
            "expired": signer.identity.token(now - 2 * LIFETIME),
            "foreign": Identity("another app").token(now),
        }
        self._examples = 0

    async def agree(self, steps: Sequence[Step]) -> tuple[bytes, bytes]:
        """Let both answer the same; return what came, without the times of day."""
        self._examples += 1
        pieces = [*self._pieces(steps)]
        good = self._tokens["good"].encode()
        came = [await side.talk(pieces, good) for side in (self.short, self.long)]
        short, long = (re.sub(rb"\r\nDate: [^\r]*", b"", one) for one in came)
        return short, long

    def _pieces(self, steps: Sequence[Step]) -> Iterator[tuple[bytes, bool]]:
        """Yield what is sent, and whether a pause follows it.

        aiohttp forgets a request if what comes with its last bytes is no HTTP; the short way answers it first. So
        around whatever may be no HTTP there are pauses.
        """
        for step, following in itertools.zip_longest(steps, steps[1:]):
            sent = PLAIN[step.what](f"c{self._examples}-{step.call}")
            sent = replace(sent, token=self._tokens[step.token].encode())
            for odd in step.odd:
                sent = ODDITIES[odd](sent)
            written, end = sent.written, _end_of(sent.written)
            cuts = {0, end, *(cut * len(written) // 1000 for cut in step.cuts), len(written)}
            waits = step.waits or step.is_strange or following is None or following.is_strange
            for start, stop in itertools.pairwise(sorted(cuts)):
                yield written[start:stop], stop < len(written) or waits

    async def stored(self) -> tuple[list[Stored], list[Stored]]:
        """Return what both have stored, without what differs between any two servers."""
        short, long = [
            [_comparable(record) for record in await side.world.calls() if record.key.id != PROBE]
            for side in (self.short, self.long)
        ]
        return short, long


def _comparable(record: CallRecord) -> Stored:
    call = record.call
    memory = re.sub(r"media='[^']*'", "", repr(call.memory))  # recordings have names at random
    return (record.key, call.phase, call.state, call.outcome, memory, record.version, record.steps)


@pytest.fixture
async def pair(signer: Signer) -> AsyncIterator[Pair]:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None)))
        clock = stack.enter_context(Clock.of_this_loop())
        sides = []
        for way in get_args(Way):
            (folder / way).mkdir()
            world = World(folder / way, signer, way=way)
            (world.flows / "desk.yaml").write_text(FLOW)
            phone = await stack.enter_async_context(world.server(seal_key="00" * 32))
            sides.append(Side(phone.port, world, world.listener, clock))
        yield Pair(signer, *sides)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(steps, min_size=1, max_size=4))
async def test_whatever_is_sent_both_ways_answer_the_same(pair: Pair, steps: list[Step]) -> None:
    short, long = await pair.agree(steps)
    assert short == long


async def test_each_oddity_by_itself_between_plain_requests(pair: Pair) -> None:
    differ = {}
    for odd in ODDITIES:
        before = ["incoming", "choice", "recording"] if odd.startswith(("body", "type")) else ["incoming", "choice"]
        short, long = await pair.agree([*map(Step, before[:-1]), Step(before[-1], (odd,)), Step("end")])
        if short != long:
            differ[odd] = (short, long)
    assert differ == {}
    calls, others = await pair.stored()
    assert len(calls) > len(ODDITIES) / 2
    assert calls == others
    assert pair.short.taken_short > 2 * len(ODDITIES)
    assert pair.long.listener.short == 0


async def test_what_is_harmless_takes_the_short_way(pair: Pair) -> None:
    """Or it would not be tested there."""
    await pair.agree([Step("incoming")])  # the token is known now
    for odd in HARMLESS:
        before = pair.short.taken_short
        await pair.agree([Step("incoming"), Step("choice", (odd,)), Step("end")])
        assert pair.short.taken_short - before == (2 if odd == "a line end before the request" else 3), odd
