"""Notifications on the pages: those that were given up, and where mails are written in development."""

import sqlite3
from contextlib import closing
from pathlib import Path

from ivr.store.data_folder import DataFolder
from ivr.store.location import StoreLocation
from ivr.store.opening import open_for_command
from tests.console.test_console_pages import text
from tests.console.visiting import visiting
from tests.waiting import logged

TELLS = """\
flow: desk
initial: tell
on: {error: bye}
states:
  tell: {notify: {webhook: "https://desk.contoso.example/calls", text: Somebody called.}, next: bye}
  bye: {say: Goodbye., final: true}
"""


async def test_the_first_page_says_how_many_notifications_were_given_up(tmp_path: Path) -> None:
    async with visiting(tmp_path, tokens=True, more={"desk.yaml": TELLS}) as visit:
        await visit.log_in()
        stored = await open_for_command(StoreLocation(DataFolder(visit.data)))
        outbox = stored.outbox
        for told in ("1 notification was given up.", "2 notifications were given up."):
            assert told not in text(await visit.see())
            with logged("notification not sent") as tried:
                await (await visit.calls()).hears_the_end()
                await tried.once()
            (one,) = await outbox.list("waiting", limit=9)
            await outbox.settle(one.id, "dead", at=0.0)
            assert f"Not sent {told} See ivr notifications --dead" in text(await visit.see())
        await stored.close()


async def test_the_first_page_says_how_many_requests_to_carriers_were_given_up(tmp_path: Path) -> None:
    async with visiting(tmp_path, tokens=True) as visit:
        await visit.log_in()
        await visit.calls()
        with closing(sqlite3.connect(visit.data / "calls.db")) as connection, connection:
            add = "INSERT INTO platform_request SELECT row, id || '.1', '', 1.0, 'dead', 1.0, 1, NULL, '' FROM call"
            connection.execute(add)
        assert "Not sent 1 request to a carrier was given up. See ivr requests --dead" in text(await visit.see())


async def test_the_start_page_says_where_mails_are_written(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        assert f"written into the folder {visit.data / 'mail'} " in text(await visit.see("/"))
