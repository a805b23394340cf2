"""A data folder of an earlier version is converted at the start, once, and nothing of it is lost."""

import logging
import shutil
import sqlite3
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest
from msgspec import json
from msgspec.structs import replace

from ivr.call_record import REMEMBERED, Stepped
from ivr.engine.events import ServiceAnswered, Transcribed
from ivr.errors import BrokenSeal, DamagedCall, DataUnusable
from ivr.ports import CallKey, Outbound, WebhookReply
from ivr.server.console.figures import figures_of_call
from ivr.server.ticker import Retention
from ivr.store.data_folder import DataFolder
from ivr.store.location import StoreLocation
from ivr.store.opening import open_for_command
from ivr.store.sqlite.database_file import open_database
from ivr.store.sqlite.sqlite_archive import SqliteArchive
from ivr.store.sqlite.sqlite_calls import SqliteStore
from ivr.store.sqlite.sqlite_deliveries import SqlitePlatformRequests
from ivr.store.sqlite.sqlite_media import SqliteMedia
from ivr.store.sqlite.tables import VERSION
from tests.cli.stored_calls import ivr
from tests.store.earlier_folders import VERSIONS, calls_said, cases_said, letters, platform_call, restored, rows
from tests.store.store_examples import after
from tests.store.store_examples import line as line_of

FLOWS = Path(__file__).parents[2] / "flows"
APP = "an-app-id"


async def opened(folder: Path, seal_key: str | None = None) -> SqliteStore:
    data = DataFolder(folder)
    return await SqliteStore.open(data.database, seal_key=seal_key, seal_file=data.seal_key)


def convert(folder: Path) -> Path:
    """Open the database as a server does, and close it."""
    open_database(folder / "calls.db").close()
    return folder


def refusal(folder: Path) -> str:
    """Return why a folder is not converted."""
    with pytest.raises(DataUnusable) as refused:
        convert(folder)
    return str(refused.value).replace(str(folder), "DATA")


def change(folder: Path, sql: str) -> None:
    with closing(sqlite3.connect(folder / "calls.db")) as connection, connection:
        assert connection.execute(sql).rowcount > 0


def change_all(folder: Path, sql: str) -> None:
    with closing(sqlite3.connect(folder / "calls.db")) as connection, connection:
        connection.execute(sql)


def key(version: int, name: str) -> CallKey:
    return CallKey("skype", APP, platform_call(version, name))


def traces_of_before(folder: Path) -> Mapping[str, list[Stepped]]:
    found: dict[str, list[Stepped]] = {}
    lines = "SELECT id, body FROM trace JOIN call ON row = trace.call ORDER BY row, line"
    for call, line in rows(folder / "calls.db", lines):
        found.setdefault(call, []).append(json.decode(line, type=Stepped))
    return found


# --- nothing is lost --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
async def test_the_same_messages_get_the_same_replies(tmp_path: Path, version: int) -> None:
    """Those of a release that stored ids as they came, too."""
    store = await opened(restored(tmp_path / "data", version))
    by_call: dict[str, dict[str, WebhookReply | None]] = {}
    for letter in letters(version):
        body = None if letter["reply"] is None else WebhookReply(letter["status"], letter["reply"].encode())
        by_call.setdefault(letter["json"]["id"], {})[letter["id"]] = body
    assert len(by_call) == len(rows(tmp_path / "data/calls.db", "SELECT row FROM call"))
    for call, sent in by_call.items():
        found = await store.load(CallKey("skype", APP, call))
        assert found is not None
        stored = {name if name in found.replies else store.pseudonym(name): reply for name, reply in sent.items()}
        # what is told of a call again and again after its end is not kept
        kept = {name: reply for name, reply in stored.items() if name in found.replies}
        assert list(found.replies.items()) == list(kept.items())
        assert len(kept) == min(len(sent), REMEMBERED)
    raw = await store.load(key(version, "earlier-key"))
    assert raw is not None
    first = next(letter["id"] for letter in letters(version) if letter["call"] == "earlier-key")
    assert next(iter(raw.replies)) == first
    await store.close()


@pytest.mark.parametrize("version", VERSIONS)
async def test_every_call_stands_where_it_stood(tmp_path: Path, version: int) -> None:
    folder = restored(tmp_path / "data", version)
    before = rows(folder / "calls.db", "SELECT id, state, over FROM call ORDER BY row")
    store = await opened(folder)
    after = rows(
        folder / "calls.db",
        "SELECT id, state, ended IS NOT NULL FROM call JOIN turn ON seq = "
        "(SELECT max(seq) FROM turn WHERE turn.call = call.row) ORDER BY row",
    )
    assert after == before
    assert store.damaged == []
    found = await store.load(key(version, "earlier-digits"))
    assert found is not None
    assert found.call.memory.private == {"pin": "1357"}
    await store.close()
    digits = [platform_call(version, name) for name in ("earlier-digits", *(["digits"] if version > 1 else []))]
    sealed = "SELECT name FROM call JOIN turn ON call = row WHERE marks & 4 ORDER BY row"
    assert rows(folder / "calls.db", sealed) == [(name,) for name in digits]


async def test_what_a_record_holds_beside_the_call_is_kept(tmp_path: Path) -> None:
    store = await opened(restored(tmp_path / "data", 2))
    unmoved = await store.load(key(2, "unmoved"))
    assert unmoved is not None
    assert (unmoved.version, unmoved.steps, unmoved.unmoved) == (22, 18, 20)
    assert unmoved.last is not None
    assert unmoved.last not in unmoved.replies.values(), "its message is not remembered any more"
    assert b"recognize" in unmoved.last.body
    assert unmoved.idle_at > unmoved.call.facts.started
    await store.close()


@pytest.mark.parametrize("version", VERSIONS)
def test_traces_are_kept_line_by_line(tmp_path: Path, version: int) -> None:
    folder = restored(tmp_path / "data", version)
    before = traces_of_before(folder)
    convert(folder)
    after: dict[str, list[Stepped]] = {}
    for call, lines in rows(
        folder / "calls.db", "SELECT id, trace FROM turn JOIN call ON row = turn.call ORDER BY seq"
    ):
        after.setdefault(call, []).extend(json.decode(lines, type=list[Stepped]))
    assert after == before


@pytest.mark.parametrize("version", VERSIONS)
def test_commands_say_the_same_as_before(tmp_path: Path, version: int, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = convert(restored(tmp_path / "data", version))
    monkeypatch.chdir(tmp_path)
    assert ivr("calls", "--json", "--data", folder).output == calls_said(version)
    calls = [call for (call,) in rows(folder / "calls.db", "SELECT id FROM call ORDER BY row")]
    assert "".join(ivr("calls", "export", call, "--data", folder).output for call in calls) == cases_said(version)
    assert "No call is damaged.\n" in ivr("calls", "damaged", "--data", folder).output


def test_every_call_is_replayed_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = convert(restored(tmp_path / "data", 2))
    monkeypatch.chdir(tmp_path)
    assert ivr("replay", "--live", "--data", folder, "--flows", FLOWS).output.splitlines()[-1] == (
        "21 calls replayed: 21 same, 0 changed, 0 undetermined."
    )


async def test_figures_are_counted_as_before(tmp_path: Path) -> None:
    folder = restored(tmp_path / "data", 2)
    traces = traces_of_before(folder)
    outcomes, flows = {}, {}
    for call, over, state in rows(folder / "calls.db", "SELECT id, over, state FROM call"):
        flows[call] = json.decode(state)["flow"]
        outcomes[call] = (json.decode(state).get("outcome") or "") if over else None
    convert(folder)
    stored = await open_for_command(StoreLocation(DataFolder(folder)))
    archive = stored.archive
    (block,) = await archive.blocks(0.0)
    counted = {one.flow: one.calls for one in await archive.flows(block)}
    assert counted == Counter(flows.values())
    for flow in counted:
        found = await archive.figures(block, flow, lambda calls: [figures_of_call(*one) for one in calls])
        assert found == [figures_of_call(outcomes[call], traces[call]) for call in traces if flows[call] == flow]
    await stored.close()


async def test_calls_of_before_are_forgotten_when_their_time_is_up(tmp_path: Path) -> None:
    folder = restored(tmp_path / "data", 2)
    words = {call.encode() for (call,) in rows(folder / "calls.db", "SELECT id FROM call WHERE over = 1")}
    kept = {
        name
        for (name,) in rows(folder / "calls.db", "SELECT media.name FROM media JOIN call ON row = call WHERE over = 0")
    }
    store, data = await opened(folder), DataFolder(folder)
    archive, recordings = SqliteArchive(data, server=store), SqliteMedia(data.audio, data.database)
    await Retention(archive, recordings, data).erase_old(before=1e12)
    assert rows(folder / "calls.db", "SELECT count(*) FROM call WHERE ended IS NOT NULL") == [(0,)]
    assert not [
        path for path in folder.rglob("*") if path.is_file() and any(word in path.read_bytes() for word in words)
    ]
    assert {path.name for path in (folder / "audio").iterdir()} == kept
    for open_still in (recordings, archive, store):
        await open_still.close()


@pytest.mark.parametrize("version", VERSIONS)
async def test_every_recording_is_named_and_there(tmp_path: Path, version: int) -> None:
    folder = restored(tmp_path / "data", version)
    before = rows(folder / "calls.db", "SELECT name, call FROM media ORDER BY name")
    files = {path.name: path.read_bytes() for path in (folder / "audio").iterdir()}
    store = await opened(folder)
    assert rows(folder / "calls.db", "SELECT media, call FROM turn WHERE media IS NOT NULL ORDER BY media") == before
    assert all([await store.named(name) for name, _ in before])
    await store.close()
    assert {path.name: path.read_bytes() for path in (folder / "audio").iterdir()} == files


@pytest.mark.parametrize("version", VERSIONS)
async def test_orders_go_on_with_their_attempts(tmp_path: Path, version: int) -> None:
    folder = restored(tmp_path / "data", version)
    owed = "SELECT name, attempts FROM job JOIN call ON row = call WHERE answered IS NULL"
    before = dict(rows(folder / "calls.db", owed))
    store = await opened(folder)
    orders = await store.claim("me", now=0.0, lease=60.0, limit=9)
    assert {order.key.id: order.attempts - 1 for order in orders} == before
    assert platform_call(version, "earlier-held") in before
    await store.close()


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_call_of_before_asks_its_platform_like_any_other(tmp_path: Path, version: int) -> None:
    folder = restored(tmp_path / "data", version)
    store = await opened(folder)
    found = await store.load(key(version, "earlier-digits"))
    assert found is not None
    delete = Outbound("9.1.delete", "DELETE", "/recordings/1")
    await store.commit(replace(after(found, line_of(found.steps)), outbound=(delete,)))
    requests = SqlitePlatformRequests(DataFolder(folder), server=store)
    (one,) = await requests.claim("w", now=1e9, lease=60.0, limit=9)
    assert (one.call, one.request) == (found.id, delete)
    await requests.close()
    await store.close()


async def test_a_folder_that_is_older_than_a_table_has_nothing_in_it_and_gets_it(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    await (await opened(tmp_path)).close()
    change_all(tmp_path, "DROP TABLE platform_request")
    stored = await open_for_command(StoreLocation(folder))
    requests = stored.requests
    assert (await requests.count("dead"), await requests.list(limit=9), await requests.get("a.1.1")) == (0, [], None)
    assert not await requests.drop("a.1.1")
    await stored.close()
    await (await opened(tmp_path)).close()
    assert rows(folder.database, "SELECT count(*) FROM platform_request") == [(0,)]


async def test_an_answer_that_waited_waits_still(tmp_path: Path) -> None:
    store = await opened(restored(tmp_path / "data", 2))
    found = await store.load(key(2, "answered"))
    assert found is not None
    assert list(await store.inbox(found.id)) == [ServiceAnswered("3.1", Transcribed("my flight was late", 0.9))]
    assert found.key in await store.due(0.0)
    await store.close()


async def test_a_call_that_is_owed_a_reply_or_waits_for_its_recording_does_so_still(tmp_path: Path) -> None:
    store = await opened(restored(tmp_path / "data", 2))
    owed, gone = await store.load(key(2, "owed")), await store.load(key(2, "gone"))
    assert owed is not None
    assert list(owed.replies.values())[-1] is None
    assert gone is not None
    assert (gone.call.phase, gone.call.grace_until is not None) == ("gone", True)
    await store.close()


def test_when_a_call_ended_is_kept_or_found_in_its_trace(tmp_path: Path) -> None:
    folder = restored(tmp_path / "two", 2)
    before = rows(folder / "calls.db", "SELECT call, at FROM ended ORDER BY call")
    convert(folder)
    assert rows(folder / "calls.db", "SELECT row, ended FROM call WHERE ended IS NOT NULL ORDER BY row") == before
    folder = restored(tmp_path / "one", 1)
    (last,) = rows(folder / "calls.db", "SELECT max(json_extract(body, '$.now')) FROM trace WHERE call = 1")
    convert(folder)
    assert rows(folder / "calls.db", "SELECT ended FROM call ORDER BY row") == [last, (None,), (None,), (None,)]
    folder = restored(tmp_path / "unreadable", 1)
    change(folder, "UPDATE trace SET body = 'no JSON' WHERE call = 1")
    (began,) = rows(folder / "calls.db", "SELECT json_extract(state, '$.facts.started') FROM call WHERE row = 1")
    convert(folder)
    assert rows(folder / "calls.db", "SELECT ended FROM call WHERE row = 1") == [began]


def test_the_changes_of_a_block_are_counted_on(tmp_path: Path) -> None:
    folder = restored(tmp_path / "two", 2)
    before = rows(folder / "calls.db", "SELECT * FROM block")
    convert(folder)
    assert rows(folder / "calls.db", "SELECT * FROM block") == before
    convert(restored(tmp_path / "one", 1))
    assert rows(tmp_path / "one/calls.db", "SELECT * FROM block") == [(0, 1, 1)]


async def test_it_is_done_once_and_flows_are_kept(tmp_path: Path) -> None:
    folder = restored(tmp_path / "data", 2)
    before = rows(folder / "calls.db", "SELECT hash, source FROM flow ORDER BY hash")
    await (await opened(folder)).close()
    inode = (folder / "calls.db").stat().st_ino
    store = await opened(folder)
    assert rows(folder / "calls.db", "PRAGMA user_version") == [(VERSION,)]
    assert (folder / "calls.db").stat().st_ino == inode
    assert [(flow, await store.flow(flow)) for flow, _ in before] == before
    await store.close()


# --- what cannot be read ----------------------------------------------------------------------------------------------

MISREAD: Mapping[str, tuple[str, str, str]] = {
    "state without a flow": ("call", "state = '{}'", "its state"),
    "state that is no JSON": ("call", "state = substr(state, 1, 90)", "its state"),
    "state of another type": ("call", "state = 5", "its state"),
    "state that is a blob": ("call", "state = x'ff00ff'", "its state"),
    "state that is no UTF-8": ("call", "state = CAST(x'7b22ff' || state AS TEXT)", "its state"),
    "record that is no MessagePack": ("call", "rest = x'c1'", "its record"),
    "record that is a text": ("call", "rest = 'PIECE'", "its record"),
    "record of another call": ("call", "rest = (SELECT rest FROM call WHERE row = 1)", "its record"),
    "id that is another": ("call", "id = 'PIECE'", "its record"),
    "name that is another": ("call", "name = 'PIECE'", "its record"),
    "reply that is cut off": ("reply", "body = substr(body, 1, 3)", "a reply"),
    "reply of another type": ("reply", "body = 1.5", "a reply"),
    "reply to a message that has no id": ("reply", "message = CAST(message AS BLOB)", "a message has an invalid id"),
    "sealed value": (
        "call",
        "state = json_set(state, '$.memory.private', json('{\"\": \"PIECEOFA\"}'))",
        "a sealed value",
    ),
    "order that is no JSON": ("job", "body = 'PIECE'", "an order"),
    "order with runs that are no number": ("job", "attempts = 'PIECE'", "an order has an invalid number"),
    "answer of another type": ("job", "answered = 7, answer = 7", "an answer"),
}


@pytest.mark.parametrize("what", MISREAD)
async def test_a_call_that_could_not_be_read_is_set_aside_afterwards_too(tmp_path: Path, what: str) -> None:
    folder = restored(tmp_path / "data", 2)
    table, changed, said = MISREAD[what]
    database, held = folder / "calls.db", platform_call(2, "held")
    ((row, live),) = rows(
        database, "SELECT row, (SELECT count(*) FROM call WHERE over = 0) FROM call WHERE name = ?", held
    )
    change(folder, f"UPDATE {table} SET {changed} WHERE {'row' if table == 'call' else 'call'} = {row}")
    ((call, name),) = rows(database, "SELECT id, name FROM call WHERE row = ?", row)
    store = await opened(folder)
    (damaged,) = store.damaged
    assert (damaged.row, damaged.id, damaged.over) == (row, call, False)
    assert damaged.what.startswith(said)
    assert "PIECE" not in damaged.what
    with pytest.raises(DamagedCall):
        await store.load(CallKey("skype", APP, name))
    assert rows(database, "SELECT count(*) FROM call WHERE ended IS NULL") == [(live,)]
    assert await store.load(key(2, "key")) is not None
    await store.close()


JUNK = ["'PIECE'", "'1],[2'", "'{}'", "5", "x'ff'", "'\"a text\"'", "CAST(x'7b22ff' AS TEXT)"]


@pytest.mark.parametrize("junk", JUNK)
def test_a_line_of_a_trace_that_could_not_be_read_is_named_afterwards_too(
    tmp_path: Path, junk: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = restored(tmp_path / "data", 2)
    change(folder, f"UPDATE trace SET body = {junk} WHERE call = 8 AND line = 2")
    convert(folder)
    monkeypatch.chdir(tmp_path)
    (line,) = ivr("calls", "damaged", "--json", "--data", folder).output.splitlines()
    ((call,),) = rows(folder / "calls.db", "SELECT id FROM call WHERE row = 8")
    found = json.decode(line)
    assert found["id"] == call
    assert found["reason"].startswith("a line of its trace has an invalid format")


async def test_with_another_key_the_start_ends_and_the_right_one_opens_all(tmp_path: Path) -> None:
    folder = restored(tmp_path / "data", 2)
    with pytest.raises(BrokenSeal, match="with this key"):
        await opened(folder, "11" * 32)
    store = await opened(folder)
    assert store.damaged == []
    await store.close()


async def test_a_recording_of_nobody_is_spared_by_the_sweep_still(tmp_path: Path) -> None:
    """Whose it is was damaged: its call may be there."""
    folder = restored(tmp_path / "data", 2)
    ((name,),) = rows(folder / "calls.db", "SELECT name FROM media LIMIT 1")
    change(folder, f"UPDATE media SET call = 4711 WHERE name = '{name}'")
    store = await opened(folder)
    assert await store.named(name)
    assert list(await store.unnamed([name, "another.wma"])) == ["another.wma"]
    await store.close()


# --- refusals ---------------------------------------------------------------------------------------------------------


def test_where_there_is_no_room_it_is_said_how_much_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = restored(tmp_path / "data", 2)
    usage = shutil.disk_usage(folder)._replace(free=100_000)
    with monkeypatch.context() as patch:
        patch.setattr("shutil.disk_usage", lambda _: usage)
        assert refusal(folder) == (
            "The database DATA/calls.db was written by an earlier version of this server and must be converted, for "
            "which about 1 MB must be free on its disk. Free some space, then start again. Nothing was changed."
        )
    assert rows(folder / "calls.db", "PRAGMA user_version") == [(2,)]
    convert(folder)


@pytest.mark.parametrize("table", ["call", "reply", "trace", "job", "media", "flow", "ended", "block", "seal"])
def test_a_table_of_before_that_is_missing(tmp_path: Path, table: str) -> None:
    folder = restored(tmp_path / "data", 2)
    with closing(sqlite3.connect(folder / "calls.db")) as connection:
        connection.execute(f"DROP TABLE {table}")
    assert refusal(folder) == (
        f"The database DATA/calls.db has no table {table}: it is damaged, or another program has changed it. "
        "Restore a backup, or move the data folder away to start empty."
    )


def test_a_page_that_is_damaged_ends_it_and_nothing_is_changed(tmp_path: Path) -> None:
    folder = restored(tmp_path / "data", 2)
    rows(folder / "calls.db", "PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray((folder / "calls.db").read_bytes())
    content[8192 * 20 :] = b"\xff" * (len(content) - 8192 * 20)
    (folder / "calls.db").write_bytes(content)
    assert refusal(folder) == (
        "The database DATA/calls.db cannot be used: it is damaged. "
        "Restore a backup, or move the data folder away to start empty."
    )
    assert (folder / "calls.db").read_bytes()[8192:] == content[8192:]
    assert not (folder / "calls.db.new").exists()


def test_a_database_that_another_command_reads_is_left_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, connect = restored(tmp_path / "data", 2), sqlite3.connect
    with closing(connect(folder / "calls.db", isolation_level=None)) as other, monkeypatch.context() as patch:
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM call").fetchone()
        # wait for nobody: what is said does not depend on how long it was waited
        patch.setattr("sqlite3.connect", lambda *some, **more: connect(*some, **{"timeout": 0.0, **more}))
        assert refusal(folder) == (
            "The database DATA/calls.db cannot be used: it is locked by another program. "
            "Stop that program, then try again."
        )
    convert(folder)


def test_commands_that_only_read_say_that_a_server_must_be_started_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = restored(tmp_path / "data", 2)
    monkeypatch.chdir(tmp_path)
    for command in (["calls"], ["calls", "damaged"], ["replay", "--live"]):
        done = ivr(*command, "--data", folder)
        assert done.exit_code == 1
        assert done.output == (
            f"Error: {folder}/calls.db was written by an earlier version of this server. "
            "Start `ivr serve` with this data folder once: it converts it.\n"
        )
    assert rows(folder / "calls.db", "PRAGMA user_version") == [(2,)]


# --- the file ---------------------------------------------------------------------------------------------------------


def test_the_new_file_takes_the_place_of_the_old_one(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    folder = restored(tmp_path / "data", 2)
    for name in ("calls.db", "calls.db-wal"):
        (folder / name).rename(tmp_path / name.replace("calls", "elsewhere"))
    (folder / "calls.db").symlink_to(tmp_path / "elsewhere.db")
    (tmp_path / "elsewhere.db.new").write_text("of a start that was cut off")
    with (tmp_path / "elsewhere.db").open("rb") as old:
        convert(folder)
        old.seek(0)
        assert set(old.read()) == {0}, "what may have to be erased later is overwritten"
    assert (folder / "calls.db").is_symlink()
    assert (tmp_path / "elsewhere.db").stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / "elsewhere.db.new").exists()
    assert rows(folder / "calls.db", "PRAGMA integrity_check") == [("ok",)]
    assert rows(folder / "calls.db", "PRAGMA page_size") == [(8192,)]
    assert [record.getMessage() for record in caplog.records] == ["converting the database", "database converted"]
