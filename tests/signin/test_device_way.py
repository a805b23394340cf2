"""By a device code: one poller for each attempt, at the provider's pace, on a clock that waits for it."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from ivr.sign_in_ports import SignInRefused
from tests.signin.sign_in_world import GRAPH, SignInWorld
from tests.waiting import PATIENCE


async def test_the_whole_way_while_the_call_looks_as_often_as_it_likes(world: SignInWorld) -> None:
    world.authority.device = ["authorization_pending", "authorization_pending", "yes"]
    call = await world.call("a")
    begun = await world.begin(call, "device")
    assert (begun.by, begun.page, begun.code) == ("device", "microsoft.com/devicelogin", "YZMYLD4K")
    assert (begun.ticket, begun.link) == ("", "")
    for _ in range(10):
        assert await world.calls.check(call, begun.attempt, None) == "pending"
    assert world.authority.polls == []
    assert [await polled(world) for _ in range(3)] == [5, 5, 5]
    assert await world.calls.settled(call, begun.attempt) == "signedIn"
    assert await world.calls.bearer(call, "calendar", address=GRAPH) == "access-a-2"
    for _, form in world.authority.asked:
        assert "client_secret" not in form


async def polled(world: SignInWorld) -> float:
    """Let time pass until the next poll and what follows it, and return how long it took."""
    slept = await asked(world)
    sleeps = world.clock.sleeps
    async with asyncio.timeout(PATIENCE):
        while world.clock.sleeps == sleeps and len(world.poller):
            await asyncio.sleep(0.001)
    return slept


async def asked(world: SignInWorld) -> float:
    """Let time pass until the provider has the next poll, and return how long it took: the answer is still to come."""
    before = len(world.authority.polls)
    slept = await world.clock.wake()
    async with asyncio.timeout(PATIENCE):
        while len(world.authority.polls) == before:
            await asyncio.sleep(0)
    return slept


async def test_slow_down_counts_for_all_later_polls_and_outlives_a_restart(world: SignInWorld) -> None:
    world.authority.device = ["slow_down", "authorization_pending", "slow_down", "authorization_pending", "yes"]
    call = await world.call("a")
    begun = await world.begin(call, "device")
    assert [await polled(world) for _ in range(4)] == [5, 10, 10, 15]
    await world.stop()
    await world.start()
    assert len(world.poller) == 1
    assert await polled(world) == 15
    assert await world.calls.settled(call, begun.attempt) == "signedIn"


@pytest.mark.parametrize(
    ("error", "result"),
    [
        ("authorization_declined", "declined"),
        ("access_denied", "declined"),
        ("expired_token", "expired"),
        ("bad_verification_code", "failed"),
        ("invalid_client", "failed"),
        ("unauthorized_client", "failed"),
        ("invalid_grant", "failed"),
    ],
)
async def test_the_providers_word_ends_it(world: SignInWorld, error: str, result: str) -> None:
    world.authority.device = ["authorization_pending", error]
    call = await world.call("a")
    begun = await world.begin(call, "device")
    await polled(world)
    await polled(world)
    assert await world.calls.settled(call, begun.attempt) == result
    assert len(world.authority.polls) == 2


async def test_a_provider_that_is_away_is_asked_less_often_until_it_is_back(world: SignInWorld) -> None:
    world.authority.device = ["503", "500", "authorization_pending", "yes"]
    call = await world.call("a")
    begun = await world.begin(call, "device")
    assert [await polled(world) for _ in range(4)] == [5, 10, 20, 5]
    assert await world.calls.settled(call, begun.attempt) == "signedIn"


async def test_no_poll_comes_after_the_codes_time(world: SignInWorld) -> None:
    world.authority.interval = 400
    call = await world.call("a")
    begun = await world.begin(call, "device")
    await polled(world)
    await polled(world)
    assert await world.clock.wake() == 100
    assert await world.calls.settled(call, begun.attempt) == "expired"
    assert len(world.authority.polls) == 2


@pytest.mark.parametrize("until", [polled, asked], ids=["while it waits", "while the provider is asked"])
async def test_the_poller_ends_with_the_call(
    world: SignInWorld, until: Callable[[SignInWorld], Awaitable[float]]
) -> None:
    call = await world.call("a")
    await world.begin(call, "device")
    await until(world)
    await world.calls.close(call)
    async with asyncio.timeout(PATIENCE):
        while len(world.poller):
            await asyncio.sleep(0)
    assert await world.kept() == []


async def test_it_is_off_unless_the_operator_says_so(world: SignInWorld) -> None:
    await world.stop()
    world.device = False
    await world.start()
    with pytest.raises(SignInRefused) as refused:
        await world.begin(await world.call("a"), "device")
    assert refused.value.code == "off"
    assert world.authority.asked == []


@pytest.mark.parametrize(("status", "code"), [(503, "unreachable"), (400, "refused")])
async def test_a_provider_that_gives_no_code_is_told_at_once(world: SignInWorld, status: int, code: str) -> None:
    world.authority.status = status
    with pytest.raises(SignInRefused) as refused:
        await world.begin(await world.call("a"), "device")
    assert refused.value.code == code


async def test_people_of_other_directories_are_nobody_by_this_way_too(world: SignInWorld) -> None:
    world.authority.device = ["yes"]
    world.authority.claims = {"tid": "00000000-0000-0000-0000-000000000001"}
    call = await world.call("a")
    begun = await world.begin(call, "device")
    await polled(world)
    assert await world.calls.settled(call, begun.attempt) == "failed"
    assert await world.calls.bearer(call, "calendar", address=GRAPH) is None
