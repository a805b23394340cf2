"""Who may look at the console, and what a stranger gets."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
from yarl import URL

from ivr.coordination import LocalCoordination
from ivr.errors import WebhookError
from ivr.server.console.login import AUDIO_LASTS, GUESSES, LASTS, MOST_SESSIONS, WINDOW, Sessions
from ivr.server.small_forms import AWAITED, FORM_BYTES
from tests.console.visiting import TOKEN, Visit, visiting
from tests.phone.calling import Signer
from tests.server.harness import connected, read_answer, request
from tests.server.world import World

PAGES = ["", "/flows", "/flows/desk", f"/calls/{'0' * 32}", "/nothing", "/%2e%2e/call"]


KEY = bytes(32)


class Clock:
    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sessions(clock: Clock) -> Sessions:
    return Sessions(TOKEN, LocalCoordination(clock), key=KEY, now=clock)


class Asking:
    """The one thing of a request that sessions look at."""

    def __init__(self, cookie: str) -> None:
        self.headers = {"Cookie": cookie}


def holding(sessions: Sessions, secret: str | None) -> Any:
    return Asking(sessions.cookie(secret).partition(";")[0])


# --- strangers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
async def test_a_stranger_is_sent_to_the_login_whatever_is_asked_for(visit: Visit, page: str) -> None:
    status, headers, text = await visit.get(f"/console{page}")
    assert (status, headers["Location"]) == (303, "/console/login")
    assert "desk" not in text


async def test_the_login_leads_on_to_the_page_that_was_asked_for(visit: Visit) -> None:
    await visit.calls()
    await visit.log_in()
    address = await visit.call_address()
    visit.client.cookie_jar.clear()
    assert (await visit.get(address))[1]["Location"] == "/console/login"
    assert (await visit.log_in("guess"))[0] == 401
    assert (await visit.log_in())[1]["Location"] == address


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example",
        "/console/../call",
        "https://evil.example/console/flows",
        "/console/flows/a/b",
        "/console/logout",
    ],
)
async def test_the_login_leads_nowhere_else(visit: Visit, wanted: str) -> None:
    status, headers, _ = await visit.log_in(Cookie=f"ivr-console-to={quote(wanted, safe='')}")
    assert (status, headers["Location"]) == (303, "/console")


async def test_a_stranger_gets_no_recording_and_no_news(visit: Visit) -> None:
    assert (await visit.get(f"/console/audio/{'0' * 32}/0?seal=1.2"))[0] == 401
    assert (await visit.get("/console", headers={"X-Refresh": "1"}))[0] == 401


async def test_a_cookie_that_was_made_up_opens_nothing(visit: Visit) -> None:
    for cookie in ("ivr-console=guess", "ivr-console=", "ivr-console", "ivr-console=\x80; ;=", 'ivr-console="'):
        status, _, _ = await visit.get("/console", headers={"Cookie": cookie})
        assert status == 303


async def test_the_right_token_opens_the_console(visit: Visit) -> None:
    status, headers, _ = await visit.log_in()
    assert (status, headers["Location"]) == (303, "/console")
    assert "No live calls." in await visit.see()


@pytest.mark.parametrize("token", ["", "wrong", TOKEN[:-1], TOKEN + " ", TOKEN.upper(), "\ud800", "é" * 100])
async def test_any_other_token_opens_nothing(visit: Visit, token: str) -> None:
    status, headers, text = await visit.log_in(token.encode("utf-8", "replace").decode())
    assert (status, "Set-Cookie" in headers) == (401, False)
    assert "This is not the console&#x27;s token." in text or "This is not the console token." in text
    assert (await visit.get("/console"))[0] == 303


async def test_logging_out_ends_the_session_and_not_only_the_cookie(operator: Visit) -> None:
    cookie = next(iter(operator.client.cookie_jar)).OutputString()
    async with operator.client.post(f"{operator.url}/console/logout", allow_redirects=False) as answer:
        assert answer.status == 303
        assert "Max-Age=0" in answer.headers["Set-Cookie"]
    async with (
        aiohttp.ClientSession(headers={"Cookie": cookie}) as thief,
        thief.get(f"{operator.url}/console", allow_redirects=False) as answer,
    ):
        assert answer.status == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "https://evil.example"},
    ],
)
async def test_a_form_of_another_site_is_refused(visit: Visit, headers: dict[str, str]) -> None:
    assert (await visit.log_in(TOKEN, **headers))[0] == 403


async def test_a_form_that_is_none_is_refused(visit: Visit) -> None:
    post = f"{visit.url}/console/login"
    for body, kind, wanted in (
        (b"{}", "application/json", 415),
        (b"token=\xff", "application/x-www-form-urlencoded", 400),
        (b"a=1&b=2&c=3&d=4&e=5", "application/x-www-form-urlencoded", 400),
        (b"token=" + b"x" * FORM_BYTES, "application/x-www-form-urlencoded", 413),
    ):
        async with visit.client.post(post, data=body, headers={"Content-Type": kind}) as answer:
            assert answer.status == wanted


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def test_slow_forms_hold_few_connections_and_only_for_two_seconds(visit: Visit) -> None:
    port = URL(visit.url).port
    assert port
    began = asyncio.get_running_loop().time()
    async with AsyncExitStack() as stack:
        answers = []
        for _ in range(AWAITED + 3):
            reader, writer = await stack.enter_async_context(connected(port))
            writer.write(request("POST", "/console/login", b"token=", {**FORM, "Content-Length": "900"}))
            answers.append(asyncio.create_task(read_answer(reader)))
        arriving = asyncio.as_completed(answers)
        refused = [(await next(arriving)).status for _ in range(3)]
        assert refused == [429] * 3
        reader, writer = await stack.enter_async_context(connected(port))
        writer.write(request("POST", "/console/login", f"token={TOKEN}".encode(), FORM))
        assert (await read_answer(reader)).status == 303, "a form that is there at once needs no place"
        assert [(await one).status for one in arriving] == [408] * AWAITED
    assert asyncio.get_running_loop().time() - began < 4.0
    assert (await visit.log_in())[0] == 303, "the places are free again"


async def test_a_stranger_who_guesses_does_not_lock_the_operator_out(visit: Visit) -> None:
    wrong = [(await visit.log_in("guess"))[0] for _ in range(GUESSES + 2)]
    assert wrong == [401] * GUESSES + [429] * 2
    assert (await visit.log_in())[0] == 303


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
async def test_the_console_only_shows(operator: Visit, method: str) -> None:
    for path in ("/console", "/console/flows", "/console/flows/desk"):
        async with operator.client.request(method, operator.url + path) as answer:
            assert answer.status == 405
            assert answer.headers["Allow"] == "GET, HEAD"


async def test_in_development_mode_another_name_for_this_machine_is_refused(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        assert (await visit.log_in())[0] == 303
        status, _, _ = await visit.get("/console", headers={"Host": "rebound.example"})
        assert status == 403
        assert "No live calls." in await visit.see()


# --- sessions --------------------------------------------------------------------------------------------------------


async def test_the_cookie_is_for_https_this_host_and_no_script(sessions: Sessions) -> None:
    assert re.fullmatch(
        r"__Host-ivr-console=[\w-]{43}; Max-Age=28800; Path=/; Secure; HttpOnly; SameSite=Strict",
        sessions.cookie(await sessions.enter(TOKEN)),
    )


async def test_without_https_the_cookie_says_so_by_its_name(clock: Clock) -> None:
    cookie = Sessions(TOKEN, LocalCoordination(clock), key=KEY, now=clock, plain=True).cookie("x")
    assert cookie == "ivr-console=x; Max-Age=28800; Path=/console; HttpOnly; SameSite=Strict"


async def test_each_login_makes_a_session_of_its_own(sessions: Sessions) -> None:
    first, second = await sessions.enter(TOKEN), await sessions.enter(TOKEN)
    assert first != second
    await sessions.leave(holding(sessions, first))
    assert await sessions.of(holding(sessions, first)) is None
    assert await sessions.of(holding(sessions, second)) is not None


async def test_a_session_ends_by_itself(sessions: Sessions, clock: Clock) -> None:
    secret = await sessions.enter(TOKEN)
    clock.time += LASTS - 1
    assert await sessions.of(holding(sessions, secret))
    clock.time += 1
    assert await sessions.of(holding(sessions, secret)) is None


async def test_sessions_take_no_more_memory_than_a_hundred(sessions: Sessions) -> None:
    secrets = [await sessions.enter(TOKEN) for _ in range(MOST_SESSIONS + 1)]
    assert await sessions.of(holding(sessions, secrets[0])) is None
    assert all([await sessions.of(holding(sessions, secret)) for secret in secrets[1:]])


async def test_after_ten_wrong_tokens_others_have_to_wait_and_the_right_one_does_not(
    sessions: Sessions, clock: Clock
) -> None:
    for _ in range(GUESSES):
        with pytest.raises(WebhookError, match="not the console token"):
            await sessions.enter("guess")
    with pytest.raises(WebhookError) as refused:
        await sessions.enter("guess")
    assert refused.value.status == 429
    assert await sessions.enter(TOKEN)
    clock.time += WINDOW
    with pytest.raises(WebhookError, match="not the console token"):
        await sessions.enter("guess")


@pytest.mark.parametrize(
    "around",
    ["a b=1; {}", "{}; a b=1", 'x="; {}', "=; ;;\x80; {} ", "xx__Host-ivr-console=1; {}", "__Host-ivr-console=old; {}"],
)
async def test_cookies_of_others_do_not_log_anybody_out(sessions: Sessions, around: str) -> None:
    ours = sessions.cookie(await sessions.enter(TOKEN)).partition(";")[0]
    asking: Any = Asking(around.format(ours))
    assert await sessions.of(asking) is not None
    await sessions.leave(asking)
    assert await sessions.of(asking) is None


async def test_the_address_of_a_recording_is_good_for_one_session_one_recording_and_a_while(
    sessions: Sessions, clock: Clock
) -> None:
    seal = sessions.seal("me", "call/0")
    sessions.check("me", "call/0", seal)
    until, _, proof = seal.partition(".")
    later = f"{int(until) + 100}.{proof}"
    for session, what, given in (
        ("you", "call/0", seal),
        ("me", "call/1", seal),
        ("me", "call/0", later),
        ("me", "call/0", ""),
        ("me", "call/0", "x.y"),
        ("me", "call/0", f"{until}.é"),
        ("me", "call/0", f"²{until}"),
    ):
        with pytest.raises(WebhookError, match="has expired"):
            sessions.check(session, what, given)
    clock.time += AUDIO_LASTS + 1
    with pytest.raises(WebhookError, match="has expired"):
        sessions.check("me", "call/0", seal)


async def test_the_address_of_a_recording_stays_for_a_while_and_is_good_for_ten_minutes_at_least(
    sessions: Sessions, clock: Clock
) -> None:
    seals = set()
    for _ in range(int(AUDIO_LASTS)):
        seals.add(seal := sessions.seal("me", "call/0"))
        assert AUDIO_LASTS / 2 <= int(seal.partition(".")[0]) - clock.time <= AUDIO_LASTS
        clock.time += 1
    assert len(seals) == 3


# --- servers with a console, and without one --------------------------------------------------------------------------


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    signer = Signer()
    await signer.start()
    yield World(tmp_path, signer)
    await signer.stop()


async def test_without_a_token_there_is_no_console(world: World) -> None:
    async with world.server() as platform, aiohttp.ClientSession() as client:
        for path in ("/console", "/console/login", "/console/static/base.css", "/phone"):
            async with client.get(f"http://127.0.0.1:{platform.port}{path}", allow_redirects=False) as answer:
                assert answer.status == 404


async def test_with_a_token_the_cookie_is_for_https_alone(world: World) -> None:
    async with world.server(console_token=TOKEN) as platform, aiohttp.ClientSession() as client:
        url = f"http://127.0.0.1:{platform.port}/console/login"
        async with client.post(url, data={"token": TOKEN}, allow_redirects=False) as answer:
            assert answer.status == 303
            assert answer.headers["Set-Cookie"].startswith("__Host-ivr-console=")
            assert "; Secure" in answer.headers["Set-Cookie"]
