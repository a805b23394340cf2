"""Several channels on one server, one of them with everything that a plug can have: the example of the docs."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from ivr.ports import CallKey, Exchange, Leg
from ivr.server import backend, plugs
from ivr.server.assembly import Running, running
from ivr.server.plugs import skype
from ivr.server.startup import check_settings
from ivr.settings import Settings, SettingsError
from ivr.store.data_folder import DataFolder
from ivr.store.location import StoreLocation
from ivr.store.opening import open_store
from tests.channels.bell import BELL, signature
from tests.phone.calling import PUBLIC, Signer
from tests.server.harness import TOKEN, Answer, connected, read_answer, request
from tests.server.test_attacks_on_the_routes import conversation
from tests.server.world import DESK

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
RING = b"call=c1&message=m1&what=ring&from=%2B4312345"


@pytest.fixture(autouse=True)
def with_a_bell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugs, "SOURCES", (skype.SOURCE, BELL))


@asynccontextmanager
async def serving(folder: Path, **more: Any) -> AsyncIterator[Running]:
    (folder / "desk.yaml").write_text(DESK)
    chosen = {"port": 0, "data": folder / "data", "public_url": PUBLIC, **more}
    async with running(Settings(**chosen), [folder / "desk.yaml"], dev=False) as server:
        yield server


async def post(server: Running, target: str, body: bytes, headers: Mapping[str, str], token: str = TOKEN) -> Answer:
    async with connected(int(server.url.rpartition(":")[2])) as (reader, writer):
        writer.write(request("POST", target, body, headers, token=token))
        return await read_answer(reader)


def signed(target: str, body: bytes) -> Mapping[str, str]:
    return {**FORM, "X-Bell-Signature": signature(target, body)}


async def test_two_channels_answer_at_once_each_with_its_own_verifier(tmp_path: Path) -> None:
    signer = Signer()
    await signer.start()
    try:
        async with serving(tmp_path, **signer.settings) as server:
            native = await post(server, "/call", json.dumps(conversation("c1")).encode(), {
                "Content-Type": "application/json"}, signer.token())  # fmt: skip
            other = await post(server, "/bell/call", RING, signed("/bell/call", RING))
            assert (native.status, other.status, other.body) == (200, 200, b"")
            crossed = await post(server, "/bell/call", RING, FORM, signer.token())
            assert (crossed.status, crossed.code) == (401, "no-signature")
            assert [one.path for one in server.registrations] == ["/call", "/bell/call"]
    finally:
        await signer.stop()


async def test_a_query_is_a_part_of_what_is_signed_and_the_flow_of_the_address(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        target = "/bell/call/desk?step=%7E1&x=a+b"
        assert (await post(server, target, RING, signed(target, RING))).status == 200
        for elsewhere in ("/bell/call/desk", "/bell/call/desk?step=~1&x=a+b", "/bell/call/desk?x=a+b&step=%7E1"):
            answer = await post(server, elsewhere, RING, signed(target, RING))
            assert (answer.status, answer.code) == (403, "signature")


async def test_a_body_that_is_not_what_was_signed_opens_no_call(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        forged = RING.replace(b"c1", b"c2")
        answer = await post(server, "/bell/call", forged, signed("/bell/call", RING))
        assert (answer.status, answer.code) == (403, "signature")
        later = b"call=c2&message=m2&what=keys&keys=1"
        assert (await post(server, "/bell/call", later, signed("/bell/call", later))).code == "unknown-call"


async def test_a_channel_that_is_off_has_no_address(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        answer = await post(server, "/call", json.dumps(conversation("c1")).encode(), FORM)
        assert (answer.status, answer.code) == (404, "not-found")


async def test_a_kind_of_body_that_an_address_does_not_take_is_refused(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        headers = {**signed("/bell/call", b"{}"), "Content-Type": "application/json"}
        answer = await post(server, "/bell/call", b"{}", headers)
        assert answer.status == 415
        assert "application/x-www-form-urlencoded" in answer.body.decode()


def test_without_any_channel_it_is_said_what_each_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugs, "SOURCES", (skype.SOURCE,))
    with pytest.raises(SettingsError, match=r"skype: IVR_APP_ID"):
        check_settings(Settings(public_url=PUBLIC), dev=False)


def test_the_channel_that_waits_least_bounds_the_time_for_a_reply() -> None:
    with pytest.raises(SettingsError, match="under the 5 seconds that the platform of the channel skype"):
        check_settings(Settings(app_id="a", public_url=PUBLIC, reply_budget=7), dev=False)
    check_settings(Settings(public_url=PUBLIC, reply_budget=7), dev=False)
    with pytest.raises(SettingsError, match="under the 10 seconds that the platform of the channel bell"):
        check_settings(Settings(public_url=PUBLIC, reply_budget=10), dev=False)


async def test_a_call_of_a_channel_that_was_switched_off_is_kept_and_told_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(tmp_path) as server:
        assert (await post(server, "/bell/call", RING, signed("/bell/call", RING))).status == 200
    off = replace(BELL, is_on=lambda settings: False)
    monkeypatch.setattr(plugs, "SOURCES", (skype.SOURCE, off))
    monkeypatch.setattr(backend, "SOURCES", (skype.SOURCE, off))
    signer = Signer()
    await signer.start()
    folder = DataFolder(tmp_path / "data")
    try:
        async with serving(tmp_path, **signer.settings) as server:
            assert (await post(server, "/bell/call", RING, signed("/bell/call", RING))).code == "not-found"
        with DataFolder.open(folder.path) as own:
            opened = await open_store(StoreLocation(own))
            turns_channels = backend._channels([])
            assert turns_channels["bell"].speak(Leg(), [], now=0.0) == Exchange(Leg())
            assert await opened.calls.load(CallKey("bell", "", "c1")) is not None
            await opened.close()
    finally:
        await signer.stop()
