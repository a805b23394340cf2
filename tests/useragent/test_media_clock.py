"""One clock for the sound of all calls: a frame each 20 ms, evenly spread, never drifting."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from ivr.cli.event_loop import fast_loop
from ivr.useragent.media_clock import EARLY, FRAME, MOST_BEHIND, SLOT, SLOTS, LatenessHistogram, MediaClock
from tests.waiting import PATIENCE, Clock


class Frames:
    """A call that counts its frames, and tells when there were as many as wanted."""

    def __init__(self, wanted: int) -> None:
        self.times: list[float] = []
        self.enough = asyncio.Event()
        self._wanted = wanted

    def tick(self, now: float) -> None:
        self.times.append(now)
        if len(self.times) == self._wanted:
            self.enough.set()

    async def come(self) -> None:
        async with asyncio.timeout(PATIENCE):
            await self.enough.wait()


@pytest.fixture
async def clock() -> AsyncIterator[MediaClock]:
    made = MediaClock()
    yield made
    made.close()


async def test_a_call_has_a_frame_each_20_ms_and_the_time_does_not_drift(clock: MediaClock) -> None:
    call = Frames(20)
    begun = asyncio.get_running_loop().time()
    clock.add(call)
    await call.come()
    assert len(call.times) == 20
    for number, time in enumerate(call.times):
        assert time >= begun + number * FRAME - EARLY  # never early, however late the one before was


async def test_calls_are_spread_over_the_frame(clock: MediaClock) -> None:
    calls = [Frames(2) for _ in range(2 * SLOTS)]
    begun = asyncio.get_running_loop().time()
    for call in calls:
        clock.add(call)
    await asyncio.gather(*(call.come() for call in calls))
    for number, call in enumerate(calls):
        assert call.times[0] >= begun + number % SLOTS * SLOT - EARLY


async def test_frames_that_were_missed_are_made_up_for(clock: MediaClock) -> None:
    call, late = Frames(1), Frames(11)
    with Clock.of_this_loop() as time:
        clock.add(call)
        await call.come()
        clock.remove(call)
        clock.add(late)
        time.turn(10 * FRAME)  # something else had the processor
        await late.come()
    assert clock.lateness.counts[-1] == 0
    assert clock.lateness.worst >= 8 * FRAME


async def test_what_is_too_old_is_left_out(clock: MediaClock) -> None:
    call = Frames(1)
    with Clock.of_this_loop() as time:
        clock.add(call)
        await call.come()
        call.enough.clear()
        call._wanted = 3
        time.turn(10.0)  # the machine was asleep
        await call.come()
    assert len(call.times) == 3
    assert clock.lateness.counts[-1] >= (10.0 - MOST_BEHIND) / FRAME


async def test_the_clock_rests_without_calls(clock: MediaClock) -> None:
    call = Frames(1)
    clock.add(call)
    await call.come()
    clock.remove(call)
    clock.remove(call)  # it is not there any more
    assert clock._timer is None
    again = Frames(1)
    clock.add(again)
    await again.come()


async def test_a_call_may_end_in_its_own_frame(clock: MediaClock) -> None:
    other = Frames(3)

    class Brief:
        ticks = 0

        def tick(self, now: float) -> None:
            self.ticks += 1
            clock.remove(self)

    brief = Brief()
    clock.add(brief)
    clock.add(other)
    await other.come()
    assert brief.ticks == 1


async def test_a_call_that_begins_in_the_last_frame_of_another_makes_no_second_timer() -> None:
    class Counted(MediaClock):
        runs = 0

        def _run(self) -> None:
            self.runs += 1
            super()._run()

    clock, next_one = Counted(), Frames(4)

    class Last:
        def tick(self, now: float) -> None:
            clock.remove(self)
            clock.add(next_one)

    clock.add(Last())
    await next_one.come()
    clock.close()
    assert clock.runs <= clock._next + 1, "each slot has one run"


async def test_what_came_is_read_with_the_time(clock: MediaClock) -> None:
    mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    mine.setblocking(False)
    got: list[tuple[bytes, float]] = []
    came = asyncio.Event()

    def read(now: float) -> None:
        got.append((mine.recv(100), now))
        came.set()

    with mine, theirs:
        clock.watch(mine, read)
        clock.add(Frames(1000))
        theirs.send(b"hello")
        async with asyncio.timeout(PATIENCE):
            await came.wait()
        clock.forget(mine)
        assert got[0][0] == b"hello"
        assert got[0][1] <= asyncio.get_running_loop().time()


def test_the_fast_loop_is_not_kept_busy_by_a_slot_that_is_not_due_yet() -> None:
    """uvloop calls at once what is due in less than half a millisecond; a clock that armed itself anew would spin."""

    async def frames() -> int:
        made, call, runs = MediaClock(), Frames(10), 0
        run = made._run

        def counted() -> None:
            nonlocal runs
            runs += 1
            run()

        made._run = counted  # type: ignore[method-assign]
        made.add(call)
        await call.come()
        made.close()
        return runs

    with asyncio.Runner(loop_factory=fast_loop()) as runner:
        assert runner.run(frames()) <= 10 * SLOTS + 1


def test_lateness_is_counted_by_its_bound() -> None:
    found = LatenessHistogram()
    found.add(0.0, 3)
    found.add(0.02, 2)  # a bound is included, as Prometheus has it
    found.add(0.021, 1)
    found.add(9.0, 1)
    assert found.counts == [3, 0, 0, 0, 2, 1, 0, 0, 0, 1]
    assert found.frames == 7
    assert found.later_than(0.02) == 2
    assert found.worst == 9.0
    assert found.seconds == pytest.approx(9.061)
