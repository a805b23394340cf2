"""A turn that a server has given up, and that the database carries out after that."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import pytest

from ivr.errors import StoreUnavailable
from ivr.news import LocalNews
from ivr.store.shared_calls import SharedCalls
from tests.simulation.twin_database import TwinDatabase
from tests.simulation.twin_tables import Tables
from tests.store.store_examples import after, key, line, record, recorded

T = TypeVar("T")


class SlowWire:
    """Carries statements out at once; while it is slow, only once nobody waits for them any more."""

    def __init__(self) -> None:
        self.is_slow = False
        self.left: list[Callable[[], object]] = []

    async def ask(self, statement: Callable[[], T]) -> T:
        if not self.is_slow:
            return statement()
        self.left.append(statement)
        raise StoreUnavailable("no answer")


async def test_a_recording_that_a_late_turn_may_take_is_not_deleted_as_unused() -> None:
    tables, wire = Tables(), SlowWire()
    calls = SharedCalls(TwinDatabase(tables, wire, cast("Any", None), LocalNews()), LocalNews())
    first = after(record("a"), line())
    await calls.commit(first)
    wire.is_slow = True
    with pytest.raises(StoreUnavailable):
        await calls.commit(after(first.record, recorded("large.wma")))
    wire.is_slow = False
    assert await calls.named("large.wma")
    assert not await calls.named("other.wma")
    (late,) = wire.left
    late()
    assert tables.find(key("a")).record.version == 2
