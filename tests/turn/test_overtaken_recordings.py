"""The end of a call that is told apart from the recording it cut off, and overtakes it: the recording is kept."""

from ivr.engine.events import CallEnded, CallReceived, InputTimedOut, RecordingMade
from ivr.engine.values import Recording
from ivr.ports import CallKey
from tests.flows import flow_of
from tests.turn.house import GRACE, IDLE, House, Houses
from tests.turn.simulator import KEY

NOTE = flow_of("""
flow: note
initial: note
on: {exhausted: bye, error: bye}
states:
  note: {record: {prompt: speak, into: words}, next: kept}
  kept: {say: "{{ words.seconds }} seconds", final: true, outcome: voicemail}
  bye: {say: goodbye, final: true}
""")


async def told_its_end(house_of: Houses) -> House:
    """A caller was being recorded, and the line has told that the call is over."""
    house = house_of(NOTE)
    await house.told("first", CallReceived("29:anna", "28:bot"))
    await house.told("end", CallEnded("caller"), wants="ack")
    return house


async def ended(house: House) -> str | None:
    call = (await house.record()).call
    return call.outcome if call.phase == "over" else None


async def test_a_recording_that_comes_after_the_end_is_kept(house_of: Houses) -> None:
    house = await told_its_end(house_of)
    await house.wait(GRACE - 1)
    assert await ended(house) is None
    reply = await house.told("words", RecordingMade(await house.op(), 2.5, "a.wma", "hangup"))
    assert (await ended(house), reply.body) == ("voicemail", b"[]")
    kept = (await house.record()).call.memory.variables["words"]
    assert isinstance(kept, Recording)
    assert kept.media == "a.wma"


async def test_so_is_one_that_comes_when_the_time_is_over_and_nobody_has_looked(house_of: Houses) -> None:
    house = await told_its_end(house_of)
    house.time += 10 * GRACE
    await house.told("words", RecordingMade(await house.op(), 2.5, "a.wma", "hangup"))
    assert await ended(house) == "voicemail"


async def test_where_no_recording_comes_the_call_ends_as_one_that_was_hung_up(house_of: Houses) -> None:
    house = await told_its_end(house_of)
    await house.wait(GRACE)
    assert await ended(house) == "abandoned"


async def test_where_it_brought_nothing_the_call_ends_at_once(house_of: Houses) -> None:
    house = await told_its_end(house_of)
    await house.told("nothing", InputTimedOut(await house.op()))
    assert await ended(house) == "abandoned"


async def test_an_upload_that_is_under_way_is_waited_for_however_long_it_takes(house_of: Houses) -> None:
    house = await told_its_end(house_of)
    with house.uploads.count(house.time) as upload:
        await house.wait(5 * GRACE)
        await house.told("another", wants="ack")  # a message that says nothing closes the call neither
        upload.calls = frozenset({KEY})
        await house.wait(5 * GRACE)
        assert await ended(house) is None
    await house.wait(1)
    assert await ended(house) == "abandoned"


async def test_uploads_of_others_and_later_ones_are_not(house_of: Houses) -> None:
    house = await told_its_end(house_of)
    with house.uploads.count(house.time) as upload:
        upload.calls = frozenset({CallKey("sim", "app", "another call")})
        with house.uploads.count(house.time + GRACE):
            await house.wait(2 * GRACE)
    assert await ended(house) == "abandoned"


async def test_nor_is_a_silent_call_closed_while_its_recording_is_under_way(house_of: Houses) -> None:
    house = house_of(NOTE)
    await house.told("first", CallReceived("29:anna", "28:bot"))
    with house.uploads.count(house.time):
        await house.wait(2 * IDLE)
        assert await ended(house) is None
        await house.told("words", RecordingMade(await house.op(), 2.5, "a.wma"))
    await house.wait(2 * IDLE)
    assert await ended(house) == "voicemail"
