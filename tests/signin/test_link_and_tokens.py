"""By a link, for whom the channel knows; and what becomes of tokens: to whom they go, and how they are renewed."""

import asyncio

import jwt
import pytest
from msgspec.structs import replace

from ivr.auth.id_tokens import BadIdToken
from ivr.sign_in_ports import DirectoryUser, SignInRefused
from tests.fakes.authority import EVE, TENANT
from tests.fakes.identity import private_key
from tests.signin.sign_in_world import ADA_USER, CALLER, GRAPH, Browser, SignInWorld

TEAMS = replace(CALLER, channel="chat", party="29:1iFtp", directory=ADA_USER)


async def test_whom_the_channel_knows_needs_no_code(world: SignInWorld) -> None:
    call = await world.call("a")
    begun = await world.begin(call, "link", TEAMS)
    assert begun.by == "link"
    settled = asyncio.create_task(world.calls.settled(call, begun.attempt))
    browser = Browser(world.authority)
    await world.sign_in(begun.link, browser)
    assert await settled == "signedIn"
    seen = await world.browsers.page(begun.attempt, browser.cookie)
    assert (seen.standing, seen.code) == ("signedIn", "")
    assert (await world.calls.bearer(call, "calendar", address=GRAPH)).startswith("access-a-")


async def test_somebody_else_with_the_link_gets_nowhere_and_neither_does_the_caller(world: SignInWorld) -> None:
    call = await world.call("a")
    begun = await world.begin(call, "link", TEAMS)
    world.authority.person = EVE
    await world.sign_in(begun.link, Browser(world.authority))
    assert await world.calls.settled(call, begun.attempt) == "failed"
    assert await world.calls.bearer(call, "calendar", address=GRAPH) is None
    [kept] = await world.kept()
    assert kept.tokens is None


@pytest.mark.parametrize("directory", [None, DirectoryUser("00000000-0000-0000-0000-000000000001", ADA_USER.user)])
async def test_whom_the_channel_does_not_know_by_a_trusted_directory_gets_a_code(
    world: SignInWorld, directory: DirectoryUser | None
) -> None:
    call = await world.call("a")
    begun = await world.begin(call, "link", replace(TEAMS, directory=directory))
    assert begun.by == "code"
    assert await world.calls.check(call, begun.attempt, await world.code(begun)) == "signedIn"


async def signed_in(world: SignInWorld, call: str) -> str:
    begun = await world.begin(call)
    assert await world.calls.check(call, begun.attempt, await world.code(begun)) == "signedIn"
    return await world.calls.bearer(call, "calendar", address=GRAPH)


async def test_a_token_goes_to_no_other_host(world: SignInWorld) -> None:
    call = await world.call("a")
    await signed_in(world, call)
    with pytest.raises(SignInRefused) as refused:
        await world.calls.bearer(call, "calendar", address="https://evil.example/v1.0/me")
    assert refused.value.code == "host"


async def test_a_token_is_of_one_call_and_one_name(world: SignInWorld) -> None:
    await signed_in(world, await world.call("a"))
    other = await world.call("b")
    assert await world.calls.bearer(other, "calendar", address=GRAPH) is None
    assert await world.calls.bearer("a", "mail", address=GRAPH) is None


async def test_it_is_renewed_in_its_last_minutes_once_for_all_who_ask(world: SignInWorld) -> None:
    call = await world.call("a")
    first = await signed_in(world, call)
    world.clock.now += 3299
    assert await world.calls.bearer(call, "calendar", address=GRAPH) == first
    world.clock.now += 1
    fresh = await asyncio.gather(*(world.calls.bearer(call, "calendar", address=GRAPH) for _ in range(5)))
    assert len(set(fresh)) == 1
    assert fresh[0] not in {first, None}
    assert [form["grant_type"] for _, form in world.authority.asked].count("refresh_token") == 1
    await world.stop()
    await world.start()
    assert await world.calls.bearer(call, "calendar", address=GRAPH) == fresh[0]
    world.clock.now += 3300
    assert await world.calls.bearer(call, "calendar", address=GRAPH) != fresh[0]  # by the refresh token that came along


async def test_one_that_a_host_has_refused_is_exchanged_once(world: SignInWorld) -> None:
    call = await world.call("a")
    first = await signed_in(world, call)
    second = await world.calls.bearer(call, "calendar", address=GRAPH, refused=first)
    assert second not in {first, None}
    assert await world.calls.bearer(call, "calendar", address=GRAPH, refused=first) == second


async def test_a_provider_that_is_away_is_not_missed_while_the_token_is_good(world: SignInWorld) -> None:
    call = await world.call("a")
    first = await signed_in(world, call)
    world.authority.status = 503
    world.clock.now += 3599
    assert await world.calls.bearer(call, "calendar", address=GRAPH) == first
    world.clock.now += 1
    with pytest.raises(SignInRefused) as refused:
        await world.calls.bearer(call, "calendar", address=GRAPH)
    assert refused.value.code == "unreachable"
    world.authority.status = None
    assert (await world.calls.bearer(call, "calendar", address=GRAPH)).startswith("access-a-")


async def test_a_sign_in_that_was_withdrawn_is_none(world: SignInWorld) -> None:
    call = await world.call("a")
    await signed_in(world, call)
    world.authority.withdraw()
    world.clock.now += 3500
    assert await world.calls.bearer(call, "calendar", address=GRAPH) is None
    [kept] = await world.kept()
    assert kept.tokens is None


async def test_new_tokens_of_another_person_are_not_taken(world: SignInWorld) -> None:
    call = await world.call("a")
    await signed_in(world, call)
    world.authority.claims = {"oid": EVE}
    world.clock.now += 3500
    assert await world.calls.bearer(call, "calendar", address=GRAPH) is None


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://login.microsoftonline.com/other/v2.0"},
        {"aud": "another-client"},
        {"aud": ["1f7dd6e9-cbd7-4c38-adf2-6e9bcab5310a"]},
        {"exp": 1_700_000_000},
        {"exp": None},
        {"exp": True},
        {"nbf": 1_900_000_000},
        {"iat": "now"},
        {"nonce": "of-another-attempt"},
        {"nonce": None},
        {"nonce": 7},
        {"tid": "00000000-0000-0000-0000-000000000001"},
        {"tid": None},
        {"oid": None},
        {"oid": ""},
        {"oid": 7},
    ],
    ids=str,
)
async def test_who_is_vouched_for_wrongly_is_nobody(world: SignInWorld, claims: dict[str, object]) -> None:
    world.authority.claims = claims
    call = await world.call("a")
    begun = await world.begin(call)
    assert await world.code(begun) == ""
    assert await world.calls.settled(call, begun.attempt) == "failed"


async def test_an_id_token_is_signed_by_the_provider_by_rs256_for_a_directory_on_the_list(world: SignInWorld) -> None:
    ids = world._client._ids
    good = world.authority.id_token("n")
    assert await ids.user(good, nonce="n", now=world.clock.now) == DirectoryUser(TENANT, ADA_USER.user)
    claims = jwt.decode(good, options={"verify_signature": False})
    forged = {
        "signature": world.authority.id_token("n", key=private_key(1)),
        "algorithm": jwt.encode(claims, "k" * 64, algorithm="HS256", headers={"kid": "key-1"}),
        "malformed": "a.b",
        "key": jwt.encode(claims, world.authority.signing, algorithm="RS256", headers={"kid": "key-2"}),
    }
    foreign = "00000000-0000-0000-0000-000000000001"
    forged["tenant"] = world.authority.id_token("n", tid=foreign, iss=f"{world.authority.login}/{foreign}/v2.0")
    for reason, token in forged.items():
        with pytest.raises(BadIdToken) as bad:
            await ids.user(token, nonce="n", now=world.clock.now)
        assert bad.value.reason == reason
