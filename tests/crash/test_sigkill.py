"""The real server, killed at random moments while a town is on the phone: what was acknowledged is in the books."""

import asyncio
import signal
from collections.abc import Sequence
from pathlib import Path
from random import Random

from ivr.engine.events import RecordingMade
from ivr.engine.flow import Flow
from ivr.store.data_folder import DataFolder
from ivr.store.sqlite.sqlite_archive import SqliteArchive
from tests.crash.books import folded, line_events
from tests.crash.process import Server
from tests.crash.town import STUBBORN, BadLine, everybody_calls
from tests.flows import flow_at
from tests.kept_recordings import kept_recordings
from tests.phone.calling import Signer, phone_to
from tests.shipped_lines import shipped_lines
from tests.waiting import PATIENCE

CALLS = 160
KILLS = 5
PRIVATE = {"pin-check"}
"Flows whose traces are masked, so that folding them does not give the very same call."


async def test_no_kill_loses_a_call_a_recording_or_an_event(tmp_path: Path, signer: Signer) -> None:
    flows = tmp_path / "flows"
    async with shipped_lines(flows) as settings:
        server = Server(tmp_path, signer, flows=flows, **settings)
        line = await _a_town_calls(server, signer, flows)
    assert line.errors == []
    assert line.sent == set(line.acknowledged)
    assert line.repeated > 10
    assert line.recordings
    assert line.overtaken
    await _books_agree(server, line, [flow_at(file) for file in flows.glob("*.yaml")])


async def _a_town_calls(server: Server, signer: Signer, flows: Path) -> BadLine:
    """Let many call while the server is killed now and then, and end it; return what there was on the line."""
    names = sorted(path.stem for path in flows.glob("*.yaml"))
    async with phone_to(server.port, signer) as phone, asyncio.TaskGroup() as group:
        line = BadLine(phone.way, seed=11)
        await server.start()
        town = phone.platform(line, STUBBORN)
        calls = group.create_task(everybody_calls(town, names, calls=CALLS, at_once=24, seed=11))
        random = Random(7)
        for kill in range(KILLS):
            await line.after(90 * (kill + 1) + random.randrange(60)).wait()
            line.up.clear()
            assert await server.stop(signal.SIGKILL) == -signal.SIGKILL
            await server.start()
            line.up.set()
    await _all_over(server)
    assert await server.stop(signal.SIGTERM) == 0
    assert {ended.by for ended in calls.result()} == {"bot", "caller"}, server.log.read_text("utf-8")
    return line


async def _all_over(server: Server) -> None:
    """Wait for what still works when everybody has hung up: transcriptions, and the silent rest after them."""
    archive = SqliteArchive(DataFolder(server.data))
    try:
        async with asyncio.timeout(PATIENCE):
            while await archive.count("live"):
                await asyncio.sleep(0.1)
    finally:
        await archive.close()


async def _books_agree(server: Server, line: BadLine, flows: Sequence[Flow]) -> None:
    archive = SqliteArchive(DataFolder(server.data))
    try:
        stored = [one async for portion in archive.stored() for one in portion]
    finally:
        await archive.close()
    records = [one.record for one in stored if one.record is not None]
    traces = {one.record.key.id: one.trace for one in stored if one.record is not None}
    assert len(records) == len(stored)
    told, sent = line.events, line.recordings
    assert {record.key.id for record in records} == set(told)
    audio = kept_recordings(server.data)
    named = set()
    for record in records:
        trace = traces[record.key.id]
        assert line_events(trace) == told[record.key.id]
        assert record.steps == len(trace)
        flow = next(flow for flow in flows if flow.hash == record.call.flow)
        assert folded(flow, record, trace) == record.call or flow.name in PRIVATE
        kept = [line.event.media for line in trace if isinstance(line.event, RecordingMade)]
        assert [audio[str(media)] for media in kept] == sent.get(record.key.id, [])
        named |= set(kept)
    unfinished = audio.keys() - named
    assert len(unfinished) <= KILLS * 24, "uploads that were under way when the server died, and nothing else"
