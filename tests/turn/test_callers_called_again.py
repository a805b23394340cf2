"""What a flow keeps of its caller: known from the first word of the next call on, and once, whatever crashes."""

import pytest

from ivr.call_record import Commit
from ivr.engine.commands import Remember
from ivr.engine.events import CallEnded, CallReceived, ChoiceMade, KeysPressed
from ivr.engine.values import MaskedValue, Stored
from ivr.errors import WebhookError
from ivr.ports import CallKey, Incoming, WebhookReply
from ivr.store.memory.memory_calls import MemoryStore
from ivr.trace.recorded import case_of
from ivr.trace.replay import replay
from ivr.user_values import KeptValue, User
from tests.flows import flow_of
from tests.turn.house import House, Houses
from tests.turn.simulated_stores import SimStore, SimStoreInMemory
from tests.turn.simulator import KEY, World
from tests.turn.test_simulator import violations

CALLER = User("sim", "app", "", "+431")
YEAR = 365 * 86_400.0
TEXT = """
flow: keeping
initial: main
on: {exhausted: bye, error: bye, hangup: left}
variables:
  user.choice: {type: text, keep: 90d}
  user.calls: {default: 0, keep: 1y}
  user.secret: {type: text, sensitive: true, keep: 1h}
states:
  main:
    menu:
      prompt: "{{ user.calls }} {{ 'known' if user.choice is not none else 'new' }}"
      choices: {one: {dtmf: "1"}, two: {dtmf: "2"}}
      into: user.choice
    set: {user.calls: "{{ user.calls + 1 }}"}
    on: {one: secret, two: bye}
  secret: {digits: {prompt: PIN?, maxDigits: 2, sensitive: true, into: user.secret}, next: judge}
  judge: {decide: [{guard: user.secret == '12', target: main}, bye]}
  left: {say: Bye., set: {user.choice: left}, final: true}
  bye: {say: Bye., final: true}
"""
KEEPING = flow_of(TEXT)


def received(caller: str | None = "+431", **known: Stored) -> CallReceived:
    return CallReceived(caller, "28:bot", user={f"user.{name}": value for name, value in known.items()})


async def called_again(house_of: Houses, before: House, *, later: float = 1000.0) -> House:
    """Call once more, at a server that has nothing but what the first one kept."""
    house: House = house_of(KEEPING, store=MemoryStore())
    house.store.kept.update(before.store.kept)
    house.time = before.time + later
    await house.told("first", received())
    return house


async def test_what_one_call_keeps_the_next_one_knows_and_its_trace_tells(house_of: Houses) -> None:
    first = house_of(KEEPING)
    assert b"1 new" in (await first.told("first", received())).body
    assert b"PIN?" in (await first.told("second", ChoiceMade(await first.op(), "one", "keys"))).body
    await first.told("third", KeysPressed(await first.op(), "12"))
    assert first.store.kept[CALLER] == {
        "user.choice": KeptValue("user.choice", "one", 1000.0 + 90 * 86_400.0),
        "user.secret": KeptValue("user.secret", "12", 1000.0 + 3600.0, private=True),
        "user.calls": KeptValue("user.calls", 2, 1000.0 + YEAR),
    }
    again = await called_again(house_of, first)
    (line,) = again.store.traces["0" * 32]
    assert line.event == CallReceived(
        "+431", "28:bot", user={"user.calls": 2, "user.choice": "one"}, masked=("user.secret",)
    )
    assert line.commands[-1] == Remember({"user.calls": 3})
    assert b"3 known" in (await again.record()).last.body
    assert again.store.kept[CALLER]["user.calls"] == KeptValue("user.calls", 3, 2000.0 + YEAR)
    traced = str(first.store.traces["0" * 32])
    assert "'12'" not in traced.replace("user.secret == '12'", "")
    assert "MaskedValue" in traced


async def test_what_has_lived_long_enough_is_not_known_any_more(house_of: Houses) -> None:
    first = house_of(KEEPING)
    await first.told("first", received())
    await first.told("second", ChoiceMade(await first.op(), "one", "keys"))
    again = await called_again(house_of, first, later=91 * 86_400.0)
    assert b"2 new" in (await again.record()).last.body


async def test_nothing_is_kept_and_nothing_known_of_a_withheld_number(house_of: Houses) -> None:
    house = house_of(KEEPING)
    assert b"1 new" in (await house.told("first", received(None))).body
    await house.told("second", ChoiceMade(await house.op(), "one", "keys"))
    assert house.store.kept == {}
    assert house.store.traces["0" * 32][0].event == received(None)


async def test_what_another_flow_keeps_as_private_is_not_shown_to_one_that_does_not(house_of: Houses) -> None:
    house = house_of(KEEPING)
    house.store.kept[CALLER] = {
        "user.choice": KeptValue("user.choice", "hidden", 9e9, private=True),
        "user.secret": KeptValue("user.secret", "12", 9e9),
        "user.other": KeptValue("user.other", "not of this flow", 9e9),
    }
    assert b"1 new" in (await house.told("first", received())).body
    assert "hidden" not in str(house.store.traces)
    assert "not of this flow" not in str(house.store.traces)
    assert (await house.record()).call.memory.private == {"user.secret": "12"}


async def test_a_call_with_values_replays_the_same_and_one_that_reads_others_cannot_be_known(house_of: Houses) -> None:
    first = house_of(KEEPING)
    await first.told("first", received())
    await first.told("second", ChoiceMade(await first.op(), "one", "keys"))
    again = await called_again(house_of, first)
    await again.told("second", ChoiceMade(await again.op(), "one", "keys"))
    await again.told("third", KeysPressed(await again.op(), "12"))
    await again.told("fourth", CallEnded("caller", await again.op()))
    record = await again.record()
    case = case_of(record, again.store.traces["0" * 32], KEEPING, {})
    assert [line.kept for line in case.lines if line.kept] == [
        {"user.calls": 2}, {"user.choice": "one"}, {"user.calls": 3, "user.secret": MaskedValue()},
        {"user.choice": "left"},
    ]  # fmt: skip
    assert replay(case, KEEPING).verdict == "same"
    text = TEXT.replace("user.choice is not none", "user.voice is not none")
    verdict = replay(case, flow_of(text.replace("variables:", "variables:\n  user.voice: {type: text, keep: 90d}")))
    assert verdict.verdict == "undetermined"
    assert verdict.why == "it may depend on what is kept of the caller, which is not known: user.voice"
    verdict = replay(case, flow_of(TEXT.replace("user.calls + 1", "user.calls + 2")))
    assert verdict.verdict == "changed"
    verdict = replay(case, flow_of(TEXT.replace("user.choice: left", "user.choice: gone")))
    assert verdict.verdict == "changed"
    assert verdict.wording is not None
    assert verdict.wording.what == "kept"


async def test_whoever_wants_to_be_forgotten_is_also_without_a_call(house_of: Houses) -> None:
    house = house_of(KEEPING)
    await house.told("first", received())
    told: list[WebhookReply | None] = []
    gone = Incoming(KEY, "gone", (CallEnded("caller", await house.op()),), "ack", forgets=CALLER)
    assert not house.turns.take_now(gone, told=told.append)
    await house.turns.take(gone, arrived=1000.0)
    assert (await house.record()).call.phase == "over"
    assert CALLER not in house.store.kept, "what the rest of the call has set is erased, too"
    unknown = CallKey("sim", "app", "nobody")
    house.store.kept[CALLER] = {"user.calls": KeptValue("user.calls", 1, 9e9)}
    nothing = WebhookReply(202)
    late = Incoming(unknown, "late", (), "ack", otherwise=nothing, forgets=CALLER)
    assert await house.turns.take(late, arrived=1000.0) is nothing
    assert CALLER not in house.store.kept
    with pytest.raises(WebhookError):
        await house.turns.take(Incoming(unknown, "late", (), "ack", forgets=CALLER), arrived=1000.0)


# --- crashes ---------------------------------------------------------------------------------------------------------


def kept_by(world: World) -> dict[str, tuple[Stored, bool]]:
    """Return what the lines of the trace say one after another, as if nothing had ever happened at the same time."""
    found: dict[str, tuple[Stored, bool]] = dict(BEFORE)
    for line in world.disk.steps():
        for order in line.commands:
            if isinstance(order, Remember):
                found |= {name: (value, False) for name, value in order.values.items()}
                found |= {name: (value, True) for name, value in order.private.items()}
    return {name: value for name, value in found.items() if value[0] is not None}


WITHOUT_PRIVATE_GUARDS = flow_of(TEXT.replace("user.secret == '12'", "user.calls < 20"))
BEFORE: dict[str, tuple[Stored, bool]] = {"user.calls": (7, False)}


@pytest.mark.parametrize("store", [SimStore, SimStoreInMemory])
def test_after_any_schedule_of_crashes_the_values_are_those_of_a_serial_run(store: type[SimStore]) -> None:
    crashes = kept = 0
    for seed in range(400):
        world = World(seed, WITHOUT_PRIVATE_GUARDS, store)
        world.disk.kept.update(BEFORE)
        world.run()
        assert violations(world) == [], f"seed {seed}"
        masked = {name: (MaskedValue() if private else value) for name, (value, private) in world.disk.kept.items()}
        assert masked == {name: value for name, (value, _) in kept_by(world).items()}, f"seed {seed}"
        crashes += world.crashes
        kept += len(world.disk.kept)
    assert crashes > 200
    assert kept > 600


class Killed(Exception):
    """The process is gone."""


class KilledOnceSaved(MemoryStore):
    """A store whose server is killed as soon as the message by which a caller leaves is saved."""

    async def commit(self, commit: Commit) -> None:
        await super().commit(commit)
        if commit.message is not None and commit.record.call.phase == "over":
            raise Killed


async def test_who_is_to_be_forgotten_is_so_also_if_nobody_repeats_it_after_a_kill() -> None:
    house = House(KEEPING, store=KilledOnceSaved())
    await house.told("first", received())
    house.store.kept[CALLER] = {"user.calls": KeptValue("user.calls", 7, 1000.0 + YEAR)}
    leaving = Incoming(KEY, "second", (CallEnded("caller", await house.op()),), "ack", forgets=CALLER)
    with pytest.raises(Killed):
        await house.turns.take(leaving, arrived=1000.0)
    assert "user.calls" not in house.store.kept.get(CALLER, {})
