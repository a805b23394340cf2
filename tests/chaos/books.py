"""Holds what is in the database against what callers and services know: nothing is lost, doubled or mixed up."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from hashlib import sha256

from msgspec import Struct

from ivr.call_record import Stepped
from ivr.engine.commands import Notify, Request
from ivr.engine.events import HttpAnswered, RecordingMade, ServiceAnswered
from ivr.storage import StoredCall
from ivr.store.data_folder import DataFolder
from ivr.store.location import StoreLocation
from ivr.store.opened import CommandStore
from ivr.store.opening import open_for_command
from tests.chaos.desk import COLOURS, Colour
from tests.chaos.outside import Outside, words_of
from tests.chaos.replica import ivr
from tests.chaos.world import World
from tests.crash.books import folded, line_events
from tests.flows import flow_at
from tests.postgres.serving import SEAL_KEY
from tests.waiting import PATIENCE


class Tally(Struct):
    """What was counted; everything else was found to be as it must be, or an assertion has said so."""

    calls: int = 0
    messages: int = 0
    repeated: int = 0
    "Messages that came again after they had been acknowledged."
    doubled: int = 0
    "Messages of which two were under way at the same moment, and both were answered."
    recordings: int = 0
    large: int = 0
    "Those of them that do not fit into the row of their turn."
    orders: int = 0
    "To the web service, that were taken."
    unanswered: int = 0
    "Those of them whose answer was lost with its server: nobody may carry them out twice, so the call went on without."
    listened: int = 0
    "Recordings of which the words were ordered."
    listened_again: int = 0
    "How often that was done once more."
    notices: int = 0
    notices_again: int = 0
    "How often one came once more, with the same id."
    colours: Mapping[Colour, int] = {}
    "Calls by the version of their flow."

    def __str__(self) -> str:
        """One line for each."""
        return "\n".join(f"{name:>16} {getattr(self, name)}" for name in self.__struct_fields__)


async def judged(world: World) -> Tally:
    """Wait for what still works when everybody has hung up, and hold the books against each other."""
    async with stored_calls(world) as (store, calls):
        tally = await compared(world, store, calls)
    await _replays_same(world, tally)
    assert "Traceback" not in logs(world)
    return tally


@asynccontextmanager
async def stored_calls(world: World) -> AsyncIterator[tuple[CommandStore, Sequence[StoredCall]]]:
    """Open what is in the database once nothing is under way any more."""
    folder = DataFolder.shared(world.servers.folder / "books")
    store = await open_for_command(StoreLocation(folder, world.servers.url, SEAL_KEY))
    try:
        await _all_over(store)
        yield store, [one async for portion in store.archive.stored() for one in portion]
    finally:
        await store.close()


async def compared(world: World, store: CommandStore, calls: Sequence[StoredCall]) -> Tally:
    """Hold what is stored against what callers and services know; raise AssertionError."""
    line, doubling = world.line, world.doubling
    assert line.errors == []
    assert doubling.errors == []
    assert {ended.by for ended in world.crowd.ended} <= {"bot", "caller"}, logs(world)
    assert line.sent == set(line.acknowledged)
    tally = Tally(len(calls), len(line.acknowledged), line.repeated, doubling.doubled)
    await _calls_agree(world, calls, store, tally)
    _orders_agree(world.services, calls, tally)
    _notices_agree(world.services, calls, tally)
    return tally


def logs(world: World) -> str:
    """Return what the servers have said."""
    return "\n".join(replica.log for replica in world.replicas)


async def _all_over(store: CommandStore) -> None:
    async with asyncio.timeout(PATIENCE):
        while await store.archive.count("live") or await store.outbox.count("waiting"):
            await asyncio.sleep(0.1)
    assert await store.outbox.count("dead") == 0


async def _calls_agree(world: World, calls: Sequence[StoredCall], store: CommandStore, tally: Tally) -> None:
    """Each call has the events and recordings that were acknowledged, and its trace leads where it stands."""
    told, sent = world.line.events, world.line.recordings
    flows = {flow.hash: flow for flow in (flow_at(folder / "desk.yaml") for folder in world.servers.flows.values())}
    colours = _colours(world)
    assert {one.record.key.id for one in calls if one.record} == set(told)
    counted: Counter[Colour] = Counter()
    for one in calls:
        record = one.record
        assert record is not None, one.trouble
        assert line_events(one.trace) == told[record.key.id]
        assert record.steps == len(one.trace)
        flow = flows[record.call.flow]
        assert folded(flow, record, one.trace) == record.call
        kept = [line.event.media for line in one.trace if isinstance(line.event, RecordingMade)]
        audio = [await _audio(store, media) for media in kept if media]
        assert audio == sent.get(record.key.id, [])
        _words_agree(one.trace, dict(zip(kept, audio, strict=True)))
        tally.recordings += len(audio)
        tally.large += sum(len(one) > 64 * 1024 for one in audio)
        assert len(colours[record.key.id]) == 1, "a call keeps its flow"
        counted.update(colours[record.key.id])
    tally.colours = dict(counted)


async def _audio(store: CommandStore, media: str) -> bytes:
    async with store.recordings.open(media) as file:
        return file.read()


def _words_agree(trace: Sequence[Stepped], audio: Mapping[str | None, bytes]) -> None:
    """The words of each recording are its own."""
    ordered = {
        command.job: str(command.arguments["media"])
        for line in trace
        for command in line.commands
        if isinstance(command, Request) and command.service == "transcribe"
    }
    heard = [line.event for line in trace if isinstance(line.event, ServiceAnswered) and not line.ignored]
    assert len({event.job for event in heard}) == len(heard)
    for event in heard:
        assert event.answer.transcript == words_of(audio[ordered[event.job]])


def _colours(world: World) -> dict[str, set[Colour]]:
    """Return which versions of the flow each call has heard."""
    found: dict[str, set[Colour]] = {}
    for letter in world.line.acknowledged.values():
        said = letter.reply.body.decode()
        found.setdefault(letter.json["id"], set()).update(one for one in COLOURS if f" {one} " in said)
    return found


def _orders_agree(services: Outside, calls: Sequence[StoredCall], tally: Tally) -> None:
    """No order was carried out twice, and what a call heard of it is what was answered."""
    assert set(services.orders.values()) <= {1}
    answered = set()
    for one in calls:
        for line in one.trace:
            if isinstance(line.event, HttpAnswered) and not line.ignored:
                key = sha256(f"{one.id}/{line.event.job}".encode()).hexdigest()[:32]
                assert key not in answered
                assert line.event.body == {"receipt": services.receipts[key]}
                answered.add(key)
    tally.orders = len(services.orders)
    tally.unanswered = len(services.orders) - len(answered)
    tally.listened = len(services.listened)
    tally.listened_again = services.listened.total() - tally.listened
    assert max(services.listened.values(), default=0) <= 3


def _notices_agree(services: Outside, calls: Sequence[StoredCall], tally: Tally) -> None:
    """What calls have told came, each under one id, and nothing else did."""
    told = {
        f"{one.id}.{command.job}": command.text
        for one in calls
        for line in one.trace
        for command in line.commands
        if isinstance(command, Notify)
    }
    assert {name: set(texts) for name, texts in services.notices.items()} == {name: {told[name]} for name in told}
    tally.notices = len(told)
    tally.notices_again = sum(map(len, services.notices.values())) - len(told)


async def _replays_same(world: World, tally: Tally) -> None:
    """Whoever replays the stored calls finds that all are the same; those of another version, but for its words."""
    for colour, calls in tally.colours.items():
        status, said = await ivr(
            *("replay", "--live", "--flows", str(world.servers.flows[colour]), "--allow", "wording", "--json"),
            environment=world.servers.environment,
        )
        assert status == 0, said
        verdicts = json.loads(said)
        assert verdicts["refused"] == verdicts["leftOut"] == 0
        assert verdicts["same"] == calls
