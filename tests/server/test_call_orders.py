"""Calls are ordered by POST /calls: bounded, once for each key, and by nobody without the token."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from ivr.call_record import CallRecord
from ivr.engine.events import CallPlaced
from ivr.server.assembly import running
from ivr.settings import Settings
from ivr.store.data_folder import DataFolder
from ivr.store.sqlite.sqlite_archive import SqliteArchive
from tests.server.harness import connected
from tests.waiting import PATIENCE

TOKEN = "a-token-for-calls-0123"
FLOW = """
flow: reminder
initial: ask
on: {exhausted: bye, error: bye}
variables:
  patient: {type: text, default: none, parameter: true}
  code: {type: text, default: none, parameter: true, sensitive: true}
states:
  ask: {menu: {prompt: "{{ patient or 'You' }}?", choices: {yes: {dtmf: "1"}}}, on: {yes: check}}
  check: {decide: [{guard: code == '4711', target: bye}, bye]}
  bye: {say: Bye., final: true}
"""
ORDER: Mapping[str, Any] = {"to": "+436601234567", "flow": "reminder", "channel": "jambonz"}


class Orders:
    """A server that places calls, and whoever orders them."""

    def __init__(self, url: str, session: aiohttp.ClientSession, folder: Path) -> None:
        self.url, self.session, self.folder = url, session, folder

    async def order(self, key: str = "order-0001", *, token: str | None = TOKEN, **changed: Any) -> tuple[int, Any]:
        return await self.send(json.dumps({**ORDER, **changed}).encode(), key=key, token=token)

    async def send(
        self, body: bytes, *, key: str | None = "order-0001", token: str | None = TOKEN, **headers: str
    ) -> tuple[int, Any]:
        fields = {"Content-Type": "application/json", **headers}
        fields |= {"Idempotency-Key": key} if key is not None else {}
        fields |= {"Authorization": f"Bearer {token}"} if token is not None else {}
        async with self.session.post(f"{self.url}/calls", data=body, headers=fields) as answer:
            return answer.status, await answer.json()

    async def look(self, call: str, *, token: str = TOKEN) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token}"}
        async with self.session.get(f"{self.url}/calls/{call}", headers=headers) as answer:
            return answer.status, await answer.json()

    async def stored(self) -> list[CallRecord]:
        archive = SqliteArchive(DataFolder(self.folder / "data"))
        try:
            return [one.record async for portion in archive.stored() for one in portion if one.record is not None]
        finally:
            await archive.close()


@asynccontextmanager
async def orders(folder: Path, **changed: Any) -> AsyncIterator[Orders]:
    (folder / "flows").mkdir(exist_ok=True)
    (folder / "flows" / "reminder.yaml").write_text(FLOW)
    chosen: dict[str, Any] = {
        "port": 0,
        "data": folder / "data",
        "stt": "none",
        "public_url": "https://ivr.example.com",
        "jambonz_webhook_secret": "a-webhook-secret-0123",
        "jambonz_account_sid": "acc-1",
        "jambonz_api_url": "http://127.0.0.1:9",
        "jambonz_api_key": "api-key-of-tests",
        "calls_token": TOKEN,
        "call_targets": "+43*,!+43900*",
        "call_callers": "+4315550100,+4315550101",
        **changed,
    }
    settings = Settings(**{name: value for name, value in chosen.items() if value is not None})
    async with (
        running(settings, [folder / "flows"], dev=False) as server,
        aiohttp.ClientSession() as session,
    ):
        yield Orders(server.url, session, folder)


async def test_an_order_is_a_call_that_can_be_looked_at(tmp_path: Path) -> None:
    async with orders(tmp_path) as office:
        status, told = await office.order(values={"patient": "Anna"})
        assert (status, told["state"], told["outcome"]) == (202, "placed", None)
        assert await office.look(told["id"]) == (200, told)
        (record,) = await office.stored()
        assert (record.id, record.call.phase, record.call.facts.called) == (told["id"], "calling", ORDER["to"])
        assert record.call.facts.caller == "+4315550100"


async def test_one_key_is_one_call_also_after_a_restart(tmp_path: Path) -> None:
    async with orders(tmp_path) as office:
        told = await asyncio.gather(*(office.order() for _ in range(5)))
        assert len({answer["id"] for _, answer in told}) == 1
        assert {status for status, _ in told} == {202}
    async with orders(tmp_path) as office:
        status, again = await office.order()
        assert (status, again["id"]) == (202, told[0][1]["id"])
        assert len(await office.stored()) == 1
        status, other = await office.order("order-0002")
        assert (status, other["id"] == again["id"]) == (202, False)


async def test_another_order_under_the_same_key_is_refused(tmp_path: Path) -> None:
    async with orders(tmp_path) as office:
        await office.order()
        status, told = await office.order(to="+436601234568")
        assert (status, told["error"]["code"]) == (409, "key-used")
        assert len(await office.stored()) == 1


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"to": "+49301234567"}, 403, "target"),
        ({"to": "+43900123456"}, 403, "target"),
        ({"to": "0660"}, 422, "to"),
        ({"to": "sip:desk@pbx.example.com"}, 403, "target"),
        ({"caller": "+4319999999"}, 403, "caller"),
        ({"flow": "nothing"}, 404, "unknown-flow"),
        ({"channel": "skype"}, 422, "channel"),
        ({"channel": "twilio"}, 422, "channel"),
        ({"ring": 4}, 422, "ring"),
        ({"ring": 121}, 422, "ring"),
        ({"values": {"nobody": 1}}, 422, "values"),
        ({"values": {"patient": 1}}, 422, "values"),
        ({"surprise": 1}, 400, "order"),
        ({"to": 5}, 400, "order"),
        ({"ring": "long"}, 400, "order"),
    ],
)
async def test_what_may_not_be_placed_is_refused_and_leaves_nothing(
    tmp_path: Path, changed: Mapping[str, Any], status: int, code: str
) -> None:
    async with orders(tmp_path) as office:
        answered, told = await office.order(**changed)
        assert (answered, told["error"]["code"]) == (status, code)
        assert await office.stored() == []


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{", {}, 400),
        (b"[" * 5000, {}, 400),
        (b'{"to": "\xff"}', {}, 400),
        (b"{}", {"Content-Type": "text/plain"}, 415),
        (json.dumps(ORDER).encode(), {"Content-Encoding": "gzip"}, 415),
        (b'{"to": "' + b"4" * 20_000 + b'"}', {}, 413),
    ],
)
async def test_a_body_that_is_no_order_is_refused(
    tmp_path: Path, body: bytes, headers: Mapping[str, str], status: int
) -> None:
    async with orders(tmp_path) as office:
        assert (await office.send(body, **headers))[0] == status


@pytest.mark.parametrize("key", [None, "", "short", "x" * 200, "with a space"])
async def test_an_order_needs_a_key(tmp_path: Path, key: str | None) -> None:
    async with orders(tmp_path) as office:
        status, told = await office.send(json.dumps(ORDER).encode(), key=key)
        assert (status, told["error"]["code"]) == (400, "idempotency-key")


async def test_of_two_keys_none_counts(tmp_path: Path) -> None:
    async with orders(tmp_path) as office:
        body, fields = (
            json.dumps(ORDER).encode(),
            (("Content-Type", "application/json"), ("Authorization", f"Bearer {TOKEN}")),
        )
        keys = (("Idempotency-Key", "order-0001"), ("Idempotency-Key", "order-0002"))
        async with office.session.post(f"{office.url}/calls", data=body, headers=(*fields, *keys)) as answer:
            assert answer.status == 400
        assert await office.stored() == []


@pytest.mark.parametrize("token", [None, "", "wrong-token-0123456789", TOKEN + "x", TOKEN[:-1], "\xe4" * 20])
async def test_nobody_without_the_token_orders_or_looks(tmp_path: Path, token: str | None) -> None:
    async with orders(tmp_path) as office:
        assert (await office.order(token=token))[0] == 401
        assert (await office.look("0" * 32, token=token or "none"))[0] == 401
        assert await office.stored() == []


@pytest.mark.parametrize(
    "other", [b"Bearer \xff\xfe", b"Bearer \xed\xa0\x80", TOKEN.encode(), b"Basic " + TOKEN.encode()]
)
async def test_bytes_that_are_no_text_are_no_token_and_no_mistake_of_ours(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, other: bytes
) -> None:
    async with orders(tmp_path) as office:
        assert await asked(office.url, [other]) == 401
        assert await asked(office.url, [other, b"Bearer " + TOKEN.encode()]) == 401, "of two tokens none counts"
        assert await asked(office.url, [b"Bearer " + TOKEN.encode(), other]) == 401
        assert await asked(office.url, [b"Bearer " + TOKEN.encode()]) == 404
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


async def asked(url: str, tokens: Sequence[bytes]) -> int:
    """Look at a call with Authorization fields as they stand; return the status."""
    fields = b"".join(b"Authorization: %b\r\n" % token for token in tokens)
    async with connected(int(url.rpartition(":")[2])) as (reader, writer), asyncio.timeout(PATIENCE):
        writer.write(b"GET /calls/%b HTTP/1.1\r\nHost: ivr\r\n%b\r\n" % (b"0" * 32, fields))
        return int((await reader.read(16)).split()[1])


async def test_without_a_token_in_the_settings_there_is_nothing(tmp_path: Path) -> None:
    async with orders(tmp_path, calls_token=None) as office:
        assert (await office.order())[0] == 404
        assert (await office.look("0" * 32))[0] == 404


async def test_calls_in_a_minute_and_at_once_are_bounded(tmp_path: Path) -> None:
    async with orders(tmp_path, calls_per_minute=2) as office:
        answers = [await office.order(f"order-{number:04}") for number in range(3)]
        assert [status for status, _ in answers] == [202, 202, 429]
    async with orders(tmp_path, calls_at_once=2) as office:  # those two are still under way
        status, told = await office.order("order-9999")
        assert (status, told["error"]["code"]) == (429, "at-once")
        assert (await office.order("order-0000"))[0] == 202, "an order that was taken is answered whatever the bounds"


async def test_a_private_value_is_in_no_trace_and_no_answer(tmp_path: Path) -> None:
    async with orders(tmp_path) as office:
        _, told = await office.order(values={"patient": "Anna", "code": "4711"})
        archive = SqliteArchive(DataFolder(tmp_path / "data"))
        trace = await archive.trace(told["id"])
        await archive.close()
        began = trace[0].event
        assert isinstance(began, CallPlaced)
        assert (began.values, began.masked) == ({"patient": "Anna"}, ("code",))
        assert "4711" not in json.dumps(told)


async def test_a_call_that_nobody_ordered_is_not_found(tmp_path: Path) -> None:
    async with orders(tmp_path) as office:
        for call in ("0" * 32, "x", "0" * 33):
            assert (await office.look(call))[0] == 404
