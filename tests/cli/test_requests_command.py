"""`ivr requests`: what carriers could not be asked is found, and asked again unless that could be done twice."""

import asyncio
import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from ivr.call_record import Commit, Stepped
from ivr.cli import deliveries
from ivr.engine.events import CallReceived
from ivr.ports import Outbound
from ivr.store.data_folder import DataFolder
from ivr.store.sqlite.sqlite_calls import SqliteStore
from ivr.store.sqlite.sqlite_deliveries import SqlitePlatformRequests
from tests.cli.stored_calls import call_id, ivr
from tests.flows import flow_of
from tests.trace.recorded_calls import SLOW, random_bot

ORDER = Outbound("place", "POST", "/calls", {"To": "+4366012345"}, "form", answered=True, once=True)
DELETES = tuple(Outbound(f"1.{number}.delete", "DELETE", f"/recordings/{number}") for number in range(4))


async def given_up(data: Path) -> None:
    """Store a call of which one order and four requests were given up, in that order."""
    record = replace(random_bot(flow_of(SLOW), 1).record, id=call_id(1), version=1, steps=1)
    with DataFolder.open(data) as folder:
        store = await SqliteStore.open(folder.database, seal_key="00" * 32, seal_file=folder.seal_key)
        requests = SqlitePlatformRequests(folder, server=store)
        received = Stepped(CallReceived("29:anna", "28:bot", "en"), 1.0)
        await store.commit(Commit(record, (received,), outbound=(*DELETES[:2], ORDER, *DELETES[2:])))
        for one in await requests.claim("worker", now=10.0, lease=60.0, limit=9):
            await requests.settle(one.id, "dead", at=11.0, reason="the platform answered 401")
        await requests.close()
        await store.close()


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(deliveries, "MOST", 2)
    asyncio.run(given_up(tmp_path / "data"))
    return tmp_path / "data"


def test_what_was_given_up_is_listed_without_whom_it_is_about(data: Path) -> None:
    listed = ivr("requests", "--dead", "--data", data).output
    assert f"{call_id(1)}.1.3.delete" in listed
    assert "DELETE /recordings/3: the platform answered 401" in listed
    shown = json.loads(ivr("requests", "--json", "--data", data).output)
    assert [one["path"] for one in shown] == [
        "/recordings/3",
        "/recordings/2",
        "/calls",
        "/recordings/1",
        "/recordings/0",
    ]
    assert "+4366012345" not in listed + json.dumps(shown)


def test_all_are_asked_again_but_for_an_order_that_may_have_been_carried_out(data: Path) -> None:
    again = ivr("requests", "retry", "--dead", "--data", data)
    assert again.output == "4 to be sent again. A running server does it within seconds.\n"
    assert ivr("requests", "retry", "--dead", "--data", data).output.startswith("Nothing to be sent again.")
    (left,) = json.loads(ivr("requests", "--dead", "--json", "--data", data).output)
    assert (left["method"], left["once"]) == ("POST", True)
    assert "must not be done twice" in ivr("requests", "retry", left["id"], "--data", data).output
    assert ivr("requests", "drop", left["id"], "--data", data).output == "It will not be sent.\n"
    assert ivr("requests", "--dead", "--data", data).output == "No requests.\n"


def test_one_is_asked_again_by_its_id(data: Path) -> None:
    one = f"{call_id(1)}.1.0.delete"
    assert ivr("requests", "retry", one, "--data", data).output.startswith("1 to be sent again.")
    assert len(json.loads(ivr("requests", "--waiting", "--json", "--data", data).output)) == 1
    assert "Use either an id or --dead." in ivr("requests", "retry", "--data", data).output
    assert "There is no request" in ivr("requests", "drop", "ffff", "--data", data).output
