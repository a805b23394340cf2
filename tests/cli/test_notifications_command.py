"""`ivr notifications`: what could not be sent is found and sent again, however much there is, and however old it is."""

import asyncio
import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from ivr.call_record import Commit, Stepped
from ivr.cli import deliveries
from ivr.engine.commands import Notify
from ivr.engine.events import CallReceived
from ivr.store.data_folder import DataFolder
from ivr.store.sqlite.sqlite_calls import SqliteStore
from ivr.store.sqlite.sqlite_deliveries import SqliteOutbox
from tests.cli.stored_calls import call_id, ivr
from tests.flows import flow_of
from tests.trace.recorded_calls import SLOW, random_bot

AT_A_TIME = 2
DEAD, SENT = 5, 3


async def told(data: Path) -> list[str]:
    """Store a call that told somebody eight times, of which the first five could not be sent; return their names."""
    record = replace(random_bot(flow_of(SLOW), 1).record, id=call_id(1), version=1, steps=1)
    mails = tuple(
        Notify(f"1.{number}", "mail", "desk@example.com", flow="support") for number in range(1, DEAD + SENT + 1)
    )
    with DataFolder.open(data) as folder:
        store = await SqliteStore.open(folder.database, seal_key="00" * 32, seal_file=folder.seal_key)
        outbox = SqliteOutbox(folder, server=store)
        await store.commit(
            Commit(record, (Stepped(CallReceived("29:anna", "28:bot", "en"), 1.0),), notifications=mails)
        )
        handed_out = await outbox.claim("worker", now=10.0, lease=60.0, limit=len(mails))
        for number, one in enumerate(handed_out):
            await outbox.settle(one.id, "dead" if number < DEAD else "sent", at=11.0, reason="busy")
        await outbox.close()
        await store.close()
    return [one.id for one in handed_out]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(deliveries, "MOST", AT_A_TIME)
    return tmp_path / "data"


def test_all_that_was_given_up_is_sent_again_however_much_it_is(data: Path) -> None:
    asyncio.run(told(data))
    again = ivr("notifications", "retry", "--dead", "--data", data)
    assert again.output == f"{DEAD} to be sent again. A running server does it within seconds.\n"
    assert ivr("notifications", "--dead", "--data", data).output == "No notifications.\n"
    assert len(json.loads(ivr("notifications", "--waiting", "--json", "--data", data).output)) == DEAD


def test_one_is_found_by_its_whole_id_though_many_newer_ones_were_sent(data: Path) -> None:
    oldest, *_, newest = asyncio.run(told(data))
    shown = ivr("notifications", "show", oldest, "--data", data).output
    assert "reason       busy" in shown
    assert "subject      support" in shown  # that of a mail without one
    assert ivr("notifications", "retry", oldest, "--data", data).output.startswith("1 to be sent again.")
    assert ivr("notifications", "retry", newest, "--data", data).output == "Error: It was sent already.\n"
    assert "There is no notification" in ivr("notifications", "show", f"{oldest}0", "--data", data).output
