"""The times at which calls must be woken."""

from hypothesis import given
from hypothesis import strategies as st

from ivr.store.live import SLACK, Alarms
from tests.store.store_examples import key

TIMES = st.lists(st.tuples(st.sampled_from("abcde"), st.integers(0, 9) | st.none()), max_size=60)


@given(TIMES, st.lists(st.integers(0, 9), min_size=1))
def test_only_the_last_time_of_a_call_counts(times: list[tuple[str, int | None]], asked: list[int]) -> None:
    alarms = Alarms()
    last: dict[str, int] = {}
    for name, at in times:
        if at is None:
            alarms.drop(key(name))
            last.pop(name, None)
        else:
            alarms.set(key(name), float(at))
            last[name] = at
    for now in asked:
        due = alarms.due(now)
        assert set(due) == {key(name) for name, at in last.items() if at <= now}
        assert len(due) == len(set(due))
        assert [last[call.id] for call in due] == sorted(last[call.id] for call in due)


def test_old_times_take_no_room() -> None:
    alarms = Alarms()
    for now in range(1000):
        alarms.set(key("a"), 10.0 + now)
    assert len(alarms._heap) <= SLACK + 2
    assert alarms.due(1008.9) == []
    assert alarms.due(1009) == [key("a")]


def test_what_is_not_due_is_not_looked_at() -> None:
    alarms = Alarms()
    for n in range(1000):
        alarms.set(key(str(n)), float(n))
    entries = alarms._heap[:]
    assert alarms.due(-1) == []
    assert alarms._heap == entries
    assert len(alarms.due(3)) == 4


def test_a_look_names_a_portion_and_every_call_has_its_turn() -> None:
    """However many fall silent at once, and also if none of those that were named is woken."""
    alarms = Alarms()
    for n in range(25):
        alarms.set(key(str(n)), float(n))
    looks = [alarms.due(1e9, limit=10) for _ in range(5)]
    assert [len(look) for look in looks] == [10] * 5
    assert looks[0] == [key(str(n)) for n in range(10)]
    assert {call for look in looks[:3] for call in look} == {key(str(n)) for n in range(25)}
    assert set(looks[3]) | set(looks[4]) | set(looks[2]) == {key(str(n)) for n in range(25)}


def test_a_call_that_was_named_and_has_a_new_time_is_due_at_that_alone() -> None:
    alarms = Alarms()
    alarms.set(key("a"), 5.0)
    assert alarms.due(6) == alarms.due(6) == [key("a")]
    alarms.set(key("a"), 9.0)
    assert alarms.due(8) == []
    assert alarms.due(9) == [key("a")]
    alarms.drop(key("a"))
    assert alarms.due(99) == []
