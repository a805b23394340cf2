"""The measurement of replays runs: what it measures is a store of today."""

from bench import replay


def test_a_call_and_a_whole_store_are_replayed() -> None:
    found = replay.measure(0.0, 20)
    assert found.traces == 20
    assert found.traces_per_second > 0
