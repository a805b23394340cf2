"""Token buckets: how much a sender gets at once and in the long run, and that the table does not grow."""

from hypothesis import given
from hypothesis import strategies as st

from ivr.rate_limit import RateLimit

TIMES = st.lists(st.floats(0, 3), max_size=200)


def test_a_burst_at_once_then_so_many_a_second() -> None:
    limit = RateLimit(2, 3)
    assert [limit.take("a", 0.0) for _ in range(5)] == [True, True, True, False, False]
    assert [limit.take("a", 0.5), limit.take("a", 0.5)] == [True, False]
    assert limit.take("b", 0.5)


@given(TIMES)
def test_no_sender_gets_more_than_its_burst_and_its_rate(waits: list[float]) -> None:
    limit, now, passed = RateLimit(4, 5), 0.0, 0
    for wait in waits:
        now += wait
        passed += limit.take("a", now)
    assert passed <= 5 + 4 * now + 1e-6


@given(TIMES)
def test_who_keeps_to_the_rate_is_never_refused(waits: list[float]) -> None:
    limit, now = RateLimit(4, 5), 0.0
    for wait in waits:
        now += 0.25 + wait
        assert limit.take("a", now)


@given(st.lists(st.tuples(st.integers(0, 60), st.floats(0, 0.2)), max_size=300))
def test_the_table_does_not_grow(sent: list[tuple[int, float]]) -> None:
    limit, now = RateLimit(2, 4, most=10), 0.0
    for sender, wait in sent:
        now += wait
        limit.take(str(sender), now)
        assert len(limit) <= 10


def test_a_flood_from_many_addresses_does_not_empty_the_bucket_of_another() -> None:
    limit = RateLimit(1, 2, most=3)
    assert [limit.take("a", 0.0), limit.take("a", 0.0), limit.take("a", 0.0)] == [True, True, False]
    for flood in range(100):
        limit.take(str(flood), 0.0)
    assert not limit.take("a", 0.0)
    assert limit.take("a", 1.0)


def test_a_refilled_bucket_makes_room() -> None:
    limit = RateLimit(1, 2, most=1)
    assert limit.take("a", 0.0)
    assert not limit.take("b", 0.5)
    assert limit.take("b", 1.0)
    assert len(limit) == 1
