"""What `Voicemails` promises, asked of every store."""

from ivr.voicemails import RecordedCalls
from tests.store.store_examples import SECRET, after, key, line, record, recorded
from tests.store.store_worlds import World


async def left(world: World, name: str, *media: str, over: bool = True) -> str:
    """Let somebody leave recordings, one in each turn; return our id of the call."""
    known = record(name, private=SECRET)
    for one in media:
        await world.store.commit(after(known, recorded(one)))
        known = (await world.store.load(key(name))) or known
    await world.store.commit(after(known, line(1), over=over))
    return known.id


def shown(found: RecordedCalls) -> list[tuple[str, dict[str, float]]]:
    return [(one.record.key.id, dict(one.done)) for one in found.calls]


async def look(world: World, *, done: bool = False, before: int | None = None, limit: int = 9) -> RecordedCalls:
    return await world.voicemails.recorded(done=done, before=before, limit=limit, look=99)


async def test_calls_with_recordings_are_found_the_newest_first_and_nothing_private_of_them(world: World) -> None:
    await left(world, "a", "a.wav", over=False)
    await left(world, "b")
    await left(world, "c", "c1.wav", "c2.wav")
    found = await look(world)
    assert shown(found) == [("c", {}), ("a", {})]
    assert found.next is None
    assert [len(one.trace) for one in found.calls] == [4, 2]
    assert SECRET not in repr(found)
    assert shown(await look(world, done=True)) == []


async def test_what_is_done_stays_so_and_can_be_undone(world: World) -> None:
    call = await left(world, "c", "c1.wav", "c2.wav")
    await world.voicemails.mark(call, "c1.wav", done=True, at=5.0)
    await world.voicemails.mark(call, "c1.wav", done=True, at=6.0)
    await world.crash()
    assert shown(await look(world)) == shown(await look(world, done=True)) == [("c", {"c1.wav": 5.0})]
    await world.voicemails.mark(call, "c2.wav", done=True, at=7.0)
    assert shown(await look(world)) == []
    assert shown(await look(world, done=True)) == [("c", {"c1.wav": 5.0, "c2.wav": 7.0})]
    for media in ("c1.wav", "c2.wav", "c2.wav"):
        await world.voicemails.mark(call, media, done=False, at=8.0)
    assert shown(await look(world)) == [("c", {})]
    assert shown(await look(world, done=True)) == []


async def test_what_is_no_recording_of_a_call_is_not_marked(world: World) -> None:
    one, other = await left(world, "a", "a.wav"), await left(world, "b", "b.wav")
    for call, media in ((one, "b.wav"), (one, "c.wav"), ("0" * 32, "a.wav"), (other, "")):
        await world.voicemails.mark(call, media, done=True, at=5.0)
    assert shown(await look(world, done=True)) == []
    await world.voicemails.mark(one, "a.wav", done=True, at=5.0)
    await world.voicemails.mark(other, "a.wav", done=False, at=5.0)
    assert shown(await look(world, done=True)) == [("a", {"a.wav": 5.0})]


async def test_pages_go_on_where_the_last_one_ended(world: World) -> None:
    ids = {name: await left(world, name, f"{name}.wav") for name in "abcdef"}
    await world.voicemails.mark(ids["d"], "d.wav", done=True, at=5.0)
    first = await look(world, limit=2)
    assert [name for name, _ in shown(first)] == ["f", "e"]
    await left(world, "g", "g.wav")
    second = await look(world, before=first.next, limit=2)
    assert [name for name, _ in shown(second)] == ["c", "b"]
    last = await look(world, before=second.next, limit=2)
    assert ([name for name, _ in shown(last)], last.next) == (["a"], None)


async def test_a_look_passes_over_so_much_that_is_done_and_no_more(world: World) -> None:
    for name in "abcde":
        call = await left(world, name, f"{name}.wav")
        if name != "a":
            await world.voicemails.mark(call, f"{name}.wav", done=True, at=5.0)
    first = await world.voicemails.recorded(done=False, before=None, limit=9, look=3)
    assert shown(first) == []
    assert first.next is not None
    second = await world.voicemails.recorded(done=False, before=first.next, limit=9, look=3)
    assert (shown(second), second.next) == ([("a", {})], None)


async def test_what_is_done_goes_with_its_call(world: World) -> None:
    call = await left(world, "a", "a.wav")
    kept = await left(world, "b", "b.wav")
    for one, media in ((call, "a.wav"), (kept, "b.wav")):
        await world.voicemails.mark(one, media, done=True, at=5.0)
    await world.store.close()
    await world.archive.erase(call=call)
    await world.open()
    assert shown(await look(world, done=True)) == [("b", {"b.wav": 5.0})]
    await world.archive.forget(before=9e9, limit=9)
    assert shown(await look(world, done=True)) == shown(await look(world)) == []
    await left(world, "a", "a.wav")
    assert shown(await look(world)) == [("a", {})], "nothing is left of the mark"
