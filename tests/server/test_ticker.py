"""What happens because time passes."""

import asyncio
import logging
from pathlib import Path

import pytest

from ivr.bot_state import StateKey
from ivr.call_record import CallRecord, Commit
from ivr.engine.call import Call, Facts
from ivr.errors import StoreUnavailable
from ivr.media_storage import SMALL
from ivr.ports import CallKey
from ivr.server.ticker import STATES_AT_ONCE, every, forget_bot_states, sweep_recordings, wake_due
from ivr.store.media_files import MediaFiles
from ivr.store.memory.memory_bot_state import MemoryBotStates
from ivr.store.memory.memory_calls import MemoryStore
from tests.waiting import PATIENCE


async def test_a_round_that_fails_is_logged_and_the_next_one_comes(caplog: pytest.LogCaptureFixture) -> None:
    rounds = 0
    enough = asyncio.Event()

    async def action() -> None:
        nonlocal rounds
        rounds += 1
        if rounds == 3:
            enough.set()
        raise RuntimeError("x")

    chore = asyncio.create_task(every(0.0, action, name="test"))
    async with asyncio.timeout(PATIENCE):
        await enough.wait()
    chore.cancel()
    assert [record.message for record in caplog.records][:2] == ["house-keeping failed"] * 2


async def test_while_the_store_is_away_that_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    told = iter(["the disk is full", "the disk is full", "", "the disk is full", "it is locked"])
    enough = asyncio.Event()

    async def action() -> None:
        why = next(told, None)
        if why is None:
            enough.set()
        elif why:
            raise StoreUnavailable(why)

    chore = asyncio.create_task(every(0.0, action, name="test"))
    async with asyncio.timeout(PATIENCE):
        await enough.wait()
    chore.cancel()
    assert [vars(record)["reason"] for record in caplog.records] == [
        "the disk is full",
        "the disk is full",
        "it is locked",
    ]
    assert {record.message for record in caplog.records} == {"house-keeping waits for the store"}


async def test_every_call_that_is_due_is_woken_though_others_fail(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    store = MemoryStore()
    for number in range(200):
        key = CallKey("twin", "account", f"c{number}")
        call = Call("f" * 64, Facts(str(number)))
        await store.commit(Commit(CallRecord(str(number), key, call, 1, idle_at=10.0 if number % 2 else 99.0)))
    woken = set()

    async def wake(key: CallKey) -> None:
        woken.add(key.id)
        if key.id == "c1":
            raise StoreUnavailable("full")
        if key.id == "c3":
            raise ValueError("a bug")

    await wake_due(store, wake, 10.0)
    assert woken == {f"c{number}" for number in range(1, 200, 2)}
    assert [record.message for record in caplog.records] == ["wake failed", "wake failed"]


async def test_the_sweep_asks_the_store_what_calls_name(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    recordings = MediaFiles(tmp_path)
    file = recordings.new("audio/wav")
    file.add(bytes(SMALL + 1))
    await file.keep()
    await sweep_recordings(MemoryStore(), recordings, before=0)
    assert (tmp_path / file.media).exists()
    await sweep_recordings(MemoryStore(), recordings, before=9e9)
    assert not (tmp_path / file.media).exists()
    assert caplog.records[-1].__dict__["removed"] == 1
    await recordings.close()


async def test_what_bots_have_not_used_is_forgotten_in_portions_and_nothing_where_it_is_kept_for_ever(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    states = MemoryBotStates()
    keys = [StateKey("bot", "skype", user=str(number)) for number in range(2 * STATES_AT_ONCE + 1)]
    for number, key in enumerate(keys):
        await states.put(key, b"1", None, at=number * 1_000_000_000, most=999)
    await forget_bot_states(states, before=None)
    assert not caplog.records
    await forget_bot_states(states, before=len(keys) - 1.0)
    assert [await states.get(key, at=0) is not None for key in keys] == [*[False] * (len(keys) - 1), True]
    assert [(one.message, one.removed) for one in caplog.records] == [("bot state forgotten", len(keys) - 1)]  # type: ignore[attr-defined]
