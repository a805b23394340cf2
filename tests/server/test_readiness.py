"""Whether calls can be taken: asked of the disk too, seldom, and never waited for long."""

import asyncio
from pathlib import Path

from ivr.server.readiness import FRESH, PATIENCE, CachedCheck, are_writable
from tests.server.harness import connected, read_answer, request, serving
from tests.server.process import served
from tests.waiting import Clock, begun


class Part:
    """A part of the server that is asked whether it is ready."""

    def __init__(self) -> None:
        self.ready = True
        self.asked = 0
        self.let = asyncio.Event()
        self.let.set()

    async def __call__(self) -> bool:
        self.asked += 1
        await self.let.wait()
        return self.ready


async def test_a_folder_that_takes_a_file_is_left_as_it_was(tmp_path: Path) -> None:
    assert await are_writable([tmp_path])
    assert not list(tmp_path.iterdir())


async def test_one_folder_that_takes_no_file_is_one_too_many(tmp_path: Path) -> None:
    assert not await are_writable([tmp_path, tmp_path / "gone"])
    (tmp_path / "file").write_text("no folder")
    assert not await are_writable([tmp_path / "file"])


async def test_within_a_second_the_same_answer_is_given_without_asking() -> None:
    part = Part()
    check = CachedCheck(part)
    with Clock.of_this_loop() as clock:
        assert [await check() for _ in range(100)] == [True] * 100
        part.ready = False
        assert await check()
        assert part.asked == 1
        clock.turn(FRESH)
        assert not await check()
        assert part.asked == 2


async def test_a_part_that_does_not_answer_is_not_ready_and_is_asked_once() -> None:
    part = Part()
    part.let.clear()
    check = CachedCheck(part)
    with Clock.of_this_loop() as clock:
        for _ in range(3):
            asking = await begun(check())
            clock.turn(PATIENCE)
            assert not await asking
        assert part.asked == 1
        part.let.set()
        await check()  # what was asked long ago answers
        assert await check()
        assert part.asked == 2


async def test_a_visitor_who_goes_away_takes_the_answer_from_nobody() -> None:
    part = Part()
    part.let.clear()
    check = CachedCheck(part)
    leaving, staying = await begun(check()), await begun(check())
    leaving.cancel()
    part.let.set()
    assert await staying


async def test_all_parts_are_asked_at_the_same_time(tmp_path: Path) -> None:
    slow = {name: Part() for name in ("store", "disk", "keys")}
    for part in slow.values():
        part.let.clear()
    with Clock.of_this_loop() as clock:
        async with serving(tmp_path, checks=slow) as server, connected(server.port) as (reader, writer):
            writer.write(request("GET", "/readyz", token=None))
            assert (await server.send(request("GET", "/healthz"))).status == 200  # the one before it is worked on
            clock.turn(PATIENCE)
            answer = await read_answer(reader)
            assert answer.json == {"ready": False, "store": False, "disk": False, "keys": False}


async def test_a_server_whose_audio_folder_is_gone_is_not_ready(folder: Path) -> None:
    async with served(folder) as one:
        (folder / "recordings/live/audio").rmdir()
        async with connected(one.port) as (reader, writer):
            writer.write(request("GET", "/readyz", token=None))
            answer = await read_answer(reader)
        assert (answer.status, answer.json) == (503, {"ready": False, "store": True, "disk": False, "flows": True})
