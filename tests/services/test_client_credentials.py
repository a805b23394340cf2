"""A token of our own: asked for once, renewed in time, shared, dropped; nothing of it in a log."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from ivr.services.client_credentials import LAST_MINUTES, REST, ClientCredentials
from ivr.services.platform_api import PlatformUnreachable
from tests.waiting import Gate, begun

SECRET = "6wyxeJ4-a-secret"
ASKED = (
    "grant_type=client_credentials&client_id=1f7dd6e9-cbd7-4c38-adf2-6e9bcab5310a&client_secret=6wyxeJ4-a-secret"
    "&scope=https%3A%2F%2Fapi.botframework.com%2F.default"
)
"As published, but for the secret."


class Provider:
    """An identity provider."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.asked: list[tuple[str, str, str]] = []
        self.status = 200
        self.answer: Any = None
        self.holds: Gate | None = None
        self.base = ""

    async def handle(self, request: web.BaseRequest) -> web.Response:
        self.asked.append((request.path_qs, request.headers["Content-Type"], (await request.read()).decode()))
        if self.holds is not None:
            await self.holds.wait()
        answer = self.answer if self.answer is not None else {
            "token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 0, "access_token": f"token-{len(self.asked)}"
        }  # fmt: skip
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        return web.Response(status=self.status, body=body, content_type="application/json")

    def credentials(self) -> ClientCredentials:
        return ClientCredentials(
            self.base,
            "botframework.com",
            client="1f7dd6e9-cbd7-4c38-adf2-6e9bcab5310a",
            secret=SECRET,
            scope="https://api.botframework.com/.default",
            now=lambda: self.now,
        )


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    one = Provider()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", one.handle)
    async with TestServer(app) as server:
        one.base = str(server.make_url("/")).rstrip("/")
        yield one


@pytest.fixture
async def credentials(provider: Provider) -> AsyncIterator[ClientCredentials]:
    one = provider.credentials()
    yield one
    await one.close()


async def test_it_is_asked_for_as_published_and_used_for_half_its_life(
    provider: Provider, credentials: ClientCredentials
) -> None:
    assert await credentials.token() == "token-1"
    assert provider.asked == [("/botframework.com/oauth2/v2.0/token", "application/x-www-form-urlencoded", ASKED)]
    provider.now += 3599 / 2 - 1
    assert await credentials.token() == "token-1"
    provider.now += 2
    assert await credentials.token() == "token-2"


async def test_many_who_want_it_at_once_ask_once(provider: Provider, credentials: ClientCredentials) -> None:
    provider.holds = Gate()
    waiting = [await begun(credentials.token()) for _ in range(5)]
    await provider.holds.reached()
    provider.holds.set()
    assert await asyncio.gather(*waiting) == ["token-1"] * 5
    assert len(provider.asked) == 1


async def test_where_it_cannot_be_renewed_the_old_one_is_used_but_not_in_its_last_minutes(
    provider: Provider, credentials: ClientCredentials
) -> None:
    await credentials.token()
    provider.status = 503
    provider.now += 1800
    assert [await credentials.token(), await credentials.token()] == ["token-1", "token-1"]
    assert len(provider.asked) == 2  # it rests
    provider.now = 1000 + 3599 - LAST_MINUTES + 1
    with pytest.raises(PlatformUnreachable) as failed:
        await credentials.token()
    assert (failed.value.code, failed.value.sent, failed.value.for_good) == ("token", False, False)


async def test_a_provider_that_fails_is_left_alone_for_a_while(
    provider: Provider, credentials: ClientCredentials
) -> None:
    provider.status = 500
    for _ in range(3):
        with pytest.raises(PlatformUnreachable):
            await credentials.token()
    assert len(provider.asked) == 1
    provider.now += REST
    provider.status = 200
    assert await credentials.token() == "token-2"


async def test_one_that_was_refused_is_forgotten_but_no_newer_one(
    provider: Provider, credentials: ClientCredentials
) -> None:
    first = await credentials.token()
    credentials.drop(first)
    second = await credentials.token()
    credentials.drop(first)
    assert (second, await credentials.token()) == ("token-2", "token-2")


@pytest.mark.parametrize(
    ("expires", "life"), [("3599", 3599.0), (3599, 3599.0), ("soon", 60.0), (1, 60.0), (1e9, 86_400.0), (-1, 60.0)]
)
async def test_its_life_is_a_number_or_a_text_and_within_reason(
    provider: Provider, credentials: ClientCredentials, expires: object, life: float
) -> None:
    provider.answer = {"access_token": "t", "expires_in": expires}
    await credentials.token()
    provider.now += life / 2 - 0.5
    await credentials.token()
    assert len(provider.asked) == 1
    provider.now += 1
    await credentials.token()
    assert len(provider.asked) == 2


@pytest.mark.parametrize(
    "answer",
    [b"", b"[", b"[]", b"{}", {"access_token": ""}, {"access_token": "a b"}, {"access_token": 5}, b"[" * 70_000],
)
async def test_what_is_no_token_is_none(provider: Provider, credentials: ClientCredentials, answer: object) -> None:
    provider.answer = answer
    with pytest.raises(PlatformUnreachable):
        await credentials.token()


async def test_neither_the_secret_nor_what_the_provider_says_of_it_is_told(
    provider: Provider, credentials: ClientCredentials, caplog: pytest.LogCaptureFixture
) -> None:
    provider.status = 401
    provider.answer = {"error": "invalid_client", "error_description": f"AADSTS7000215: {SECRET}"}
    with caplog.at_level(logging.DEBUG), pytest.raises(PlatformUnreachable) as failed:
        await credentials.token()
    told: Mapping[str, object] = vars(caplog.records[-1])
    assert (told["message"], told["reason"]) == ("no token", "invalid_client")
    assert SECRET not in caplog.text + repr(credentials) + repr(failed.value) + str(told)


async def test_a_provider_that_is_not_there_is_no_answer(caplog: pytest.LogCaptureFixture) -> None:
    nobody = ClientCredentials("http://127.0.0.1:9", "t", client="c", secret=SECRET, scope="s")
    with pytest.raises(PlatformUnreachable):
        await nobody.token()
    await nobody.close()
    assert SECRET not in caplog.text


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="address"):
        ClientCredentials("login", "t", client="c", secret="s", scope="s")
