"""The web service that the shipped flows ask: it books once, knows its orders, and refuses what it cannot read."""

from collections.abc import AsyncIterator
from datetime import date
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import TypeAlias

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

Client: TypeAlias = "TestClient[web.Request, web.Application]"
FILE = Path(__file__).parents[2] / "flows" / "services" / "demo_service.py"
SLOT = {"slot": "2026-12-01T09:00"}


def loaded() -> ModuleType:
    """Load the service from its file: it is no part of the package."""
    spec = spec_from_file_location("demo_service", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SERVICE = loaded()


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with TestClient(TestServer(SERVICE.application())) as client:
        yield client


async def free(client: Client, first: str) -> list[dict[str, str]]:
    response = await client.get("/slots", params={"from": first})
    assert response.status == 200
    found: list[dict[str, str]] = (await response.json())["slots"]
    return found


async def test_free_times_are_offered_on_the_next_three_working_days(client: Client) -> None:
    found = await free(client, "2026-11-26")  # a Thursday
    assert list(dict.fromkeys(slot["day"] for slot in found)) == ["2026-11-27", "2026-11-30", "2026-12-01"]
    assert [slot["time"] for slot in found if slot["day"] == "2026-11-30"] == ["09:00", "10:30", "14:00"]
    assert found[0] == {"id": "2026-11-27T09:00", "day": "2026-11-27", "time": "09:00"}


@pytest.mark.parametrize("day", range(1, 8))
async def test_three_days_are_offered_from_every_weekday(client: Client, day: int) -> None:
    found = {date.fromisoformat(slot["day"]) for slot in await free(client, f"2026-12-0{day}")}
    assert len(found) == 3
    assert all(one.isoweekday() < 6 and one > date(2026, 12, day) for one in found)


@pytest.mark.parametrize("query", ["", "?from=", "?from=tomorrow", "?from=2026-13-01"])
async def test_a_day_that_is_none_is_refused_with_what_to_write(client: Client, query: str) -> None:
    response = await client.get(f"/slots{query}")
    assert response.status == 400
    assert await response.json() == {"error": 'write "from" as 2026-12-01'}


async def test_a_time_that_is_booked_is_not_offered_any_more(client: Client) -> None:
    before = await free(client, "2026-11-30")
    response = await client.post("/appointments", json=SLOT)
    assert (response.status, await response.json()) == (201, {"reference": "A1"})
    after = await free(client, "2026-11-30")
    assert [slot for slot in before if slot not in after] == [
        {"id": "2026-12-01T09:00", "day": "2026-12-01", "time": "09:00"}
    ]


async def test_a_time_is_booked_for_one_caller(client: Client) -> None:
    assert (await client.post("/appointments", json=SLOT, headers={"Idempotency-Key": "one"})).status == 201
    response = await client.post("/appointments", json=SLOT, headers={"Idempotency-Key": "two"})
    assert (response.status, await response.json()) == (409, {"error": "this time is taken"})
    assert (await client.post("/appointments", json=SLOT)).status == 409


async def test_a_request_that_is_sent_again_gets_the_same_answer_and_books_nothing_again(client: Client) -> None:
    key = {"Idempotency-Key": "call 7 step 3"}
    answers = [await (await client.post("/appointments", json=SLOT, headers=key)).json() for _ in range(3)]
    assert answers == [{"reference": "A1"}] * 3
    other = await client.post("/appointments", json={"slot": "2026-12-01T14:00"})
    assert await other.json() == {"reference": "A2"}


@pytest.mark.parametrize(
    "body", ["", "{", "[]", "null", '"slot"', "{}", '{"slot": 7}', '{"slot": ""}', '{"slot": null}']
)
async def test_a_booking_of_no_time_is_refused_with_what_to_send(client: Client, body: str) -> None:
    response = await client.post("/appointments", data=body, headers={"Content-Type": "application/json"})
    assert response.status == 422
    assert await response.json() == {"error": 'send {"slot": "…"}'}


@pytest.mark.parametrize("number", sorted(SERVICE.ORDERS))
async def test_an_order_is_found_by_its_number(client: Client, number: str) -> None:
    response = await client.get("/orders", params={"number": number})
    assert response.status == 200
    order = await response.json()
    assert order["number"] == number
    assert order.keys() == {"number", "state", "total", "day"}


@pytest.mark.parametrize("query", ["", "?number=", "?number=4799"])
async def test_an_order_that_there_is_not_is_404(client: Client, query: str) -> None:
    response = await client.get(f"/orders{query}")
    assert (response.status, await response.json()) == (404, {"error": "there is no such order"})


async def test_each_service_begins_with_nothing_booked(client: Client) -> None:
    await client.post("/appointments", json=SLOT)
    async with TestClient(TestServer(SERVICE.application())) as other:
        assert (await other.post("/appointments", json=SLOT)).status == 201


async def test_whoever_wants_to_be_called_back_is_taken_down(client: Client) -> None:
    assert (await client.post("/callbacks", json={"text": "06641234, in the morning"})).status == 204
