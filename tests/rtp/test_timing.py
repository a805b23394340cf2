"""A simulated network in simulated time: whatever it does, a recording is in order and as long as what it records."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.rtp.heard import Heard
from ivr.rtp.packet import RtpPacket, encode
from ivr.rtp.stream import RtpStream
from ivr.rtp.timeline import LAG, SLACK
from tests.rtp.streams import CALLER, SILENCE, SOURCE, frame, recording, sound, stream

TICK = 0.02
Arrival = tuple[float, bytes]


def play(to: RtpStream, arrivals: Sequence[Arrival], until: float) -> list[Heard]:
    """Let datagrams come at their times, and the clock tick, as in life."""
    heard: list[Heard] = []
    waiting = sorted(arrivals, key=lambda arrival: arrival[0])
    for tick in range(1, round(until / TICK) + 1):
        now = tick * TICK
        while waiting and waiting[0][0] <= now:
            at, datagram = waiting.pop(0)
            heard += to.receive(datagram, CALLER, at)
        heard += to.heard(now)
    return heard


@st.composite
def networks(draw: st.DrawFn) -> tuple[list[float | None], set[int], int]:
    """Return the delay of each packet (None: it is lost), those that come twice, and where numbers begin."""
    delays = draw(st.lists(st.one_of(st.none(), st.floats(0, 0.055)), min_size=1, max_size=80))
    twice = draw(st.sets(st.integers(0, len(delays) - 1)))
    ahead = draw(st.sampled_from([0, 1, 65_500, 65_535, 2**31 // 160, 2**32 // 160 - 40]))
    return delays, twice, ahead


@settings(max_examples=40)
@given(networks())
def test_lost_swapped_and_repeated_packets_leave_the_length_and_the_order(
    network: tuple[list[float | None], set[int], int],
) -> None:
    delays, twice, ahead = network
    arrivals = [
        (number * TICK + delay + extra, sound(number, ahead=ahead))
        for number, delay in enumerate(delays)
        if delay is not None
        for extra in ((0.0, 0.03) if number in twice else (0.0,))
    ]
    if not arrivals:
        return
    first = min(arrivals)[1]
    numbers = [number for number, delay in enumerate(delays) if delay is not None]
    begun = next(number for number in numbers if sound(number, ahead=ahead) == first)
    kept = {number for number in numbers if number >= begun}
    expected = b"".join(frame(number) if number in kept else SILENCE for number in range(begun, max(kept) + 1))
    end = len(delays) * TICK + 0.12  # all that waits has come, and silence by the clock has not begun again
    recorded = recording(play(stream(), arrivals, end))
    whole, _, _ = recorded.rpartition(expected)
    assert expected in recorded
    assert whole.strip(b"\xff") == b""
    assert abs(len(whole) / 8_000 - begun * TICK) <= 0.08  # what was before the first that came is silence, too


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.integers(1, 20), st.integers(0, 60)), min_size=1, max_size=6),
    st.lists(st.floats(0, 0.055), min_size=120, max_size=120),
)
def test_a_telephone_that_is_quiet_between_words_is_recorded_in_real_time(
    spurts: list[tuple[int, int]], delays: list[float]
) -> None:
    """Discontinuous transmission: numbers go on, timestamps jump (RFC 3551 4.1)."""
    arrivals: list[Arrival] = []
    expected, at, latest = b"", 0, 0.0
    for length, pause in spurts:
        for _ in range(length):
            sequence = len(arrivals)
            latest = max(latest + 0.001, at * TICK + delays[sequence])  # in order
            datagram = encode(RtpPacket(0, sequence, 160 * at, SOURCE, frame(at)))
            arrivals.append((latest, datagram))
            expected += frame(at)
            at += 1
        expected += SILENCE * pause
        at += pause
    expected = expected[: len(expected) - len(SILENCE) * spurts[-1][1]]
    recorded = recording(play(stream(), arrivals, latest + 0.1))
    before = len(recorded) - len(expected)
    assert recorded[before:] == expected
    assert recorded[:before].strip(b"\xff") == b""
    assert before <= 2 * 160


def test_silence_comes_while_it_lasts_and_not_when_it_is_over() -> None:
    calling = stream()
    heard = play(calling, [(number * TICK, sound(number)) for number in range(10)], 5.0)
    assert abs(len(recording(heard)) / 8_000 - (5.0 - LAG)) <= 2 * TICK


def test_silence_is_heard_before_the_first_packet() -> None:
    calling = stream()
    heard = play(calling, [(3.0 + number * TICK, sound(number)) for number in range(10)], 3.2)
    assert abs(len(recording(heard)) / 8_000 - 3.2) <= 2 * TICK
    assert recording(heard).endswith(b"".join(map(frame, range(10))))


@settings(max_examples=40)
@given(st.floats(0.1, 1.9), st.integers(0, 40))
def test_sound_that_was_only_slow_is_kept_whole_and_later_silence_is_shorter(stall: float, before: int) -> None:
    total = before + 100
    arrivals = [
        (number * TICK if number < before else max(number * TICK, before * TICK + stall), sound(number))
        for number in range(total)
    ]
    later = [(total * TICK + 5.0, sound(total + 250))]  # after five seconds of quiet
    calling = stream()
    recorded = recording(play(calling, arrivals + later, total * TICK + 5.1))
    assert recorded.replace(SILENCE, b"") == b"".join(map(frame, [*range(total), total + 250]))
    assert abs(len(recorded) / 8_000 - (total * TICK + 5.0)) <= 0.6
    assert calling.statistics.excess == 0


@settings(max_examples=40)
@given(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=100))
def test_timestamps_that_jump_by_hours_fill_no_memory(timestamps: list[int]) -> None:
    calling = stream()
    arrivals = [
        (index * TICK, encode(RtpPacket(0, index, timestamp, SOURCE, frame(index))))
        for index, timestamp in enumerate(timestamps)
    ]
    seconds = len(timestamps) * TICK
    recorded = recording(play(calling, arrivals, seconds))
    assert len(recorded) <= (seconds + SLACK) * 8_000
    assert all(frame(index) in recorded for index in range(len(timestamps) - 1))  # the last may not be whole


def test_more_sound_than_time_is_dropped_and_counted() -> None:
    calling = stream()
    heard = play(calling, [(0.1, sound(number)) for number in range(3_000)], 0.1)
    assert len(recording(heard)) <= (0.1 + SLACK) * 8_000 + 160
    assert calling.statistics.excess > 2_000


@settings(max_examples=40)
@given(st.integers(10, 60), st.integers(1, 40))
def test_packets_of_other_lengths_are_cut_into_frames_of_20_ms(milliseconds: int, count: int) -> None:
    size = 8 * milliseconds
    whole = b"".join(map(frame, range(count * size // 160 + 1)))[: count * size]
    calling = stream()
    heard: list[Heard] = []
    for index in range(count):
        payload = whole[index * size : (index + 1) * size]
        datagram = encode(RtpPacket(0, index, index * size, SOURCE, payload))
        heard += calling.receive(datagram, CALLER, index * milliseconds / 1000)
    recorded = recording(heard)
    assert recorded == whole[: len(recorded)]
    assert len(recorded) == count * size // 160 * 160
    assert all(len(each.frame) == 160 for each in heard)


def test_another_source_in_mid_call_goes_on_at_its_own_numbers() -> None:
    calling = stream()
    arrivals = [(number * TICK, sound(number)) for number in range(50)]
    arrivals += [(number * TICK, sound(number, source=5, ahead=77_777)) for number in range(60, 100)]
    recorded = recording(play(calling, arrivals, 2.1))
    assert recorded.endswith(b"".join(map(frame, range(60, 100))))
    assert abs(len(recorded) / 8_000 - 2.0) <= 2 * TICK
    assert calling.statistics.lost == 0


def test_two_sources_at_once_do_not_take_turns() -> None:
    calling = stream()
    both = [
        (number * TICK + 0.001 * source, sound(number, source=source)) for number in range(100) for source in (1, 2)
    ]
    play(calling, both, 2.1)
    assert calling.statistics.unexpected >= 90
    assert calling.statistics.excess == 0


def test_a_source_that_begins_anew_without_saying_so_goes_on_with_its_second_packet() -> None:
    """RFC 3550 A.1: a jump counts once the next number follows."""
    calling = stream()
    arrivals = [(number * TICK, sound(number)) for number in range(20)]
    arrivals += [(number * TICK, sound(number, ahead=40_000)) for number in range(20, 40)]
    recorded = recording(play(calling, arrivals, 0.85))
    assert recorded == b"".join(map(frame, range(40)))
    assert calling.statistics.lost == 0


def test_a_source_that_plays_a_short_file_again_with_the_same_numbers_is_heard_again() -> None:
    calling = stream()
    arrivals = [(start + number * TICK, sound(number)) for start in (0.0, 3.0) for number in range(50)]
    recorded = recording(play(calling, arrivals, 4.1))
    whole = b"".join(map(frame, range(50)))
    assert recorded.startswith(whole)
    assert recorded.endswith(whole)
    assert abs(len(recorded) / 8_000 - 4.0) <= 3 * TICK
